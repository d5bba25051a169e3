//! The durable queue of jobs and the roots that are served; no threads.

pub(super) mod commands;
pub(super) mod root_checks;
pub(super) mod served_roots;
