//! Claims live in memory, and no file is in flight twice. From pending files to workers: claims, plans, hands out and
//! tracks batches. After a crash the files are pending again, or found again by the next scan.

pub(super) mod admission;
pub(super) mod changed_files;
mod claims;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::batch::{BatchObservation, BatchStrategy, Load, Planner, by_priority, sort};
use crate::engine::job_plan::JobPlan;
use crate::engine::lifecycle::left_pending::LeftPending;
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::workers::outcome::{Outcome, OutcomeGroup};
use crate::engine::workers::pool::Pool;
use crate::engine::workers::task::{Lane, SharedBatch, Task};
use crate::ledger::{LedgerError, LedgerReader};
use crate::model::{BatchConfig, BatchPriority, DiscoveredFile, FileBatch, FileKey, Order, Timestamp};
use changed_files::ChangedFiles;
use claims::{Claimed, Claims};

/// The batches that are dispatched, and the claims for the next ones.
pub(crate) struct Dispatcher {
    pool: Arc<Pool>,
    planner: Planner,
    claims: Claims,
    changed: ChangedFiles,
    /// Files handed to workers whose outcome has not come yet.
    outstanding: usize,
    /// Of those, the ones of each priority in batches that are tracked.
    unfinished: [usize; 3],
    batches: HashMap<u64, Out>,
    /// Workers that may take tasks now.
    workers: usize,
    /// Whether the coming tick makes files pending that no worker has.
    makes_claimable: bool,
    /// Memory in use, of the limit.
    memory_percent: u8,
    /// Files that are tried at once to probe whether processing works again.
    probes: usize,
    order: Order,
}

/// The ledger and the job that files are claimed for, and the time by which they are due.
pub(crate) struct ClaimScope<'a> {
    pub reader: &'a LedgerReader,
    pub plan: &'a JobPlan,
    pub now: Timestamp,
}

impl ClaimScope<'_> {
    /// Parts files by the priorities that the job's rules give, the highest first.
    fn by_priority(&self, files: Vec<DiscoveredFile>) -> Vec<(BatchPriority, Vec<DiscoveredFile>)> {
        match self.reader.priorities() {
            Some(priority) => by_priority(files, |file| priority(&file.key, &file.fingerprint)),
            None => vec![(BatchPriority::Normal, files)],
        }
    }
}

/// The way of files to the workers.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// In batches that the strategy cuts, of which idle workers steal; so many files are claimed after them.
    Bulk { pending_after: u64 },
    /// Before all others, in batches small enough to spread over the workers: changed files, and large ones.
    Changed,
    /// One by one: their outcomes show whether processing works again.
    Probe,
    /// One by one, with nothing else in flight meanwhile.
    Alone,
}

/// A dispatched batch.
struct Out {
    left: usize,
    seen: BatchObservation,
    shared: Arc<SharedBatch>,
}

/// A priority of which the workers have nothing, beside work of a higher one, is stocked with so many files: two of the
/// largest batches.
const STOCK: usize = 1_000;
/// Files of a batch of changed files at most: larger sets are spread over the workers.
const CHANGED_FILES_MAX: usize = 8;

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
            changed: ChangedFiles::default(),
            outstanding: 0,
            unfinished: [0; 3],
            batches: HashMap::new(),
            workers: config.worker_count,
            makes_claimable: false,
            memory_percent: 0,
            probes: config.worker_count,
            order: config.order,
        }
    }

    /// Sets the number of workers.
    pub(crate) fn set_workers(&mut self, workers: usize) {
        self.workers = workers;
        self.claims.set_workers(workers);
    }

    /// Sets how much of the memory is in use: the strategy cuts smaller batches where little is left.
    pub(crate) fn set_memory_percent(&mut self, percent: u8) {
        self.memory_percent = percent;
    }

    /// Returns the number of files that are handed out and whose outcome has not arrived.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Returns the number of files whose outcomes are not committed.
    pub(crate) fn in_flight(&self) -> u64 {
        self.claims.in_flight()
    }

    /// Returns the number of outcomes that wait for the coming tick.
    pub(crate) fn ended_count(&self) -> usize {
        self.claims.ended_count()
    }

    /// Notes that a tick has committed all outcomes that waited, and what of its files is still pending.
    pub(crate) fn committed(&mut self, left: &LeftPending) {
        self.claims.committed(left);
        self.makes_claimable = false;
    }

    /// Returns whether the coming tick gives the workers more to do: it makes something pending that they do not have.
    pub(crate) fn makes_claimable(&self) -> bool {
        self.makes_claimable
    }

    /// Returns the number of workers without a task.
    pub(crate) fn idle(&self) -> usize {
        self.pool.idle()
    }

    /// Returns whether a file is dispatched that must run alone.
    fn is_alone(&self) -> bool {
        // It is the only batch then.
        self.batches.values().next().is_some_and(|out| out.shared.lane == Lane::Alone)
    }

    /// Returns the number of pending files of the job's own roots that are not in flight.
    pub(crate) fn claimable(&self, scope: &ClaimScope<'_>) -> u64 {
        let pending = scope.reader.counts_of(scope.plan.own.iter().map(|(root, _)| root.id)).pending;
        pending.saturating_sub(self.claims.in_flight_pending())
    }

    /// Claims what is due and hands it to the workers, as long as there is room.
    pub(crate) fn claim(&mut self, scope: &ClaimScope<'_>) -> Result<(), LedgerError> {
        while !self.is_alone() {
            let rooms = self.rooms(scope, usize::MAX);
            if rooms.is_empty() || self.claimable(scope) == 0 {
                break;
            }
            let files = self.claim_first(scope, &rooms)?;
            if files.is_empty() {
                break;
            }
            let pending_after = self.claimable(scope);
            self.push(scope, files, Way::Bulk { pending_after });
        }
        Ok(())
    }

    /// Returns the priorities that have pending files and room for more, the first to be claimed of first, and for how
    /// many. Those of lower ones take no room: a worker takes them later. A priority of which the workers have nothing,
    /// while they have work of a higher one, gets a few files before: the pool gives each its share, of what is there.
    fn rooms(&self, scope: &ClaimScope<'_>, files_max: usize) -> Vec<(BatchPriority, usize)> {
        let pending = scope.reader.pending();
        let limit = self.claims.limit();
        let mut few = Vec::new();
        let mut rooms = Vec::new();
        let mut unfinished = 0;
        for priority in BatchPriority::ALL {
            let own = self.unfinished[priority as usize];
            let is_below = unfinished > 0;
            unfinished += own;
            if pending.of(priority) == 0 {
                continue;
            }
            if is_below && own == 0 {
                few.push((priority, files_max.min(STOCK)));
            }
            if unfinished <= limit / 2 {
                rooms.push((priority, files_max.min(limit - unfinished)));
            }
        }
        few.extend(rooms);
        few
    }

    /// Claims files of the first of these priorities that has some.
    fn claim_first(
        &mut self,
        scope: &ClaimScope<'_>,
        rooms: &[(BatchPriority, usize)],
    ) -> Result<Vec<DiscoveredFile>, LedgerError> {
        for &(priority, room) in rooms {
            match self.claims.next(scope, priority, self.unfinished[priority as usize], room)? {
                Claimed::Files(files) => return Ok(files),
                Claimed::None => {}
                // Those of lower priorities would come first then.
                Claimed::Later => break,
            }
        }
        Ok(Vec::new())
    }

    /// Claims a few files to probe whether processing works again, each a batch of its own. True if there are none to
    /// try.
    pub(crate) fn claim_probe(&mut self, scope: &ClaimScope<'_>) -> Result<bool, LedgerError> {
        let files = self.claim_first(scope, &self.rooms(scope, self.probes))?;
        let none = files.is_empty();
        self.push(scope, files, Way::Probe);
        Ok(none)
    }

    /// Hands out one of the files that were in flight when an earlier process died, alone. Does nothing if there is
    /// none.
    pub(crate) fn claim_suspect(&mut self, scope: &ClaimScope<'_>) -> Result<(), LedgerError> {
        let files = self.claims.next_suspect(scope)?.into_iter().collect();
        self.push(scope, files, Way::Alone);
        Ok(())
    }

    /// Hands claimed files to the workers, those of higher priority first.
    fn push(&mut self, scope: &ClaimScope<'_>, mut files: Vec<DiscoveredFile>, way: Way) {
        self.outstanding += files.len();
        let now = SystemTime::now();
        if matches!(way, Way::Bulk { .. }) {
            sort(&mut files, self.order);
        }
        let spread = files.len() / (4 * self.workers.max(1));
        for (priority, files) in scope.by_priority(files) {
            let (size, lane) = match way {
                Way::Bulk { pending_after } => {
                    let load =
                        Load { workers: self.workers, memory_percent: self.memory_percent, pending_after };
                    let batches = self.planner.plan(files, load, now).into_iter();
                    batches.for_each(|batch| self.enqueue(FileBatch { priority, ..batch }, Lane::Bulk));
                    continue;
                }
                Way::Changed => (spread.clamp(1, CHANGED_FILES_MAX), Lane::Urgent),
                Way::Probe => (1, Lane::Bulk),
                Way::Alone => (1, Lane::Alone),
            };
            let mut files = files.into_iter().peekable();
            while files.peek().is_some() {
                let batch = self.planner.batch(files.by_ref().take(size).collect(), now);
                self.enqueue(FileBatch { priority, ..batch }, lane);
            }
        }
    }

    /// Returns how many more large files may overtake the others. Half of the workers are left for all else: changed
    /// files find a free one, and fewer wait for memory.
    fn room_for_long(&self) -> usize {
        let is_urgent = |out: &&Out| out.shared.lane == Lane::Urgent;
        (self.workers / 2).saturating_sub(self.batches.values().filter(is_urgent).count())
    }

    fn enqueue(&mut self, batch: FileBatch, lane: Lane) {
        let id = batch.batch_id;
        let left = batch.files.len();
        self.unfinished[batch.priority as usize] += left;
        let seen = BatchObservation { files: left, bytes: 0, busy: Duration::ZERO };
        let shared = Arc::new(SharedBatch::new(batch, lane));
        self.batches.insert(id, Out { left, seen, shared: Arc::clone(&shared) });
        self.pool.push(Task::of(shared));
    }

    /// Takes these files out of the bulk batches that hold them, as far as no worker has begun them: they can be
    /// claimed again. Returns the files taken out.
    fn take_out(&mut self, keys: &HashSet<&FileKey>) -> HashSet<FileKey> {
        let mut out = HashSet::new();
        let mut batches = Vec::new();
        for Out { shared, seen, .. } in self.batches.values_mut() {
            if shared.lane != Lane::Bulk {
                continue;
            }
            for (place, file) in shared.batch.files.iter().enumerate() {
                if keys.contains(&file.key) && shared.take(place) {
                    seen.files -= 1;
                    batches.push(shared.batch.batch_id);
                    out.insert(file.key.clone());
                }
            }
        }
        out.iter().for_each(|key| self.claims.released(key));
        self.outstanding = self.outstanding.saturating_sub(batches.len());
        for batch in batches {
            self.count_done(batch, 1, 0, Duration::ZERO);
        }
        out
    }

    /// Takes back what no worker has begun: it can be claimed again. Changed files among it are pending as all else.
    pub(crate) fn take_back(&mut self) {
        while let Some(task) = self.pool.take_back() {
            self.release(task);
        }
        self.makes_claimable = true;
        self.changed.keep_claimed(&self.claims);
    }

    /// Takes back the files of a task that is with no worker.
    pub(crate) fn release(&mut self, task: Task) {
        let id = task.batch_id();
        let files = task.take_all();
        files.iter().for_each(|file| self.claims.released(&file.key));
        self.outstanding = self.outstanding.saturating_sub(files.len());
        if let Some(out) = self.batches.get_mut(&id) {
            // They say nothing of what a batch costs.
            out.seen.files = out.seen.files.saturating_sub(files.len());
        }
        self.count_done(id, files.len(), 0, Duration::ZERO);
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
    pub(crate) fn ended(&mut self, group: &mut OutcomeGroup) -> bool {
        let files = group.outcomes.len();
        self.changed.note_group(group);
        self.outstanding = self.outstanding.saturating_sub(files);
        for Outcome { key, change, .. } in &mut group.outcomes {
            if let FileEvent::Ended(attempted) = change {
                attempted.outdated = self.claims.is_outdated(key, attempted);
            }
            self.claims.ended(key);
        }
        self.count_done(group.batch_id, files, group.bytes, group.busy)
    }

    /// Counts files of a batch as done. Returns whether the batch is complete.
    fn count_done(&mut self, batch: u64, files: usize, bytes: u64, busy: Duration) -> bool {
        let Some(Out { left, seen, shared }) = self.batches.get_mut(&batch) else { return false };
        let files = files.min(*left);
        self.unfinished[shared.batch.priority as usize] -= files;
        *left -= files;
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
