//! The threads of a run begin and end here: each attempt starts its own, and joins them at its end.

pub(super) mod attempt;
pub(super) mod batches;
pub(super) mod control;
pub(super) mod dry_run;
pub(super) mod engine;
pub(super) mod into_roots;
pub(super) mod live;
pub(super) mod plan;
pub(super) mod pulse;
pub(super) mod session;
pub(super) mod start;
pub(super) mod summary;
pub(super) mod waiting;
pub(super) mod watch;
