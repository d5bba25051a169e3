//! The settings of scans at set times.

use std::time::Duration;

use super::catalogue::{DAY, SECOND, Setting, row};
use super::value::{Kind, Value};

/// When a process that stays scans everything again.
pub(super) fn settings() -> Vec<Setting> {
    let time = |min, max| Kind::Duration { min, max, bare_seconds: false, whole_seconds: false };
    vec![
        row(
            "every",
            time(60 * SECOND, 366 * DAY),
            Value::Unset,
            "`watch` scans all roots again when the last whole scan began so long ago",
        ),
        row("cron", Kind::Cron, Value::Unset, "`watch` scans all roots again at these times"),
        row(
            "jitter",
            time(Duration::ZERO, DAY),
            Value::Duration(Duration::ZERO),
            "A scan that `every` or `cron` asks for begins up to so much later, by a chance of the state's own",
        ),
    ]
}
