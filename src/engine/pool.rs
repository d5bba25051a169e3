//! Worker threads over work-stealing deques.
//!
//! One injector takes new tasks, each worker has a deque of its own. A worker looks into its own
//! deque, then the injector, then the deques of the others from a random one on. One that finds
//! nothing parks; it is counted as hungry until it is woken, and a busy worker that sees a hungry one
//! splits what it holds.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Scope;

use crossbeam_deque::{Injector, Steal, Stealer, Worker as Deque};

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

    /// The batch that it is a part of.
    pub(crate) fn batch(&self) -> &Arc<FileBatch> {
        &self.batch
    }

    /// The place in the batch of the file that is next.
    pub(crate) fn place(&self) -> usize {
        self.range.start
    }

    /// Takes the next file off the front.
    pub(crate) fn next_file(&mut self) -> Option<&DiscoveredFile> {
        self.range.next().and_then(|at| self.batch.files.get(at))
    }

    /// Files that are left.
    pub(crate) fn len(&self) -> usize {
        self.range.len()
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

/// The queues that the workers share. [`Pool::close`] ends the workers once the queues are empty.
#[derive(Debug)]
pub(crate) struct Pool {
    injector: Injector<Task>,
    stealers: Vec<Stealer<Task>>,
    hungry: AtomicUsize,
    closed: AtomicBool,
    parked: Mutex<()>,
    wake: Condvar,
}

impl Pool {
    /// Makes the queues and starts `workers` threads named `worker-N` in `scope`. Each calls `make` for
    /// its own state, then `work` for each task. Should one of these panic, the thread calls `panicked` and ends.
    pub(crate) fn start<'scope, 'env, S, M, W, P>(
        scope: &'scope Scope<'scope, 'env>,
        workers: usize,
        make: M,
        work: W,
        panicked: P,
    ) -> std::io::Result<Arc<Self>>
    where
        M: Fn(usize) -> S + Send + Sync + 'env,
        W: Fn(&mut S, Task, &Hand<'_>) + Send + Sync + 'env,
        P: Fn() + Send + Sync + 'env,
    {
        let deques: Vec<Deque<Task>> = (0..workers).map(|_| Deque::new_fifo()).collect();
        let pool = Arc::new(Self {
            injector: Injector::new(),
            stealers: deques.iter().map(Deque::stealer).collect(),
            hungry: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            parked: Mutex::new(()),
            wake: Condvar::new(),
        });
        let shared = Arc::new((make, work, panicked));
        for (index, deque) in deques.into_iter().enumerate() {
            let (for_thread, shared) = (Arc::clone(&pool), Arc::clone(&shared));
            let started =
                std::thread::Builder::new().name(format!("worker-{index}")).spawn_scoped(scope, move || {
                    let all_tasks = || {
                        let mut state = (shared.0)(index);
                        let hand = Hand { pool: &for_thread, deque: &deque, index };
                        while let Some(task) = hand.next_task() {
                            (shared.1)(&mut state, task, &hand);
                        }
                    };
                    if catch_unwind(AssertUnwindSafe(all_tasks)).is_err() {
                        (shared.2)();
                    }
                });
            if let Err(error) = started {
                pool.close();
                return Err(error);
            }
        }
        Ok(pool)
    }

    /// Adds work.
    pub(crate) fn push(&self, task: Task) {
        self.injector.push(task);
        self.wake_one();
    }

    /// Takes back a task that no worker has begun.
    pub(crate) fn take_back(&self) -> Option<Task> {
        loop {
            let stolen = self
                .injector
                .steal()
                .or_else(|| self.stealers.iter().map(Stealer::steal).collect::<Steal<_>>());
            match stolen {
                Steal::Success(task) => return Some(task),
                Steal::Empty => return None,
                Steal::Retry => {}
            }
        }
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

/// One worker's access to the queues.
pub(crate) struct Hand<'a> {
    pool: &'a Pool,
    deque: &'a Deque<Task>,
    index: usize,
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
        if let Some(task) = self.deque.pop() {
            return Some(task);
        }
        loop {
            let stolen = self.pool.injector.steal().or_else(|| self.steal());
            match stolen {
                Steal::Success(task) => return Some(task),
                Steal::Empty => return None,
                Steal::Retry => {}
            }
        }
    }

    /// Tries the other workers' deques once round, from a random one on.
    fn steal(&self) -> Steal<Task> {
        let count = self.pool.stealers.len();
        let first = random_below(count, self.index);
        (0..count)
            .map(|step| (first + step) % count)
            .filter(|&victim| victim != self.index)
            .map(|victim| self.pool.stealers[victim].steal())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BatchPriority, FileKey, Fingerprint, RootId};
    use std::collections::HashSet;
    use std::time::{Duration, Instant, SystemTime};

    fn batch(id: u64, files: usize) -> FileBatch {
        let file = |n: usize| DiscoveredFile {
            key: FileKey::from_relative_path(RootId(1), format!("{id}/{n}").as_bytes()).unwrap(),
            fingerprint: Fingerprint::default(),
            attempts: 0,
            recorded: None,
        };
        FileBatch {
            batch_id: id,
            files: (0..files).map(file).collect(),
            total_size: 0,
            estimated_processing_time: Duration::ZERO,
            priority: BatchPriority::Normal,
            created_at: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn each_file_is_worked_on_once_by_any_number_of_workers() {
        for workers in [1, 2, 5] {
            let seen = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                let work = |_: &mut (), mut task: Task, hand: &Hand<'_>| {
                    loop {
                        hand.share(&mut task);
                        let Some(file) = task.next_file() else { break };
                        seen.lock().unwrap().push(file.key.clone());
                    }
                };
                let pool = Pool::start(scope, workers, |_| (), work, || ()).unwrap();
                for id in 0..200 {
                    pool.push(Task::new(batch(id, 17)));
                    if id % 50 == 0 {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
                pool.close();
            });
            let seen = seen.into_inner().unwrap();
            assert_eq!(seen.len(), 200 * 17);
            assert_eq!(seen.iter().collect::<HashSet<_>>().len(), seen.len());
        }
    }

    #[test]
    fn one_long_batch_keeps_all_workers_busy() {
        let started = Instant::now();
        let threads = Mutex::new(HashSet::new());
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let make = |index| (index, send.clone());
            let work = |(index, send): &mut (usize, std::sync::mpsc::Sender<()>),
                        mut task: Task,
                        hand: &Hand<'_>| {
                loop {
                    hand.share(&mut task);
                    if task.next_file().is_none() {
                        break;
                    }
                    threads.lock().unwrap().insert(*index);
                    std::thread::sleep(Duration::from_millis(2));
                    send.send(()).unwrap();
                }
            };
            let pool = Pool::start(scope, 4, make, work, || ()).unwrap();
            pool.push(Task::new(batch(1, 200)));
            // Workers wait for what others split off as long as the pool is open.
            receive.iter().take(200).for_each(drop);
            pool.close();
        });
        assert_eq!(threads.into_inner().unwrap().len(), 4);
        assert!(started.elapsed() < Duration::from_millis(350), "{:?}", started.elapsed());
    }

    #[test]
    fn what_no_worker_began_can_be_taken_back() {
        std::thread::scope(|scope| {
            let gate = Arc::new(Mutex::new(()));
            let held = gate.lock().unwrap();
            let inner = Arc::clone(&gate);
            let pool = Pool::start(scope, 1, |_| (), move |(), _, _| drop(inner.lock()), || ()).unwrap();
            (0..10).for_each(|id| pool.push(Task::new(batch(id, 1))));
            std::thread::sleep(Duration::from_millis(20));
            let back = std::iter::from_fn(|| pool.take_back()).count();
            assert_eq!(back, 9);
            pool.close();
            drop(held);
        });
    }

    #[test]
    fn a_panic_is_told_and_does_not_hang_the_pool() {
        let told = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let work = |_: &mut (), _: Task, _: &Hand<'_>| panic!("of the test");
            let pool = Pool::start(
                scope,
                2,
                |_| (),
                work,
                || {
                    let _ = told.fetch_add(1, Ordering::SeqCst);
                },
            )
            .unwrap();
            pool.push(Task::new(batch(1, 1)));
            pool.close();
        });
        assert_eq!(told.into_inner(), 1);
    }
}
