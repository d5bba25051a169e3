// What clang repeats and adds in C.
int price(int days);
int known(int item);
struct pair { int first, second; };
struct pair pair(int item);

int either(int item) { return price(item) ?: known(item) ?: 3; }
int filled(void) {
    int many[4] = {[0 ... 3] = price(1)};
    struct pair both[] = {[1].second = price(2), {known(3)}};
    return many[0] + both[1].first;
}
int sized(int count) {
    int items[price(count)];
    typedef int row[price(4)];
    row first, second;
    return sizeof items + sizeof first + sizeof second;
}
int statements(int item) {
    int twice = ({ int one = price(item); one && known(one) ? one * 2 : 0; });
    return _Generic(twice, int: price(twice), default: 0);
}
int copied(struct pair one) { struct pair two = pair(price(5)); two = one; return (int)(long)price(two.first); }
