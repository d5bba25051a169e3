//! Settings of a process that follows changes.

use std::time::Duration;

use crate::engine::WatchOptions;
use crate::service::settings::catalogue::{DAY, HOUR, Setting, fixed};
use crate::service::settings::load::Settings;
use crate::service::settings::values::{Value, ValueKind};

/// Returns the settings of watching.
pub(crate) fn settings() -> Vec<Setting> {
    let default = WatchOptions::default();
    let pause = |min| ValueKind::Duration { min, max: 7 * DAY, bare_seconds: true, whole_seconds: false };
    vec![
        fixed(
            "poll",
            ValueKind::Switch,
            Value::Switch(default.poll),
            "List the roots again and again, for file systems that tell of no changes",
        ),
        fixed(
            "poll-interval",
            pause(Duration::from_millis(100)),
            Value::Duration(default.poll_interval),
            "Time between two listings of what can't be watched",
        ),
        fixed(
            "settle",
            ValueKind::Duration { min: Duration::ZERO, max: HOUR, bare_seconds: true, whole_seconds: false },
            Value::Duration(default.settle),
            "How long a file must stand still that its writer keeps open",
        ),
        fixed(
            "reconcile",
            pause(Duration::ZERO),
            Value::Duration(default.reconcile.unwrap_or_default()),
            "Time between two scans for what the watcher did not tell; 0 makes none",
        ),
    ]
}

impl Settings {
    /// Returns how a process follows changes.
    pub fn watching(&self) -> WatchOptions {
        let reconcile = self.time("reconcile");
        WatchOptions {
            poll: self.value("poll") == Some(&Value::Switch(true)),
            poll_interval: self.time("poll-interval"),
            settle: self.time("settle"),
            reconcile: (!reconcile.is_zero()).then_some(reconcile),
        }
    }
}
