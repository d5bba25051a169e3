//! From pending files to workers: claims, plans, hands out and tracks batches. Claims live in memory; a crash forgets
//! them.

pub(super) mod claims;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::batch::{BatchObservation, BatchStrategy, Load, Planner, sort};
use crate::engine::lifecycle::transition::RunScope;
use crate::engine::workers::outcome::OutcomeGroup;
use crate::engine::workers::pool::Pool;
use crate::engine::workers::task::{SharedBatch, Task};
use crate::ledger::{LedgerError, LedgerReader};
use crate::model::{BatchConfig, BatchPriority, DiscoveredFile, FileBatch, FileKey, Order, Root, Timestamp};
use claims::Claims;

/// The batches that are dispatched, and the claims for the next ones.
pub(crate) struct Dispatcher {
    pool: Arc<Pool>,
    planner: Planner,
    pub claims: Claims,
    /// Files handed to workers whose outcome has not come yet.
    outstanding: usize,
    batches: HashMap<u64, Out>,
    /// Workers that may take tasks now.
    workers: usize,
    /// Files that are tried at once to probe whether processing works again.
    probes: usize,
    order: Order,
}

/// A dispatched batch.
struct Out {
    left: usize,
    seen: BatchObservation,
    lot: Arc<SharedBatch>,
}

/// Files of an urgent batch at most: larger sets are spread over the workers.
const URGENT_FILES_MAX: usize = 8;

type Roots<'a> = &'a [(Root, RunScope)];

impl Dispatcher {
    pub(crate) fn new(
        config: &BatchConfig,
        strategy: Box<dyn BatchStrategy>,
        pool: Arc<Pool>,
        suspects: Vec<FileKey>,
    ) -> Self {
        Self {
            pool,
            planner: Planner::new(strategy),
            claims: Claims::new(config, suspects),
            outstanding: 0,
            batches: HashMap::new(),
            workers: config.worker_count,
            probes: config.worker_count,
            order: config.order,
        }
    }

    /// Sets the number of workers.
    pub(crate) fn set_workers(&mut self, workers: usize) {
        self.workers = workers;
        self.claims.set_workers(workers);
    }

    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }

    pub(crate) fn hungry(&self) -> usize {
        self.pool.hungry()
    }

    /// Returns whether a file is dispatched that must run alone.
    pub(crate) fn is_alone(&self) -> bool {
        // It is the only batch then.
        self.batches.values().next().is_some_and(|out| out.lot.batch.priority == BatchPriority::Low)
    }

    /// Returns the number of pending files of these roots that are not in flight.
    pub(crate) fn claimable(&self, reader: &LedgerReader, roots: Roots<'_>) -> u64 {
        let pending = reader.counts_of(roots.iter().map(|(root, _)| root.id)).pending;
        pending.saturating_sub(self.claims.in_flight_pending())
    }

    /// Claims what is due and hands it to the workers, as long as there is room.
    pub(crate) fn claim(
        &mut self,
        reader: &LedgerReader,
        roots: Roots<'_>,
        now: Timestamp,
        memory_percent: u8,
    ) -> Result<(), LedgerError> {
        while !self.is_alone() && self.claims.has_room() && self.claimable(reader, roots) > 0 {
            let files = self.claims.next(reader, roots, now, usize::MAX)?;
            if files.is_empty() {
                break;
            }
            let load =
                Load { workers: self.workers, memory_percent, pending_after: self.claimable(reader, roots) };
            self.hand_out(files, load, BatchPriority::Normal);
        }
        Ok(())
    }

    /// Hands out what a scan found, while it may find more.
    pub(crate) fn hand_out_found(&mut self, files: Vec<DiscoveredFile>, memory_percent: u8) {
        let load = Load { workers: self.workers, memory_percent, pending_after: self.claims.limit() as u64 };
        self.hand_out(files, load, BatchPriority::Normal);
    }

    /// Claims a few files to probe whether processing works again, each a batch of its own. True if there are none to
    /// try.
    pub(crate) fn claim_probe(
        &mut self,
        reader: &LedgerReader,
        roots: Roots<'_>,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let files = self.claims.next(reader, roots, now, self.probes)?;
        let none = files.is_empty();
        files.into_iter().for_each(|file| self.hand_out_one(file, BatchPriority::Normal));
        Ok(none)
    }

    /// Hands out one of the files that were in flight when an earlier process died, alone. Does nothing if there is
    /// none.
    pub(crate) fn claim_suspect(
        &mut self,
        reader: &LedgerReader,
        roots: Roots<'_>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        if let Some(file) = self.claims.next_suspect(reader, roots, now)? {
            self.hand_out_one(file, BatchPriority::Low);
        }
        Ok(())
    }

    /// Hands out a batch of one file. [`BatchPriority::Low`] means that nothing else is in flight meanwhile.
    fn hand_out_one(&mut self, file: DiscoveredFile, priority: BatchPriority) {
        let load = Load { workers: 1, memory_percent: 0, pending_after: 0 };
        self.hand_out(vec![file], load, priority);
    }

    fn hand_out(&mut self, mut files: Vec<DiscoveredFile>, load: Load, priority: BatchPriority) {
        sort(&mut files, self.order);
        self.outstanding += files.len();
        for mut batch in self.planner.plan(files, load, SystemTime::now()) {
            batch.priority = priority;
            self.push(batch);
        }
    }

    /// Returns how many more urgent batches may take long. Half of the workers are left for all else: more urgent
    /// work finds a free one, and fewer wait for memory.
    pub(crate) fn room_for_long(&self) -> usize {
        let is_urgent = |out: &&Out| out.lot.batch.priority == BatchPriority::High;
        (self.workers / 2).saturating_sub(self.batches.values().filter(is_urgent).count())
    }

    /// Hands out files that bypass the queue, in batches small enough to spread over the workers.
    pub(crate) fn hand_out_urgent(&mut self, files: Vec<DiscoveredFile>) {
        self.outstanding += files.len();
        let size = (files.len() / (4 * self.workers.max(1))).clamp(1, URGENT_FILES_MAX);
        let mut files = files.into_iter();
        loop {
            let next: Vec<DiscoveredFile> = files.by_ref().take(size).collect();
            if next.is_empty() {
                return;
            }
            let batch = self.planner.batch(next, SystemTime::now());
            self.push(FileBatch { priority: BatchPriority::High, ..batch });
        }
    }

    fn push(&mut self, batch: FileBatch) {
        let (id, left) = (batch.batch_id, batch.files.len());
        let seen = BatchObservation { files: left, bytes: 0, busy: Duration::ZERO };
        let lot = Arc::new(SharedBatch::new(batch));
        self.batches.insert(id, Out { left, seen, lot: Arc::clone(&lot) });
        self.pool.push(Task::of(lot));
    }

    /// Takes these files out of the bulk batches that hold them, as far as no worker has begun them: they can be
    /// claimed again. Returns the files taken out.
    pub(crate) fn take_out(&mut self, keys: &HashSet<&FileKey>) -> HashSet<FileKey> {
        let mut out = HashSet::new();
        let mut batches = Vec::new();
        for Out { lot, seen, .. } in self.batches.values_mut() {
            if lot.batch.priority != BatchPriority::Normal {
                continue;
            }
            for (place, file) in lot.batch.files.iter().enumerate() {
                if keys.contains(&file.key) && lot.take(place) {
                    seen.files -= 1;
                    batches.push(lot.batch.batch_id);
                    out.insert(file.key.clone());
                }
            }
        }
        out.iter().for_each(|key| self.claims.released(key));
        self.outstanding = self.outstanding.saturating_sub(batches.len());
        for batch in batches {
            self.settle(batch, 1, 0, Duration::ZERO);
        }
        out
    }

    /// Takes back what no worker has begun: it can be claimed again.
    pub(crate) fn take_back(&mut self) {
        while let Some(task) = self.pool.take_back() {
            let (id, files) = (task.batch_id(), task.take_all());
            files.iter().for_each(|file| self.claims.released(&file.key));
            self.outstanding = self.outstanding.saturating_sub(files.len());
            self.settle(id, files.len(), 0, Duration::ZERO);
        }
    }

    /// Gives the rest of a task to other workers.
    pub(crate) fn pass_on(&self, task: Task) {
        self.pool.push(task);
    }

    /// Drops a part of a batch: its files stay pending.
    pub(crate) fn forget(&mut self, task: Option<Task>) {
        let files = task.map_or(0, |task| task.take_all().len());
        self.outstanding = self.outstanding.saturating_sub(files);
    }

    /// Notes the files that a worker has finished; true when its batch is complete.
    pub(crate) fn ended(&mut self, group: &OutcomeGroup) -> bool {
        let files = group.outcomes.len();
        self.outstanding = self.outstanding.saturating_sub(files);
        group.outcomes.iter().for_each(|outcome| self.claims.ended(&outcome.key));
        self.settle(group.batch_id, files, group.bytes, group.busy)
    }

    fn settle(&mut self, batch: u64, files: usize, bytes: u64, busy: Duration) -> bool {
        let Some(Out { left, seen, .. }) = self.batches.get_mut(&batch) else { return false };
        *left = left.saturating_sub(files);
        seen.bytes += bytes;
        seen.busy += busy;
        let complete = *left == 0;
        if complete {
            if seen.files > 0 {
                self.planner.observe(seen);
            }
            self.batches.remove(&batch);
        }
        complete
    }
}
