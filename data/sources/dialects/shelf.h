/* What shelf.c and shelf.cpp include. */
#ifndef SHELF_H
#define SHELF_H
#define SHELF_MAX 4
struct shelf;
typedef unsigned long shelf_id;
enum shelf_state { SHELF_OPEN, SHELF_CLOSED = 7 };
int shelf_count(const struct shelf *shelf);
static inline int shelf_twice(int number) { return number ? number * 2 : shelf_count(0); }
#endif
