//! One module for each command: its arguments, what it does, what it prints.

pub(super) mod compact;
pub(super) mod config;
pub(super) mod ctl;
pub(super) mod exec;
pub(super) mod explain;
pub(super) mod failures;
pub(super) mod inspect;
pub(super) mod jobs;
pub(super) mod records;
pub(super) mod repair;
pub(super) mod roots;
pub(super) mod run;
pub(super) mod shards;
pub(super) mod status;
pub(super) mod watch;
