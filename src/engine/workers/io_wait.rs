//! Whether reading waits: measured for one file now and then.

use std::time::{Duration, Instant};

use super::slots::Slot;
use crate::source::{Moment, Sampler, ThreadTimes};

/// A shorter wait is not one for a disk or a network.
const WAIT_MIN: Duration = Duration::from_micros(20);

/// Measures one worker's reads.
pub(super) struct IoWaitSampler(Sampler);

/// A measured file.
pub(super) struct Measured {
    begun: Moment,
    read: ThreadTimes,
}

impl IoWaitSampler {
    /// Creates the sampler of the calling thread.
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

    /// Calls `done`, and returns whether that had to wait.
    pub(super) fn waits<T>(&self, done: impl FnOnce() -> T) -> (T, bool) {
        let begun = self.0.now();
        let result = done();
        (result, has_waited(self.0.since(&begun).waiting))
    }

    /// Notes a processed file. Its waiting counts if more threads would help.
    pub(super) fn note(&self, measured: &Measured, counts: bool, slot: &Slot) {
        let total = self.0.since(&measured.begun).total;
        let waiting = if counts { measured.read.waiting } else { Duration::ZERO };
        slot.reading.add(waiting, total, has_waited(waiting));
    }
}

impl Measured {
    /// Returns whether reading the file has waited.
    pub(super) fn has_waited(&self) -> bool {
        has_waited(self.read.waiting)
    }
}

/// Returns whether a wait this long is one for a disk or a network.
fn has_waited(waiting: Duration) -> bool {
    waiting >= WAIT_MIN
}
