//! Throughput over time, as far back as clients can see: 15 minutes second by second, a day minute by minute.
//!
//! Constraints: memory is bounded, and no clock is read here.

use std::collections::VecDeque;

use serde::Serialize;

/// Seconds that are kept.
const SECONDS: usize = 15 * 60;
/// Minutes that are kept.
const MINUTES: usize = 24 * 60;
/// Seconds in a minute.
const MINUTE: u64 = 60;

/// The work of an interval, and the state at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sample {
    /// Its end, in Unix seconds.
    pub(super) at: u64,
    /// Its length, in seconds.
    pub(super) seconds: f64,
    /// Files that workers finished.
    pub(super) files: u64,
    /// Bytes that they read.
    pub(super) bytes: u64,
    /// Files that are due.
    pub(super) pending: u64,
    /// Failed files of the job.
    pub(super) failed: u64,
}

/// The last samples.
#[derive(Debug, Default)]
pub(super) struct History {
    seconds: VecDeque<Sample>,
    minutes: VecDeque<Sample>,
    /// The current, incomplete minute.
    minute: Option<Sample>,
}

/// The answer of `/api/history`.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct HistoryReport {
    /// A sample about each second.
    pub(super) seconds: Series,
    /// A sample each minute.
    pub(super) minutes: Series,
}

/// Samples as columns, the oldest first.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Series {
    /// Ends of the intervals, in Unix seconds.
    pub(super) at: Vec<u64>,
    /// Files that workers finished, per second.
    pub(super) files_per_second: Vec<f64>,
    /// Bytes that they read, per second.
    pub(super) bytes_per_second: Vec<f64>,
    /// Files that were due at the end.
    pub(super) pending: Vec<u64>,
    /// Failed files of the job at the end.
    pub(super) failed: Vec<u64>,
}

impl History {
    /// Adds the sample since the last call.
    pub(super) fn add(&mut self, sample: Sample) {
        push(&mut self.seconds, sample, SECONDS);
        // Minutes follow the clock, so that a day has about as many of them as it should.
        if let Some(minute) = self.minute.take() {
            if minute.at / MINUTE == sample.at / MINUTE {
                let seconds = minute.seconds + sample.seconds;
                let bytes = minute.bytes + sample.bytes;
                self.minute = Some(Sample { seconds, files: minute.files + sample.files, bytes, ..sample });
                return;
            }
            push(&mut self.minutes, minute, MINUTES);
        }
        self.minute = Some(sample);
    }

    pub(super) fn report(&self) -> HistoryReport {
        HistoryReport { seconds: Series::of(&self.seconds), minutes: Series::of(&self.minutes) }
    }
}

fn push(ring: &mut VecDeque<Sample>, sample: Sample, most: usize) {
    if ring.len() >= most {
        ring.pop_front();
    }
    ring.push_back(sample);
}

impl Series {
    fn of(samples: &VecDeque<Sample>) -> Self {
        Self {
            at: samples.iter().map(|sample| sample.at).collect(),
            files_per_second: samples.iter().map(|sample| sample.rate(sample.files)).collect(),
            bytes_per_second: samples.iter().map(|sample| sample.rate(sample.bytes)).collect(),
            pending: samples.iter().map(|sample| sample.pending).collect(),
            failed: samples.iter().map(|sample| sample.failed).collect(),
        }
    }
}

impl Sample {
    /// Returns a count per second, to a tenth.
    pub(super) fn rate(&self, count: u64) -> f64 {
        (count as f64 / self.seconds.max(1e-3) * 10.0).round() / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u64) -> Sample {
        Sample { at, seconds: 1.0, files: at % 7, bytes: 10, pending: at, failed: 1 }
    }

    #[test]
    fn a_minute_is_the_sum_of_its_seconds_and_stands_as_its_last_one_did() {
        let mut history = History::default();
        (120..=240).for_each(|at| history.add(second(at)));
        let minutes = history.report().minutes;
        assert_eq!(minutes.at, [179, 239], "the third is not over");
        assert_eq!(minutes.pending, [179, 239]);
        assert_eq!(minutes.bytes_per_second, [10.0, 10.0]);
        let files: u64 = (120..180).map(|at| at % 7).sum();
        assert_eq!(minutes.files_per_second[0], (files as f64 / 60.0 * 10.0).round() / 10.0);
    }

    #[test]
    fn days_later_no_more_is_kept_than_a_day() {
        let mut history = History::default();
        (0..3 * 86_400).for_each(|at| history.add(second(at)));
        let HistoryReport { seconds, minutes } = history.report();
        assert_eq!((seconds.at.len(), minutes.at.len()), (SECONDS, MINUTES));
        assert_eq!((seconds.at[0], seconds.at[SECONDS - 1]), (3 * 86_400 - 900, 3 * 86_400 - 1));
        assert!(minutes.at.is_sorted());
        let text = serde_json::to_string(&history.report()).unwrap();
        assert!(text.len() < 150_000, "{} bytes", text.len());
    }

    #[test]
    fn a_second_that_was_late_is_no_spike() {
        let late = Sample { seconds: 4.0, files: 400, ..second(5) };
        assert_eq!(late.rate(late.files), 100.0);
        assert_eq!(Sample::default().rate(0), 0.0);
    }
}
