//! The envelope of every value in the store: a version byte, the body, a checksum over key and all before.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{BorrowDecode, Encode};

/// Version of every encoding in the store without a version of its own.
pub(super) const VERSION: u8 = 1;
/// Bytes of the checksum after each value.
pub(super) const CRC_LEN: usize = 4;
/// Memory limit of decoding one value.
const LIMIT_BYTES: usize = 1 << 20;

type Config = Configuration<LittleEndian, Varint, Limit<LIMIT_BYTES>>;

/// The encoding of everything in the store, with a limit on what decoding may take.
pub(super) const CONFIG: Config = bincode::config::standard().with_limit::<LIMIT_BYTES>();

/// The same without that limit, for rows: they are numbers, and a part of a key that is not copied.
pub(super) const UNLIMITED: Configuration = bincode::config::standard();

/// Completes a value that begins with its version byte.
pub(super) fn seal(key: &[u8], value: &mut Vec<u8>) {
    let crc = crc_of(key, value);
    value.extend_from_slice(&crc.to_le_bytes());
}

/// Returns the body between version byte and checksum, or what is wrong with the value.
pub(super) fn unseal<'a>(key: &[u8], value: &'a [u8]) -> Result<&'a [u8], &'static str> {
    match unseal_any(key, value)? {
        (VERSION, body) => Ok(body),
        _ => Err(UNKNOWN_VERSION),
    }
}

/// The error of a value that a later version wrote.
pub(super) const UNKNOWN_VERSION: &str = "a value has an unknown version";

/// The same for any version, which is returned, too.
pub(super) fn unseal_any<'a>(key: &[u8], value: &'a [u8]) -> Result<(u8, &'a [u8]), &'static str> {
    let (sealed, trailer) = value.split_last_chunk::<CRC_LEN>().ok_or("a value is cut short")?;
    if crc_of(key, sealed) != u32::from_le_bytes(*trailer) {
        return Err("a checksum does not match");
    }
    let (&version, body) = sealed.split_first().ok_or("a value is cut short")?;
    Ok((version, body))
}

/// Returns the body of a sealed value that was checked before.
pub(super) fn body(value: &[u8]) -> Result<&[u8], &'static str> {
    value.get(1..value.len().saturating_sub(CRC_LEN)).ok_or("a value is cut short")
}

/// Returns the checksum at the end of a sealed value; 0 if it is not one.
pub(super) fn crc_at_end(value: &[u8]) -> u32 {
    value.last_chunk::<CRC_LEN>().map_or(0, |trailer| u32::from_le_bytes(*trailer))
}

/// Encodes and seals one value.
pub(crate) fn encode<T: Encode>(key: &[u8], body: &T) -> Result<Vec<u8>, &'static str> {
    encode_as(VERSION, key, body)
}

/// The same, as this version.
pub(super) fn encode_as<T: Encode>(version: u8, key: &[u8], body: &T) -> Result<Vec<u8>, &'static str> {
    let mut value = vec![version];
    bincode::encode_into_std_write(body, &mut value, CONFIG).map_err(|_| "a value can't be encoded")?;
    seal(key, &mut value);
    Ok(value)
}

/// Checks and decodes one value.
pub(crate) fn decode<'a, T: BorrowDecode<'a, ()>>(key: &[u8], value: &'a [u8]) -> Result<T, &'static str> {
    decode_body(unseal(key, value)?)
}

/// Decodes a body, all of it.
pub(super) fn decode_body<'a, T: BorrowDecode<'a, ()>>(body: &'a [u8]) -> Result<T, &'static str> {
    match bincode::borrow_decode_from_slice(body, CONFIG) {
        Ok((decoded, len)) if len == body.len() => Ok(decoded),
        _ => Err("a value can't be decoded"),
    }
}

fn crc_of(key: &[u8], bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(bytes);
    hasher.finalize()
}
