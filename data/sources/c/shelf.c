/* Shelves hold so much and no more. */
#define NULL ((void *)0)

union weight {
    long grams;
    double kilograms;
};

struct shelf {
    const char *name;
    union weight limit;
    struct shelf *next;
};

const struct shelf *shelf_for(const struct shelf *first, long grams)
{
    for (; first != NULL; first = first->next) {
        if (first->limit.grams >= grams)
            return first;
    }
    return NULL;
}
