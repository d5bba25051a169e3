//! A limit on what the scanning threads have in flight, so that they never fill the channel that the workers share
//! with them.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Limits how many permits are held at a time.
#[derive(Debug, Clone)]
pub(crate) struct Semaphore(Arc<(Mutex<usize>, Condvar)>);

/// A permit of a semaphore, returned when dropped.
#[derive(Debug)]
pub(crate) struct SemaphorePermit(Semaphore);

impl Semaphore {
    /// Creates a semaphore with this many permits.
    pub(crate) fn new(permits: usize) -> Self {
        Self(Arc::new((Mutex::new(permits), Condvar::new())))
    }

    /// Waits for a permit.
    pub(crate) fn acquire(&self) -> SemaphorePermit {
        let (left, freed) = &*self.0;
        let guard = left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut guard = freed.wait_while(guard, |left| *left == 0).unwrap_or_else(PoisonError::into_inner);
        *guard -= 1;
        SemaphorePermit(self.clone())
    }
}

impl Drop for SemaphorePermit {
    fn drop(&mut self) {
        let (left, freed) = &*self.0.0;
        *left.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn no_more_permits_are_held_than_there_are() {
        let semaphore = Semaphore::new(2);
        let first = semaphore.acquire();
        let _second = semaphore.acquire();
        let third = std::thread::spawn({
            let semaphore = semaphore.clone();
            move || drop(semaphore.acquire())
        });
        std::thread::sleep(Duration::from_millis(20));
        assert!(!third.is_finished());
        drop(first);
        third.join().unwrap();
    }
}
