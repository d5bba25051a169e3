//! What goes to stdout and stderr, and to files of records.

pub(super) mod export;
pub(super) mod progress;
pub(super) mod sanitize;
pub(super) mod summary;
pub(super) mod terminal;
