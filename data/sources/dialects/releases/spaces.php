<html><?php
namespace A\B {
    use X\Y as Z;
    const ONE = 1;
    function f() { return g(); }
    class C { function m() { return \strlen('x'); } }
}
namespace {
    function top() { return \A\B\f(); }
    f();
}
