//! A run from start to end: starts the threads of each attempt, and ends them.

pub(super) mod attempt;
pub(super) mod batches;
pub(super) mod control;
pub(super) mod dry_run;
pub(super) mod engine;
pub(super) mod into_roots;
pub(super) mod live;
pub(super) mod pulse;
pub(super) mod session;
pub(super) mod start;
pub(super) mod waiting;
pub(super) mod watch;
