// What a macro's argument says counts once, however often the macro names it.
int price(int days);
#define MOST(a, b) ((a) > (b) ? (a) : (b))
#define BOTH(a, b) (a) + (b)
#define PRICE(days) price(days)
#define FUNCTION(name) int name(int days) { return price(days) && price(days); }
FUNCTION(made)
int most(int one, int other) { return MOST(price(one), other ? price(other) : 2); }
int both(void) { return BOTH(PRICE(1), PRICE(2)) + BOTH(price(3), price(3)); }
