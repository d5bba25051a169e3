//! What a thread spends its time on: running, waiting for a core, or waiting for something else, such as a disk.
//!
//! A thread that waits for a core because others run there does not wait for its files, and more threads would not
//! help it. Wall-clock time can't distinguish the two; the scheduler's accounting can.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// How often a thread is measured: each time would cost some percent of a small file.
const EVERY: Duration = Duration::from_millis(1);

/// Samples what one thread does. Sampling depends on the time since the last sample, not on what is measured, so
/// long waits are not over-represented.
#[derive(Debug)]
pub(crate) struct Sampler {
    thread: ThreadTime,
    last: Option<Instant>,
}

impl Sampler {
    /// Creates a sampler of the calling thread.
    pub(crate) fn of_this_thread() -> Self {
        Self { thread: ThreadTime::of_this_thread(), last: None }
    }

    /// Starts a measurement, if one is due.
    pub(crate) fn begin(&mut self, now: Instant) -> Option<Moment> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            return None;
        }
        self.last = Some(now);
        Some(self.thread.now())
    }

    /// Returns the thread's current times.
    pub(crate) fn now(&self) -> Moment {
        self.thread.now()
    }

    /// Returns the time spent since it began.
    pub(crate) fn since(&self, begun: &Moment) -> ThreadTimes {
        self.thread.now().since(begun)
    }
}

/// The times of one thread, readable only by that thread.
#[derive(Debug)]
struct ThreadTime {
    /// The file with the scheduler's count of time spent waiting for a core; `None` where there is none.
    schedstat: Option<File>,
}

/// The times of a thread at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    wall: Instant,
    running: Duration,
    queued: Duration,
}

/// The time spent between two moments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ThreadTimes {
    /// Running, or waiting for something other than a core.
    pub total: Duration,
    /// Waiting for something other than a core.
    pub waiting: Duration,
}

impl ThreadTime {
    /// Creates that of the calling thread.
    fn of_this_thread() -> Self {
        Self { schedstat: File::open("/proc/thread-self/schedstat").ok() }
    }

    /// Returns the current times; costs some microseconds of system calls.
    fn now(&self) -> Moment {
        let running = clock_gettime(ClockId::ThreadCPUTime);
        let running = Duration::try_from(running).unwrap_or_default();
        Moment { wall: Instant::now(), running, queued: self.queued().unwrap_or_default() }
    }

    /// Returns the second of three numbers: time on a run queue, in nanoseconds.
    fn queued(&self) -> Option<Duration> {
        let mut bytes = [0; 64];
        let length = self.schedstat.as_ref()?.read_at(&mut bytes, 0).ok()?;
        let text = str::from_utf8(bytes.get(..length)?).ok()?;
        text.split_ascii_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
    }
}

impl Moment {
    /// Returns the time spent since another moment of the same thread.
    fn since(&self, before: &Self) -> ThreadTimes {
        let queued = self.queued.saturating_sub(before.queued);
        let total = self.wall.saturating_duration_since(before.wall).saturating_sub(queued);
        let running = self.running.saturating_sub(before.running);
        ThreadTimes { total, waiting: total.saturating_sub(running) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_is_waiting_and_computing_is_not() {
        let time = ThreadTime::of_this_thread();
        let begun = time.now();
        std::thread::sleep(Duration::from_millis(30));
        let slept = time.now();
        while time.now().since(&slept).total < Duration::from_millis(30) {}
        let sleep = slept.since(&begun);
        let work = time.now().since(&slept);
        assert!(sleep.waiting >= Duration::from_millis(28), "{sleep:?}");
        // However many other threads want the cores meanwhile.
        assert!(work.waiting < Duration::from_millis(10), "{work:?}");
    }
}
