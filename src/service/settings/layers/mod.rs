//! Where values come from: the environment, files, and the search for files.

pub(super) mod environment;
pub(super) mod file;
pub(super) mod found;
pub(super) mod profiles;
pub(super) mod search;
