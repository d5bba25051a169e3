//! Whether reading waits: a look at one file now and then.

use std::time::{Duration, Instant};

use super::slots::Slot;
use crate::source::{Moment, Sampler, Spent};

/// A read that waits for less has not met a disk or a network.
const WAIT_MIN: Duration = Duration::from_micros(20);

/// Measures one worker's reads.
pub(super) struct Gauge(Sampler);

/// A file that is measured.
pub(super) struct Measured {
    begun: Moment,
    read: Spent,
}

impl Gauge {
    /// Of the calling thread.
    pub(super) fn of_this_thread() -> Self {
        Self(Sampler::of_this_thread())
    }

    /// Reads a file, and measures that when it is time to.
    pub(super) fn read<T>(&mut self, now: Instant, read: impl FnOnce() -> T) -> (T, Option<Measured>) {
        let begun = self.0.begin(now);
        let result = read();
        let measured = begun.map(|begun| Measured { read: self.0.since(&begun), begun });
        (result, measured)
    }

    /// Whether what is done waits.
    pub(super) fn waits<T>(&self, done: impl FnOnce() -> T) -> (T, bool) {
        let begun = self.0.now();
        let result = done();
        (result, has_waited(self.0.since(&begun).waiting))
    }

    /// The file is processed. Its waiting counts where more threads would help.
    pub(super) fn note(&self, measured: &Measured, counts: bool, slot: &Slot) {
        let total = self.0.since(&measured.begun).total;
        let waiting = if counts { measured.read.waiting } else { Duration::ZERO };
        slot.reading.add(waiting, total, has_waited(waiting));
    }
}

impl Measured {
    /// Whether reading the file has waited.
    pub(super) fn has_waited(&self) -> bool {
        has_waited(self.read.waiting)
    }
}

/// Whether such a time is one of waiting for a disk or a network.
fn has_waited(waiting: Duration) -> bool {
    waiting >= WAIT_MIN
}
