//! Names of files and folders in a state folder.

pub(super) const DB: &str = "db";
pub(super) const WITNESS: &str = "witness";
pub(super) const REPAIRING: &str = "repairing";
pub(super) const IN_HAND: &str = "in-hand";
/// See `engine/store/log_check.rs`.
pub(crate) const LOG_CHECKED: &str = "log-checked";
/// See `engine/query/shards/summary.rs`.
pub(crate) const SUMMARY: &str = "summary.json";
pub(super) const STATE: &str = "state.json";
pub(super) const BEFORE: &str = "db.before";
pub(super) const GONE: &str = "db.gone";
pub(super) const DB_ASIDE: &str = "db.damaged";
pub(super) const WITNESS_ASIDE: &str = "witness.damaged";
pub(super) const LOCK: &str = "lock";
