//! Finds changes; reads the ledger; sends only its own messages.

pub(super) mod follow;
pub(super) mod listed;
pub(super) mod merge;
pub(super) mod message;
pub(super) mod relist;
pub(super) mod scan;
