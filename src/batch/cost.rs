//! The cost of files, learned from finished batches.

use std::time::Duration;

use super::BatchObservation;

/// Seconds as a cost per file plus a cost per byte.
///
/// A straight line through the decayed observations (mean size of a batch's files against mean time of one),
/// weighted by their number. If all batches are alike, the slope can't be observed: then it leans on the prior
/// ratio, and the line still goes through the mean, so that batches like those seen are predicted well.
#[derive(Debug, Clone)]
pub(super) struct CostModel {
    per_file: f64,
    per_byte: f64,
    weight: f64,
    size: f64,
    time: f64,
    size_size: f64,
    size_time: f64,
}

/// Before any observation: what the bare loop of reading, hashing and parsing takes of one core.
const PER_FILE_S: f64 = 12e-6;
const PER_BYTE_S: f64 = 2e-9;

/// The weight that an observation keeps after the next one: the last ten batches decide.
const DECAY: f64 = 0.9;

/// Spread of the sizes, relative to their mean, from which the observed slope outweighs the prior ratio.
const SPREAD: f64 = 0.25;

impl Default for CostModel {
    fn default() -> Self {
        Self {
            per_file: PER_FILE_S,
            per_byte: PER_BYTE_S,
            weight: 0.0,
            size: 0.0,
            time: 0.0,
            size_size: 0.0,
            size_time: 0.0,
        }
    }
}

impl CostModel {
    /// Returns whether anything has been observed.
    pub(super) fn has_learned(&self) -> bool {
        self.weight > 0.0
    }

    /// Returns the seconds for files of this number and total size.
    pub(super) fn seconds(&self, files: usize, bytes: u64) -> f64 {
        self.per_file * files as f64 + self.per_byte * bytes as f64
    }

    /// Returns the same as a duration.
    pub(super) fn estimate(&self, files: usize, bytes: u64) -> Duration {
        Duration::try_from_secs_f64(self.seconds(files, bytes)).unwrap_or(Duration::MAX)
    }

    /// Learns from a finished batch.
    pub(super) fn observe(&mut self, done: &BatchObservation) {
        if done.files == 0 {
            return;
        }
        let files = done.files as f64;
        let size = done.bytes as f64 / files;
        let time = done.busy.as_secs_f64() / files;
        self.weight = self.weight * DECAY + files;
        self.size = self.size * DECAY + files * size;
        self.time = self.time * DECAY + files * time;
        self.size_size = self.size_size * DECAY + files * size * size;
        self.size_time = self.size_time * DECAY + files * size * time;
        self.fit();
    }

    fn fit(&mut self) {
        let size = self.size / self.weight;
        let time = self.time / self.weight;
        let variance = (self.size_size / self.weight - size * size).max(0.0);
        let covariance = self.size_time / self.weight - size * time;
        // The prior ratio, scaled to the observed mean.
        let known = time * PER_BYTE_S / (PER_FILE_S + PER_BYTE_S * size);
        let trust = (SPREAD * size).powi(2) + 1.0;
        let slope = (covariance + known * trust) / (variance + trust);
        // Neither a byte nor a file has a negative cost.
        let steepest = if size > 0.0 { time / size } else { 0.0 };
        self.per_byte = slope.clamp(0.0, steepest);
        self.per_file = (time - self.per_byte * size).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe(model: &mut CostModel, files: usize, bytes: u64, per_file: f64, per_byte: f64) {
        let busy = Duration::from_secs_f64(per_file * files as f64 + per_byte * bytes as f64);
        model.observe(&BatchObservation { files, bytes, busy });
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 0.1 * b
    }

    #[test]
    fn both_parts_are_learned_from_batches_that_differ() {
        let mut model = CostModel::default();
        for round in 0..40u64 {
            observe(&mut model, 100, 100 * (1 << (10 + round % 8)), 3e-3, 5e-8);
        }
        assert!(near(model.seconds(1, 0), 3e-3), "{model:?}");
        assert!(near(model.seconds(0, 1 << 20), 5e-8 * f64::from(1 << 20)), "{model:?}");
    }

    #[test]
    fn batches_that_look_alike_are_predicted_well() {
        let mut model = CostModel::default();
        for _ in 0..5 {
            observe(&mut model, 200, 200 * 4096, 1e-4, 0.0);
        }
        assert!(near(model.seconds(50, 50 * 4096), 50.0 * 1e-4), "{model:?}");
        assert!(model.seconds(1, 0) > 0.0 && model.seconds(0, 1 << 20) >= 0.0);
    }

    #[test]
    fn a_change_of_the_cost_is_followed() {
        let mut model = CostModel::default();
        for _ in 0..50 {
            observe(&mut model, 100, 100 * 4096, 1e-5, 1e-9);
        }
        for _ in 0..40 {
            observe(&mut model, 100, 100 * 4096, 1e-3, 1e-9);
        }
        assert!(near(model.seconds(100, 100 * 4096), 0.1004), "{model:?}");
    }

    #[test]
    fn odd_observations_give_no_odd_predictions() {
        let mut model = CostModel::default();
        for (files, bytes, busy) in [(0, 5, 1), (1, 0, 0), (3, u64::MAX, 7), (500, 0, u64::MAX), (1, 1, 1)] {
            model.observe(&BatchObservation { files, bytes, busy: Duration::from_nanos(busy) });
            let seconds = model.seconds(10, 1 << 30);
            assert!(seconds.is_finite() && seconds >= 0.0, "{model:?}");
        }
        model.observe(&BatchObservation { files: 1, bytes: 1, busy: Duration::MAX });
        assert!(model.estimate(usize::MAX, u64::MAX) > Duration::ZERO);
    }
}
