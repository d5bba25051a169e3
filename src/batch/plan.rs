//! Turns pending files into numbered batches.

use std::cmp::Reverse;
use std::fmt;
use std::time::SystemTime;

use super::{BatchObservation, BatchStrategy, Load, strategy_of};
use crate::model::{BatchConfig, BatchPriority, ConfigError, DiscoveredFile, FileBatch, Order};

/// Cuts files into batches and numbers them, from 1 and on from call to call.
///
/// ```
/// use outlast::batch::{CountStrategy, Load, Planner};
/// # use outlast::{DiscoveredFile, FileKey, Fingerprint, RootId};
/// # let key = |name: &str| FileKey::from_relative_path(RootId(1), name.as_bytes()).unwrap();
/// # let file = |name: &str| DiscoveredFile { key: key(name), fingerprint: Fingerprint::default(), attempts: 0, recorded: None };
/// let files = vec![file("a"), file("b"), file("c")];
/// let mut planner = Planner::new(Box::new(CountStrategy::new(2)));
/// let load = Load { workers: 2, memory_percent: 10, pending_after: 0 };
/// let batches = planner.plan(files, load, std::time::SystemTime::now());
/// assert_eq!(batches.iter().map(|batch| batch.files.len()).collect::<Vec<_>>(), [2, 1]);
/// ```
pub struct Planner {
    strategy: Box<dyn BatchStrategy>,
    planned: u64,
}

impl Planner {
    /// Creates a planner that cuts as `strategy` says.
    pub fn new(strategy: Box<dyn BatchStrategy>) -> Self {
        Self { strategy, planned: 0 }
    }

    /// Cuts the files, in their order; `load.pending_after` doesn't count them. The strategy's answer is clamped
    /// between 1 and the number of files.
    pub fn plan(&mut self, files: Vec<DiscoveredFile>, load: Load, now: SystemTime) -> Vec<FileBatch> {
        let mut cuts = Vec::new();
        let mut rest = files.as_slice();
        while !rest.is_empty() {
            let cut = self.strategy.next_batch(rest, &load).clamp(1, rest.len());
            cuts.push(cut);
            rest = &rest[cut..];
        }
        let mut files = files.into_iter();
        cuts.into_iter().map(|cut| self.batch(files.by_ref().take(cut).collect(), now)).collect()
    }

    /// Lets the strategy learn from a batch that ended.
    pub fn observe(&mut self, done: &BatchObservation) {
        self.strategy.observe(done);
    }

    /// Makes one batch of all these files, numbered like the others.
    pub fn batch(&mut self, files: Vec<DiscoveredFile>, now: SystemTime) -> FileBatch {
        self.planned += 1;
        let total_size = files.iter().fold(0u64, |sum, file| sum.saturating_add(file.fingerprint.size));
        FileBatch {
            batch_id: self.planned,
            total_size,
            estimated_processing_time: self.strategy.estimate(files.len(), total_size),
            priority: BatchPriority::Normal,
            created_at: now,
            files,
        }
    }
}

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planner").field("planned", &self.planned).finish_non_exhaustive()
    }
}

/// Puts the files in the configured order and cuts them into batches by the configured strategy,
/// for the configured number of workers.
///
/// # Errors
/// A value of the configuration is outside its limits.
pub fn create_optimal_batches(
    mut files: Vec<DiscoveredFile>,
    config: &BatchConfig,
) -> Result<Vec<FileBatch>, ConfigError> {
    config.check()?;
    sort(&mut files, config.order);
    let load = Load { workers: config.worker_count, memory_percent: 0, pending_after: 0 };
    Ok(Planner::new(strategy_of(config)).plan(files, load, SystemTime::now()))
}

/// Sorts by the order, and by key among equals.
pub fn sort(files: &mut [DiscoveredFile], order: Order) {
    let size = |file: &DiscoveredFile| file.fingerprint.size;
    let time = |file: &DiscoveredFile| file.fingerprint.mtime;
    match order {
        Order::Path => files.sort_unstable_by(|a, b| a.key.cmp(&b.key)),
        Order::Smallest => files.sort_unstable_by(|a, b| (size(a), &a.key).cmp(&(size(b), &b.key))),
        Order::Largest => {
            files.sort_unstable_by(|a, b| (Reverse(size(a)), &a.key).cmp(&(Reverse(size(b)), &b.key)));
        }
        Order::Newest => {
            files.sort_unstable_by(|a, b| (Reverse(time(a)), &a.key).cmp(&(Reverse(time(b)), &b.key)));
        }
        Order::Oldest => files.sort_unstable_by(|a, b| (time(a), &a.key).cmp(&(time(b), &b.key))),
    }
}
