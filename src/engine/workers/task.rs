//! Tasks: parts of a batch, each of whose files is taken once.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{DiscoveredFile, FileBatch};

/// The queue of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Bulk work, by the batch's priority.
    Bulk,
    /// Before all bulk work.
    Urgent,
    /// With nothing else in flight meanwhile.
    Alone,
}

/// A batch, and which of its files were taken. Each file is taken once: by a worker that is about to begin it, or by
/// the coordinator that takes it out.
#[derive(Debug)]
pub(crate) struct SharedBatch {
    pub batch: FileBatch,
    pub lane: Lane,
    taken: Box<[AtomicBool]>,
}

impl SharedBatch {
    /// Creates a shared batch of which nothing is taken yet.
    pub(crate) fn new(batch: FileBatch, lane: Lane) -> Self {
        let taken = batch.files.iter().map(|_| AtomicBool::new(false)).collect();
        Self { batch, lane, taken }
    }

    /// Takes the file at a place; false if it was taken before.
    pub(crate) fn take(&self, place: usize) -> bool {
        // Relaxed, as it guards no other data: the files themselves never change.
        self.taken.get(place).is_some_and(|taken| !taken.swap(true, Ordering::Relaxed))
    }

    /// Returns the file at a place.
    pub(crate) fn file(&self, place: usize) -> Option<&DiscoveredFile> {
        self.batch.files.get(place)
    }
}

/// A part of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    shared: Arc<SharedBatch>,
    range: Range<usize>,
    /// Whether its file is processed with nothing beside it on its worker.
    is_alone: bool,
}

impl Task {
    /// Creates a task for all of a batch of bulk work.
    pub(crate) fn new(batch: FileBatch) -> Self {
        Self::of(Arc::new(SharedBatch::new(batch, Lane::Bulk)))
    }

    /// Creates a task for all of a shared batch.
    pub(crate) fn of(shared: Arc<SharedBatch>) -> Self {
        let range = 0..shared.batch.files.len();
        Self { shared, range, is_alone: false }
    }

    /// Creates a task for one file that was taken and not finished: it can be taken again.
    pub(super) fn again(shared: Arc<SharedBatch>, place: usize, is_alone: bool) -> Self {
        if let Some(taken) = shared.taken.get(place) {
            taken.store(false, Ordering::Relaxed);
        }
        Self { shared, range: place..place + 1, is_alone }
    }

    /// Returns whether its file is processed with nothing beside it on its worker.
    pub(super) fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Returns the number of its batch.
    pub(crate) fn batch_id(&self) -> u64 {
        self.shared.batch.batch_id
    }

    /// Returns its batch.
    pub(crate) fn shared(&self) -> &Arc<SharedBatch> {
        &self.shared
    }

    /// Returns whether it bypasses the queue.
    pub(crate) fn is_urgent(&self) -> bool {
        self.shared.lane == Lane::Urgent
    }

    /// Returns the next file's place in the batch.
    pub(crate) fn place(&self) -> usize {
        self.range.start
    }

    /// Returns the remaining files, including those that were taken out.
    pub(crate) fn files(&self) -> &[DiscoveredFile] {
        self.shared.batch.files.get(self.range.clone()).unwrap_or_default()
    }

    /// Returns the next file, if any; it may have been taken out.
    pub(crate) fn peek(&self) -> Option<&DiscoveredFile> {
        self.shared.batch.files.get(self.range.start).filter(|_| !self.range.is_empty())
    }

    /// Takes the next file off the front, and returns its place in the batch.
    pub(crate) fn next_place(&mut self) -> Option<usize> {
        let shared = &self.shared;
        self.range.find(|&place| shared.take(place))
    }

    /// Takes the file at the front off, and returns its place unless it was taken out.
    pub(crate) fn take_front(&mut self) -> Option<usize> {
        let place = self.range.next()?;
        self.shared.take(place).then_some(place)
    }

    /// Takes all remaining files, so that no worker begins them.
    pub(crate) fn take_all(mut self) -> Vec<DiscoveredFile> {
        let mut files = Vec::new();
        while let Some(place) = self.next_place() {
            files.extend(self.shared.batch.files.get(place).cloned());
        }
        files
    }

    /// Returns the number of remaining files, including those that were taken out.
    pub(crate) fn len(&self) -> usize {
        self.range.len()
    }

    /// Splits off all that is left, if there is any.
    pub(crate) fn take_rest(&mut self) -> Option<Self> {
        let rest = self.clone();
        self.range.start = self.range.end;
        (rest.len() > 0).then_some(rest)
    }

    /// Splits off the rear half, if at least two files are left.
    pub(super) fn split(&mut self) -> Option<Self> {
        if self.range.len() < 2 {
            return None;
        }
        let middle = self.range.start + self.range.len().div_ceil(2);
        let rear = Self { shared: Arc::clone(&self.shared), range: middle..self.range.end, is_alone: false };
        self.range.end = middle;
        Some(rear)
    }
}
