//! Memory that may be refused.

use std::cell::Cell;
use std::collections::TryReserveError;

thread_local! {
    static CAN_DO_WITHOUT: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread asks the allocator for memory that it can do without: whoever ends the process for want of
/// memory leaves it alone then.
#[doc(hidden)]
pub fn can_do_without_memory() -> bool {
    CAN_DO_WITHOUT.try_with(Cell::get).unwrap_or(false)
}

/// Makes room for so many bytes more, if there is memory for them.
pub(crate) fn try_reserve(buffer: &mut Vec<u8>, more: usize) -> Result<(), TryReserveError> {
    CAN_DO_WITHOUT.set(true);
    let reserved = buffer.try_reserve_exact(more);
    CAN_DO_WITHOUT.set(false);
    reserved
}
