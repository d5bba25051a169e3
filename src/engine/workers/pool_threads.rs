//! The threads of a pool: which run, which have ended, and which were abandoned.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// One place for each worker that was ever started.
#[derive(Default)]
pub(super) struct PoolThreads {
    members: Mutex<Vec<Member>>,
    ended: Condvar,
}

/// The thread in a worker's place.
#[derive(Default)]
struct Member {
    /// The number of earlier threads in this place. A thread with another number was abandoned.
    number: u64,
    running: bool,
    handle: Option<JoinHandle<()>>,
}

impl PoolThreads {
    /// Starts the thread of a worker.
    pub(super) fn start(
        self: &Arc<Self>,
        worker: usize,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let mut members = self.lock();
        if members.len() <= worker {
            members.resize_with(worker + 1, Member::default);
        }
        let Some(member) = members.get_mut(worker) else { return Ok(()) };
        let pool_threads = Arc::clone(self);
        let number = member.number;
        let thread = std::thread::Builder::new().name(format!("worker-{worker}"));
        member.handle = Some(thread.spawn(move || {
            work();
            pool_threads.has_ended(worker, number);
        })?);
        member.running = true;
        Ok(())
    }

    fn has_ended(&self, worker: usize, number: u64) {
        if let Some(member) = self.lock().get_mut(worker).filter(|member| member.number == number) {
            member.running = false;
            self.ended.notify_all();
        }
    }

    /// Abandons a worker's thread.
    pub(super) fn abandon(&self, worker: usize) {
        if let Some(member) = self.lock().get_mut(worker) {
            *member = Member { number: member.number + 1, ..Member::default() };
            self.ended.notify_all();
        }
    }

    /// Waits for all running threads; false if the deadline comes first.
    pub(super) fn join(&self, deadline: Option<Instant>) -> bool {
        let mut members = self.lock();
        while members.iter().any(|member| member.running) {
            members = match deadline {
                None => self.ended.wait(members).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    self.ended.wait_timeout(members, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let handles: Vec<_> = members.iter_mut().filter_map(|member| member.handle.take()).collect();
        drop(members);
        for handle in handles {
            // A panic of its work was caught and reported.
            let _ = handle.join();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
