//! Worker threads over work-stealing deques.
//!
//! One injector takes new tasks, each worker has a deque of its own. A worker looks into its own
//! deque, then the injector, then the deques of the others from a random one on. One that finds
//! nothing parks; it is counted as hungry until it is woken, and a busy worker that sees a hungry one
//! splits what it holds.
//!
//! A thread that hangs is left to itself: what waits in its deque goes back to the injector, and another
//! thread takes its place. Whatever it was working on has been taken from its slot on the board before, so
//! when it comes back it finds that out, and ends without a look at the queues.

mod crew;
#[cfg(test)]
mod tests;

use std::io;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Instant;

use crossbeam_deque::{Injector, Steal, Stealer, Worker as Deque};

use crew::Crew;

use crate::model::{DiscoveredFile, FileBatch};

/// A part of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    batch: Arc<FileBatch>,
    range: Range<usize>,
}

impl Task {
    /// All of a batch.
    pub(crate) fn new(batch: FileBatch) -> Self {
        let range = 0..batch.files.len();
        Self { batch: Arc::new(batch), range }
    }

    /// The number of the batch that it is a part of.
    pub(crate) fn batch_id(&self) -> u64 {
        self.batch.batch_id
    }

    /// The batch that it is a part of.
    pub(crate) fn batch(&self) -> &Arc<FileBatch> {
        &self.batch
    }

    /// Where in the batch the file is that is next.
    pub(crate) fn place(&self) -> usize {
        self.range.start
    }

    /// The files that are left.
    pub(crate) fn files(&self) -> &[DiscoveredFile] {
        self.batch.files.get(self.range.clone()).unwrap_or_default()
    }

    /// The file that is next.
    pub(crate) fn peek(&self) -> Option<&DiscoveredFile> {
        self.batch.files.get(self.range.start).filter(|_| !self.range.is_empty())
    }

    /// Takes the next file off the front: its place in the batch.
    pub(crate) fn next_place(&mut self) -> Option<usize> {
        self.range.next()
    }

    /// Files that are left.
    pub(crate) fn len(&self) -> usize {
        self.range.len()
    }

    /// Cuts off all that is left, if there is any.
    pub(crate) fn take_rest(&mut self) -> Option<Self> {
        let rest = self.clone();
        self.range.start = self.range.end;
        (rest.len() > 0).then_some(rest)
    }

    /// Cuts the rear half off, if at least two files are left.
    fn split(&mut self) -> Option<Self> {
        if self.range.len() < 2 {
            return None;
        }
        let middle = self.range.start + self.range.len().div_ceil(2);
        let rear = Self { batch: Arc::clone(&self.batch), range: middle..self.range.end };
        self.range.end = middle;
        Some(rear)
    }
}

/// What a worker thread does from its start to its end.
type Body = dyn Fn(&Pool, usize, &Deque<Task>) + Send + Sync;

/// The queues that the workers share. [`Pool::close`] ends the workers once the queues are empty.
pub(crate) struct Pool {
    injector: Injector<Task>,
    /// One for each worker. Only looked at by who has nothing of its own.
    stealers: RwLock<Vec<Stealer<Task>>>,
    hungry: AtomicUsize,
    closed: AtomicBool,
    parked: Mutex<()>,
    wake: Condvar,
    crew: Arc<Crew>,
    body: Box<Body>,
}

impl Pool {
    /// Makes the queues and starts `workers` threads named `worker-N`. Each calls `make` for its own state,
    /// then `work` for each task, until that breaks off because the thread was abandoned. Should one of these
    /// panic, the thread calls `panicked` and ends. Without workers, tasks are only taken back.
    pub(crate) fn start<S, M, W, P>(workers: usize, make: M, work: W, panicked: P) -> io::Result<Arc<Self>>
    where
        M: Fn(usize) -> S + Send + Sync + 'static,
        W: Fn(&mut S, Task, &Hand<'_>) -> ControlFlow<()> + Send + Sync + 'static,
        P: Fn() + Send + Sync + 'static,
    {
        let body = move |pool: &Self, worker: usize, deque: &Deque<Task>| {
            let all_tasks = || {
                let mut state = make(worker);
                let hand = Hand { pool, deque, worker };
                while let Some(task) = hand.next_task() {
                    if work(&mut state, task, &hand).is_break() {
                        break;
                    }
                }
            };
            if catch_unwind(AssertUnwindSafe(all_tasks)).is_err() {
                panicked();
            }
        };
        let deques: Vec<Deque<Task>> = (0..workers).map(|_| Deque::new_fifo()).collect();
        let pool = Arc::new(Self {
            injector: Injector::new(),
            stealers: RwLock::new(deques.iter().map(Deque::stealer).collect()),
            hungry: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            parked: Mutex::new(()),
            wake: Condvar::new(),
            crew: Arc::new(Crew::new(workers)),
            body: Box::new(body),
        });
        for (worker, deque) in deques.into_iter().enumerate() {
            if let Err(error) = pool.spawn(worker, deque) {
                pool.close();
                pool.join(None);
                return Err(error);
            }
        }
        Ok(pool)
    }

    fn spawn(self: &Arc<Self>, worker: usize, deque: Deque<Task>) -> io::Result<()> {
        let pool = Arc::clone(self);
        self.crew.start(worker, move || (pool.body)(&pool, worker, &deque))
    }

    /// Adds work.
    pub(crate) fn push(&self, task: Task) {
        self.injector.push(task);
        self.wake_one();
    }

    /// Takes back a task that no worker has begun.
    pub(crate) fn take_back(&self) -> Option<Task> {
        let stealers = self.stealers.read().unwrap_or_else(PoisonError::into_inner);
        first_of(|| self.injector.steal().or_else(|| stealers.iter().map(Stealer::steal).collect()))
    }

    /// The hand of a worker that a test calls itself, in the place of a thread.
    #[cfg(test)]
    pub(crate) fn with_hand<T>(&self, work: impl FnOnce(&Hand<'_>) -> T) -> T {
        work(&Hand { pool: self, deque: &Deque::new_fifo(), worker: 0 })
    }

    /// Workers that wait for work.
    pub(crate) fn hungry(&self) -> usize {
        self.hungry.load(Ordering::Relaxed)
    }

    /// Lets each worker end when it finds no more work.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let _guard = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        self.wake.notify_all();
    }

    /// Waits until all workers have ended, those left aside that were abandoned. False where the deadline
    /// has come first.
    pub(crate) fn join(&self, deadline: Option<Instant>) -> bool {
        self.crew.join(deadline)
    }

    /// Nobody waits for this worker any more. What it has in hand must have been taken from its slot.
    pub(crate) fn abandon(&self, worker: usize) {
        self.crew.abandon(worker);
    }

    /// Starts another thread in the place of a worker's whose slot was taken away. What the former one has in
    /// its deque is for everybody.
    pub(crate) fn replace(self: &Arc<Self>, worker: usize) -> io::Result<()> {
        self.abandon(worker);
        let deque = Deque::new_fifo();
        let mut moved = 0;
        if let Some(place) = self.stealers.write().unwrap_or_else(PoisonError::into_inner).get_mut(worker) {
            let former = std::mem::replace(place, deque.stealer());
            while let Some(task) = first_of(|| former.steal()) {
                self.injector.push(task);
                moved += 1;
            }
        }
        (0..moved).for_each(|_| self.wake_one());
        self.spawn(worker, deque)
    }

    /// A worker that parks counts itself as hungry under the lock and then looks once more, so
    /// either it sees the task, or this sees it.
    fn wake_one(&self) {
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.hungry.load(Ordering::SeqCst) > 0 {
            let _guard = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
            self.wake.notify_one();
        }
    }
}

/// What a queue gives, in the end.
fn first_of(steal: impl Fn() -> Steal<Task>) -> Option<Task> {
    loop {
        match steal() {
            Steal::Success(task) => return Some(task),
            Steal::Empty => return None,
            Steal::Retry => {}
        }
    }
}

/// One worker's access to the queues.
pub(crate) struct Hand<'a> {
    pool: &'a Pool,
    deque: &'a Deque<Task>,
    worker: usize,
}

impl Hand<'_> {
    /// Gives half of `task` away where another worker is hungry and nothing else lies ready for it.
    pub(crate) fn share(&self, task: &mut Task) {
        if self.pool.hungry.load(Ordering::Relaxed) == 0 || !self.deque.is_empty() {
            return;
        }
        if let Some(rear) = task.split() {
            self.deque.push(rear);
            self.pool.wake_one();
        }
    }

    fn next_task(&self) -> Option<Task> {
        loop {
            if let Some(task) = self.find() {
                return Some(task);
            }
            let guard = self.pool.parked.lock().unwrap_or_else(PoisonError::into_inner);
            self.pool.hungry.fetch_add(1, Ordering::SeqCst);
            std::sync::atomic::fence(Ordering::SeqCst);
            let found = self.find();
            if found.is_none() && !self.pool.closed.load(Ordering::SeqCst) {
                drop(self.pool.wake.wait(guard).unwrap_or_else(PoisonError::into_inner));
            } else {
                drop(guard);
            }
            self.pool.hungry.fetch_sub(1, Ordering::SeqCst);
            if found.is_some() {
                return found;
            }
            if self.pool.closed.load(Ordering::SeqCst) {
                return self.find();
            }
        }
    }

    fn find(&self) -> Option<Task> {
        self.deque.pop().or_else(|| first_of(|| self.pool.injector.steal().or_else(|| self.steal())))
    }

    /// Tries the other workers' deques once round, from a random one on.
    fn steal(&self) -> Steal<Task> {
        let stealers = self.pool.stealers.read().unwrap_or_else(PoisonError::into_inner);
        let count = stealers.len();
        let first = random_below(count, self.worker);
        (0..count)
            .map(|step| (first + step) % count)
            .filter(|&victim| victim != self.worker)
            .map(|victim| stealers[victim].steal())
            .collect()
    }
}

/// A victim at random: xorshift, seeded by the worker's number; it only has to spread.
fn random_below(bound: usize, seed: usize) -> usize {
    thread_local!(static STATE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    STATE.with(|state| {
        let mut x = state.get();
        if x == 0 {
            x = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed as u64 + 1);
        }
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        state.set(x);
        usize::try_from(x % bound.max(1) as u64).unwrap_or(0)
    })
}
