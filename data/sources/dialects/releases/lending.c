#include <stdio.h>
#include "shelf.h"
#define LIMIT 3
#define TWICE(x) ((x) * 2)
#ifdef DEBUG
static int debug = 1;
int only_debug(void);
#endif
typedef unsigned int uint;
typedef struct loan { int days; int (*rule)(struct loan *); } loan_t;
typedef enum { OPEN, SHUT } state_t;
typedef int (*callback)(void *, int);
typedef struct node *node_p, node_t;
struct node { struct node *next; union { int a; float b; } u; struct inner { int x; } in; };
union bits { int a; };
enum color { RED = 1, GREEN };
extern int total;
static const int limit = 3;
int numbers[3] = {1, 2, 3}, *pointer, **deep;
const char *const name = "x", *loose;
static int (*handler)(int) = NULL;
struct node root = { 0 };
int declared(int x);
static inline int *helper(const char *text, ...);
static int lend(loan_t *loan, int days)
{
  int local = start();
  if (days > LIMIT && loan->days > 0 || !loan) return -1;
  else if (days == 1) one(); else two();
  for (int i = 0; i < 3; i++) step(i);
  while (days > 3) days--;
  do { days++; } while (days < 3);
  switch (days) { case 0: zero(); break; case 1: case 2: few(); break; default: other(); }
  local = days ? a() : b();
  loan->rule(loan);
  (*handler)(1);
  loan->next->table[0].open(2);
  TWICE(3);
  (void) printf("%d", sizeof(int));
  struct hidden { int x; } h;
  goto done;
done:
  return local;
}
int old_style(a, b) int a; char *b; { return a; }
int main(void) { return lend(0, 1); }
_Static_assert(sizeof(int) == 4, "int has four bytes");
