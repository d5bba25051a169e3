//! The results of the settings: the configuration of a run, limits of records, paths, and logging.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::load::{Origin, Problem, Resolved, Settings};
use super::values::Value;
use crate::model::{BatchConfig, ErrorClass, ErrorMode, FailureLimit, Order, RetryPolicy, StrategyKind};
use crate::process::Limits;

/// How and where the process logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Levels of targets.
    pub filter: String,
    /// Whether the log on stderr is JSON.
    pub json: bool,
    /// An additional log file.
    pub file: Option<PathBuf>,
    /// Size in bytes at which a log file is rotated.
    pub file_bytes_max: u64,
    /// Rotated log files that are kept.
    pub files_kept: u32,
}

/// Derives unset values from others: `workers-max` from `workers`, attempts of a class from `retry-attempts`, and a
/// longest pause from the first one.
pub(super) fn fill_defaults(all: &mut [Resolved]) {
    let get = |all: &[Resolved], key: &str| {
        all.iter().find(|one| one.setting.key == key).map(|one| one.value.clone())
    };
    let workers = all.iter().find(|one| one.setting.key == "workers" && one.origin != Origin::Default);
    if let Some(set) = workers.map(|one| one.value.clone())
        && let Some(max) = all.iter_mut().find(|one| one.setting.key == "workers-max")
        && max.origin == Origin::Default
    {
        // An explicit number of workers is also the maximum.
        max.value = set;
    }
    let Some(Value::Count(attempts)) = get(all, "retry-attempts") else { return };
    for class in ErrorClass::ALL {
        let policy = RetryPolicy::default_of(class, u16::try_from(attempts).unwrap_or(u16::MAX));
        let pause = get(all, &format!("retry.{class}.backoff"));
        let (attempts_key, max_key) =
            (format!("retry.{class}.attempts"), format!("retry.{class}.backoff-max"));
        for one in all.iter_mut().filter(|one| one.origin == Origin::Default) {
            if one.setting.key == attempts_key {
                one.value = Value::Count(policy.attempts.into());
            } else if one.setting.key == max_key
                && let Some(Value::Duration(pause)) = pause
            {
                one.value = Value::Duration(pause.max(Duration::from_millis(policy.backoff_max_ms)));
            }
        }
    }
}

/// When all roots are scanned again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// Time since the start of the last scan.
    pub every: Option<Duration>,
    /// Times, as a cron expression.
    pub cron: Option<String>,
    /// Random delay, at most.
    pub jitter: Duration,
}

impl Settings {
    /// Returns when all roots are scanned again.
    pub fn schedule(&self) -> ScheduleSettings {
        let every = match self.value("every") {
            Some(Value::Duration(every)) => Some(*every),
            _ => None,
        };
        let cron = match self.value("cron") {
            Some(Value::Cron(text)) => Some(text.clone()),
            _ => None,
        };
        ScheduleSettings { every, cron, jitter: self.time("jitter") }
    }

    /// Returns the configuration of a run.
    pub fn batch(&self) -> BatchConfig {
        BatchConfig {
            batch_size: self.count("batch-size") as usize,
            max_concurrent_batches: self.count("batches-ahead") as usize,
            worker_count: self.count("workers") as usize,
            workers_max: self.count("workers-max") as usize,
            memory_limit_mb: self.bytes("memory-limit") >> 20,
            checkpoint_interval: self.count("checkpoint-interval") as usize,
            retry_attempts: self.count("retry-attempts") as u16,
            retry: ErrorClass::ALL.into_iter().filter_map(|class| self.retry(class)).collect(),
            timeout_seconds: self.time("timeout").as_secs(),
            on_error: self.error_mode(),
            max_failures: self.max_failures(),
            drain_seconds: self.time("drain-timeout").as_secs(),
            wait_seconds: self.time("wait").as_secs(),
            jobs_kept: self.count("jobs-kept") as usize,
            accept_empty: self.value("accept-empty") == Some(&Value::Switch(true)),
            include: self.list("include"),
            exclude: self.list("exclude"),
            order: self.order(),
            strategy: self.strategy(),
            // Set only by a flag of one run, never by a setting: a file that did would redo all each time.
            reprocess: false,
            change_processor: false,
            compact_above_percent: self.count("compact-above"),
            compact_min_bytes: self.bytes("compact-min"),
        }
    }

    /// Returns how much of a document goes into its record.
    pub fn limits(&self) -> Limits {
        let limit = |name: &str| self.count(&format!("limit.{name}")) as usize;
        Limits {
            depth: limit("depth"),
            symbols: limit("symbols"),
            imports: limit("imports"),
            calls: limit("calls"),
            kinds: limit("kinds"),
        }
    }

    /// Returns the state folder.
    pub fn state(&self) -> &Path {
        self.path("state").unwrap_or(Path::new(".outlast"))
    }

    /// Returns the record folder, if one is set.
    pub fn out(&self) -> Option<&Path> {
        self.path("out")
    }

    /// Returns how and where the process logs.
    pub fn log(&self) -> LogSettings {
        LogSettings {
            filter: self.value("log-level").map(|filter| directives(filter.to_string())).unwrap_or_default(),
            json: self.word("log-format") == "json",
            file: self.path("log-file").map(Path::to_owned),
            file_bytes_max: self.bytes("log-file-size"),
            files_kept: self.count("log-files") as u32,
        }
    }

    /// Returns `auto`, `always` or `never`.
    pub fn progress(&self) -> &'static str {
        self.word("progress")
    }

    /// Returns the time between two heartbeat lines.
    pub fn heartbeat(&self) -> Duration {
        self.time("heartbeat")
    }

    /// Reports pauses of which the longest is shorter than the first.
    pub(super) fn check_pauses(&self, problems: &mut Vec<Problem>) {
        for class in ErrorClass::ALL {
            let first = format!("retry.{class}.backoff");
            let longest = format!("retry.{class}.backoff-max");
            if self.time(&longest) < self.time(&first)
                && let Some(one) = self.get(&longest)
            {
                let what = format!(
                    "{longest} is {}: must be {first}, which is {}, or longer",
                    one.value,
                    Value::Duration(self.time(&first))
                );
                problems.push(Problem { origin: one.origin.clone(), what });
            }
        }
    }

    /// Returns the policy of a class, if any part of it was set.
    fn retry(&self, class: ErrorClass) -> Option<(ErrorClass, RetryPolicy)> {
        let key = |part: &str| format!("retry.{class}.{part}");
        let is_set = |part| self.get(&key(part)).is_some_and(|one| one.origin != Origin::Default);
        let policy = RetryPolicy {
            attempts: self.count(&key("attempts")) as u16,
            backoff_ms: self.time(&key("backoff")).as_millis() as u64,
            backoff_max_ms: self.time(&key("backoff-max")).as_millis() as u64,
        };
        ["attempts", "backoff", "backoff-max"].into_iter().any(is_set).then_some((class, policy))
    }

    fn error_mode(&self) -> ErrorMode {
        match self.word("on-error") {
            "fail-fast" => ErrorMode::FailFast,
            "quarantine" => ErrorMode::Quarantine,
            _ => ErrorMode::Continue,
        }
    }

    fn order(&self) -> Order {
        match self.word("order") {
            "smallest" => Order::Smallest,
            "largest" => Order::Largest,
            "newest" => Order::Newest,
            "oldest" => Order::Oldest,
            _ => Order::Path,
        }
    }

    fn strategy(&self) -> StrategyKind {
        match self.word("strategy") {
            "count" => StrategyKind::Count,
            "size" => StrategyKind::Size,
            _ => StrategyKind::Adaptive,
        }
    }

    fn max_failures(&self) -> Option<FailureLimit> {
        match self.value("max-failures") {
            Some(Value::Failures(limit)) => Some(*limit),
            _ => None,
        }
    }

    /// Returns the setting with this key.
    pub fn get(&self, key: &str) -> Option<&Resolved> {
        self.all.iter().find(|one| one.setting.key == key)
    }

    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.get(key).map(|one| &one.value)
    }

    fn count(&self, key: &str) -> u64 {
        match self.value(key) {
            Some(Value::Count(count)) => *count,
            _ => 0,
        }
    }

    fn bytes(&self, key: &str) -> u64 {
        match self.value(key) {
            Some(Value::Size(bytes)) => *bytes,
            _ => 0,
        }
    }

    pub(super) fn time(&self, key: &str) -> Duration {
        match self.value(key) {
            Some(Value::Duration(time)) => *time,
            _ => Duration::ZERO,
        }
    }

    pub(super) fn address(&self, key: &str) -> Option<SocketAddr> {
        match self.value(key) {
            Some(Value::Address(address)) => Some(*address),
            _ => None,
        }
    }

    fn word(&self, key: &str) -> &'static str {
        match self.value(key) {
            Some(Value::Choice(word)) => word,
            _ => "",
        }
    }

    pub(super) fn path(&self, key: &str) -> Option<&Path> {
        match self.value(key) {
            Some(Value::Path(path)) => Some(path),
            _ => None,
        }
    }

    fn list(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            Some(Value::List(items)) => items.clone(),
            _ => Vec::new(),
        }
    }
}

/// Applies a bare level to Outlast only: the messages of the libraries below it need an explicit target.
fn directives(filter: String) -> String {
    if filter.contains(['=', ',']) { filter } else { format!("outlast={}", filter.trim()) }
}

#[cfg(test)]
mod tests {
    use super::super::values::ValueKind;
    use super::super::{catalogue, load};
    use super::*;
    use crate::service::settings::{FlagValue, ProcessEnv};

    fn with(key: &str, value: Value) -> Settings {
        let given = FlagValue { key: key.to_owned(), flag: "--x".to_owned(), value };
        load(&[given], None, &ProcessEnv::default()).unwrap()
    }

    #[test]
    fn without_settings_all_is_as_the_library_has_it() {
        let settings = load(&[], None, &ProcessEnv::default()).unwrap();
        let config = settings.batch();
        assert_eq!(config, BatchConfig { workers_max: config.workers_max, ..BatchConfig::default() });
        assert!(config.workers_max >= BatchConfig::WORKERS_MAX.max(config.worker_count));
        assert_eq!(settings.limits(), Limits::default());
        assert_eq!((settings.state(), settings.out()), (Path::new(".outlast"), None));
    }

    /// Every setting reaches its destination, and its limits match those that a run checks.
    #[test]
    fn each_setting_changes_something_and_its_bounds_are_accepted() {
        let whole = |settings: &Settings| {
            let paths = (settings.state().to_owned(), settings.out().map(Path::to_owned));
            let shown = (settings.log(), settings.progress(), settings.heartbeat());
            let served = (settings.address("listen"), settings.path("token-file").map(Path::to_owned));
            let kept = (settings.watching(), settings.schedule(), served);
            (settings.batch(), settings.limits(), paths, shown, kept)
        };
        let default = whole(&load(&[], None, &ProcessEnv::default()).unwrap());
        for setting in catalogue() {
            let values = match setting.kind {
                ValueKind::Count { min, max, .. } => vec![Value::Count(min), Value::Count(max)],
                ValueKind::Duration { min, max, .. } => vec![Value::Duration(min), Value::Duration(max)],
                ValueKind::Size { min, max, .. } => vec![Value::Size(min), Value::Size(max)],
                ValueKind::Choice(words) => words.iter().map(|word| Value::Choice(word)).collect(),
                ValueKind::Switch => vec![Value::Switch(true)],
                ValueKind::Globs => vec![Value::List(vec!["*.x".to_owned()])],
                ValueKind::Path => vec![Value::Path("/elsewhere".into())],
                ValueKind::LogFilter => vec![Value::LogFilter("debug".to_owned())],
                ValueKind::Failures => vec![Value::Failures(FailureLimit::Files(7))],
                ValueKind::Cron => vec![Value::Cron("30 2 * * *".to_owned())],
                ValueKind::Address => vec![Value::Address(([127, 0, 0, 1], 80).into())],
            };
            let mut changed = false;
            for value in values.into_iter().filter(|value| !is_refused(&setting.key, value)) {
                let settings = with(&setting.key, value);
                settings.batch().check().unwrap();
                changed |= whole(&settings) != default;
            }
            assert!(changed, "{} does nothing", setting.key);
        }
    }

    /// A longest pause of zero is shorter than the first one.
    fn is_refused(key: &str, value: &Value) -> bool {
        key.ends_with("backoff-max") && *value == Value::Duration(Duration::ZERO)
    }

    #[test]
    fn a_number_of_workers_that_is_set_stays_unless_the_most_is_set_as_well() {
        let given = |key: &str, count| FlagValue {
            key: key.to_owned(),
            flag: "--x".to_owned(),
            value: Value::Count(count),
        };
        let most = |given: &[FlagValue]| {
            let config = load(given, None, &ProcessEnv::default()).unwrap().batch();
            (config.worker_count, config.most_workers())
        };
        let cores = BatchConfig::default().worker_count;
        assert_eq!(most(&[]), (cores, BatchConfig::WORKERS_MAX.max(cores)));
        assert_eq!(most(&[given("workers", 3)]), (3, 3));
        assert_eq!(most(&[given("workers", 3), given("workers-max", 20)]), (3, 20));
        assert_eq!(most(&[given("workers-max", 1)]), (cores, cores));
        assert_eq!(most(&[given("workers", 40), given("workers-max", 20)]), (40, 40));
    }

    #[test]
    fn a_level_alone_is_outlasts_own_and_all_else_is_used_as_written() {
        let filter = |text: &str| with("log-level", Value::LogFilter(text.to_owned())).log().filter;
        assert_eq!(filter("debug"), "outlast=debug");
        for text in ["outlast=trace", "warn,sled=debug", "info,"] {
            assert_eq!(filter(text), text);
        }
    }

    #[test]
    fn policies_go_with_the_number_for_all_and_a_longer_first_pause() {
        let settings = with("retry-attempts", Value::Count(7));
        let workers_max = settings.batch().workers_max;
        assert_eq!(
            settings.batch(),
            BatchConfig { retry_attempts: 7, workers_max, ..BatchConfig::default() }
        );
        let shown = settings.get("retry.unstable.attempts").unwrap();
        assert_eq!((&shown.value, &shown.origin), (&Value::Count(7), &Origin::Default));
        let minute = Duration::from_secs(60);
        let policy =
            with("retry.timeout.backoff", Value::Duration(minute)).batch().retry[&ErrorClass::Timeout];
        assert_eq!(policy, RetryPolicy { attempts: 1, backoff_ms: 60_000, backoff_max_ms: 60_000 });
    }
}
