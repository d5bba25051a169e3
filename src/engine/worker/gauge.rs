//! Whether reading waits: a look at one file now and then.
//!
//! To measure each file would cost some percent of a small one, so one is measured each millisecond. Whether a file
//! is measured depends on the time since the last one, not on the file, so what waits long is not seen more often.

use std::time::{Duration, Instant};

use super::super::board::Slot;
use crate::source::{Moment, Spent, ThreadTime};

const EVERY: Duration = Duration::from_millis(1);
/// A read that waits for less has not met a disk or a network.
const WAIT_MIN: Duration = Duration::from_micros(20);

/// Measures one worker's reads.
pub(super) struct Gauge {
    thread: ThreadTime,
    last: Option<Instant>,
}

/// A file that is measured.
pub(super) struct Measured {
    begun: Moment,
    read: Spent,
}

impl Gauge {
    /// Of the calling thread.
    pub(super) fn of_this_thread() -> Self {
        Self { thread: ThreadTime::of_this_thread(), last: None }
    }

    /// Reads a file, and measures that when it is time to.
    pub(super) fn read<T>(&mut self, now: Instant, read: impl FnOnce() -> T) -> (T, Option<Measured>) {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            return (read(), None);
        }
        self.last = Some(now);
        let begun = self.thread.now();
        let result = read();
        (result, Some(Measured { begun, read: self.thread.now().since(&begun) }))
    }

    /// The file is processed.
    pub(super) fn note(&self, measured: &Measured, slot: &Slot) {
        let total = self.thread.now().since(&measured.begun).total;
        slot.reading.add(measured.read.waiting, total, measured.read.waiting >= WAIT_MIN);
    }
}
