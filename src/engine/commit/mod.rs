//! Makes changes durable: the records first, then the ledger. When a tick is due is a pure function.

pub(super) mod committer;
pub(super) mod job_record;
mod removals;
pub(super) mod tick_policy;

#[cfg(test)]
mod tests;
