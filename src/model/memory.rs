//! Memory that may be refused.

use std::cell::Cell;
use std::collections::TryReserveError;
use std::panic::PanicHookInfo;

thread_local! {
    static CAN_DO_WITHOUT: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread asks the allocator for memory that it can do without: whoever ends the process for want of
/// memory leaves it alone then.
#[doc(hidden)]
pub fn can_do_without_memory() -> bool {
    CAN_DO_WITHOUT.try_with(Cell::get).unwrap_or(false)
}

/// Whether a thread gets no memory for its second stack, where signals are handled: it panics before it has begun, which
/// takes the process with it, and nobody hears of it otherwise.
#[doc(hidden)]
pub fn is_for_want_of_stack(info: &PanicHookInfo<'_>) -> bool {
    info.payload_as_str().is_some_and(|what| what.contains("alternative stack"))
}

/// Makes room for so many bytes more, if there is memory for them.
pub(crate) fn try_reserve(buffer: &mut Vec<u8>, more: usize) -> Result<(), TryReserveError> {
    CAN_DO_WITHOUT.set(true);
    let reserved = buffer.try_reserve_exact(more);
    CAN_DO_WITHOUT.set(false);
    reserved
}
