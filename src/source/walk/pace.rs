//! The pace of a scan and its number of threads: more while listing waits for a disk or a network.
//!
//! Now and then a thread measures a folder's listing, and a portion of its files' metadata. If much of that time
//! was spent waiting, and there are folders to list, more threads are started, up to [`THREADS_WAITING_MAX`]; if
//! one folder has many files, helpers request their metadata. A scan that does not wait also has helpers, as long
//! as its own threads find no other folder. Each ends with the work it was started for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::thread_clock::{Moment, Sampler, ThreadTimes};

/// Maximum number of threads that list at the same time while listing waits.
const THREADS_WAITING_MAX: usize = 32;
/// Share of time spent waiting from which a scan counts as waiting.
const WAITING_MIN: f64 = 0.3;
/// Waiting time that justifies more threads.
const WAITED_MIN: Duration = Duration::from_millis(10);
/// Measurements required before the number of threads changes again.
const MEASURES_MIN: u32 = 4;
/// Factor by which the number of threads grows per change.
const GROWTH: usize = 4;
/// Decay of earlier measurements with each new one.
const KEPT: f64 = 15.0 / 16.0;

/// Files of one folder that a thread checks at a time: few, since results are passed on only then.
const PORTION: usize = 64;
/// The same when helpers only share the work: starting one takes as long as checking 40 files.
const PORTION_SHARED: usize = 2048;
/// Files of a folder checked first, to see whether it waits, before helpers share the rest.
const ALONE: usize = 4 * PORTION;

/// The pace of one scan, shared by its threads.
#[derive(Debug)]
pub(super) struct Pace {
    /// Threads that the scan starts with.
    own: usize,
    most: usize,
    /// Threads that list or request metadata.
    busy: AtomicUsize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    threads: usize,
    wanted: usize,
    waiting: f64,
    total: f64,
    /// Measurements since the number of threads changed.
    measures: u32,
    has_ended: bool,
}

impl State {
    fn waits(&self) -> bool {
        self.waiting >= WAITED_MIN.as_secs_f64() && self.waiting >= WAITING_MIN * self.total
    }
}

impl Pace {
    /// Creates the pace of a scan that starts with this many threads. A single thread stays alone: it lists in key
    /// order.
    pub(super) fn new(threads: usize) -> Self {
        let most = if threads == 1 { 1 } else { threads.max(THREADS_WAITING_MAX) };
        let state = State { wanted: threads, ..State::default() };
        Self {
            own: threads,
            most,
            busy: AtomicUsize::new(0),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Returns whether the number of threads is fixed.
    fn is_fixed(&self) -> bool {
        self.most == 1
    }

    /// Waits until more than these threads are wanted; `None` once a thread has found nothing left to do.
    pub(super) fn more_than(&self, threads: usize) -> Option<usize> {
        let mut state = self.lock();
        state.threads = threads;
        state.measures = 0;
        let waits = |state: &mut State| !state.has_ended && state.wanted <= threads;
        let state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        (!state.has_ended).then_some(state.wanted)
    }

    /// Records that no more threads than these can be started.
    pub(super) fn refuse_more(&self, threads: usize) {
        self.lock().wanted = threads;
    }

    /// Marks a thread as working until the guard is dropped. When one ends, nothing is left to do.
    pub(super) fn at_work(&self) -> AtWork<'_> {
        AtWork(self)
    }

    /// Marks a thread as listing a folder until the guard is dropped.
    pub(super) fn busy(&self) -> Busy<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy { pace: self, threads: 1 }
    }

    /// Returns helpers for `left` files of one folder, `asked` of which were already checked, and how many files
    /// each thread checks at a time: helpers if the scan waits, or if its own threads find no other folder.
    pub(super) fn help_with(&self, left: usize, asked: usize) -> (Busy<'_>, usize) {
        let none = (Busy { pace: self, threads: 0 }, PORTION);
        if left <= PORTION {
            return none;
        }
        let state = self.lock();
        let (portion, most) = if state.waits() {
            (PORTION, self.most)
        } else if asked >= ALONE {
            (PORTION_SHARED, self.own)
        } else {
            return none;
        };
        let free = most.saturating_sub(self.busy.load(Ordering::Relaxed));
        let threads = left.div_ceil(portion).saturating_sub(1).min(free);
        if threads == 0 {
            return none;
        }
        self.busy.fetch_add(threads, Ordering::Relaxed);
        (Busy { pace: self, threads }, portion)
    }

    /// Records a measurement; `has_more` returns whether more threads would find folders.
    pub(super) fn note(&self, spent: ThreadTimes, has_more: impl FnOnce() -> bool) {
        let mut state = self.lock();
        state.waiting = state.waiting * KEPT + spent.waiting.as_secs_f64();
        state.total = state.total * KEPT + spent.total.as_secs_f64();
        state.measures += 1;
        let may_grow = state.wanted == state.threads && state.threads < self.most;
        if may_grow && state.measures >= MEASURES_MIN && state.waits() && has_more() {
            state.wanted = (state.threads * GROWTH).min(self.most);
            tracing::debug!(threads = state.wanted, "listing waits: more threads");
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A working thread.
pub(super) struct AtWork<'a>(&'a Pace);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.lock().has_ended = true;
        self.0.changed.notify_all();
    }
}

/// Threads that are busy.
pub(super) struct Busy<'a> {
    pace: &'a Pace,
    pub(super) threads: usize,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.pace.busy.fetch_sub(self.threads, Ordering::Relaxed);
    }
}

/// One thread's share of the measuring.
pub(super) struct Stride<'a> {
    pub(super) pace: &'a Pace,
    sampler: Option<Sampler>,
}

impl<'a> Stride<'a> {
    /// Creates the calling thread's.
    pub(super) fn new(pace: &'a Pace) -> Self {
        Self { pace, sampler: (!pace.is_fixed()).then(Sampler::of_this_thread) }
    }

    /// Starts a measurement, if one is due.
    pub(super) fn begin(&mut self) -> Option<Moment> {
        self.sampler.as_mut()?.begin(Instant::now())
    }

    /// Ends a measurement.
    pub(super) fn end(&self, begun: Option<Moment>, has_more: impl FnOnce() -> bool) {
        if let (Some(sampler), Some(begun)) = (&self.sampler, begun) {
            self.pace.note(sampler.since(&begun), has_more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(waiting_ms: u64, total_ms: u64) -> ThreadTimes {
        ThreadTimes { total: Duration::from_millis(total_ms), waiting: Duration::from_millis(waiting_ms) }
    }

    /// Returns the numbers of threads that a scan reaches, measurement by measurement.
    fn threads_of(pace: &Pace, spent: ThreadTimes, has_more: bool) -> usize {
        let mut threads = pace.lock().wanted;
        for _ in 0..100 {
            pace.lock().threads = threads;
            pace.note(spent, || has_more);
            let wanted = pace.lock().wanted;
            if wanted > threads {
                threads = pace.more_than(threads).unwrap();
            }
        }
        threads
    }

    #[test]
    fn a_scan_that_waits_gets_more_threads_and_one_that_works_does_not() {
        assert_eq!(threads_of(&Pace::new(2), spent(9, 10), true), THREADS_WAITING_MAX);
        assert_eq!(threads_of(&Pace::new(2), spent(2, 10), true), 2, "most of it is work");
        assert_eq!(threads_of(&Pace::new(2), spent(9, 10), false), 2, "there is nothing for them to do");
        assert_eq!(threads_of(&Pace::new(1), spent(9, 10), true), 1, "one alone stays alone");
    }

    #[test]
    fn helpers_come_where_the_scan_waits_and_not_more_than_there_may_be() {
        let pace = Pace::new(2);
        (0..MEASURES_MIN).for_each(|_| pace.note(spent(9, 10), || false));
        let _one = pace.busy();
        let (some, portion) = pace.help_with(11 * PORTION, 0);
        assert_eq!((some.threads, portion), (10, PORTION));
        assert_eq!(pace.help_with(100_000, 0).0.threads, THREADS_WAITING_MAX - 11);
        drop(some);
        assert_eq!(pace.help_with(100_000, 0).0.threads, THREADS_WAITING_MAX - 1);
    }

    #[test]
    fn helpers_share_a_large_folder_where_a_scan_has_threads_that_find_no_other() {
        let pace = Pace::new(3);
        let reported = |left, asked| {
            let (busy, portion) = pace.help_with(left, asked);
            (busy.threads, portion)
        };
        let _one = pace.busy();
        assert_eq!(reported(100_000, ALONE - 1), (0, PORTION), "it may turn out to wait");
        assert_eq!(reported(1_000, ALONE), (0, PORTION), "it is too small to share");
        assert_eq!(reported(2 * PORTION_SHARED, ALONE), (1, PORTION_SHARED));
        assert_eq!(reported(100_000, ALONE), (2, PORTION_SHARED));
        let _others = (pace.busy(), pace.busy());
        assert_eq!(reported(100_000, ALONE), (0, PORTION), "they list folders themselves");
    }
}
