// What the source says beside what clang adds, repeats and makes of it.
namespace std {
struct strong_ordering {
    int n;
    constexpr operator int() const { return n; }
    static const strong_ordering equal, less, greater;
};
inline constexpr strong_ordering strong_ordering::equal{0};
inline constexpr strong_ordering strong_ordering::less{-1};
inline constexpr strong_ordering strong_ordering::greater{1};
bool operator<(strong_ordering, int);
bool operator>(strong_ordering, int);
template <class T> struct initializer_list { const T *first; unsigned long count; };
template <class T> const T *begin(initializer_list<T> list) { return list.first; }
template <class T> const T *end(initializer_list<T> list) { return list.first + list.count; }
template <class T> struct tuple_size;
template <unsigned long N, class T> struct tuple_element;
}

int price(int days);
bool known(int item);
void list(std::initializer_list<int> items);

struct Label {
    Label(const char *text);
    Label(const Label &);
    ~Label();
    operator bool() const { return known(1); }
    Label &operator=(const Label &);
};
Label label(int item);
void stick(Label on, int copies = price(1));

// Conversions, copies, default arguments and default member initialisers.
void labels(Label old) {
    stick("new");
    stick(old);
    if (old)
        stick(Label("other"), 2);
    Label first("first");
    Label second = "second";
    Label third{"third"};
    Label fourth = label(4);
    first = "again";
    stick(*new Label("heap"));
}
struct Shelf {
    int days = price(2);
    Label front = label(5);
    bool open = known(6) && known(7);
    Shelf() {}
    explicit Shelf(int days) : days(days), front("front") {}
};
struct Sum { int first = price(3); int second; };
void shelves() {
    Shelf plain, other(4), many[2];
    Shelf *heap = new Shelf;
    Sum sum{.second = price(4)};
}

// A range is written once, and its loop counts once.
struct Cursor {
    int *at;
    bool operator!=(const Cursor &other) const { return at != other.at; }
    Cursor &operator++() { ++at; return *this; }
    int &operator*() const { return *at; }
};
struct Row { Cursor begin() const; Cursor end() const; };
Row row(int number);
int total(int number) {
    int sum = 0;
    for (int item : row(number))
        sum += price(item);
    for (int item : {price(5), price(6)})
        sum += item;
    return sum;
}
template <class T> int total_of(T rows) {
    int sum = 0;
    for (auto item : rows.items())
        sum += price(item);
    return sum;
}
struct Rows { Row items(); };

// Operators that become others.
struct Age {
    int years;
    std::strong_ordering operator<=>(const Age &) const;
    bool operator==(const Age &) const;
};
struct Book { Age age; auto operator<=>(const Book &) const = default; };
Age age(int item);
bool compare(Age one, Age other, Book book) {
    if (age(1) != other || one < age(2))
        return book > Book{one};
    return one == other;
}

// Lambdas: the body stands in the closure, too.
int closures(int days) {
    auto counted = [days, more = price(7)](int item, int copies = price(8)) {
        struct Local { int twice(int n) { return n ? price(n) : 0; } };
        return Local().twice(item) + days + more;
    };
    auto generic = [](auto item) { return item && known(item); };
    return counted(1) + generic(2) + generic('c') + [=] { return price(days); }();
}

// Structured bindings.
struct Pair { int first, second; };
Pair pair(int item);
struct Parts { template <unsigned long N> int get() const { return price(N); } };
template <> struct std::tuple_size<Parts> { static constexpr unsigned long value = 2; };
template <unsigned long N> struct std::tuple_element<N, Parts> { using type = int; };
Parts parts(int item);
int bindings() {
    auto [first, second] = pair(price(9));
    auto [third, fourth] = parts(1);
    int both[2] = {price(10)};
    auto &[fifth, sixth] = both;
    return first + second + third + fourth + fifth + sixth;
}

// Templates: what is written, not what is made of it.
template <class T> struct Box { T item; int size() const { return price(11); } };
template <> struct Box<char> { int size() const { return price(12); } };
template <class T> int each(T) { return price(13); }
template <> int each<char>(char) { return price(14); }
template <class T> int limit = price(15);
template <> int limit<char> = price(16);
template <typename... T> int fold(T... items) { return (price(items) + ... + price(17)); }
template <class T> concept Priced = requires(T item) { price(item); };
template <Priced T> int priced(T item) { if constexpr (sizeof(T) > 2) return price(item); else return 0; }
struct Base { Base(int, int = price(18)); };
struct Derived : Base { using Base::Base; };
int made() {
    Derived derived(1);
    return total_of(Rows{}) + fold(1, 2) + priced(3) + limit<int> + limit<char> + Box<short>{}.size();
}

// A literal of one's own names the function that it calls.
int operator""_days(unsigned long long);
int literals() {
    list({price(19), price(20)});
    return 5_days + sizeof(price(21)) + static_cast<int>(5_days) + int(2.5);
}
int first_of(std::initializer_list<int> items) { return *std::begin(items); }
