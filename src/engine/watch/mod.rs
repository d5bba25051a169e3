//! The durable queue of jobs and the roots that are served; no threads.

pub(super) mod commands;
pub(super) mod root_checks;
pub(super) mod served_roots;

use std::time::Duration;

/// How a process watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchOptions {
    /// Whether nothing is watched and all is polled, for file systems that tell of no changes.
    pub poll: bool,
    /// Time between two polls of what can't be watched.
    pub poll_interval: Duration,
    /// How long a file that somebody writes must stand still, where nothing says that he is through with it.
    pub settle: Duration,
    /// Time between two scans that look for what the watcher did not tell; none makes none.
    pub reconcile: Option<Duration>,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            poll: false,
            poll_interval: Duration::from_secs(30),
            settle: Duration::from_millis(500),
            reconcile: Some(Duration::from_secs(3600)),
        }
    }
}
