/* A ring of the last movements. */
struct move {
    int code;
    int count;
};

enum { RING = 16 };

static struct move ring[RING];
static unsigned used;

void ring_add(int code, int count)
{
    struct move *slot = &ring[used++ % RING];
    slot->code = code;
    slot->count = count;
}

int ring_sum(int code)
{
    int sum = 0;
    for (unsigned at = 0; at < used && at < RING; at++)
        if (ring[at].code == code)
            sum += ring[at].count;
    return sum;
}
