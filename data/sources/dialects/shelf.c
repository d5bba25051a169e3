#include "shelf.h"

union word { int number; char bytes[4]; };

struct shelf {
    shelf_id id;
    struct { int used, free; } room;
    int (*order)(const void *, const void *);
    enum { EMPTY, FULL } fill;
};

typedef struct { double x, y; } point;
typedef int (*visit)(struct shelf *, void *);

const int limit = SHELF_MAX;
static const char *const names[] = { "étagère", "shelf" };
static int counter;
extern int elsewhere;

static int visit_all(struct shelf *shelf, visit each, void *state);

int shelf_count(const struct shelf *shelf) {
    if (!shelf || shelf->room.used < 0) return -1;
    return shelf->room.used;
}

static int visit_all(struct shelf *shelf, visit each, void *state) {
    static int calls = 0;
    const int most = 10;
    for (int i = 0; i < limit && i < most; i++) {
        switch (each(shelf, state)) {
            case 0: continue;
            case 1:
            case 2: calls++; break;
            default: goto out;
        }
    }
    while (calls) calls = calls > 3 ? 0 : calls - 1;
    do counter += shelf_twice(calls); while (counter < 0);
out:
    return shelf->order(names[0], names[1]) + __builtin_abs(counter);
}

int
main(void)
{
    struct shelf one = { .id = 1 };
    return visit_all(&one, 0, &one) ?: elsewhere;
}
