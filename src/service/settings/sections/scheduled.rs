//! Settings of scheduled scans.

use std::time::Duration;

use crate::service::schedule::system_zone;
use crate::service::settings::catalogue::{DAY, SECOND, Setting, row};
use crate::service::settings::load::{Problem, Settings};
use crate::service::settings::values::{Value, ValueKind};

impl Settings {
    /// Reports a cron expression if the time zone is unknown.
    pub(crate) fn check_scheduled(&self, problems: &mut Vec<Problem>) {
        if self.schedule().cron.is_some()
            && let Err(what) = system_zone()
        {
            problems.push(self.problem("cron", &format!("cron {what}")));
        }
    }
}

/// Returns when a long-running process scans everything again.
pub(crate) fn settings() -> Vec<Setting> {
    let time = |min, max| ValueKind::Duration { min, max, bare_seconds: false, whole_seconds: false };
    vec![
        row(
            "every",
            time(60 * SECOND, 366 * DAY),
            Value::Unset,
            "`watch` scans all roots again when the last whole scan began so long ago",
        ),
        row("cron", ValueKind::Cron, Value::Unset, "`watch` scans all roots again at these times"),
        row(
            "jitter",
            time(Duration::ZERO, DAY),
            Value::Duration(Duration::ZERO),
            "A scan that `every` or `cron` asks for begins up to so much later, by a chance of the state's own",
        ),
    ]
}
