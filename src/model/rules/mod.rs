//! Rules over files: globs, and the priorities that rules give.

pub(crate) mod globs;
pub(crate) mod priority;
pub(crate) mod units;
