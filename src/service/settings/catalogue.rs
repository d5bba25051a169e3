//! The catalogue of all settings: to add one is to add a row here, and the field that it names.

use std::sync::OnceLock;
use std::time::Duration;

use super::fields::{Fields, KnownFailures, LogFormat, ProgressMode};
use super::setting::{AppliesWhen, FlagOf, Setting};
use super::values::kinds::{
    address, command, count, cron, failures, globs, log_filter, millis, path, roots, seconds, shard, size,
    switch, time, time_or_seconds, version, word,
};
use super::values::priority::priorities;
use crate::model::{ErrorClass, ErrorMode, Order, StrategyKind};
use crate::source::Filters;

/// Returns every setting, in display order.
pub fn catalogue() -> &'static [Setting] {
    static ALL: OnceLock<Vec<Setting>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = work();
        all.extend(commands());
        all.extend(care());
        all.extend(watching());
        all.extend(ErrorClass::ALL.into_iter().flat_map(retries));
        all.extend(schedule_and_retention());
        all.extend(logs_and_http());
        all.extend(limits());
        // Those of some settings follow from others'.
        let mut defaults = Fields::default().derived();
        all.iter_mut().for_each(|setting| setting.default = setting.show(&mut defaults));
        all
    })
}

/// Returns the setting with this key.
pub(super) fn setting(key: &str) -> Option<&'static Setting> {
    catalogue().iter().find(|setting| setting.key == key)
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// Maximum of any count.
const COUNT_MAX: u64 = 1_000_000;

/// Makes settings of lines: the key, the commands with this flag, when a change is applied, the field, the kind of
/// its values, and what the setting does.
macro_rules! settings {
    ($($key:literal $flag:ident $takes:ident $($field:ident).+: $kind:expr => $about:literal;)*) => {
        vec![$(Setting::new(
            $key, (FlagOf::$flag, AppliesWhen::$takes), $kind, |fields| &mut fields.$($field).+, $about,
        )),*]
    };
}

/// Paths, and which files are processed in which batches.
fn work() -> Vec<Setting> {
    settings! {
        "state" All Restart state: path("DIR")
            => "State folder";
        "out" Run Restart out: path("DIR").optional()
            => "Record folder; else `records` in the state folder";
        "root" Run Restart roots: roots().sourced()
            => "Roots by name, for a command that names none; the names are those of the records";
        "workers" Run AtOnce workers: count(1, 1024, "threads").sourced().optional()
            => "Worker threads; else the number of cores";
        "workers-max" Run AtOnce workers_max: count(1, 1024, "threads").optional()
            => "Worker threads while reading waits for a disk or network; where only `workers` is set, no more than that";
        "batch-size" Run AtOnce batch.batch_size: count(1, 10_000, "files")
            => "Files in a batch of `count`, and where `adaptive` starts";
        "batches-ahead" Run AtOnce batch.max_concurrent_batches: count(1, 1000, "batches")
            => "Batches kept ready for each worker, counted as 1,000 files each: what is claimed ahead";
        "strategy" Run AtOnce batch.strategy: word([
            StrategyKind::Adaptive,
            StrategyKind::Count,
            StrategyKind::Size,
            StrategyKind::Language,
        ])
            => "How pending files are cut into batches";
        "priority" Run NextJob batch.priorities: priorities()
            => "Which files come first: the first rule that matches a file gives it a class, high, normal or low";
        "order" Run NextJob batch.order: word([Order::Path, Order::Smallest, Order::Largest, Order::Newest, Order::Oldest])
            => "Which files come first: exactly among those claimed together, by powers of two of size or age beyond";
        "include" Run NextJob batch.include: globs(|globs| Filters::new(globs, &[]))
            => "Only files whose name (or, with a `/`, path) matches; else *.ast.json, *.syntax.json, *_ast.json";
        "exclude" Run NextJob batch.exclude: globs(|globs| Filters::new(&[], globs))
            => "Leave out files and folders whose name (or, with a `/`, path) matches";
        "shard" Run Restart shard: shard().sourced().optional()
            => "The part of the files that this process takes, of N that others share; {shard} in a path is its number";
        "unsafe-locks" Run Restart unsafe_locks: switch()
            => "Work on a shard also where locks of the state's file system do not exclude other machines";
        "checkpoint-interval" Run AtOnce batch.checkpoint_interval: count(1, COUNT_MAX, "files")
            => "Outcomes after which a commit is due before its 100 ms have passed";
        "memory-limit" Run AtOnce batch.memory_limit_mb: size(16 << 20, 1 << 20).stored_as(|bytes| bytes >> 20, |mb| mb << 20)
            => "Memory that a run may take, in whole MiB";
    }
}

/// A command as the processor.
fn commands() -> Vec<Setting> {
    settings! {
        "exec" Run Restart exec: command().sourced().optional()
            => "A command that processes files: run for each with {} in an argument, else it stays and answers";
        "processor-version" Run Restart processor_version: version().optional()
            => "Version of the `exec` command; with another one every file is due again";
        "exec-start-timeout" Run Restart exec_start_timeout: time_or_seconds(SECOND / 100, HOUR)
            => "Longest time until a child of `exec` is ready";
        "exec-recycle" Run Restart exec_recycle: count(1, 1_000_000_000, "files").optional()
            => "A child of `exec` is replaced after so many files";
        "exec-memory" Run Restart exec_memory: size(1 << 20, 1).optional()
            => "A child of `exec` is replaced when it takes more memory, with what it has started";
    }
}

/// What is done about errors.
fn care() -> Vec<Setting> {
    settings! {
        "timeout" Run AtOnce batch.timeout_seconds: seconds(1, DAY)
            => "Longest time for one file; one that takes longer fails as `timeout`";
        "retry-attempts" Run AtOnce batch.retry_attempts: count(1, 100, "attempts")
            => "Attempts at a file whose failure may pass, the first included, where its class has no number of its own";
        "on-error" Run NextJob batch.on_error: word([ErrorMode::Continue, ErrorMode::FailFast, ErrorMode::Quarantine])
            => "What a file's failure does: nothing to the others, stop the run, or put the file aside until it changes";
        "max-failures" Run AtOnce batch.max_failures: failures().optional()
            => "Stop when more files have failed, or a larger share";
        "known-failures" Run Restart known_failures: word([KnownFailures::Fail, KnownFailures::Ok])
            => "Exit code of a run in which only those files fail that failed before and are unchanged: 3, or 0 for ok";
        "drain-timeout" Run AtOnce batch.drain_seconds: seconds(1, HOUR)
            => "Longest time from a request to stop to the end of the run";
        "wait" Run AtOnce batch.wait_seconds: seconds(0, 7 * DAY)
            => "How long a run waits for a file system, room on the disk, memory or descriptors before it gives up";
        "accept-empty" Run AtOnce batch.accept_empty: switch()
            => "Take an empty root for emptied, instead of waiting for a file system to be mounted";
    }
}

/// How a process follows changes.
fn watching() -> Vec<Setting> {
    settings! {
        "poll" Watch Restart watching.poll: switch()
            => "List the roots again and again, for file systems that tell of no changes";
        "poll-interval" Watch Restart watching.poll_interval: time_or_seconds(SECOND / 10, 7 * DAY)
            => "Time between two listings of what can't be watched";
        "settle" Watch Restart watching.settle: time_or_seconds(Duration::ZERO, HOUR)
            => "How long a file must stand still that its writer keeps open";
        "reconcile" Watch Restart watching.reconcile: time_or_seconds(Duration::ZERO, 7 * DAY)
            .stored_as(|time| Some(time).filter(|time| !time.is_zero()), |time| time.unwrap_or_default())
            => "Time between two scans for what the watcher did not tell; 0 makes none";
    }
}

/// When files are tried again that failed with this class.
fn retries(class: ErrorClass) -> [Setting; 3] {
    let key = |part: &str| format!("retry.{class}.{part}");
    let attempts_max = if class.can_pass() { 100 } else { 1 };
    let when = (FlagOf::Pair, AppliesWhen::AtOnce);
    [
        Setting::new(
            key("attempts"),
            when,
            count(1, attempts_max, "attempts").optional(),
            move |fields| &mut fields.retry.entry(class).or_default().attempts,
            "Attempts at a file that fails so, the first included",
        ),
        Setting::new(
            key("backoff"),
            when,
            millis(HOUR).optional(),
            move |fields| &mut fields.retry.entry(class).or_default().backoff_ms,
            "Longest pause behind the first attempt; it doubles with each one",
        ),
        Setting::new(
            key("backoff-max"),
            when,
            millis(DAY).sourced().optional(),
            move |fields| &mut fields.retry.entry(class).or_default().backoff_max_ms,
            "Where that pause stops to grow",
        ),
    ]
}

/// When everything is scanned again, and what is kept of it.
fn schedule_and_retention() -> Vec<Setting> {
    settings! {
        "every" Watch AtOnce schedule.every: time(60 * SECOND, 366 * DAY).optional()
            => "`watch` scans all roots again when the last whole scan began so long ago";
        "cron" Watch AtOnce cron: cron().sourced().optional()
            => "`watch` scans all roots again at these times";
        "jitter" Watch AtOnce schedule.jitter: time(Duration::ZERO, DAY)
            => "A scan that `every` or `cron` asks for begins up to so much later, by a chance of the state's own";
        "jobs-kept" Run AtOnce batch.jobs_kept: count(1, 10_000, "jobs")
            => "Jobs that are remembered once they have ended, the latest ones";
        "compact-above" Run AtOnce batch.compact_above_percent: count(10, 100, "percent")
            => "Share of the record log that is out of date when a run compacts it; 100 for never";
        "compact-min" Run AtOnce batch.compact_min_bytes: size(0, 1)
            => "A shorter record log is left as it is";
        "consumer-keep" Run AtOnce batch.consumer_keep_bytes: size(0, 1).optional()
            => "What is kept of the record log for a consumer that has not read it; else all";
    }
}

/// Logs, progress and HTTP.
fn logs_and_http() -> Vec<Setting> {
    settings! {
        "log-level" All AtOnce log_level: log_filter()
            => "What is logged";
        "log-format" All Restart log_format: word([LogFormat::Human, LogFormat::Json])
            => "How the log on stderr is written";
        "log-file" All Restart log_file: path("FILE").sourced().optional()
            => "A file for the log as well, a JSON object on each line";
        "progress" Run Restart progress: word([ProgressMode::Auto, ProgressMode::Always, ProgressMode::Never])
            => "Progress on stderr: a bar on a terminal and lines elsewhere, the bar, or nothing";
        "heartbeat" Run Restart heartbeat: time_or_seconds(SECOND / 100, DAY)
            => "Time between two heartbeat lines where there is no bar";
        "listen" Run Restart listen: address().sourced().optional()
            => "Where HTTP is served: health, metrics, the dashboard; one that others reach needs `token-file`";
        "token-file" Run Restart token_file: path("FILE").sourced().optional()
            => "A file whose only line is the token that clients of HTTP have to show";
    }
}

/// The record's content.
fn limits() -> Vec<Setting> {
    settings! {
        "limit.depth" Pair Restart limits.depth: count(1, COUNT_MAX, "levels")
            => "Deepest nesting of a document; with other limits every file is due again";
        "limit.symbols" Pair Restart limits.symbols: count(0, COUNT_MAX, "symbols")
            => "Symbols that a record lists";
        "limit.imports" Pair Restart limits.imports: count(0, COUNT_MAX, "imports")
            => "Imports that a record lists";
        "limit.calls" Pair Restart limits.calls: count(0, COUNT_MAX, "calls")
            => "Pairs of caller and callee that a record lists";
        "limit.kinds" Pair Restart limits.kinds: count(0, COUNT_MAX, "kinds")
            => "Kinds that a record lists";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
    fn what_a_setting_does_fits_on_a_line_and_has_no_end_mark() {
        for setting in catalogue() {
            assert!(setting.about.len() < 110 && !setting.about.ends_with('.'), "{}", setting.key);
        }
    }
}
