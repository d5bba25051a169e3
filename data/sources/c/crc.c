/* CRC-16 of a label. */
typedef unsigned short crc_t;

crc_t crc16(const unsigned char *text, unsigned long length)
{
    crc_t crc = 0xffff;
    while (length--) {
        crc ^= (crc_t)(*text++ << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    }
    return crc;
}
