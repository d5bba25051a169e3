//! Strategies with a fixed size: by number of files, or by bytes.

use std::time::Duration;

use super::cost::CostModel;
use super::{BatchObservation, BatchStrategy, Load};
use crate::model::DiscoveredFile;

/// Puts the same number of files in each batch.
#[derive(Debug, Clone)]
pub struct CountStrategy {
    files: usize,
    cost: CostModel,
}

impl CountStrategy {
    /// Creates batches of `files` files; at least 1.
    pub fn new(files: usize) -> Self {
        Self { files: files.max(1), cost: CostModel::default() }
    }
}

impl BatchStrategy for CountStrategy {
    fn next_batch(&self, _files: &[DiscoveredFile], _load: &Load) -> usize {
        self.files
    }

    fn observe(&mut self, done: &BatchObservation) {
        self.cost.observe(done);
    }

    fn estimate(&self, files: usize, bytes: u64) -> Duration {
        self.cost.estimate(files, bytes)
    }
}

/// Puts as many files in a batch as stay within a number of bytes: 1 to 500.
#[derive(Debug, Clone)]
pub struct SizeStrategy {
    bytes: u64,
    cost: CostModel,
}

impl SizeStrategy {
    /// Maximum number of files in one batch, however small they are.
    pub const FILES_MAX: usize = 500;

    /// Creates batches of at most `bytes` bytes, unless a single file is larger.
    pub fn new(bytes: u64) -> Self {
        Self { bytes, cost: CostModel::default() }
    }
}

/// Batches of 4 MiB.
impl Default for SizeStrategy {
    fn default() -> Self {
        Self::new(4 << 20)
    }
}

impl BatchStrategy for SizeStrategy {
    fn next_batch(&self, files: &[DiscoveredFile], _load: &Load) -> usize {
        within_bytes(files.iter().take(Self::FILES_MAX), self.bytes)
    }

    fn observe(&mut self, done: &BatchObservation) {
        self.cost.observe(done);
    }

    fn estimate(&self, files: usize, bytes: u64) -> Duration {
        self.cost.estimate(files, bytes)
    }
}

/// Returns how many files, from the first and at least one, have at most `bytes` bytes together.
pub(super) fn within_bytes<'a>(files: impl Iterator<Item = &'a DiscoveredFile>, bytes: u64) -> usize {
    let mut total = 0u64;
    let fitting = files.take_while(|file| {
        total = total.saturating_add(file.fingerprint.size);
        total <= bytes
    });
    fitting.count().max(1)
}
