// Declarators: what two parsers must call by the same name.
int price(int days);
typedef int (*Pricing)(int);

// Functions that return pointers to functions, and pointers to functions.
int (*pricing(int days))(int) { return price; }
int (*(*deep(int))(int))(int);
int (*usual)(int) = price, (*const fixed)(int) = price, (*table[2])(const int);
const int (*plain)(int);
int (bracketed)(int days);
void (*on_signal(int number, void (*handler)(int)))(int);
auto trailing(int days) -> int (*)(int);
int several(), many = 3, *pointed(int), *nothing;

// Variables, constants and bindings.
const int a = 1, *b = &a, &c = a, d[2] = {1, 2};
int *const e = nullptr;
int const f = 2;
constexpr const char *g = "text";
static int h;
extern const int *const i;
auto j = [](int days) { struct Within { int m(); }; return days; };
struct Pair { int first, second; } pair_one, *pair_two;
auto [first, second] = Pair{1, 2};
const auto &[third, fourth] = pair_one;
int Pair::*member = &Pair::first;
int (*(*nested)(int))(char);
struct { int inner; struct Deep { void m(); }; void nameless(); } unnamed;

// Type definitions.
typedef struct Tag { int value; } Tagged, *TaggedPointer;
typedef enum { Low, High } Level;
typedef int Row[3], (&RowReference)[3];
typedef struct Later Later;
using Handler = void (*)(int);
template <class T> using Twice = T[2];
enum Opaque : short;
enum class OpaqueClass;
enum class Kind : char { Paper };
union Either { int number; struct { float real; } part; };

namespace lending {
class Shelf;
class Shelf {
    int hidden() const;

public:
    Shelf() = default;
    explicit Shelf(int days) noexcept;
    Shelf(const Shelf &) = delete;
    virtual ~Shelf();
    virtual int pure() const = 0;
    operator bool() const { return true; }
    explicit operator const char *() const;
    template <class T> operator T *() const;
    operator Pair &();
    operator unsigned long() const;
    int (*method(int))(int);
    int (*field)(int);
    static int (*shared(int))(int);
    static int count;
    void *operator new(unsigned long size);
    void operator delete[](void *at);
    int operator()(int days) const;
    int operator[](int at) const;
    Shelf *operator->();
    Shelf &operator++();
    bool operator<=>(const Shelf &other) const;
    friend bool operator==(const Shelf &, const Shelf &) { return true; }
    friend int total(const Shelf &);
    friend class Clerk;
    class Label;
    struct Box { struct Inner { void deep(); }; };
    typedef int Days;
    enum Mode { One };

protected:
    int lambda = [](int n) { struct Local { int twice(int m) { return m * 2; } }; return Local().twice(n); }(1);
    int price(int days, int (*by)(int) = nullptr) const;

private:
    [[nodiscard]] static inline int once() { return 1; }
};
class Shelf::Label { int width() const; };
int Shelf::Label::width() const { return 1; }
void Shelf::Box::Inner::deep() {}
Shelf::Shelf(int) noexcept {}
Shelf::~Shelf() {}
Shelf::operator const char *() const { return nullptr; }
int (*Shelf::method(int days))(int) { return field; }
int Shelf::operator()(int days) const { return days; }
int Shelf::count = 0;

namespace deep::er { int open(); extern int opened; }
int deep::er::open() { return 1; }
int deep::er::opened = 1;
namespace { int unseen; }
inline namespace v1 { int versioned(); }
namespace other { class Friendly { friend int deep::er::open(); }; }
}

// Templates, their members and their specialisations.
template <class T, int N = 4>
class Store {
public:
    Store();
    template <class U> Store(U from);
    ~Store();
    template <class U> U as(U usual);
    class Cursor { Cursor &operator++(); T operator*() const; };
    Cursor begin();
    T item();
    static const int limit;
    friend bool operator<(const Store &, const Store &) { return true; }
};
template <class T, int N> Store<T, N>::Store() {}
template <class T, int N>
template <class U>
Store<T, N>::Store(U from) {}
template <class T, int N> Store<T, N>::~Store() {}
template <class T, int N> template <class U> U Store<T, N>::as(U usual) { return usual; }
template <class T, int N> auto Store<T, N>::Cursor::operator++() -> Cursor & { return *this; }
template <class T, int N>
typename Store<T, N>::Cursor
Store<T, N>::begin() { return {}; }
template <class T, int N> const int Store<T, N>::limit = N;
template <> char Store<char, 1>::item() { return 'c'; }
template <class T>
struct Store<T *, 2> { void part(); };
template <>
class Store<int, 3> { Store(); ~Store(); void full(); operator Store<char, 1>() const; };
Store<int, 3>::Store() {}
void Store<int, 3>::full() {}
template <class T> Store(T) -> Store<T, 1>;
template <class T> T least(T one);
template <> int least<int>(int one) { return one; }
template <> char least(char one) { return one; }
template <class T> constexpr int size = 1;
template <> constexpr int size<int> = 2;
template <class T> concept Small = sizeof(T) < 3;
template <Small T> void constrained(T) requires true;
namespace lending { template <class T> struct Trait { void f(); }; }
template <> struct lending::Trait<int> { void f(); int g(); };
template <> void lending::Trait<char>::f() {}
void lending::Trait<int>::f() {}
int operator""_days(unsigned long long);
extern "C" { int plain_c(); typedef int OfC; }

[[nodiscard]]
int nodded(int days);
template <class T> requires (Small<T> && sizeof(T) > 1) void required(T);
void thrown(bool one, bool other) noexcept(sizeof(int) > 2 && sizeof(char) == 1);

void local(int days) {
    int declared(int);
    extern int also;
    struct Inner { void m() {} };
    typedef int Alias;
    static int kept;
    auto closure = [days](int n) { struct Own { int o(); }; return n + days; };
}
