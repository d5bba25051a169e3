// Instances of templates that the source asks for: none is written a second time.
int price(int days);
template <class T> struct Box { T item; int size() const { return price(1); } };
template struct Box<int>;
extern template struct Box<long>;
template <> struct Box<char> { int size() const { return price(2); } };
template <class T> int each(T) { return price(3); }
template int each<int>(int);
template <class T> int limit = price(4);
template int limit<int>;
int all() { return Box<short>{}.size() + each('c') + limit<char>; }
