//! The memory that a run may use: files are admitted before they are read.
//!
//! One limit holds for the whole process. A part of it is the engine's own; the rest admits files by what reading and
//! processing them takes. So the number of workers does not multiply the memory, and a file larger than the limit
//! allows fails at once instead of failing all others with it.
//!
//! Constraints: what is admitted together never exceeds the budget. Waiting files are served in order of arrival:
//! small files behind a large one wait with it, or it would wait for ever. A file that can be admitted at once costs
//! two atomic operations.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::engine::stop::Stop;
use crate::model::BatchConfig;

/// Memory of the engine beside the files: the ledger's cache, outcomes that wait for a commit, the queues. A run of
/// 100,000 small files peaks at 45 MB, one of a million at 71 to 89 MB; the excess is within the megabyte that each
/// file is admitted with, of which small ones use next to nothing.
pub(super) const OWN_BYTES: u64 = 64 << 20;
/// Memory of a file beside its content: the processor's result, the record's line, and buffers.
const FILE_BYTES: u64 = 1 << 20;
/// Files up to this size can share a permit: [`FILE_BYTES`] has room for them.
const SMALL_BYTES: u64 = 64 << 10;
/// The smallest limit of memory that a configuration may have.
const LIMIT_MIN: u64 = 16 << 20;
/// A kept permit is limited to this: should a small file hang under it, that much is missing until the process ends.
const KEPT_NEED_MAX: u64 = 80 << 20;
/// How often a waiting thread checks for a requested stop: that is a flag, which wakes no thread.
const LOOK_UP: Duration = Duration::from_millis(20);

/// Returns the memory limit of the whole process, in bytes.
///
/// A configured limit is taken as it is. The default is capped at half of what the control group or the machine has:
/// 1,000 MiB were not chosen for this machine.
pub(crate) fn effective_limit(config: &BatchConfig, machine_bytes: Option<u64>) -> u64 {
    limit_of(config.memory_limit_mb, BatchConfig::default().memory_limit_mb, machine_bytes)
}

fn limit_of(configured_mb: u64, default_mb: u64, there_bytes: Option<u64>) -> u64 {
    let configured = configured_mb.saturating_mul(1 << 20);
    match there_bytes {
        Some(there) if configured_mb == default_mb => configured.min(there / 2).max(LIMIT_MIN),
        _ => configured,
    }
}

/// Returns the memory that a file of this size takes while in flight.
pub(crate) fn need(size: u64) -> u64 {
    size.saturating_add(size / 4).saturating_add(FILE_BYTES)
}

/// Memory for files, shared by all workers.
#[derive(Debug)]
pub(crate) struct Budget {
    limit_bytes: AtomicU64,
    /// The part of the limit available to files.
    total: AtomicU64,
    in_use: AtomicU64,
    /// Part of what is in use: by threads that were abandoned.
    abandoned: AtomicU64,
    /// Number of these threads.
    given_up: AtomicUsize,
    /// The largest need that did not fit beside them.
    refused: AtomicU64,
    /// Number of waiting threads: while it is zero no lock is needed.
    waiting: AtomicUsize,
    queue: Mutex<WaitQueue>,
    turn: Condvar,
}

/// Waiting threads, in order of arrival.
#[derive(Debug, Default)]
struct WaitQueue {
    next: u64,
    waiting: VecDeque<u64>,
}

/// Answer to a worker's request to read a file.
#[derive(Debug)]
pub(crate) enum Admission {
    /// The file may be read while the permit is held.
    Admitted(MemoryPermit),
    /// The file could never be admitted.
    TooLarge {
        /// Memory limit of the whole process.
        limit_bytes: u64,
    },
    /// It can't be admitted while abandoned threads hold their memory.
    Short,
    /// A stop was requested meanwhile.
    Stopped,
}

/// An abandoned thread: the memory of its files stays in use until the thread returns, when this is dropped.
#[derive(Debug)]
pub(crate) struct GivenUp {
    budget: Arc<Budget>,
    need: u64,
}

/// Memory for one file after the other, none larger than that it was for; given back when dropped.
///
/// Keeping it saves small files two atomic operations each, and lets a buffer that held a large file stay mapped:
/// mapping it anew for each took a sixth of the time of files of 20 MB.
#[derive(Debug)]
#[must_use = "the memory is given back when this is dropped"]
pub(crate) struct MemoryPermit {
    budget: Arc<Budget>,
    size: u64,
}

impl Budget {
    /// Creates a budget for a process whose memory is limited to this.
    pub(crate) fn new(limit_bytes: u64) -> Self {
        let budget = Self {
            limit_bytes: AtomicU64::new(0),
            total: AtomicU64::new(0),
            in_use: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            given_up: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            queue: Mutex::default(),
            turn: Condvar::new(),
        };
        budget.set_limit(limit_bytes);
        budget
    }

    /// Sets another limit. Memory in use stays so.
    pub(crate) fn set_limit(&self, limit_bytes: u64) {
        self.limit_bytes.store(limit_bytes, Ordering::SeqCst);
        self.total.store(limit_bytes - own_bytes(limit_bytes), Ordering::SeqCst);
        self.wake();
    }

    fn limit_bytes(&self) -> u64 {
        self.limit_bytes.load(Ordering::SeqCst)
    }

    fn total(&self) -> u64 {
        self.total.load(Ordering::SeqCst)
    }

    /// Returns what abandoned threads leave for files.
    fn attainable(&self) -> u64 {
        self.total().saturating_sub(self.given_up_bytes())
    }

    /// Returns memory for a file of this size if it is available at once and no thread waits.
    pub(crate) fn admit_now(self: &Arc<Self>, size: u64) -> Option<MemoryPermit> {
        let free = self.waiting.load(Ordering::SeqCst) == 0 && self.take(need(size));
        free.then(|| self.permit(size))
    }

    /// Waits until there is memory for a file of this size.
    pub(crate) fn acquire(self: &Arc<Self>, size: u64, stop: &Stop) -> Admission {
        let need = need(size);
        if need > self.total() {
            return Admission::TooLarge { limit_bytes: self.limit_bytes() };
        }
        match self.admit_now(size) {
            Some(permit) => Admission::Admitted(permit),
            None => self.wait(size, need, stop),
        }
    }

    fn permit(self: &Arc<Self>, size: u64) -> MemoryPermit {
        MemoryPermit { budget: Arc::clone(self), size }
    }

    fn take(&self, need: u64) -> bool {
        let more = |used: u64| used.checked_add(need).filter(|&sum| sum <= self.total());
        self.in_use.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    /// Waits in the queue. A thread that leaves it, for whatever reason, wakes the next one.
    fn wait(self: &Arc<Self>, size: u64, need: u64, stop: &Stop) -> Admission {
        let mut queue = self.lock();
        let ticket = queue.next;
        queue.next += 1;
        queue.waiting.push_back(ticket);
        self.waiting.store(queue.waiting.len(), Ordering::SeqCst);
        let admission = loop {
            if stop.is_requested() {
                break Admission::Stopped;
            }
            if need > self.attainable() {
                self.refused.fetch_max(need, Ordering::SeqCst);
                break Admission::Short;
            }
            if queue.waiting.front() == Some(&ticket) && self.take(need) {
                break Admission::Admitted(self.permit(size));
            }
            queue = self.turn.wait_timeout(queue, LOOK_UP).unwrap_or_else(PoisonError::into_inner).0;
        };
        queue.waiting.retain(|&waiting| waiting != ticket);
        self.waiting.store(queue.waiting.len(), Ordering::SeqCst);
        self.turn.notify_all();
        admission
    }

    fn give_back(&self, need: u64) {
        self.in_use.fetch_sub(need, Ordering::SeqCst);
        self.wake();
    }

    /// Wakes waiting threads to check at once. The lock ensures that none is between its check and its sleep.
    pub(crate) fn wake(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            drop(self.lock());
            self.turn.notify_all();
        }
    }

    /// Abandons a worker that hangs with so much memory: it stays in use until its thread returns. Files that can't be
    /// admitted beside it do not wait for that.
    pub(crate) fn give_up(self: &Arc<Self>, need: u64) -> GivenUp {
        self.abandoned.fetch_add(need, Ordering::SeqCst);
        self.given_up.fetch_add(1, Ordering::SeqCst);
        self.wake();
        GivenUp { budget: Arc::clone(self), need }
    }

    /// Returns the number of abandoned threads that have not returned.
    pub(crate) fn given_up(&self) -> usize {
        self.given_up.load(Ordering::SeqCst)
    }

    /// Returns the memory that they hold.
    pub(crate) fn given_up_bytes(&self) -> u64 {
        self.abandoned.load(Ordering::SeqCst)
    }

    /// Returns why a file within the limit could not be admitted, as long as that has not changed.
    pub(crate) fn shortage(&self) -> Option<String> {
        // What is above the current limit is too large, and waits for nothing.
        let refused = self.refused.load(Ordering::SeqCst).min(self.total());
        if refused <= self.attainable() {
            return None;
        }
        let held = self.given_up_bytes() >> 20;
        let threads = self.given_up();
        Some(format!(
            "{threads} threads that did not come back from their files hold {held} MiB, and a file that takes {} MiB \
             does not fit beside them; they may come back, and another process begins without them",
            refused >> 20
        ))
    }

    /// Returns the size of the largest file that can be admitted.
    pub(crate) fn size_max(&self) -> u64 {
        // By the rounding in `need`, a file may be a few bytes larger than this.
        self.total().saturating_sub(FILE_BYTES) / 5 * 4
    }

    /// Returns the memory that the files in flight may take together.
    pub(crate) fn in_use_bytes(&self) -> u64 {
        self.in_use.load(Ordering::Relaxed)
    }

    /// Returns what the buffers of one of `workers` workers may keep from file to file: its part of a quarter of the
    /// engine's own memory.
    pub(crate) fn kept_bytes(&self, workers: usize) -> usize {
        const KEPT_MAX: u64 = 4 << 20;
        let share = own_bytes(self.limit_bytes()) / 4 / workers.max(1) as u64;
        share.clamp(SMALL_BYTES, KEPT_MAX) as usize
    }

    fn lock(&self) -> MutexGuard<'_, WaitQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn own_bytes(limit_bytes: u64) -> u64 {
    OWN_BYTES.min(limit_bytes / 2)
}

impl MemoryPermit {
    /// Returns the largest content that may be read with it. A file that has grown past this needs another permit,
    /// once this one is given back.
    pub(crate) fn size_max(&self) -> u64 {
        self.size.max(SMALL_BYTES)
    }

    /// Returns the memory that it is for.
    pub(crate) fn bytes(&self) -> u64 {
        need(self.size)
    }

    /// Returns whether a file of this size may be read with it: while others wait for memory, it is to be given back.
    pub(crate) fn is_good_for(&self, size: u64) -> bool {
        size <= self.size_max() && self.budget.waiting.load(Ordering::SeqCst) == 0
    }

    /// Returns whether one of `workers` workers may keep it for its next file: it is for no more than the worker's
    /// part of a half, nor than [`KEPT_NEED_MAX`].
    pub(crate) fn may_be_kept(&self, workers: usize) -> bool {
        need(self.size) <= (self.budget.total() / 2 / workers.max(1) as u64).min(KEPT_NEED_MAX)
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.budget.given_up.fetch_sub(1, Ordering::SeqCst);
        self.budget.abandoned.fetch_sub(self.need, Ordering::SeqCst);
        self.budget.wake();
    }
}

impl Drop for MemoryPermit {
    fn drop(&mut self) {
        self.budget.give_back(need(self.size));
    }
}

#[cfg(test)]
mod tests;
