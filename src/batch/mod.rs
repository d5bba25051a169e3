//! How pending files are cut into batches.
//!
//! Constraints: a strategy is pure. It gets files and what is known of the machine, and returns
//! batches that hold each file exactly once, in the order in which it arranged them; it reads no clock and no file.

mod adaptive;
mod cost;
mod fixed;
mod language;
mod plan;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::model::{BatchConfig, DiscoveredFile, StrategyKind};

pub use adaptive::AdaptiveStrategy;
pub use fixed::{CountStrategy, SizeStrategy};
pub use language::LanguageStrategy;
pub(crate) use plan::by_priority;
#[doc(hidden)]
pub use plan::sort;
pub use plan::{Planner, create_optimal_batches};

/// Cuts files into batches.
///
/// [`next_batch`](BatchStrategy::next_batch) says where each batch ends; the engine does the rest. See
/// `examples/own_strategy.rs`.
pub trait BatchStrategy: Send + Sync {
    /// Puts files in another order before they are cut: those that are claimed together, and of one priority. The
    /// default leaves them in the configured one.
    fn arrange(&self, _files: &mut [DiscoveredFile]) {}

    /// Returns how many of `files`, from the first, make the next batch. At least 1 is taken, at most all. `files`
    /// is never empty.
    fn next_batch(&self, files: &[DiscoveredFile], load: &Load) -> usize;

    /// Learns from a finished batch. The default learns nothing.
    fn observe(&mut self, _done: &BatchObservation) {}

    /// Returns the expected time of one worker for files of this number and total size.
    fn estimate(&self, _files: usize, _bytes: u64) -> Duration {
        Duration::ZERO
    }
}

/// What is known of the machine while planning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Worker threads.
    pub workers: usize,
    /// Share of the memory limit in use, in percent.
    pub memory_percent: u8,
    /// Files that are pending after these.
    pub pending_after: u64,
}

/// The measured cost of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchObservation {
    /// Files in it.
    pub files: usize,
    /// Bytes in it.
    pub bytes: u64,
    /// Time of all workers on it together.
    pub busy: Duration,
}

/// Returns the strategy that a configuration names.
pub fn strategy_of(config: &BatchConfig) -> Box<dyn BatchStrategy> {
    match config.strategy {
        StrategyKind::Adaptive => Box::new(AdaptiveStrategy::new(config.batch_size)),
        StrategyKind::Count => Box::new(CountStrategy::new(config.batch_size)),
        StrategyKind::Language => Box::new(LanguageStrategy::new(config.batch_size)),
        StrategyKind::Size => Box::new(SizeStrategy::default()),
    }
}
