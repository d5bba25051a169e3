#include <string>
#include "shelf.hpp"

namespace lending {

using Days = int;
enum class Level { Low, High };

template <typename T>
class Loan : public Shelf<T> {
public:
    explicit Loan(std::string name) : name_(std::move(name)) {}
    virtual ~Loan() = default;
    int price(Days days) const override { return days > 2 && open_ ? std::max(days, 3) : 0; }

private:
    std::string name_;
    static bool open_;
};

struct Label { const char *text; };

int Label::count(const Loan<int> &loan) {
    for (auto &item : loan.items()) item.visit([](int n) { return n * 2; });
    return loan.price(3);
}

}  // namespace lending
