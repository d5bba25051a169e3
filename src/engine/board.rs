//! What each worker has in hand, for whoever wonders what is slow. A worker pays one store a file.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::{FileBatch, RootTable};

/// A file that is in hand for longer than this is slow.
const SLOW: Duration = Duration::from_secs(1);

/// One slot for each worker.
#[derive(Debug)]
pub(crate) struct Board {
    slots: Vec<Slot>,
}

/// What one worker has in hand: a batch, and the place of a file in it.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    batch: Mutex<Option<Arc<FileBatch>>>,
    at: AtomicUsize,
}

impl Board {
    pub(crate) fn new(workers: usize) -> Self {
        Self { slots: (0..workers).map(|_| Slot::default()).collect() }
    }

    pub(crate) fn slot(&self, worker: usize) -> &Slot {
        &self.slots[worker]
    }
}

impl Slot {
    /// The worker begins, or has ended, a task.
    pub(crate) fn set(&self, batch: Option<Arc<FileBatch>>) {
        *self.batch.lock().unwrap_or_else(PoisonError::into_inner) = batch;
    }

    /// The worker begins the file at this place of the batch.
    pub(crate) fn begin(&self, at: usize) {
        self.at.store(at, Ordering::Relaxed);
    }

    fn now(&self) -> Option<(Arc<FileBatch>, usize)> {
        let batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some((batch, self.at.load(Ordering::Relaxed)))
    }
}

/// Looks at the board from time to time, and finds who has not moved on.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    seen: Vec<Option<(u64, usize, Instant)>>,
}

impl Watch {
    /// For each worker the path of a file that it has had in hand for long.
    pub(crate) fn slow_files(
        &mut self,
        board: &Board,
        roots: &RootTable,
        now: Instant,
    ) -> Vec<Option<String>> {
        self.seen.resize(board.slots.len(), None);
        let look = |(slot, seen): (&Slot, &mut Option<(u64, usize, Instant)>)| {
            let Some((batch, at)) = slot.now() else {
                *seen = None;
                return None;
            };
            let since = match *seen {
                Some((id, place, since)) if (id, place) == (batch.batch_id, at) => since,
                _ => now,
            };
            *seen = Some((batch.batch_id, at, since));
            let file = batch.files.get(at).filter(|_| now - since >= SLOW)?;
            Some(roots.path_of(&file.key)?.to_string_lossy().into_owned())
        };
        board.slots.iter().zip(&mut self.seen).map(look).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BatchPriority, DiscoveredFile, FileKey, Fingerprint, RootId};

    #[test]
    fn a_file_that_stays_in_hand_is_slow() {
        let file = |name: &str| DiscoveredFile {
            key: FileKey::from_relative_path(RootId::FILE_SYSTEM, name.as_bytes()).unwrap(),
            fingerprint: Fingerprint::default(),
            attempts: 0,
            recorded: None,
        };
        let batch = Arc::new(FileBatch {
            batch_id: 1,
            files: vec![file("a"), file("b")],
            total_size: 0,
            estimated_processing_time: Duration::ZERO,
            priority: BatchPriority::Normal,
            created_at: std::time::SystemTime::UNIX_EPOCH,
        });
        let (board, roots, begun) = (Board::new(2), RootTable::new(Vec::new()), Instant::now());
        board.slot(1).set(Some(batch));
        board.slot(1).begin(1);
        let mut watch = Watch::default();
        let mut slow = |seconds| watch.slow_files(&board, &roots, begun + Duration::from_secs(seconds));
        assert_eq!(slow(0), [None, None]);
        assert_eq!(slow(2), [None, Some("/b".to_owned())]);
        board.slot(1).begin(0);
        assert_eq!(slow(3), [None, None]);
    }
}
