//! From facts to one line of JSON, within its limits.

pub(super) mod limits;
pub(super) mod report;
pub(super) mod summary;
