//! What a user can set.

use std::time::Duration;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Which files come first. Sizes and ages are compared by powers of two, and exactly within what is claimed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// In the order of the tree: the fastest, since neighbours in the tree are neighbours in the ledger.
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

/// Which strategy cuts the pending files into batches.
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
}

/// Limits and sizes of a run.
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
    /// Largest file that is read, in MiB; a larger one fails as `too-large`. At least 16.
    pub memory_limit_mb: u64,
    /// Outcomes after which a commit tick is due before its 100 ms have passed, once the last tick's cost is
    /// earned back twenty times. 1 to 1,000,000.
    pub checkpoint_interval: usize,
    /// Attempts at a file whose failure may pass, the first included. 1 to 100.
    pub retry_attempts: u16,
    /// Longest time for one file, in seconds. Kept with the job; no watchdog enforces it yet.
    pub timeout_seconds: u64,
    /// Globs that a file's name or relative path must match; empty for the processor's own.
    pub include: Vec<String>,
    /// Globs of files and folders to leave out.
    pub exclude: Vec<String>,
    /// Which files come first.
    pub order: Order,
    /// How batches are cut.
    pub strategy: StrategyKind,
    /// Process every file again, done or not.
    pub reprocess: bool,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            batch_size: 200,
            max_concurrent_batches: 4,
            worker_count: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_limit_mb: 1000,
            checkpoint_interval: 1000,
            retry_attempts: 3,
            timeout_seconds: 300,
            include: Vec::new(),
            exclude: Vec::new(),
            order: Order::Path,
            strategy: StrategyKind::Adaptive,
            reprocess: false,
        }
    }
}

/// A value outside its limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}, and must be {limits}")]
pub struct ConfigError {
    /// The setting.
    pub name: &'static str,
    /// What was given.
    pub value: String,
    /// What is allowed.
    pub limits: &'static str,
}

impl BatchConfig {
    /// The longest time a commit tick waits for more outcomes.
    pub const TICK: Duration = Duration::from_millis(100);

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
        within("max_concurrent_batches", self.max_concurrent_batches as u64, 1, 1_000, "1 to 1000")?;
        within("worker_count", self.worker_count as u64, 1, 1_024, "1 to 1024 threads")?;
        within("memory_limit_mb", self.memory_limit_mb, 16, u64::MAX, "16 MiB or more")?;
        within("checkpoint_interval", self.checkpoint_interval as u64, 1, 1_000_000, "1 to 1000000 files")?;
        within("retry_attempts", u64::from(self.retry_attempts), 1, 100, "1 to 100")?;
        within("timeout_seconds", self.timeout_seconds, 1, 86_400, "1 to 86400 seconds")
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
}
