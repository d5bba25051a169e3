//! The strategy of one language a batch.

use std::time::Duration;

use super::{AdaptiveStrategy, BatchObservation, BatchStrategy, Load};
use crate::model::DiscoveredFile;

/// Cuts as [`AdaptiveStrategy`] does, and files of one [language](DiscoveredFile::language) into each batch: for
/// processors with something to prepare for a language. What is claimed together is put in the order of languages
/// first; files without one stand together.
#[derive(Debug, Clone)]
pub struct LanguageStrategy(AdaptiveStrategy);

impl LanguageStrategy {
    /// Starts with batches of `start` files, as [`AdaptiveStrategy::new`].
    pub fn new(start: usize) -> Self {
        Self(AdaptiveStrategy::new(start))
    }
}

impl BatchStrategy for LanguageStrategy {
    fn arrange(&self, files: &mut [DiscoveredFile]) {
        files.sort_by(|a, b| a.language().cmp(&b.language()));
    }

    fn next_batch(&self, files: &[DiscoveredFile], load: &Load) -> usize {
        let first = files.first().and_then(DiscoveredFile::language);
        let alike = files.iter().take_while(|file| file.language() == first).count();
        self.0.next_batch(files, load).min(alike)
    }

    fn observe(&mut self, done: &BatchObservation) {
        self.0.observe(done);
    }

    fn estimate(&self, files: usize, bytes: u64) -> Duration {
        self.0.estimate(files, bytes)
    }
}
