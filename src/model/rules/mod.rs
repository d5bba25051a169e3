//! Rules over files: globs, the shards that files are of, and the priorities that rules give.

pub(crate) mod globs;
pub(crate) mod priority;
pub(crate) mod shard;
pub(crate) mod units;
