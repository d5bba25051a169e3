//! Pure: no I/O, no clock, no threads.

pub(super) mod counts;
pub(super) mod left_pending;
pub(super) mod transition;
