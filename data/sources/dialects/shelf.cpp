#include "shelf.h"

extern "C" int plain(int);

namespace lending {
inline namespace v1 {
enum class Level : unsigned char { Low, High = 4 };
}
namespace {
constexpr int hidden = 3;
}

using Id = shelf_id;
typedef int Days;
template <typename T> using Pair = T[2];

template <typename T, int N = 4>
class Shelf {
    T items[N];
    int used = 0;

public:
    Shelf() = default;
    explicit Shelf(T first) : items{first}, used(1) {}
    virtual ~Shelf() { clear(); }
    T &operator[](int at) { return items[at]; }
    operator bool() const { return used > 0; }
    static Shelf *of(const T &first);
    template <typename F> void each(F visit) {
        for (auto &item : items)
            visit(item);
    }

protected:
    virtual int price(Days days) const;

private:
    void clear() { used = 0; }
    struct Label {
        const char *text;
        int length() const;
    };
    friend int total(const Shelf &);
};

class Books final : public Shelf<int> {
    static int open;
    int price(Days days) const final;
    Books() : Shelf(1) { ++open; }

public:
    enum Kind { Paper, Hard };
    static Books *make() { return new Books; }
};

int Books::open = 0;
const Days longest = 14;

int Books::price(Days days) const {
    try {
        if (days > longest and not hidden)
            throw days;
        return days ? plain(days) : shelf_twice(static_cast<int>(Level::High));
    } catch (int) {
    } catch (...) {
        return 0;
    }
    auto twice = [this](int n) { return n * 2 + price(n); };
    return twice(days);
}

struct Counter {
    int n;
    Counter &operator+=(int more) { n += more; return *this; }
};
} // namespace lending

namespace lending::deep {
int run() {
    Counter counter{1};
    counter += 2;
    Books *books = Books::make();
    books->each([](int &item) { item++; });
    int answer = (*books)[0] + counter.n;
    delete books;
    return answer;
}
} // namespace lending::deep
