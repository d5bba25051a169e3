//! What a run may use: memory, the machine, and resources that fail.

pub(super) mod breaker;
pub(super) mod machine;
pub(super) mod memory_budget;
pub(super) mod memory_meter;
pub(super) mod semaphore;
