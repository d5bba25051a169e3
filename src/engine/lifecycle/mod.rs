//! Pure: no I/O, no clock, no threads.

pub(super) mod counts;
pub(super) mod transition;
