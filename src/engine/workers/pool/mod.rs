//! Worker threads over work-stealing deques.
//!
//! An injector for each priority takes new tasks, each worker has a deque of its own. A worker tries its own deque,
//! then the injectors, then the deques of the others from a random one on. One that finds nothing parks; it counts as
//! idle until it is woken, and a busy worker that sees an idle one splits its task.
//!
//! The injector of the highest priority that has a task comes first. But of each eight tasks that workers take from
//! injectors, one is of the next lower priority that has some, and of each eight of those one of the lowest: whatever
//! comes in, all go on, and what is wanted first has 7/8 of the tasks at least.
//!
//! Urgent tasks have an injector of their own, which every worker tries first. A worker with other work checks their
//! number between two files, puts the rest of its task into its deque, and takes them.
//!
//! The number of workers may change at any time ([`Pool::allow`]): a thread is started when its number is allowed for
//! the first time. One whose number is no longer allowed returns the rest of its task, and what is in its deque, to
//! the injector, and rests until it is allowed again, or the pool is closed. It is not idle.
//!
//! A thread that hangs is abandoned: what waits in its deque goes back to the injector, and another thread takes its
//! place. Its current work has been taken from its slot before, so when it comes back it finds that out,
//! and ends without using the queues.

#[cfg(test)]
mod tests;

use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Instant;

use crossbeam_deque::{Injector, Steal, Stealer, Worker as Deque};

use super::pool_threads::PoolThreads;
use super::task::Task;
use crate::model::BatchPriority;

/// One of so many tasks is of the next lower priority.
const SHARE: usize = 8;

/// The body of a worker thread.
type Body = dyn Fn(&Pool, usize, &Deque<Task>) + Send + Sync;

/// The queues that the workers share. [`Pool::close`] ends the workers once the queues are empty.
pub(crate) struct Pool {
    /// By priority.
    injectors: [Injector<Task>; 3],
    /// Tasks that were taken from these.
    taken: AtomicUsize,
    urgent: Injector<Task>,
    /// Tasks in `urgent`, or about to be.
    urgent_tasks: AtomicUsize,
    /// One for each worker. Used only by workers that have nothing of their own.
    stealers: RwLock<Vec<Stealer<Task>>>,
    idle: AtomicUsize,
    /// Workers from this number on rest.
    allowed: AtomicUsize,
    closed: AtomicBool,
    parked: Mutex<()>,
    wake: Condvar,
    /// More are allowed, or the pool is closed.
    rested: Condvar,
    pool_threads: Arc<PoolThreads>,
    body: Box<Body>,
}

impl Pool {
    /// Creates the queues and starts `workers` threads named `worker-N`. Each calls `make` for its own state, then
    /// `work` for each task, until that breaks because the thread was abandoned. If one of these panics, the thread
    /// calls `panicked` and ends. Without workers, tasks are only taken back.
    pub(crate) fn start<S, M, W, P>(workers: usize, make: M, work: W, panicked: P) -> io::Result<Arc<Self>>
    where
        M: Fn(usize) -> S + Send + Sync + 'static,
        W: Fn(&mut S, Task, &WorkerHandle<'_>) -> ControlFlow<()> + Send + Sync + 'static,
        P: Fn() + Send + Sync + 'static,
    {
        let body = move |pool: &Self, worker: usize, deque: &Deque<Task>| {
            let all_tasks = || {
                let mut state = make(worker);
                let hand = WorkerHandle { pool, deque, worker };
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
        let pool = Arc::new(Self {
            injectors: Default::default(),
            taken: AtomicUsize::new(0),
            urgent: Injector::new(),
            urgent_tasks: AtomicUsize::new(0),
            stealers: RwLock::default(),
            idle: AtomicUsize::new(0),
            allowed: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            parked: Mutex::new(()),
            wake: Condvar::new(),
            rested: Condvar::new(),
            pool_threads: Arc::default(),
            body: Box::new(body),
        });
        if let Err(error) = pool.allow(workers) {
            pool.close();
            pool.join(None);
            return Err(error);
        }
        Ok(pool)
    }

    /// Lets so many workers take tasks from now on, and starts the missing threads. One thread calls this at a time.
    ///
    /// # Errors
    /// A thread can't be started: as many are allowed as there are.
    pub(crate) fn allow(self: &Arc<Self>, workers: usize) -> io::Result<()> {
        let started = self.stealers.read().unwrap_or_else(PoisonError::into_inner).len();
        let mut result = Ok(());
        for worker in started..workers {
            // Allowed before it is there, so that it does not rest first.
            self.let_work(worker + 1);
            let deque = Deque::new_fifo();
            let stealer = deque.stealer();
            result = self.spawn(worker, deque);
            if result.is_err() {
                self.let_work(worker);
                return result;
            }
            self.stealers.write().unwrap_or_else(PoisonError::into_inner).push(stealer);
        }
        self.let_work(workers);
        result
    }

    fn let_work(&self, workers: usize) {
        // Under the lock, so that no worker is between checking and sleeping.
        let _guard = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        self.allowed.store(workers, Ordering::SeqCst);
        self.rested.notify_all();
        // Parked workers that are surplus now must not take the others' wake-ups.
        self.wake.notify_all();
    }

    /// Returns the number of workers that may take tasks.
    pub(crate) fn allowed(&self) -> usize {
        self.allowed.load(Ordering::Relaxed)
    }

    fn spawn(self: &Arc<Self>, worker: usize, deque: Deque<Task>) -> io::Result<()> {
        let pool = Arc::clone(self);
        self.pool_threads.start(worker, move || (pool.body)(&pool, worker, &deque))
    }

    /// Adds work. Urgent tasks come first.
    pub(crate) fn push(&self, task: Task) {
        self.inject(task);
        self.wake_one();
    }

    fn inject(&self, task: Task) {
        if task.is_urgent() {
            // Counted first: a worker that sees the number and no task continues with what it had.
            self.urgent_tasks.fetch_add(1, Ordering::Relaxed);
            self.urgent.push(task);
        } else {
            self.injectors[task.shared().batch.priority as usize].push(task);
        }
    }

    fn next_urgent(&self) -> Option<Task> {
        if self.urgent_tasks.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let task = first_of(|| self.urgent.steal())?;
        self.urgent_tasks.fetch_sub(1, Ordering::Relaxed);
        Some(task)
    }

    /// Takes the next task of the injectors.
    fn next_bulk(&self) -> Option<Task> {
        let with_tasks = || BatchPriority::ALL.map(|one| &self.injectors[one as usize]).into_iter();
        let mut waiting = with_tasks().filter(|injector| !injector.is_empty());
        let mut next = waiting.next()?;
        if let Some(lower) = waiting.next() {
            // Counted only while there is a choice.
            let taken = 1 + self.taken.fetch_add(1, Ordering::Relaxed);
            if taken.is_multiple_of(SHARE) {
                let lowest = waiting.next().filter(|_| (taken / SHARE).is_multiple_of(SHARE));
                next = lowest.unwrap_or(lower);
            }
        }
        // Others may have taken its last one.
        first_of(|| next.steal()).or_else(|| with_tasks().find_map(|injector| first_of(|| injector.steal())))
    }

    /// Takes back a task that no worker has begun.
    pub(crate) fn take_back(&self) -> Option<Task> {
        let urgent = self.next_urgent();
        if urgent.is_some() {
            return urgent;
        }
        let stealers = self.stealers.read().unwrap_or_else(PoisonError::into_inner);
        self.next_bulk().or_else(|| first_of(|| stealers.iter().map(Stealer::steal).collect()))
    }

    /// Provides the handle of a worker that a test calls itself, in place of a thread.
    #[cfg(test)]
    pub(crate) fn with_hand<T>(&self, work: impl FnOnce(&WorkerHandle<'_>) -> T) -> T {
        self.allowed.fetch_max(1, Ordering::Relaxed);
        work(&WorkerHandle { pool: self, deque: &Deque::new_fifo(), worker: 0 })
    }

    /// Returns the number of workers that wait for work.
    pub(crate) fn idle(&self) -> usize {
        self.idle.load(Ordering::Relaxed)
    }

    /// Lets each worker end when it finds no more work.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let _guard = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        self.wake.notify_all();
        self.rested.notify_all();
    }

    /// Waits until all workers have ended, except abandoned ones. False if the deadline comes first.
    pub(crate) fn join(&self, deadline: Option<Instant>) -> bool {
        self.pool_threads.join(deadline)
    }

    /// Abandons this worker's thread. Its work must have been taken from its slot.
    pub(crate) fn abandon(&self, worker: usize) {
        self.pool_threads.abandon(worker);
    }

    /// Replaces the thread of a worker whose slot was taken away. What the former one has in its deque goes to all
    /// workers.
    pub(crate) fn replace(self: &Arc<Self>, worker: usize) -> io::Result<()> {
        self.abandon(worker);
        let deque = Deque::new_fifo();
        let mut moved = 0;
        if let Some(place) = self.stealers.write().unwrap_or_else(PoisonError::into_inner).get_mut(worker) {
            let former = std::mem::replace(place, deque.stealer());
            while let Some(task) = first_of(|| former.steal()) {
                self.inject(task);
                moved += 1;
            }
        }
        (0..moved).for_each(|_| self.wake_one());
        self.spawn(worker, deque)
    }

    /// Wakes one parked worker. A worker that parks counts itself as idle under the lock and then tries once more,
    /// so either it sees the task, or this sees it.
    fn wake_one(&self) {
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.idle.load(Ordering::SeqCst) > 0 {
            let _guard = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
            self.wake.notify_one();
        }
    }
}

/// Takes from a queue, retrying until it has a definite result.
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
pub(crate) struct WorkerHandle<'a> {
    pool: &'a Pool,
    deque: &'a Deque<Task>,
    worker: usize,
}

impl WorkerHandle<'_> {
    /// Gives half of `task` away if another worker is idle and nothing else is ready for it.
    pub(crate) fn share(&self, task: &mut Task) {
        if self.pool.idle.load(Ordering::Relaxed) == 0 || !self.deque.is_empty() {
            return;
        }
        if let Some(rear) = task.split() {
            self.deque.push(rear);
            self.pool.wake_one();
        }
    }

    /// Gives all that is left of `task` away if another worker is idle.
    pub(crate) fn share_rest(&self, task: &mut Task) {
        if self.pool.idle.load(Ordering::Relaxed) > 0
            && let Some(rest) = task.take_rest()
        {
            self.pool.push(rest);
        }
    }

    /// Puts the rest of `task` where others and this worker find it again, if urgent work comes first, or this worker
    /// is to rest.
    pub(crate) fn yield_to_urgent(&self, task: &mut Task) {
        let is_overtaken = self.pool.urgent_tasks.load(Ordering::Relaxed) > 0 && !task.is_urgent();
        let is_surplus = self.is_surplus();
        if !is_overtaken && !is_surplus {
            return;
        }
        let Some(rest) = task.take_rest() else { return };
        if is_surplus {
            return self.pool.push(rest);
        }
        self.deque.push(rest);
        self.pool.wake_one();
    }

    /// Counts this worker as one without a task while it waits for something else.
    pub(crate) fn without_task(&self, wait: impl FnOnce()) {
        self.pool.idle.fetch_add(1, Ordering::SeqCst);
        wait();
        self.pool.idle.fetch_sub(1, Ordering::SeqCst);
    }

    /// Passes a task to all workers. Safe for a thread that was abandoned meanwhile, too.
    pub(crate) fn pass_on(&self, task: Task) {
        self.pool.push(task);
    }

    /// Returns the number of workers that may take tasks.
    pub(crate) fn allowed(&self) -> usize {
        self.pool.allowed()
    }

    /// Returns whether this worker is surplus now. Once the pool is closed, all help to empty it.
    pub(crate) fn is_surplus(&self) -> bool {
        self.worker >= self.pool.allowed() && !self.pool.closed.load(Ordering::SeqCst)
    }

    /// Waits as long as this worker is surplus. Returns what it has in its deque to the pool: others try that deque
    /// last of all.
    fn rest(&self) {
        while let Some(task) = self.deque.pop() {
            self.pool.push(task);
        }
        let guard = self.pool.parked.lock().unwrap_or_else(PoisonError::into_inner);
        let rests = |(): &mut ()| self.is_surplus();
        drop(self.pool.rested.wait_while(guard, rests).unwrap_or_else(PoisonError::into_inner));
    }

    /// Returns another task, if there is one and this worker may take it.
    pub(crate) fn try_next(&self) -> Option<Task> {
        if self.is_surplus() { None } else { self.find() }
    }

    fn next_task(&self) -> Option<Task> {
        loop {
            if self.is_surplus() {
                self.rest();
            }
            if let Some(task) = self.find() {
                return Some(task);
            }
            let guard = self.pool.parked.lock().unwrap_or_else(PoisonError::into_inner);
            self.pool.idle.fetch_add(1, Ordering::SeqCst);
            std::sync::atomic::fence(Ordering::SeqCst);
            let found = self.find();
            if found.is_none() && !self.pool.closed.load(Ordering::SeqCst) && !self.is_surplus() {
                drop(self.pool.wake.wait(guard).unwrap_or_else(PoisonError::into_inner));
            } else {
                drop(guard);
            }
            self.pool.idle.fetch_sub(1, Ordering::SeqCst);
            if found.is_some() {
                return found;
            }
            if self.pool.closed.load(Ordering::SeqCst) {
                return self.find();
            }
        }
    }

    fn find(&self) -> Option<Task> {
        let own = || self.pool.next_urgent().or_else(|| self.deque.pop());
        own().or_else(|| self.pool.next_bulk()).or_else(|| first_of(|| self.steal()))
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

/// Picks a random victim: xorshift, seeded by the worker's number; it only has to spread.
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
