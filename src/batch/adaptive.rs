//! The strategy that learns what files cost.

use std::time::Duration;

use super::cost::CostModel;
use super::fixed::within_bytes;
use super::{BatchObservation, BatchStrategy, Load};
use crate::model::DiscoveredFile;

/// Aims at batches that keep one worker busy for [`AdaptiveStrategy::TARGET`].
///
/// The number of files stays between 50 and 500 and the bytes within 16 MiB, unless one file alone is larger. Two
/// things go below 50 files: memory pressure, which halves both limits for each 2 % above 80 % of the memory limit,
/// down to one file, and restores them as it falls; and the end of the work, where a batch takes at most half of a
/// worker's even share of the rest, so that all workers end together.
#[derive(Debug, Clone)]
pub struct AdaptiveStrategy {
    start: usize,
    cost: CostModel,
}

impl AdaptiveStrategy {
    /// How long one batch should occupy a worker. Half a commit tick: outcomes keep arriving within each tick, and
    /// a batch's own cost (a claim, a marker: some 10 µs) is 0.1 % at most.
    pub const TARGET: Duration = Duration::from_millis(50);
    /// Minimum number of files, without memory pressure and before the end of the work.
    pub const FILES_MIN: usize = 50;
    /// Maximum number of files.
    pub const FILES_MAX: usize = 500;
    /// Maximum number of bytes, unless a single file is larger.
    pub const BYTES_MAX: u64 = 16 << 20;

    const PRESSURE_PERCENT: u8 = 80;

    /// Starts with batches of `start` files, at most 500, until the first batch has ended.
    pub fn new(start: usize) -> Self {
        Self { start: start.clamp(1, Self::FILES_MAX), cost: CostModel::default() }
    }

    /// Returns how many of the files keep a worker busy for the target.
    fn by_cost(&self, files: &[DiscoveredFile]) -> usize {
        if !self.cost.has_learned() {
            return self.start;
        }
        let target = Self::TARGET.as_secs_f64();
        let mut bytes = 0u64;
        let fitting = files.iter().take(Self::FILES_MAX).enumerate().take_while(|(at, file)| {
            bytes = bytes.saturating_add(file.fingerprint.size);
            self.cost.seconds(at + 1, bytes) <= target
        });
        fitting.count().max(Self::FILES_MIN)
    }
}

impl BatchStrategy for AdaptiveStrategy {
    fn next_batch(&self, files: &[DiscoveredFile], load: &Load) -> usize {
        let excess = u32::from(load.memory_percent.saturating_sub(Self::PRESSURE_PERCENT));
        let halvings = excess.div_ceil(2);
        let files_max = Self::FILES_MAX.checked_shr(halvings).unwrap_or(0);
        let bytes_max = Self::BYTES_MAX.checked_shr(halvings).unwrap_or(0);
        let workers = load.workers.max(1) as u64;
        let left = (files.len() as u64).saturating_add(load.pending_after);
        let share = usize::try_from(left.div_ceil(2 * workers)).unwrap_or(usize::MAX);
        let count = self.by_cost(files).min(files_max).min(share).max(1);
        within_bytes(files.iter().take(count), bytes_max)
    }

    fn observe(&mut self, done: &BatchObservation) {
        self.cost.observe(done);
    }

    fn estimate(&self, files: usize, bytes: u64) -> Duration {
        self.cost.estimate(files, bytes)
    }
}
