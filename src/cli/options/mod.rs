//! Options that several commands take.

pub(super) mod flags;
pub(super) mod global;
pub(super) mod usage;
