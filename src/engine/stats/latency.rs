//! The time from a file's change event until its outcome is durable.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Files that the figures cover.
const WINDOW: usize = 1_024;

/// The last files' times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latency {
    /// A ring, in microseconds.
    window: Vec<u32>,
    next: usize,
    count: u64,
}

/// From the event of a file's change to the commit of its outcome, over the last 1,024 of such files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyFigures {
    /// Files since the run began, also those that the other figures no longer cover.
    pub count: u64,
    /// Half of them took no longer, in seconds.
    pub p50_seconds: f64,
    /// 99 of 100 took no longer, in seconds.
    pub p99_seconds: f64,
    /// None took longer, in seconds.
    pub max_seconds: f64,
}

impl Latency {
    /// Records the time of one file.
    pub(crate) fn note(&mut self, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        if let Some(oldest) = self.window.get_mut(self.next) {
            *oldest = micros;
        } else {
            self.window.push(micros);
        }
        self.next = (self.next + 1) % WINDOW;
        self.count += 1;
    }

    /// Returns the current figures.
    pub(crate) fn figures(&self) -> LatencyFigures {
        let mut sorted = self.window.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).map_or(0.0, |micros| f64::from(*micros) / 1e6)
        };
        LatencyFigures { count: self.count, p50_seconds: at(50), p99_seconds: at(99), max_seconds: at(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_the_last_files_only() {
        let mut latency = Latency::default();
        assert_eq!(latency.figures(), LatencyFigures::default());
        latency.note(Duration::from_secs(100));
        assert_eq!(latency.figures().p50_seconds, 100.0);
        (1..=100).for_each(|millis| latency.note(Duration::from_millis(millis)));
        let seen = latency.figures();
        assert_eq!((seen.p50_seconds, seen.p99_seconds, seen.max_seconds), (0.051, 0.1, 100.0));
        (0..WINDOW).for_each(|_| latency.note(Duration::from_millis(7)));
        let figures = latency.figures();
        assert_eq!((figures.p50_seconds, figures.p99_seconds, figures.max_seconds), (0.007, 0.007, 0.007));
        assert_eq!(figures.count, 1 + 100 + WINDOW as u64);
    }
}
