#include "shelf.h"

@class Clock;

__attribute__((objc_root_class))
@interface Root
+ (instancetype)alloc;
- (instancetype)init;
@end

// No methods: clang, 14 and 22 alike, crashes when its JSON meets a method of a protocol.
@protocol Lender
@end

@interface Shelf : Root <Lender> {
  @private
    int used;
}
@property(nonatomic, readonly) int count;
- (int)count;
- (int)lend:(id)thing forDays:(int)days;
@end

@interface Shelf (Extra)
- (void)close;
@end

static int total = 0;
const int longest = 14;

@implementation Shelf
- (int)count { return used; }
- (int)lend:(id)thing forDays:(int)days {
    if (days > longest && thing) return shelf_twice(days);
    for (int i = 0; i < days; i++) used += i;
    total += [self count];
    return total;
}
@end

@implementation Shelf (Extra)
- (void)close { used = 0; }
@end

int main(void) {
    Shelf *shelf = [[Shelf alloc] init];
    int (^twice)(int) = ^(int n) { return n * 2; };
    return [shelf lend:shelf forDays:twice(3)];
}
