// Who is sent a message, and what of an object may be called.
@class Later;
@protocol Named;
@protocol Empty
@end

__attribute__((objc_root_class))
@interface Shelf {
    Shelf *_next;
    void (^_done)(int);
}
@property Shelf *other;
@property void (^told)(int);
+ (Shelf *)first;
- (Shelf *)last;
- (int)lend:(int)days;
@end

@implementation Shelf
+ (Shelf *)first { return 0; }
- (Shelf *)last { return _next; }
- (int)lend:(int)days {
    _done(1);
    self->_done(2);
    self.told(3);
    _next.other.told(4);
    [_next lend:5];
    [self->_next lend:6];
    [self.other lend:7];
    [_next.other lend:8];
    [self.last lend:9];
    [[self last] lend:10];
    [(id)_next lend:11];
    self.other = _next;
    return [[Shelf first] lend:12];
}
@end
