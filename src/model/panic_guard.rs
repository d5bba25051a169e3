//! Panics of libraries, turned into values.
//!
//! The embedded store panics on some damaged files, the file watcher where its thread has ended. A user shall see
//! what is wrong and what to do, not a backtrace.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use super::memory::is_for_want_of_stack;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Longest part of a panic's message that is passed on: the store's can hold whole pages.
const MESSAGE_CHARS_MAX: usize = 160;

/// Runs `f`; a panic in it prints nothing and becomes its message.
pub(crate) fn quietly<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    install_hook();
    let before = QUIET.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(f));
    QUIET.set(before);
    outcome.map_err(|payload| message_of(&*payload))
}

fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            // The store's own threads pass their panics on to the thread that waits for them.
            let of_store = std::thread::current().name().is_some_and(|name| name.starts_with("sled-io-"));
            if is_for_want_of_stack(info) || (!of_store && !QUIET.try_with(Cell::get).unwrap_or(false)) {
                previous(info);
            }
        }));
    });
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown");
    text.lines().next().unwrap_or("unknown").chars().take(MESSAGE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_the_thread_speaks_again_afterwards() {
        assert_eq!(quietly(|| 7), Ok(7));
        let nested = quietly(|| {
            let inner: Result<(), String> = quietly(|| panic!("inner"));
            assert!(QUIET.get(), "still quiet after an inner panic");
            panic!("outer after {}\nsecond line", inner.unwrap_err());
        });
        assert_eq!(nested.map(|()| 0), Err("outer after inner".to_owned()));
        assert!(!QUIET.get());
    }
}
