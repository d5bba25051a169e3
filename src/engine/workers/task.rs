//! Tasks: parts of a batch, each of whose files is taken once.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{BatchPriority, DiscoveredFile, FileBatch};

/// A batch, and which of its files were taken. Whoever takes a file first has it, and nobody else: a worker
/// that is about to begin it, or the coordinator that takes it out.
#[derive(Debug)]
pub(crate) struct Lot {
    pub batch: FileBatch,
    taken: Box<[AtomicBool]>,
}

impl Lot {
    /// Nothing of it is taken yet.
    pub(crate) fn new(batch: FileBatch) -> Self {
        let taken = batch.files.iter().map(|_| AtomicBool::new(false)).collect();
        Self { batch, taken }
    }

    /// Takes the file at a place; false where somebody has taken it before.
    pub(crate) fn take(&self, place: usize) -> bool {
        // Nothing else is told by it: the files themselves never change.
        self.taken.get(place).is_some_and(|taken| !taken.swap(true, Ordering::Relaxed))
    }
}

/// A part of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    lot: Arc<Lot>,
    range: Range<usize>,
}

impl Task {
    /// All of a batch.
    pub(crate) fn new(batch: FileBatch) -> Self {
        Self::of(Arc::new(Lot::new(batch)))
    }

    /// All of a batch that others look at, too.
    pub(crate) fn of(lot: Arc<Lot>) -> Self {
        let range = 0..lot.batch.files.len();
        Self { lot, range }
    }

    /// The number of the batch that it is a part of.
    pub(crate) fn batch_id(&self) -> u64 {
        self.lot.batch.batch_id
    }

    /// The batch that it is a part of.
    pub(crate) fn lot(&self) -> &Arc<Lot> {
        &self.lot
    }

    /// Whether it overtakes others.
    pub(crate) fn is_urgent(&self) -> bool {
        self.lot.batch.priority == BatchPriority::High
    }

    /// Where in the batch the file is that is next.
    pub(crate) fn place(&self) -> usize {
        self.range.start
    }

    /// The files that are left, those included that were taken out.
    pub(crate) fn files(&self) -> &[DiscoveredFile] {
        self.lot.batch.files.get(self.range.clone()).unwrap_or_default()
    }

    /// The file that is next, unless it was taken out.
    pub(crate) fn peek(&self) -> Option<&DiscoveredFile> {
        self.lot.batch.files.get(self.range.start).filter(|_| !self.range.is_empty())
    }

    /// Takes the next file off the front: its place in the batch.
    pub(crate) fn next_place(&mut self) -> Option<usize> {
        let lot = &self.lot;
        self.range.find(|&place| lot.take(place))
    }

    /// Takes all files that are left, so that nobody begins them.
    pub(crate) fn take_all(mut self) -> Vec<DiscoveredFile> {
        let mut files = Vec::new();
        while let Some(place) = self.next_place() {
            files.extend(self.lot.batch.files.get(place).cloned());
        }
        files
    }

    /// Files that are left, those included that were taken out.
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
    pub(super) fn split(&mut self) -> Option<Self> {
        if self.range.len() < 2 {
            return None;
        }
        let middle = self.range.start + self.range.len().div_ceil(2);
        let rear = Self { lot: Arc::clone(&self.lot), range: middle..self.range.end };
        self.range.end = middle;
        Some(rear)
    }
}
