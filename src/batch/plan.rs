//! Turns pending files into numbered batches.

use std::cmp::Reverse;
use std::fmt;
use std::time::SystemTime;

use super::{BatchObservation, BatchStrategy, Load, strategy_of};
use crate::model::{
    BatchConfig, BatchPriority, ConfigError, DiscoveredFile, FileBatch, Order, PriorityRules, Timestamp,
};

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

    /// Cuts the files, in the order in which the strategy arranges them; `load.pending_after` doesn't count them. The
    /// strategy's answer is clamped between 1 and the number of files.
    pub fn plan(&mut self, mut files: Vec<DiscoveredFile>, load: Load, now: SystemTime) -> Vec<FileBatch> {
        self.strategy.arrange(&mut files);
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

/// Puts the files in the configured order, those of higher priority first, and cuts them into batches by the
/// configured strategy, for the configured number of workers. Ages are as of now.
///
/// # Errors
/// A value of the configuration is outside its limits.
pub fn create_optimal_batches(
    mut files: Vec<DiscoveredFile>,
    config: &BatchConfig,
) -> Result<Vec<FileBatch>, ConfigError> {
    config.check()?;
    sort(&mut files, config.order);
    let now = SystemTime::now();
    let rules = PriorityRules::new(&config.priorities).unwrap_or_default();
    let class_of = |file: &DiscoveredFile| {
        rules.class_of(file.key.as_bytes(), &file.fingerprint, Timestamp::from_system_time(now))
    };
    let mut load =
        Load { workers: config.worker_count, memory_percent: 0, pending_after: files.len() as u64 };
    let mut planner = Planner::new(strategy_of(config));
    let mut batches = Vec::new();
    for (priority, part) in by_priority(files, class_of) {
        load.pending_after -= part.len() as u64;
        let planned = planner.plan(part, load, now).into_iter();
        batches.extend(planned.map(|batch| FileBatch { priority, ..batch }));
    }
    Ok(batches)
}

/// Parts files by their priority, the highest first, and leaves those of each in their order.
pub(crate) fn by_priority(
    files: Vec<DiscoveredFile>,
    priority: impl Fn(&DiscoveredFile) -> BatchPriority,
) -> Vec<(BatchPriority, Vec<DiscoveredFile>)> {
    let mut parts: [Vec<DiscoveredFile>; 3] = Default::default();
    for file in files {
        parts[priority(&file) as usize].push(file);
    }
    let part = |priority: BatchPriority| (priority, std::mem::take(&mut parts[priority as usize]));
    BatchPriority::ALL.map(part).into_iter().filter(|(_, part)| !part.is_empty()).collect()
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
