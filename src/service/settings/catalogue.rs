//! The catalogue of all settings.

use std::sync::OnceLock;
use std::time::Duration;

use super::values::{Value, ValueKind};
use crate::model::{BatchConfig, ErrorClass, RetryPolicy};
use crate::process::Limits;

/// A setting.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name in a file, including its tables: `workers`, `limit.depth`.
    pub key: String,
    /// The type of its value, and the limits.
    pub kind: ValueKind,
    /// Its default value.
    pub default: Value,
    /// Its help text, on one line.
    pub about: &'static str,
    /// When a running process applies a change.
    pub takes: AppliesWhen,
}

/// When a running process applies a change of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppliesWhen {
    /// As soon as the settings are reloaded.
    AtOnce,
    /// With the next job: a running job keeps the old value.
    NextJob,
    /// After a restart.
    Restart,
}

impl Setting {
    /// Returns the environment variable.
    pub fn variable(&self) -> String {
        format!("OUTLAST_{}", self.key.to_uppercase().replace(['-', '.'], "_"))
    }

    /// Returns the command-line flag.
    pub fn flag(&self) -> String {
        let flag = self.key.split('.').next().unwrap_or_default();
        format!("--{flag}")
    }
}

/// Returns the setting with this key.
pub fn setting(key: &str) -> Option<&'static Setting> {
    catalogue().iter().find(|setting| setting.key == key)
}

/// Returns every setting, in display order.
pub fn catalogue() -> &'static [Setting] {
    static ALL: OnceLock<Vec<Setting>> = OnceLock::new();
    ALL.get_or_init(|| {
        let default = BatchConfig::default();
        let mut all = places();
        all.extend(work(&default));
        all.extend(selection());
        all.extend(memory(&default));
        all.extend(care(&default));
        all.extend(super::sections::watched::settings());
        all.extend(ErrorClass::ALL.into_iter().flat_map(|class| retries(class, &default)));
        all.extend(super::sections::scheduled::settings());
        all.extend(kept(&default));
        all.extend(log_and_progress());
        all.extend(served());
        all.extend(limits());
        all
    })
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);
/// Maximum of any count.
const COUNT_MAX: u64 = 1_000_000;

pub(super) fn row(key: impl Into<String>, kind: ValueKind, default: Value, about: &'static str) -> Setting {
    Setting { key: key.into(), kind, default, about, takes: AppliesWhen::AtOnce }
}

/// Builds a setting that is fixed for the duration of a job.
fn of_job(key: impl Into<String>, kind: ValueKind, default: Value, about: &'static str) -> Setting {
    Setting { takes: AppliesWhen::NextJob, ..row(key, kind, default, about) }
}

/// Builds a setting that is read once in the life of a process.
pub(super) fn fixed(key: impl Into<String>, kind: ValueKind, default: Value, about: &'static str) -> Setting {
    Setting { takes: AppliesWhen::Restart, ..row(key, kind, default, about) }
}

fn seconds(min: u64, max: Duration) -> ValueKind {
    let min = Duration::from_secs(min);
    ValueKind::Duration { min, max, bare_seconds: true, whole_seconds: true }
}

/// Settings of paths.
fn places() -> Vec<Setting> {
    vec![
        fixed("state", ValueKind::Path, Value::Path(".outlast".into()), "State folder"),
        fixed("out", ValueKind::Path, Value::Unset, "Record folder; else `records` in the state folder"),
    ]
}

/// Settings of the work and its batches.
fn work(default: &BatchConfig) -> Vec<Setting> {
    let count = |max, unit| ValueKind::Count { min: 1, max, unit };
    let value = |count: usize| Value::Count(count as u64);
    vec![
        row(
            "workers",
            count(1024, "threads"),
            value(default.worker_count),
            "Worker threads; else the number of cores",
        ),
        row(
            "workers-max",
            count(1024, "threads"),
            value(BatchConfig::WORKERS_MAX.max(default.worker_count)),
            "Worker threads while reading waits for a disk or network; where only `workers` is set, no more than that",
        ),
        row(
            "batch-size",
            count(10_000, "files"),
            value(default.batch_size),
            "Files in a batch of `count`, and where `adaptive` starts",
        ),
        row(
            "batches-ahead",
            count(1000, "batches"),
            value(default.max_concurrent_batches),
            "Batches kept ready for each worker",
        ),
        row(
            "strategy",
            ValueKind::Choice(&["adaptive", "count", "size"]),
            Value::Choice("adaptive"),
            "How pending files are cut into batches",
        ),
    ]
}

/// Which files, and in which order.
fn selection() -> Vec<Setting> {
    vec![
        of_job(
            "order",
            ValueKind::Choice(&["path", "smallest", "largest", "newest", "oldest"]),
            Value::Choice("path"),
            "Which files come first: exactly among those claimed together, by powers of two of size or age beyond",
        ),
        of_job(
            "include",
            ValueKind::Globs,
            Value::List(Vec::new()),
            "Only files whose name (or, with a `/`, path) matches; else *.ast.json, *.syntax.json, *_ast.json",
        ),
        of_job(
            "exclude",
            ValueKind::Globs,
            Value::List(Vec::new()),
            "Leave out files and folders whose name (or, with a `/`, path) matches",
        ),
    ]
}

/// How much is kept until it is committed.
fn memory(default: &BatchConfig) -> Vec<Setting> {
    let files = ValueKind::Count { min: 1, max: COUNT_MAX, unit: "files" };
    let size = ValueKind::Size { min: 16 << 20, max: u64::MAX, step: 1 << 20 };
    vec![
        row(
            "checkpoint-interval",
            files,
            Value::Count(default.checkpoint_interval as u64),
            "Outcomes after which a commit is due before its 100 ms have passed",
        ),
        row(
            "memory-limit",
            size,
            Value::Size(default.memory_limit_mb << 20),
            "Memory that a run may take, in whole MiB",
        ),
    ]
}

/// Settings of error handling.
fn care(default: &BatchConfig) -> Vec<Setting> {
    let attempts = ValueKind::Count { min: 1, max: 100, unit: "attempts" };
    let time = |seconds| Value::Duration(Duration::from_secs(seconds));
    vec![
        row(
            "timeout",
            seconds(1, DAY),
            time(default.timeout_seconds),
            "Longest time for one file; one that takes longer fails as `timeout`",
        ),
        row(
            "retry-attempts",
            attempts,
            Value::Count(default.retry_attempts.into()),
            "Attempts at a file whose failure may pass, the first included, where its class has no number of its own",
        ),
        of_job(
            "on-error",
            ValueKind::Choice(&["continue", "fail-fast", "quarantine"]),
            Value::Choice("continue"),
            "What a file's failure does: nothing to the others, stop the run, or put the file aside until it changes",
        ),
        row(
            "max-failures",
            ValueKind::Failures,
            Value::Unset,
            "Stop when more files have failed, or a larger share",
        ),
        row(
            "drain-timeout",
            seconds(1, HOUR),
            time(default.drain_seconds),
            "Longest time from a request to stop to the end of the run",
        ),
        row(
            "wait",
            seconds(0, 7 * DAY),
            time(default.wait_seconds),
            "How long a run waits for a file system, room on the disk, memory or descriptors before it gives up",
        ),
        row(
            "accept-empty",
            ValueKind::Switch,
            Value::Switch(default.accept_empty),
            "Take an empty root for emptied, instead of waiting for a file system to be mounted",
        ),
    ]
}

/// Settings of the retries of files that failed with this class.
fn retries(class: ErrorClass, default: &BatchConfig) -> [Setting; 3] {
    let policy = RetryPolicy::default_of(class, default.retry_attempts);
    let max = if class.can_pass() { 100 } else { 1 };
    let attempts = ValueKind::Count { min: 1, max, unit: "attempts" };
    let pause =
        |max| ValueKind::Duration { min: Duration::ZERO, max, bare_seconds: false, whole_seconds: false };
    let time = |millis| Value::Duration(Duration::from_millis(millis));
    let key = |part: &str| format!("retry.{class}.{part}");
    [
        row(
            key("attempts"),
            attempts,
            Value::Count(policy.attempts.into()),
            "Attempts at a file that fails so, the first included",
        ),
        row(
            key("backoff"),
            pause(HOUR),
            time(policy.backoff_ms),
            "Longest pause behind the first attempt; it doubles with each one",
        ),
        row(key("backoff-max"), pause(DAY), time(policy.backoff_max_ms), "Where that pause stops to grow"),
    ]
}

/// Settings of retention.
fn kept(default: &BatchConfig) -> Vec<Setting> {
    vec![
        row(
            "jobs-kept",
            ValueKind::Count { min: 1, max: 10_000, unit: "jobs" },
            Value::Count(default.jobs_kept as u64),
            "Jobs that are remembered once they have ended, the latest ones",
        ),
        row(
            "compact-above",
            ValueKind::Count { min: 10, max: 100, unit: "percent" },
            Value::Count(default.compact_above_percent),
            "Share of the record log that is out of date when a run compacts it; 100 for never",
        ),
        row(
            "compact-min",
            ValueKind::Size { min: 0, max: u64::MAX, step: 1 },
            Value::Size(default.compact_min_bytes),
            "A shorter record log is left as it is",
        ),
    ]
}

/// Settings of logs and progress.
fn log_and_progress() -> Vec<Setting> {
    let beat = ValueKind::Duration {
        min: Duration::from_millis(10),
        max: DAY,
        bare_seconds: true,
        whole_seconds: false,
    };
    let file_size = ValueKind::Size { min: 4 << 10, max: 1 << 40, step: 1 };
    vec![
        row("log-level", ValueKind::LogFilter, Value::LogFilter("warn".into()), "What is logged"),
        fixed(
            "log-format",
            ValueKind::Choice(&["human", "json"]),
            Value::Choice("human"),
            "How the log on stderr is written",
        ),
        fixed(
            "log-file",
            ValueKind::Path,
            Value::Unset,
            "A file for the log as well, a JSON object on each line",
        ),
        fixed(
            "log-file-size",
            file_size,
            Value::Size(16 << 20),
            "Size at which a log file is put aside, and a new one begun",
        ),
        fixed(
            "log-files",
            ValueKind::Count { min: 0, max: 100, unit: "files" },
            Value::Count(4),
            "Older log files that are kept",
        ),
        fixed(
            "progress",
            ValueKind::Choice(&["auto", "always", "never"]),
            Value::Choice("auto"),
            "Progress on stderr: a bar on a terminal and lines elsewhere, the bar, or nothing",
        ),
        fixed(
            "heartbeat",
            beat,
            Value::Duration(5 * SECOND),
            "Time between two heartbeat lines where there is no bar",
        ),
    ]
}

/// Settings of HTTP.
fn served() -> Vec<Setting> {
    vec![
        fixed(
            "listen",
            ValueKind::Address,
            Value::Unset,
            "Where HTTP is served: health, metrics, the dashboard; one that others reach needs `token-file`",
        ),
        fixed(
            "token-file",
            ValueKind::Path,
            Value::Unset,
            "A file whose only line is the token that clients of HTTP have to show",
        ),
    ]
}

/// Settings of the record's content.
fn limits() -> Vec<Setting> {
    let default = Limits::default();
    let about = [
        "Deepest nesting of a document; with other limits every file is due again",
        "Symbols that a record lists",
        "Imports that a record lists",
        "Pairs of caller and callee that a record lists",
        "Kinds that a record lists",
    ];
    let defaults = [default.depth, default.symbols, default.imports, default.calls, default.kinds];
    let rows = Limits::NAMES.into_iter().zip(about).zip(defaults);
    rows.map(|((name, about), default)| {
        let (min, unit) = if name == "depth" { (1, "levels") } else { (0, name) };
        let kind = ValueKind::Count { min, max: COUNT_MAX, unit };
        fixed(format!("limit.{name}"), kind, Value::Count(default as u64), about)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::values::Raw;
    use super::*;

    #[test]
    fn names_are_each_settings_own() {
        let all = catalogue();
        let keys: BTreeSet<_> = all.iter().map(|setting| &setting.key).collect();
        let variables: BTreeSet<_> = all.iter().map(Setting::variable).collect();
        assert_eq!((keys.len(), variables.len()), (all.len(), all.len()));
        assert!(variables.contains("OUTLAST_RETRY_IO_TRANSIENT_BACKOFF_MAX"), "{variables:?}");
    }

    #[test]
    fn each_default_is_within_its_own_limits() {
        for setting in catalogue().iter().filter(|setting| setting.default != Value::Unset) {
            let read = setting.kind.parse(&Raw::Text(setting.default.to_string().into()));
            let empty = Value::List(vec!["-".to_owned()]);
            let fits = read.as_ref() == Ok(&setting.default) || read == Ok(empty);
            assert!(fits, "{}: {read:?}", setting.key);
        }
    }

    #[test]
    fn what_a_setting_does_fits_on_a_line_and_has_no_end_mark() {
        for setting in catalogue() {
            assert!(setting.about.len() < 110 && !setting.about.ends_with('.'), "{}", setting.key);
        }
    }
}
