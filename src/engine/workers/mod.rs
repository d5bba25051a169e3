//! Reads, hashes, processes; writes nothing but its in-flight marker.

pub(super) mod context;
pub(super) mod crash_hook;
pub(super) mod inspect;
pub(super) mod io_wait;
pub(super) mod outcome;
pub(super) mod pool;
pub(super) mod pool_threads;
pub(super) mod read_ahead;
pub(super) mod record;
pub(super) mod sizing;
pub(super) mod slots;
pub(super) mod task;
pub(super) mod worker;
