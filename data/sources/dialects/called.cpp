// How a callee may be written.
struct Shelf {
    int lend(int days);
    template <class T> T count(T usual);
    Shelf *next;
    int (*price)(int);
};
int price(int days);
template <class T> T least(T one);
namespace shop {
int open(int days);
struct Desk { static int free(); template <class T> static int of(T one); template <class T> struct Row { static int size(); }; };
namespace back { int door(); }
}
int qualified() {
    return shop::open(1) + shop::back::door() + ::price(2) + ::shop::back::door() + shop::Desk::free() +
           shop::Desk::of<int>(3) + shop::Desk::Row<int>::size() + least<int>(4);
}
int members(Shelf one, Shelf *other) {
    return one.lend(1) + other->lend(2) + one.count<int>(3) + other->template count<int>(4) + one.Shelf::lend(5) +
           other->Shelf::template count<int>(6) + other->next->lend(7) + (other->price)(8);
}
int pointed(Shelf *one, int (*by)(int), int (**table)(int), void *some) {
    return (*one).lend(1) + (&*one)->lend(2) + (*by)(3) + (**table)(4) + (*one->price)(5) + ((Shelf *)some)->lend(6) +
           ((int (*)(int))some)(7) + static_cast<Shelf *>(some)->lend(8) + table[0](9);
}

// What is made, and what only looks so.
struct Book { Book(int pages); int pages; };
struct Pair { int first, second; };
extern int many;
template <class T> void made(T usual) {
    new Book(1);
    new Book{2};
    new Pair{3, 4};
    new T(usual);
    new T;
    new int(5);
    new unsigned long;
    Book{6};
    Pair{7, 8};
    Pair(9, 10);
    T{usual};
    (void)bool(usual);
    int{11};
    usual = short(12);
    static_cast<Book>(13);
    (Book)14;
}

// What is no call: attributes, and what the preprocessor reads.
__attribute__((aligned(8))) int aligned;
int told() noexcept(noexcept(1)) {
#if defined(MANY) && __has_feature(many) || __has_builtin(many)
#endif
#if 0
#elif defined(FEW) || __has_feature(few)
#endif
    return price(3) && price(4);
}

// Where a declaration begins and ends.
template <class T> int put(T one);
template <>
int put(int one) { return one; }
template <class T> bool view = true;
namespace shop {
template <class T>
constexpr bool seen = false;
template <class T>
constexpr bool seen<T *> = true;
}
int ends(int days)
;
// What no grammar can tell from a function.
const Book unread(many);
template <class T> int depending(T shelf) { return T::open(shelf); }
