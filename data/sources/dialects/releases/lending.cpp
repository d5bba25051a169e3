#include <vector>
#include "shelf.hpp"
using namespace std;
using std::string;
using Rule = bool (*)(const Loan&);
typedef int number;
constexpr int LIMIT = 3;
static const char* const NAME = "x";
int total = 0, *pointer = nullptr;
namespace shop::lending {
namespace { int hidden() { return 1; } }
inline namespace v1 { void versioned(); }
enum class State : int { Open, Closed };
template <typename T> concept Small = sizeof(T) < 3;
template <typename T, int N = 3>
class Desk : public Base<T>, private Logs {
  int count = start();
public:
  static constexpr int MAX = 5;
  explicit Desk(Clock clock) : Base<T>(clock), count(init(clock)) { warm(); }
  Desk(const Desk&) = delete;
  virtual ~Desk() = default;
  virtual T lend(int days) const override;
  virtual void hook() = 0;
  static Desk create() { return Desk(Clock()); }
  Desk& operator=(const Desk& other);
  bool operator==(const Desk& other) const { return same(other); }
  T& operator[](int i) { return at(i); }
  int operator()(int x) { return x; }
  template <typename U> U convert(U x) { return x; }
  friend void swap(Desk& a, Desk& b) { a.swap(b); }
  friend class Other;
  using Item = T;
protected:
  struct Slip { int x; void print() { std::cout << x; } };
  enum { A, B };
private:
  int (*handler)(int);
  std::vector<int> list{1, 2};
};
template <typename T, int N>
T Desk<T, N>::lend(int days) const {
  if (days > LIMIT && count > 0 || !days) throw std::runtime_error("no");
  if (auto x = find(days); x) use(x);
  for (auto& loan : loans()) loan.check();
  for (int i = 0; i < 3; ++i) step(i);
  while (days > 3) days--;
  do { days++; } while (days < 3);
  switch (days) { case 0: zero(); break; default: other(); }
  try { risky(); } catch (const std::exception& e) { log(e.what()); } catch (...) { all(); }
  auto twice = [this, &days](int x) -> int { return dbl(x); };
  auto made = std::make_unique<Loan>(days);
  auto* raw = new Loan(days); delete raw;
  this->template convert<int>(1);
  shelf->books[0].open();
  (*handler)(1);
  static_cast<int>(calc());
  std::vector<int> local(3); Loan other{1};
  a and b; return days ? x() : y();
}
template <typename T> T largest(T a, T b) { return a > b ? a : b; }
auto trailing(int x) -> int { return x; }
std::ostream& operator<<(std::ostream& out, const Loan& loan) { return out; }
long double operator""_km(long double x) { return x; }
}
Loan::Loan(int days) : days_(days) {}
Loan::~Loan() { close(); }
struct Plain { int size() { return 1; } private: void p(); };
union U { int a; void go() {} };
extern "C" { int c_function(int x); }
extern "C" void one_c();
int main() { return shop::lending::hidden(); }
