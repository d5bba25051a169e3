//! Allocations that may be refused.

use std::cell::Cell;
use std::collections::TryReserveError;
use std::panic::PanicHookInfo;

thread_local! {
    static CAN_DO_WITHOUT: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread makes an allocation that it can do without: the allocator then does not end the
/// process for want of memory.
#[doc(hidden)]
pub fn can_do_without_memory() -> bool {
    CAN_DO_WITHOUT.try_with(Cell::get).unwrap_or(false)
}

/// Returns whether a panic is that of a thread without memory for its second stack, where signals are handled: it
/// panics before it has begun, which ends the process, and is not reported otherwise.
#[doc(hidden)]
pub fn is_for_want_of_stack(info: &PanicHookInfo<'_>) -> bool {
    info.payload_as_str().is_some_and(|what| what.contains("alternative stack"))
}

/// Reserves this many more bytes, if there is memory for them.
pub(crate) fn try_reserve(buffer: &mut Vec<u8>, more: usize) -> Result<(), TryReserveError> {
    CAN_DO_WITHOUT.set(true);
    let reserved = buffer.try_reserve_exact(more);
    CAN_DO_WITHOUT.set(false);
    reserved
}
