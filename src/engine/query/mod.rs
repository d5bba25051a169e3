//! Reads a view of the store; never writes.

pub(super) mod failures;
pub(super) mod jobs;
pub(super) mod records;
pub(super) mod resumption;
pub(super) mod selection;
pub(super) mod shards;
pub(super) mod status;
