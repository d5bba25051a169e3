//! Which files are in flight. Claims live in memory only: after a crash all files are pending again, or found again
//! by the next scan.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::ClaimScope;
use crate::engine::lifecycle::left_pending::{LeftPending, earlier};
use crate::engine::lifecycle::transition::{AttemptOutcome, Attempted, FileEvent, RunScope};
use crate::ledger::{Entry, LedgerError, ReadyPosition, Retry};
use crate::model::{
    BatchConfig, BatchPriority, DiscoveredFile, FileKey, Fingerprint, Root, RootId, Timestamp,
};

/// The number of files that a batch kept ready counts as.
const BATCH_FILES: usize = 1_000;
/// Bounds of the files handed out, of a priority and all above it: enough that a slow sync leaves no worker idle, and
/// not more than memory should hold.
const IN_FLIGHT_MIN: usize = 2_048;
const IN_FLIGHT_MAX: usize = 65_536;

/// The files that were claimed and whose outcome is not committed.
#[derive(Debug)]
pub(crate) struct Claims {
    limit: usize,
    /// Batches kept ready for each worker.
    ahead: usize,
    /// Hashes of keys. If two collide, the second file waits for the first: file names made to collide slow down only
    /// these files.
    in_flight: FxHashSet<u64>,
    /// Outcomes of the coming tick: not in flight any more once it is committed.
    ended: Vec<u64>,
    /// Files in flight of which a watcher has reported something since they were claimed: the version, or `None` where
    /// it was gone, or reported in several.
    reported: FxHashMap<u64, Option<Fingerprint>>,
    /// Files in flight that the ledger holds as pending only from the coming tick on. An upper bound, as files that
    /// were taken back meanwhile may count twice; exact after each tick.
    early: u64,
    /// Of each priority.
    rounds: [Round; 3],
    /// Files that were in flight when an earlier process died: they run last, alone, and in this order.
    suspects: VecDeque<FileKey>,
    /// Hashes of these.
    suspected: FxHashSet<u64>,
    config: BatchConfig,
}

/// A walk over the pending files of one priority, again and again.
#[derive(Debug, Default)]
struct Round {
    /// Where to continue; none at its end.
    position: Option<ReadyPosition>,
    /// A whole round found nothing, and nothing has become claimable since but what is due by `due_next`.
    exhausted: bool,
    /// It came across a file that was in flight.
    met_in_flight: bool,
    /// When the first of the files is due that it skipped as their retries are later.
    due_next: Option<Retry>,
}

/// What there is to claim of a priority.
pub(crate) enum Claimed {
    /// These files.
    Files(Vec<DiscoveredFile>),
    /// A whole round found none.
    None,
    /// A new round is not worth it yet.
    Later,
}

/// What keeps a file from being claimed.
enum Unclaimed {
    /// Its retry is due later.
    Later(Retry),
    InFlight,
    /// It is of another job's roots, or a suspect.
    Other,
}

impl Round {
    /// Notes a file that it skipped since its retry is due later.
    fn put_off(&mut self, later: Retry) {
        self.due_next = Some(earlier(self.due_next, later));
    }
}

fn limit_of(workers: usize, ahead: usize) -> usize {
    (workers * ahead * BATCH_FILES).clamp(IN_FLIGHT_MIN, IN_FLIGHT_MAX)
}

fn hash_of(key: &FileKey) -> u64 {
    FxBuildHasher.hash_one(key)
}

impl Claims {
    /// Creates an empty set of claims. Limits the files in flight to about as many as the configuration's batches
    /// have.
    pub(crate) fn new(config: &BatchConfig, suspects: Vec<FileKey>) -> Self {
        let ahead = config.max_concurrent_batches;
        Self {
            limit: limit_of(config.worker_count, ahead),
            ahead,
            suspected: suspects.iter().map(hash_of).collect(),
            suspects: suspects.into(),
            in_flight: FxHashSet::default(),
            ended: Vec::new(),
            reported: FxHashMap::default(),
            early: 0,
            rounds: Default::default(),
            config: config.clone(),
        }
    }

    /// Sets the number of workers.
    pub(crate) fn set_workers(&mut self, workers: usize) {
        self.limit = limit_of(workers, self.ahead);
    }

    /// Returns the number of files that may be in flight.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the number of files in flight.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.len() as u64
    }

    /// Returns how many of these are pending in the ledger.
    pub(crate) fn in_flight_pending(&self) -> u64 {
        self.in_flight().saturating_sub(self.early)
    }

    /// Returns whether a file is in flight.
    pub(crate) fn is_in_flight(&self, key: &FileKey) -> bool {
        self.in_flight.contains(&hash_of(key))
    }

    /// Returns whether a file's outcome waits for the coming tick.
    pub(crate) fn has_ended(&self, key: &FileKey) -> bool {
        self.ended.contains(&hash_of(key))
    }

    /// Returns the number of files in flight that no worker has finished. Outcomes that only wait for the tick must
    /// not make the workers wait, too.
    fn unfinished(&self) -> usize {
        self.in_flight.len().saturating_sub(self.ended.len())
    }

    /// Returns whether more should be claimed.
    pub(crate) fn has_room(&self) -> bool {
        self.unfinished() <= self.limit / 2
    }

    /// Returns the number of outcomes that wait for the coming tick.
    pub(crate) fn ended_count(&self) -> usize {
        self.ended.len()
    }

    /// Notes that a worker has finished a file.
    pub(crate) fn ended(&mut self, key: &FileKey) {
        self.ended.push(hash_of(key));
    }

    /// Notes what a watcher reports of a file, if that is in flight.
    pub(crate) fn note_report(&mut self, key: &FileKey, change: &FileEvent) {
        let hash = hash_of(key);
        if !self.in_flight.contains(&hash) {
            return;
        }
        let version = match change {
            FileEvent::Found(seen) | FileEvent::Touched(seen) => Some(*seen),
            _ => None,
        };
        let known = self.reported.entry(hash).or_insert(version);
        *known = known.filter(|_| *known == version);
    }

    /// Returns whether a watcher has reported since the claim what may be newer than the version that was read. Which
    /// came first is not known of several reports: two threads make them. A version whose times a later write could
    /// share may be another one than the reported.
    pub(crate) fn is_outdated(&self, key: &FileKey, attempted: &Attempted) -> bool {
        if self.reported.is_empty() {
            return false;
        }
        let (read, racy) = match attempted.end {
            AttemptOutcome::Recorded { fingerprint, racy, .. }
            | AttemptOutcome::Unchanged { fingerprint, racy } => (fingerprint, racy),
            AttemptOutcome::Again(_) => (attempted.claimed, false),
            _ => return false,
        };
        let is_other = |seen: &Fingerprint| *seen != attempted.claimed && *seen != read;
        let reported = self.reported.get(&hash_of(key));
        reported.is_some_and(|version| racy || version.as_ref().is_none_or(is_other))
    }

    /// Keeps a pending file from being claimed until the coming tick, which changes its entry.
    pub(crate) fn hold(&mut self, key: &FileKey) {
        self.in_flight.insert(hash_of(key));
        self.ended.push(hash_of(key));
    }

    /// Notes that a file was taken back before a worker began it.
    pub(crate) fn released(&mut self, key: &FileKey) {
        self.in_flight.remove(&hash_of(key));
        self.reported.remove(&hash_of(key));
        self.rounds.iter_mut().for_each(|round| round.exhausted = false);
    }

    /// Notes that all outcomes of the tick are committed, and what of its files is still pending. A new round is worth it
    /// for a priority that has some: if each tick began one, a million files that wait for a retry would be read at each.
    pub(crate) fn committed(&mut self, left: &LeftPending) {
        self.early = 0;
        for hash in self.ended.drain(..) {
            self.in_flight.remove(&hash);
            self.reported.remove(&hash);
        }
        for (round, left) in self.rounds.iter_mut().zip(left.by_priority) {
            // What it came across may be another file whose hash collides.
            let has_met = round.met_in_flight && self.in_flight.is_empty();
            round.exhausted &= !left.now && !has_met;
            if let Some(retry) = left.retry {
                round.put_off(retry);
            }
        }
    }

    /// Claims the next pending files of a priority that are of the job's own roots and due, in the ledger's order and
    /// about `files_max` at most; starts over at the end. A round reads all blocks with pending files again, those in
    /// flight included, so it is not begun before few of these, which are `unfinished`, are left.
    pub(crate) fn next(
        &mut self,
        scope: &ClaimScope<'_>,
        priority: BatchPriority,
        unfinished: usize,
        files_max: usize,
    ) -> Result<Claimed, LedgerError> {
        let mut round = std::mem::take(&mut self.rounds[priority as usize]);
        let claimed = self.next_of(&mut round, scope, priority, unfinished, files_max);
        self.rounds[priority as usize] = round;
        claimed
    }

    fn next_of(
        &mut self,
        round: &mut Round,
        scope: &ClaimScope<'_>,
        priority: BatchPriority,
        unfinished: usize,
        files_max: usize,
    ) -> Result<Claimed, LedgerError> {
        if round.exhausted && round.due_next.is_none_or(|next| self.due(&next, scope.now) > scope.now) {
            return Ok(Claimed::None);
        }
        let own: Vec<RootId> = scope.plan.own.iter().map(|(root, _)| root.id).collect();
        let mut started_over = false;
        loop {
            let position = match round.position.take() {
                Some(position) => position,
                None if started_over => {
                    round.exhausted = true;
                    return Ok(Claimed::None);
                }
                None if unfinished > self.limit / 4 => return Ok(Claimed::Later),
                None => {
                    started_over = true;
                    *round = Round::default();
                    ReadyPosition::first_of(priority)
                }
            };
            let ready = scope.reader.ready_of_roots(&position, files_max.max(1), &own)?;
            let mut files = Vec::with_capacity(ready.files.len());
            for (key, entry) in ready.files {
                match self.claim_unsuspected(key, &entry, &scope.plan.own, scope.now) {
                    Ok(file) => files.push(file),
                    Err(Unclaimed::Later(retry)) => round.put_off(retry),
                    Err(Unclaimed::InFlight) => round.met_in_flight = true,
                    Err(Unclaimed::Other) => {}
                }
            }
            round.position = ready.next;
            if !files.is_empty() {
                round.exhausted = false;
                return Ok(Claimed::Files(files));
            }
        }
    }

    /// Claims the next suspect that is still pending and due. One that is due later, or belongs to another job, stays
    /// a suspect.
    pub(crate) fn next_suspect(
        &mut self,
        scope: &ClaimScope<'_>,
    ) -> Result<Option<DiscoveredFile>, LedgerError> {
        for _ in 0..self.suspects.len() {
            let Some(key) = self.suspects.pop_front() else { break };
            let entry = scope.reader.get(&key)?.filter(|entry| entry.pending);
            let is_pending = entry.is_some();
            let claimed =
                entry.and_then(|entry| self.claim(key.clone(), &entry, &scope.plan.own, scope.now).ok());
            if claimed.is_none() && is_pending {
                self.suspects.push_back(key);
                continue;
            }
            self.suspected.remove(&hash_of(&key));
            if claimed.is_some() {
                return Ok(claimed);
            }
        }
        Ok(None)
    }

    /// Claims a file with this entry, which the ledger holds, or will hold from the coming tick on (`is_early`). None
    /// if it is due later, in flight, or a suspect.
    pub(crate) fn claim_early(
        &mut self,
        key: FileKey,
        entry: &Entry,
        is_early: bool,
        scope: &ClaimScope<'_>,
    ) -> Option<DiscoveredFile> {
        let file = self.claim_unsuspected(key, entry, &scope.plan.roots, scope.now).ok()?;
        self.early += u64::from(is_early);
        Some(file)
    }

    fn claim_unsuspected(
        &mut self,
        key: FileKey,
        entry: &Entry,
        roots: &[(Root, RunScope)],
        now: Timestamp,
    ) -> Result<DiscoveredFile, Unclaimed> {
        let suspected = !self.suspected.is_empty() && self.suspected.contains(&hash_of(&key));
        if suspected { Err(Unclaimed::Other) } else { self.claim(key, entry, roots, now) }
    }

    /// Returns when a retry is due. The clock may have been set back since it was noted.
    fn due(&self, retry: &Retry, now: Timestamp) -> Timestamp {
        retry.due(now, self.config.retry_policy(retry.class).longest())
    }

    /// Claims a file, or returns what keeps it.
    fn claim(
        &mut self,
        key: FileKey,
        entry: &Entry,
        roots: &[(Root, RunScope)],
        now: Timestamp,
    ) -> Result<DiscoveredFile, Unclaimed> {
        let run_scope = roots.iter().find(|(root, _)| root.id == key.root()).ok_or(Unclaimed::Other)?.1;
        if let Some(later) = entry.retry.filter(|retry| self.due(retry, now) > now) {
            return Err(Unclaimed::Later(later));
        }
        if !self.in_flight.insert(hash_of(&key)) {
            return Err(Unclaimed::InFlight);
        }
        let recorded = run_scope.standing(entry).and_then(|record| record.digest);
        Ok(DiscoveredFile { key, fingerprint: entry.fingerprint, attempts: entry.attempts, recorded })
    }
}
