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
        files.sort_by_cached_key(|file| file.language().map(str::to_ascii_lowercase));
    }

    fn next_batch(&self, files: &[DiscoveredFile], load: &Load) -> usize {
        let first = files.first().and_then(DiscoveredFile::language);
        let is_alike = |file: &&DiscoveredFile| match (file.language(), first) {
            (Some(one), Some(first)) => one.eq_ignore_ascii_case(first),
            (one, first) => one == first,
        };
        self.0.next_batch(files, load).min(files.iter().take_while(is_alike).count())
    }

    fn observe(&mut self, done: &BatchObservation) {
        self.0.observe(done);
    }

    fn estimate(&self, files: usize, bytes: u64) -> Duration {
        self.0.estimate(files, bytes)
    }
}
