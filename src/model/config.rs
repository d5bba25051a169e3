//! The configuration of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{ErrorClass, ParseError, PriorityRule, PriorityRules, RetryPolicy, Shard};

/// The order of files. Sizes and ages are compared by powers of two, and exactly within what is claimed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// In the order of the tree, except for large files, which should not be begun last: the fastest, since
    /// neighbours in the tree are neighbours in the ledger.
    #[default]
    Path,
    /// Small files first.
    Smallest,
    /// Large files first.
    Largest,
    /// Files changed most recently first.
    Newest,
    /// Files changed longest ago first.
    Oldest,
}

/// The strategy that cuts pending files into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StrategyKind {
    /// By a cost model that learns while it runs.
    #[default]
    Adaptive,
    /// The same number of files in each batch.
    Count,
    /// About the same number of bytes in each batch.
    Size,
    /// As `adaptive`, and files of one language in each batch.
    Language,
}

/// Effect of a file's failure on other files and on later runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorMode {
    /// The others go on. The file is due again when its content changes; where the environment was at fault, or the
    /// processor has a new version, at the next run.
    #[default]
    Continue,
    /// The first failure stops the run, its work kept.
    FailFast,
    /// The others go on. The file is due again only when its content changes, or on request.
    Quarantine,
}

/// How many failures stop a run, its work kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum FailureLimit {
    /// A number of files.
    Files(u64),
    /// A percentage of the files that the run has finished, once these are [`FailureLimit::PERCENT_OF_MIN`].
    Percent(f64),
}

impl FailureLimit {
    /// A share of fewer files than this means nothing.
    pub const PERCENT_OF_MIN: u64 = 100;

    /// Returns whether this many failures among those files exceed the limit.
    pub fn is_passed(self, failed: u64, of: u64) -> bool {
        match self {
            Self::Files(max) => failed > max,
            Self::Percent(max) => of >= Self::PERCENT_OF_MIN && failed as f64 * 100.0 > max * of as f64,
        }
    }
}

impl fmt::Display for FailureLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(files) => write!(f, "{files}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl From<FailureLimit> for String {
    fn from(limit: FailureLimit) -> Self {
        limit.to_string()
    }
}

impl TryFrom<String> for FailureLimit {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl FromStr for FailureLimit {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError {
            text: text.to_owned(),
            what: "limit of failures",
            expected: "a number of files, such as 100, or a share, such as 5%",
        };
        match text.strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
                (0.0..=100.0).contains(&percent).then_some(Self::Percent(percent)).ok_or_else(wrong)
            }
            None => text.parse().map(Self::Files).map_err(|_| wrong()),
        }
    }
}

/// The default of `concurrency`.
const CONCURRENCY: usize = 64;

/// Limits and sizes of a run.
///
/// Its JSON is kept with each job. Settings that earlier versions lack, and would refuse, are left out while unset.
///
/// ```
/// use outlast::BatchConfig;
///
/// let config = BatchConfig { worker_count: 2, ..BatchConfig::default() };
/// assert_eq!(config.batch_size, 200);
/// config.check().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchConfig {
    /// Files in a batch of the `count` strategy, and where `adaptive` starts. 1 to 10,000.
    pub batch_size: usize,
    /// Batches kept ready for each worker, counted as 1,000 files each: what is claimed ahead. 1 to 1,000.
    pub max_concurrent_batches: usize,
    /// Worker threads. 1 to 1,024; the default is the number of cores.
    pub worker_count: usize,
    /// The most worker threads there may be: while reading waits for a disk or a network, threads are added up to
    /// this many, and sleep again when it does not. 0 to 1,024. With `worker_count` or less, as by default, the
    /// number is fixed; the command allows [`BatchConfig::WORKERS_MAX`] where the number of workers is not set.
    pub workers_max: usize,
    /// Futures of an async processor in flight, over all workers, each of which polls its part. 1 to 100,000. The
    /// default of 64 keeps a service busy whose calls take 100 ms at 640 files/s, and stays within the connections
    /// that most services and pools allow a client; each future is admitted to memory with its file.
    #[serde(skip_serializing_if = "is_usual_concurrency")]
    pub concurrency: usize,
    /// Memory that a run may take, in MiB: it holds for the whole process. A file that does not fit at all fails as
    /// `too-large`. At least 16; the default is no more than half of what the control group or the machine has.
    pub memory_limit_mb: u64,
    /// Outcomes after which a commit tick is due before its 100 ms have passed, once the last tick's cost is
    /// earned back twenty times. 1 to 1,000,000.
    pub checkpoint_interval: usize,
    /// Attempts at a file whose failure may pass, the first included, where `retry` has nothing for its class. 1 to
    /// 100.
    pub retry_attempts: u16,
    /// Retry policies by class, in place of [`RetryPolicy::default_of`].
    pub retry: BTreeMap<ErrorClass, RetryPolicy>,
    /// Longest time for one file, in seconds: one that takes longer fails as `timeout`, and its worker is
    /// replaced. 1 to 86,400.
    pub timeout_seconds: u64,
    /// Effect of a file's failure on other files and on later runs.
    pub on_error: ErrorMode,
    /// How many failures stop the run; `None` for no limit.
    pub max_failures: Option<FailureLimit>,
    /// Longest time from a request to stop until the run has ended, in seconds: files in flight then are abandoned. 1
    /// to 3,600.
    pub drain_seconds: u64,
    /// How long a run waits for a missing resource (a file system, room on the disk, memory, descriptors) before it
    /// gives up, in seconds. 0 to 604,800.
    pub wait_seconds: u64,
    /// Ended jobs that are remembered; the oldest are forgotten first. 1 to 10,000.
    pub jobs_kept: usize,
    /// Take a root that is empty and another folder than before for emptied, instead of waiting for a file system to
    /// be mounted.
    pub accept_empty: bool,
    /// Globs that a file's name or relative path must match; empty for the processor's own.
    pub include: Vec<String>,
    /// Globs of files and folders to leave out.
    pub exclude: Vec<String>,
    /// The shard whose files are processed, where others process the rest; `None` for all files. A state keeps its shard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Rules that give files a class of priority; files of a class are in `order`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub priorities: Vec<PriorityRule>,
    /// The order of files.
    pub order: Order,
    /// How batches are cut.
    pub strategy: StrategyKind,
    /// Process every file again, done or not.
    pub reprocess: bool,
    /// Whether files that another processor has processed are processed again by this one, instead of refused. A new
    /// version of the same processor, by its identity up to the last `/`, does so anyway.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub change_processor: bool,
    /// Share of the record log, in percent, that is out of date when a run compacts it. 10 to 100; 100 for never.
    pub compact_above_percent: u64,
    /// A shorter record log is left as it is, in bytes.
    pub compact_min_bytes: u64,
    /// Length of the record log that is kept for a consumer that has not read it, in bytes: one that is further behind
    /// has to start over once the log is compacted. `None` keeps all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer_keep_bytes: Option<u64>,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            batch_size: 200,
            max_concurrent_batches: 4,
            worker_count: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers_max: 0,
            concurrency: CONCURRENCY,
            memory_limit_mb: 1000,
            checkpoint_interval: 1000,
            retry_attempts: 3,
            retry: BTreeMap::new(),
            timeout_seconds: 300,
            on_error: ErrorMode::Continue,
            max_failures: None,
            drain_seconds: 10,
            wait_seconds: 600,
            jobs_kept: 200,
            accept_empty: false,
            include: Vec::new(),
            exclude: Vec::new(),
            shard: None,
            priorities: Vec::new(),
            order: Order::Path,
            strategy: StrategyKind::Adaptive,
            reprocess: false,
            change_processor: false,
            compact_above_percent: 50,
            compact_min_bytes: 64 << 20,
            consumer_keep_bytes: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_usual_concurrency(concurrency: &usize) -> bool {
    *concurrency == CONCURRENCY
}

/// A value outside its limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}, and must be {limits}")]
pub struct ConfigError {
    /// The setting.
    pub name: &'static str,
    /// The given value.
    pub value: String,
    /// The allowed values.
    pub limits: &'static str,
}

impl BatchConfig {
    /// The longest time a commit tick waits for more outcomes.
    pub const TICK: Duration = Duration::from_millis(100);

    /// The command's default of `workers_max`.
    pub const WORKERS_MAX: usize = 64;

    /// Returns the most worker threads that there may be at once.
    pub fn most_workers(&self) -> usize {
        self.workers_max.max(self.worker_count)
    }

    /// Returns the retry policy of a class.
    pub fn retry_policy(&self, class: ErrorClass) -> RetryPolicy {
        let default = || RetryPolicy::default_of(class, self.retry_attempts);
        self.retry.get(&class).copied().unwrap_or_else(default)
    }

    /// Checks each value against its limits.
    ///
    /// # Errors
    /// The first value that is outside.
    pub fn check(&self) -> Result<(), ConfigError> {
        let within = |name, value: u64, low: u64, high: u64, limits| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(ConfigError { name, value: value.to_string(), limits })
            }
        };
        within("batch_size", self.batch_size as u64, 1, 10_000, "1 to 10000 files")?;
        within("concurrency", self.concurrency as u64, 1, 100_000, "1 to 100000")?;
        within("max_concurrent_batches", self.max_concurrent_batches as u64, 1, 1_000, "1 to 1000")?;
        within("worker_count", self.worker_count as u64, 1, 1_024, "1 to 1024 threads")?;
        within("workers_max", self.workers_max as u64, 0, 1_024, "0 to 1024 threads")?;
        within("memory_limit_mb", self.memory_limit_mb, 16, u64::MAX, "16 MiB or more")?;
        within("checkpoint_interval", self.checkpoint_interval as u64, 1, 1_000_000, "1 to 1000000 files")?;
        within("retry_attempts", u64::from(self.retry_attempts), 1, 100, "1 to 100")?;
        within("timeout_seconds", self.timeout_seconds, 1, 86_400, "1 to 86400 seconds")?;
        within("drain_seconds", self.drain_seconds, 1, 3_600, "1 to 3600 seconds")?;
        within("compact_above_percent", self.compact_above_percent, 10, 100, "10 to 100 percent")?;
        within("wait_seconds", self.wait_seconds, 0, 604_800, "0 to 604800 seconds")?;
        within("jobs_kept", self.jobs_kept as u64, 1, 10_000, "1 to 10000 jobs")?;
        let limits = "rules that can be applied";
        PriorityRules::new(&self.priorities).map_err(|value| ConfigError {
            name: "priorities",
            value,
            limits,
        })?;
        for (class, policy) in &self.retry {
            within("retry.attempts", u64::from(policy.attempts), 1, 100, "1 to 100")?;
            within("retry.backoff_ms", policy.backoff_ms, 0, 3_600_000, "0 to 3600000 milliseconds")?;
            within(
                "retry.backoff_max_ms",
                policy.backoff_max_ms,
                policy.backoff_ms,
                86_400_000,
                "backoff_ms to 86400000 milliseconds",
            )?;
            if policy.attempts > 1 && !class.can_pass() {
                let limits =
                    "1 for the classes parse, too-large and unsupported: the same content fails again";
                return Err(ConfigError {
                    name: "retry.attempts",
                    value: policy.attempts.to_string(),
                    limits,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outside_its_limits_is_named() {
        let config = BatchConfig { worker_count: 0, ..BatchConfig::default() };
        let message = config.check().unwrap_err().to_string();
        assert_eq!(message, "worker_count is 0, and must be 1 to 1024 threads");
    }

    #[test]
    fn a_limit_of_failures_is_a_number_or_a_share() {
        let limit = |text: &str| text.parse::<FailureLimit>();
        assert_eq!(limit("0").unwrap(), FailureLimit::Files(0));
        assert_eq!(limit("2.5%").unwrap().to_string(), "2.5%");
        for wrong in ["", "%", "-1", "101%", "NaN%", "many"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
        assert!(limit("3").unwrap().is_passed(4, 4) && !limit("3").unwrap().is_passed(3, 9));
        let share = limit("10%").unwrap();
        assert!(!share.is_passed(99, 99), "too few to tell");
        assert!(share.is_passed(11, 100) && !share.is_passed(10, 100));
    }

    #[test]
    fn what_fails_by_its_content_is_never_tried_again() {
        let policy = RetryPolicy { attempts: 2, backoff_ms: 1, backoff_max_ms: 1 };
        let with = |class| BatchConfig { retry: [(class, policy)].into(), ..BatchConfig::default() };
        assert!(with(ErrorClass::Parse).check().is_err());
        with(ErrorClass::Timeout).check().unwrap();
        assert_eq!(with(ErrorClass::Timeout).retry_policy(ErrorClass::Timeout), policy);
        assert_eq!(BatchConfig::default().retry_policy(ErrorClass::Parse).attempts, 1);
    }
}
