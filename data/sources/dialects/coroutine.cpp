// What clang makes of coroutines: the operand of an await stands in its tree up to five times.
namespace std {
template <class R, class...> struct coroutine_traits { using promise_type = typename R::promise_type; };
template <class P = void> struct coroutine_handle {
    template <class O> coroutine_handle(coroutine_handle<O>) noexcept;
    static coroutine_handle from_address(void *) noexcept;
};
}

struct Ready {
    bool await_ready() noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) noexcept {}
    int await_resume() noexcept { return 1; }
};
struct Delivery { Ready operator co_await() const; };

struct Task {
    struct promise_type {
        Task get_return_object();
        Ready initial_suspend() noexcept;
        Ready final_suspend() noexcept;
        Ready yield_value(int);
        Ready await_transform(int);
        Delivery await_transform(Delivery);
        void return_value(int) {}
        void unhandled_exception() {}
    };
};

Delivery send(int item);
int price(int days);

Task lend(int days) {
    if (co_await price(days))
        co_await send(1);
    co_yield price(days ? 2 : 3);
    co_return price(4);
}
