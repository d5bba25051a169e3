#include <stdio.h>
#include "shelf.h"
#define MAX_DAYS 14

struct shelf { int used; struct shelf *next; };
typedef struct shelf shelf_t;
enum level { LOW, HIGH = 3 };
static int counter = 0;
const char *const name = "a";

static struct shelf *find(const struct shelf *first, int days)
{
    while (first && days < MAX_DAYS) first = first->next;
    return (struct shelf *)first;
}

int main(int argc, char **argv)
{
    shelf_t one = {0};
    if (argc > 1) printf("%s %d\n", argv[1], find(&one, 3)->used);
    return one.used ? 1 : counter;
}
