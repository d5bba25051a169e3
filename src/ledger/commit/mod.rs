//! The one writer of the ledger: a tick is durable as a whole, or not at all.

pub(super) mod log_start;
pub(super) mod opening;
mod queue;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::PoisonError;

use super::database::{Bytes, Changes, Database};
use super::error::LedgerError;
use super::folder::{StateFolder, disk, renew};
use super::log_range::LogRange;
use super::map::{Merge, codec};
use super::names::{DB, DB_ASIDE, REPAIRING, WITNESS, WITNESS_ASIDE};
use super::reader::{Committed, LedgerReader};
use crate::ledger::database::kept::{self, Removal};
use crate::ledger::folder::held::HeldState;
use crate::ledger::map::entry::{Counts, Entry};
use crate::ledger::map::job::{Job, Jobs, encode_job, job_key};
use crate::ledger::map::meta::{TICK_KEY, TickMeta, root_key};
use crate::ledger::map::ready::Classes;
use crate::ledger::recovery::checking::Checking;
use crate::ledger::recovery::verify::{self, Loaded};
use crate::ledger::recovery::witness::Witness;
use crate::model::{Cursor, FileKey, LogPosition, LogStart, PriorityCounts, PriorityRules};

/// The longest encoded key, in bytes.
pub const KEY_BYTES_MAX: usize = 6 * 1024;

/// What one tick commits.
#[derive(Debug, Clone, Copy)]
pub struct Tick<'a> {
    /// Sorted by key, each key once; `None` removes the entry.
    pub changes: &'a [(FileKey, Option<Entry>)],
    /// End of the record log, which is durable up to here.
    pub log: LogPosition,
    /// crc32 of what the tick appended to the log: from the last tick's end, or from the start of the
    /// segment when its number has risen.
    pub log_crc: u32,
    /// A job to remember in its current state.
    pub job: Option<&'a Job>,
}

/// The durable state of all files, with the right to change it.
pub struct Ledger {
    pub(super) folder: PathBuf,
    pub(super) reader: LedgerReader,
    pub(super) tick: TickMeta,
    pub(super) rules: PriorityRules,
    pub(super) pending: PriorityCounts,
    pub(super) counts: BTreeMap<u32, Counts>,
    pub(super) jobs: Jobs,
    pub(super) log_start: LogStart,
    pub(super) witness: Witness,
    pub(super) poisoned: bool,
    /// The check of blocks, while it runs.
    pub(super) checking: Option<Checking>,
    /// Removes the copy that was kept until the check's end.
    pub(super) removal: Option<Removal>,
}

impl Ledger {
    /// Creates an empty ledger that has committed up to `tick`.
    pub(super) fn create_in(held: &HeldState, tick: u64) -> Result<Self, LedgerError> {
        let witness_path = held.path().join(WITNESS);
        Witness::create(&witness_path)?;
        let tick = TickMeta::empty(tick);
        let store = Database::create(held)?;
        let meta = Changes::from([(TICK_KEY.to_vec(), Some(encoded(&store, TICK_KEY, &tick)?))]);
        store.apply(Default::default(), Changes::new(), meta)?;
        store.sync_names()?;
        let mut witness = Witness::open(&witness_path)?;
        if tick.cursor.tick > 0 {
            witness.append(verify::line_of(&tick))?;
        }
        Ok(Self::with(held, store, Loaded::empty(tick), witness))
    }

    /// Resets the ledger, to be filled from the record log: the old one is set aside, the next commit has the number
    /// `first_tick` and may begin at the start of the log.
    ///
    /// Until [`Ledger::rebuilt`], even after a crash, the ledger opens for nothing else.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub fn rebuild(state: &StateFolder, first_tick: u64) -> Result<Self, LedgerError> {
        let folder = state.path();
        let db = folder.join(DB);
        let witness = folder.join(WITNESS);
        state.begin_repair()?;
        for (from, aside) in [(&db, DB_ASIDE), (&witness, WITNESS_ASIDE)] {
            let aside = folder.join(aside);
            if !disk::is_there(&aside)? {
                disk::set_aside(from, &aside)?;
            }
        }
        // Where the witness was lost, too: the next attempt must not use the one made here in its place.
        let aside = folder.join(WITNESS_ASIDE);
        if !disk::is_there(&aside)? {
            disk::replace(&aside, b"")?;
        }
        // What an earlier, unfinished repair made is worthless; what it set aside stays.
        kept::forget(folder)?;
        disk::remove(&db)?;
        disk::remove(&witness)?;
        disk::sync_folder(folder)?;
        Self::create_in(state.held(), first_tick.saturating_sub(1))
    }

    /// Ends a rebuild: the ledger is whole again, and what was set aside is removed.
    ///
    /// The mark is removed first, at one instant. While it exists, the next attempt begins with what was set aside,
    /// so none of it may be missing; once it is gone, leftovers mean nothing, and [`StateFolder::begin_repair`]
    /// removes them.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub fn rebuilt(&mut self) -> Result<(), LedgerError> {
        self.guarded(|ledger| {
            disk::remove(&ledger.folder.join(REPAIRING))?;
            disk::sync_folder(&ledger.folder)
        })?;
        disk::remove(&self.folder.join(DB_ASIDE))?;
        disk::remove(&self.folder.join(WITNESS_ASIDE))?;
        disk::sync_folder(&self.folder)
    }

    /// Returns a reader of the ledger.
    pub fn reader(&self) -> LedgerReader {
        self.reader.clone()
    }

    /// Returns a reader for clients: it reads nothing of a tick that is not durable yet.
    pub fn committed_reader(&self) -> LedgerReader {
        LedgerReader { only_committed: true, ..self.reader.clone() }
    }

    /// Closes the database, also for existing readers: they find it closed from now on.
    pub fn close(mut self) {
        drop(self.checking.take());
        self.reader.store.close();
    }

    /// Runs a step that changes durable data. If it fails, nothing more is committed, and all is written again before
    /// the state is used again.
    pub(super) fn guarded<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        self.settle()?;
        if self.poisoned {
            return Err(LedgerError::Poisoned);
        }
        self.poisoned = true;
        let result = step(self);
        match &result {
            Ok(_) => self.poisoned = false,
            Err(_) => self.reader.store.held().into_iter().for_each(renew::note),
        }
        result
    }

    /// Returns the cursor of the last commit.
    pub fn cursor(&self) -> Cursor {
        self.tick.cursor
    }

    /// Sets how many ended jobs are remembered, from the next one on that begins or ends: beyond that the oldest are
    /// forgotten, running and waiting ones never. Until this is called all are kept.
    pub fn keep_jobs(&mut self, kept: usize) {
        self.jobs.keep(kept);
    }

    /// Returns whether anything was committed, or may have been: a failed commit can be on disk all the same.
    pub fn may_have_committed(&self) -> bool {
        self.poisoned || self.tick.cursor.tick > 0
    }

    #[cfg(test)]
    pub(super) fn block_count(&self) -> u64 {
        self.tick.blocks.values
    }

    /// Commits a tick: when this returns, all of it is durable.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`] for a tick that breaks the rules, which changes nothing. After any other
    /// error nothing can be committed until the state is opened again.
    pub fn commit(&mut self, tick: Tick<'_>) -> Result<Cursor, LedgerError> {
        if self.poisoned {
            return Err(LedgerError::Poisoned);
        }
        let log = self.appended(&tick)?;
        check_changes(tick.changes)?;
        self.guarded(|ledger| ledger.commit_checked(&tick, log))?;
        self.publish();
        Ok(self.tick.cursor)
    }

    /// Returns what the tick appends to the log.
    fn appended(&self, tick: &Tick<'_>) -> Result<LogRange, LedgerError> {
        let before = self.tick.cursor.log;
        let LogPosition { segment, offset: to } = tick.log;
        let from = if segment == before.segment { before.offset } else { 0 };
        if segment < before.segment || to < from {
            return Err(LedgerError::Invalid("the log ends before the last commit"));
        }
        let crc32 = if from == to { 0 } else { tick.log_crc };
        Ok(LogRange { segment, from, to, crc32 })
    }

    fn commit_checked(&mut self, tick: &Tick<'_>, log: LogRange) -> Result<(), LedgerError> {
        let store = &self.reader.store;
        let sums = (self.tick.blocks, self.tick.ready);
        let classes = self.classes();
        let mut merge = Merge::new(store, &classes, sums, self.pending, self.counts.clone());
        merge.apply(tick.changes)?;
        let mut next = self.tick.clone();
        next.cursor = Cursor { tick: self.tick.cursor.tick + 1, log: tick.log };
        next.log = log;
        next.blocks = merge.blocks;
        next.ready = merge.ready_rows;
        let mut meta = Changes::from([(TICK_KEY.to_vec(), Some(encoded(store, TICK_KEY, &next)?))]);
        for (&root, counts) in &merge.counts {
            if self.counts.get(&root) != Some(counts) {
                let key = root_key(root);
                let value = encoded(store, &key, counts)?;
                meta.insert(key, Some(value));
            }
        }
        if let Some(job) = tick.job {
            put_job(store, &mut self.jobs, job, &mut meta)?;
        }
        store.apply((merge.files, merge.before), merge.ready, meta)?;
        self.witness.append(verify::line_of(&next))?;
        self.counts = merge.counts;
        self.pending = merge.pending;
        self.tick = next;
        Ok(())
    }

    pub(super) fn classes(&self) -> Classes {
        Classes { order: self.tick.order, rules: self.rules.clone(), base: self.tick.base }
    }

    pub(super) fn publish(&self) {
        // First: a reader of the new cursor must see what precedes it.
        self.reader.store.settle();
        let mut committed = self.reader.committed.write().unwrap_or_else(PoisonError::into_inner);
        *committed = Committed::of(&self.tick, &self.rules, self.pending, &self.counts, self.log_start);
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("folder", &self.folder)
            .field("tick", &self.tick)
            .finish_non_exhaustive()
    }
}

fn check_changes(changes: &[(FileKey, Option<Entry>)]) -> Result<(), LedgerError> {
    if !changes.is_sorted_by(|(before, _), (key, _)| before < key) {
        return Err(LedgerError::Invalid("the changes are not sorted, or name a file twice"));
    }
    if changes.iter().any(|(key, _)| key.as_bytes().len() > KEY_BYTES_MAX) {
        return Err(LedgerError::Invalid("a path is too long"));
    }
    let done_without_record = |entry: &Entry| !entry.pending && entry.record.is_none();
    if changes.iter().any(|(_, entry)| entry.as_ref().is_some_and(done_without_record)) {
        return Err(LedgerError::Invalid("a file that is not pending has no record"));
    }
    Ok(())
}

fn put_job(store: &Database, jobs: &mut Jobs, job: &Job, meta: &mut Changes) -> Result<(), LedgerError> {
    let key = job_key(job.id);
    let value = encode_job(&key, job).map_err(|what| LedgerError::damaged(store.folder(), what))?;
    meta.insert(key, Some(Bytes::from(value)));
    meta.extend(jobs.put(job).into_iter().map(|gone| (job_key(gone), None)));
    Ok(())
}

pub(super) fn encoded<T: bincode::Encode>(
    store: &Database,
    key: &[u8],
    value: &T,
) -> Result<Bytes, LedgerError> {
    let value = codec::encode(key, value).map_err(|what| LedgerError::damaged(store.folder(), what))?;
    Ok(Bytes::from(value))
}
