//! How many workers there are: more than cores while opening files waits, and the usual number when it does not.
//!
//! Where only reading waits, a worker asks for files ahead (`engine/workers/read_ahead.rs`), which takes no thread:
//! such waits are not reported here.
//!
//! Files measured now and then show the share of time that was spent waiting to read them, be it for a disk or for a
//! network. If that share is w, `worker_count` threads keep as many cores busy as 1 - w of them, so it takes
//! `worker_count / (1 - w)` for all on average, and some times that as they wait at random. Waiting for a core is
//! left out, and so is what a processor waits for: a machine with other load does not look like a slow disk, and no
//! service is called by more threads because it is slow.
//!
//! Threads are added quickly, up to four times as many at each check, as nothing is lost by a few that find nothing
//! to wait for; and they rest only when that has held for a while. A single read that waits is no reason for
//! anything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::model::BatchConfig;

/// Time between two checks.
const LOOK: Duration = Duration::from_millis(20);
/// Below this share of time, waiting is no reason for more threads.
const WAITING_MIN: f64 = 0.2;
/// Fewer files than this show nothing, and fewer that waited are chance.
const FILES_MIN: f64 = 3.0;
const WAITED_MIN: f64 = 2.5;
/// So many times the threads that would be enough if each waited in its turn. Twice is too few on a disk with other
/// load; surplus threads only wait.
const HEADROOM: f64 = 4.0;
/// The share of earlier figures that remains at each check.
const KEPT: f64 = 0.75;
/// So many times the workers at most from one check to the next. Of 20,000 files that were not in memory, 0.5 s of
/// reading for the best number of threads, 0.2 s were gone until there were enough of them at twice and 50 ms.
const GROWTH: usize = 4;
/// Checks, and time, after which threads rest that were not needed all the while.
const CALM_LOOKS: u32 = 4;
const CALM: Duration = Duration::from_millis(500);

/// A worker's measures that have not been collected yet. Only the worker adds, once a millisecond.
#[derive(Debug, Default)]
pub(crate) struct ReadingTimes {
    waiting_ns: AtomicU64,
    total_ns: AtomicU64,
    files: AtomicU64,
    waited: AtomicU64,
}

/// Measures: seconds and files.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct IoWait {
    /// Waiting to read.
    pub waiting: f64,
    /// The total time of the files.
    pub total: f64,
    pub files: f64,
    /// Of these, files whose reading had to wait.
    pub waited: f64,
}

impl ReadingTimes {
    pub(crate) fn add(&self, waiting: Duration, total: Duration, waited: bool) {
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.waiting_ns.fetch_add(ns(waiting), Ordering::Relaxed);
        self.total_ns.fetch_add(ns(total), Ordering::Relaxed);
        self.files.fetch_add(1, Ordering::Relaxed);
        self.waited.fetch_add(waited.into(), Ordering::Relaxed);
    }

    pub(crate) fn take(&self) -> IoWait {
        let take = |number: &AtomicU64| number.swap(0, Ordering::Relaxed) as f64;
        IoWait {
            waiting: take(&self.waiting_ns) / 1e9,
            total: take(&self.total_ns) / 1e9,
            files: take(&self.files),
            waited: take(&self.waited),
        }
    }
}

impl IoWait {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            total: self.total + other.total,
            files: self.files + other.files,
            waited: self.waited + other.waited,
        }
    }

    fn scaled(self, by: f64) -> Self {
        let Self { waiting, total, files, waited } = self;
        Self { waiting: waiting * by, total: total * by, files: files * by, waited: waited * by }
    }
}

/// Decides how many workers there should be.
#[derive(Debug)]
pub(crate) struct PoolSizer {
    least: usize,
    most: usize,
    allowed: usize,
    recent: IoWait,
    last_look: Option<Instant>,
    calm_since: Option<Instant>,
    calm_looks: u32,
    /// The most that was wanted in the calm.
    calm_wanted: usize,
}

impl PoolSizer {
    pub(crate) fn new(config: &BatchConfig) -> Self {
        let least = config.worker_count;
        let most = config.most_workers();
        let (recent, last_look, calm_since, calm_looks, calm_wanted) = Default::default();
        Self { least, most, allowed: least, recent, last_look, calm_since, calm_looks, calm_wanted }
    }

    /// Notes that no more than so many workers can be had.
    pub(crate) fn limit(&mut self, workers: usize) {
        self.most = workers;
        self.allowed = workers;
    }

    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.most > self.least
            && self.last_look.is_none_or(|last| now.saturating_duration_since(last) >= LOOK);
        if is_due {
            self.last_look = Some(now);
        }
        is_due
    }

    /// Decides by the measures since the last check, and by how many workers are idle. Returns the new number, if it
    /// has changed.
    pub(crate) fn decide(&mut self, now: Instant, measured: IoWait, idle: usize) -> Option<usize> {
        // Files that take longer than the interval show up in some checks and not in others.
        if measured.files > 0.0 {
            self.recent = self.recent.scaled(KEPT).plus(measured);
        }
        let are_idle = idle >= self.allowed;
        if self.recent.files < FILES_MIN && !are_idle {
            return None;
        }
        let wanted = if are_idle { self.least } else { self.wanted() };
        let before = self.allowed;
        if wanted >= self.allowed {
            self.calm_since = None;
            self.calm_looks = 0;
            self.calm_wanted = 0;
            // Where many find nothing to read, more would not find it either.
            if idle * 4 <= self.allowed {
                self.allowed = wanted.min(self.allowed * GROWTH);
            }
        } else {
            self.calm_looks += 1;
            self.calm_wanted = self.calm_wanted.max(wanted);
            let since = *self.calm_since.get_or_insert(now);
            if self.calm_looks >= CALM_LOOKS && now.saturating_duration_since(since) >= CALM {
                self.allowed = self.calm_wanted;
                self.calm_since = None;
                self.calm_looks = 0;
                self.calm_wanted = 0;
            }
        }
        (self.allowed != before).then_some(self.allowed)
    }

    fn wanted(&self) -> usize {
        let IoWait { waiting, total, waited, .. } = self.recent;
        let share = waiting / total.max(1e-9);
        if share < WAITING_MIN || waited < WAITED_MIN {
            return self.least;
        }
        let wanted = HEADROOM * self.least as f64 / (1.0 - share).max(1e-6);
        (wanted.ceil() as usize).clamp(self.least, self.most)
    }
}

#[cfg(test)]
mod tests;
