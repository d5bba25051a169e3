//! The reading side of the ledger.

mod sample;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, PoisonError, RwLock};

use super::LedgerError;
use super::database::{Bytes, Database, Tree};
use crate::ledger::folder::disk::bytes_below;
use crate::ledger::map::block::RowReader;
use crate::ledger::map::entry::{Counts, Entry};
use crate::ledger::map::job::{JOB_PREFIX, Job, decode_job};
use crate::ledger::map::meta::TickMeta;
use crate::ledger::map::ready::{Classes, ReadyFiles, ReadyPosition, priority_of, row_key};
use crate::ledger::map::scan::Scan;
use crate::ledger::names::SUMMARY;
use crate::model::key::root_of;
use crate::model::{
    BatchPriority, Cursor, FileKey, Fingerprint, LogPosition, LogStart, PriorityCounts, PriorityRule,
    PriorityRules, RootId,
};

/// The figures of the last commit.
#[derive(Debug, Default)]
pub(super) struct Committed {
    pub(super) cursor: Cursor,
    pub(super) counts: BTreeMap<u32, Counts>,
    pub(super) total: Counts,
    pub(super) pending: PriorityCounts,
    /// `None` before the ledger is open.
    pub(super) classes: Option<Classes>,
    /// Whether the tree of pending files is in the order of these, and whole.
    pub(super) is_sorted: bool,
    pub(super) log_start: LogStart,
}

impl Committed {
    pub(super) fn of(
        tick: &TickMeta,
        rules: &PriorityRules,
        pending: PriorityCounts,
        counts: &BTreeMap<u32, Counts>,
        log_start: LogStart,
    ) -> Self {
        let mut total = Counts::default();
        counts.values().for_each(|&counts| total += counts);
        let classes = Some(Classes { order: tick.order, rules: rules.clone(), base: tick.base });
        let is_sorted = tick.ready_is_whole;
        Self { cursor: tick.cursor, counts: counts.clone(), total, pending, classes, is_sorted, log_start }
    }
}

/// What a walk over the pending files does at a row.
enum Course {
    Read,
    /// It goes on at this row, which lies behind.
    Seek(Vec<u8>),
    End,
}

/// Reads the ledger, from any thread.
///
/// The cursor and the counts are those of the last durable commit. Entries and jobs may be visible a moment before
/// their commit is durable, except to a reader from
/// [`Ledger::committed_reader`](super::commit::Ledger::committed_reader).
#[derive(Clone)]
pub struct LedgerReader {
    pub(super) store: Arc<Database>,
    pub(super) committed: Arc<RwLock<Committed>>,
    pub(super) only_committed: bool,
}

impl LedgerReader {
    /// Replaces the summary in the state folder, if this process still holds it.
    ///
    /// # Errors
    /// It does not, or the file can't be written.
    pub(crate) fn put_summary(&self, bytes: &[u8]) -> Result<(), LedgerError> {
        self.store.held().map_or(Ok(()), |held| held.put(SUMMARY, bytes))
    }

    /// Returns what is known of a file.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn get(&self, key: &FileKey) -> Result<Option<Entry>, LedgerError> {
        let key = key.as_bytes();
        let found = if self.only_committed {
            self.store.committed_below(Bound::Included(key))?
        } else {
            self.store.last_below(Tree::Files, Bound::Included(key))?
        };
        let Some((block_key, value)) = found else { return Ok(None) };
        let mut rows = RowReader::default();
        let body = rows.start(&block_key, &value).map_err(|what| self.damaged(what))?;
        while rows.next(body).map_err(|what| self.damaged(what))? {
            if rows.key.as_slice() >= key {
                return Ok((rows.key == key).then_some(rows.entry));
            }
        }
        Ok(None)
    }

    /// Returns what is known of each of these files, which are sorted: each block is read once.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn lookup<K: Borrow<FileKey>>(&self, keys: &[K]) -> Result<Vec<Option<Entry>>, LedgerError> {
        let mut scan = self.scan();
        let mut found = Vec::with_capacity(keys.len());
        for (number, key) in keys.iter().enumerate() {
            let key = key.borrow().as_bytes();
            // The result for the previous key may lie after this one, too: seeking back would read the block again.
            let is_behind = number > 0 && scan.peek()?.is_none_or(|(at, _)| at >= key);
            if !is_behind {
                scan.seek(key)?;
            }
            found.push(scan.peek()?.filter(|(at, _)| *at == key).map(|(_, entry)| *entry));
        }
        Ok(found)
    }

    /// Walks all entries, from the first on.
    pub fn scan(&self) -> Scan {
        Scan::new(Arc::clone(&self.store), self.only_committed)
    }

    /// Returns at least `limit` pending files from a position on, if there are that many: whole blocks.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn ready(&self, from: &ReadyPosition, limit: usize) -> Result<ReadyFiles, LedgerError> {
        self.ready_along(from, limit, |_, _| Ok(Course::Read))
    }

    /// The same, of the priority at the position alone, and of these roots; a few of other roots may be among them.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub(crate) fn ready_of_roots(
        &self,
        from: &ReadyPosition,
        limit: usize,
        roots: &[RootId],
    ) -> Result<ReadyFiles, LedgerError> {
        self.ready_along(from, limit, |class, block_key| {
            if priority_of(class) != from.priority() {
                return Ok(Course::End);
            }
            let root = root_of(block_key);
            if roots.contains(&root) {
                return Ok(Course::Read);
            }
            // Blocks of other roots are passed over, however many.
            let Some(next) = roots.iter().filter(|own| **own > root).min() else {
                return Ok(Course::Seek(row_key(class + 1, &[])));
            };
            // The first files of a root may be in the last block of the one before.
            let first = self.store.last_below(Tree::Files, Bound::Included(&next.0.to_be_bytes()))?;
            let home = first.as_ref().map_or(&[][..], |(key, _)| key);
            let is_home = home == block_key;
            Ok(if is_home { Course::Read } else { Course::Seek(row_key(class, home)) })
        })
    }

    fn ready_along(
        &self,
        from: &ReadyPosition,
        limit: usize,
        course: impl Fn(u8, &[u8]) -> Result<Course, LedgerError>,
    ) -> Result<ReadyFiles, LedgerError> {
        let layout = self.store.layout();
        let classes = self.classes()?;
        // The block that holds the position may begin before it, since blocks merge.
        let home = self.store.last_below(Tree::Files, Bound::Included(&from.key))?;
        let block_key = home.as_ref().map_or(&[][..], |(key, _)| key);
        let mut walk = self.store.walk(Tree::Ready, Bound::Included(&row_key(from.class, block_key)))?;
        let mut ready = ReadyFiles::default();
        while let Some((row, _)) = walk.next()? {
            let (&class, block_key) = row.split_first().ok_or_else(|| self.damaged("a row has no class"))?;
            match course(class, block_key)? {
                Course::Read => {}
                Course::Seek(row) => {
                    walk = self.store.walk(Tree::Ready, Bound::Included(&row))?;
                    continue;
                }
                Course::End => break,
            }
            if ready.files.len() >= limit.max(1) {
                ready.next = Some(ReadyPosition { class, key: block_key.to_vec() });
                break;
            }
            let start = if class == from.class { from.key.as_slice() } else { &[] };
            self.collect_ready(block_key, (&classes, class), start, &mut ready.files)?;
        }
        drop(layout);
        Ok(ready)
    }

    /// Returns what the pending files are sorted by.
    fn classes(&self) -> Result<Classes, LedgerError> {
        self.with(|committed| committed.classes.clone().filter(|_| committed.is_sorted))
            .ok_or_else(|| self.damaged("the pending files are not sorted"))
    }

    /// Returns what gives a version of a file its priority, by the rules of the last job; `None` without rules.
    pub(crate) fn priorities(&self) -> Option<impl Fn(&FileKey, &Fingerprint) -> BatchPriority + use<>> {
        let classes = self.with(|committed| {
            committed.classes.as_ref().filter(|classes| !classes.rules.is_empty()).cloned()
        })?;
        Some(move |key: &FileKey, version: &Fingerprint| {
            classes.rules.class_of(key.as_bytes(), version, classes.base)
        })
    }

    /// Returns the rule of the last job that gives a version of a file its priority, and the rule's number, from 1.
    pub(crate) fn rule_of(&self, key: &FileKey, version: &Fingerprint) -> Option<(usize, PriorityRule)> {
        let classes = self.with(|committed| committed.classes.clone())?;
        let (number, rule) = classes.rules.first(key.as_bytes(), version, classes.base)?;
        Some((number, rule.clone()))
    }

    /// Returns the pending files of all roots by priority, also while they are being sorted: by the rules before then.
    pub fn pending(&self) -> PriorityCounts {
        self.with(|committed| committed.pending)
    }

    fn collect_ready(
        &self,
        block_key: &[u8],
        (classes, class): (&Classes, u8),
        start: &[u8],
        files: &mut Vec<(FileKey, Entry)>,
    ) -> Result<(), LedgerError> {
        let value: Option<Bytes> = self.store.get(Tree::Files, block_key)?;
        let value = value.ok_or_else(|| self.damaged("a block with pending files is gone"))?;
        let mut rows = RowReader::default();
        let body = rows.start(block_key, &value).map_err(|what| self.damaged(what))?;
        while rows.next(body).map_err(|what| self.damaged(what))? {
            let entry = &rows.entry;
            if entry.pending && rows.key.as_slice() >= start && classes.of(&rows.key, entry) == class {
                let key = FileKey::from_bytes(&rows.key);
                files.push((key.ok_or_else(|| self.damaged("an entry has no file's key"))?, *entry));
            }
        }
        Ok(())
    }

    /// Returns files and bytes of one root.
    pub fn counts(&self, root: RootId) -> Counts {
        self.with(|committed| committed.counts.get(&root.0).copied().unwrap_or_default())
    }

    /// Returns files and bytes of these roots together.
    pub fn counts_of(&self, roots: impl IntoIterator<Item = RootId>) -> Counts {
        let mut sum = Counts::default();
        roots.into_iter().for_each(|root| sum += self.counts(root));
        sum
    }

    /// Returns files and bytes of all roots.
    pub fn total(&self) -> Counts {
        self.with(|committed| committed.total)
    }

    /// Returns the cursor of the last commit.
    pub fn cursor(&self) -> Cursor {
        self.with(|committed| committed.cursor)
    }

    /// Returns where the committed part of the record log begins and ends.
    pub fn log(&self) -> (LogStart, LogPosition) {
        self.with(|committed| (committed.log_start, committed.cursor.log))
    }

    /// Returns the remembered jobs, oldest first.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn jobs(&self) -> Result<Vec<Job>, LedgerError> {
        let layout = self.store.layout();
        let mut jobs = BTreeMap::new();
        self.store.walk_prefix(Tree::Meta, JOB_PREFIX)?.check_each(|key, value| {
            jobs.insert(key.to_vec(), decode_job(key, value)?);
            Ok(())
        })?;
        if let Some(before) = layout.before.as_ref().filter(|_| self.only_committed) {
            for (key, value) in before.meta.iter().filter(|(key, _)| key.starts_with(JOB_PREFIX)) {
                jobs.remove(key);
                if let Some(value) = value {
                    jobs.insert(key.clone(), decode_job(key, value).map_err(|what| self.damaged(what))?);
                }
            }
        }
        Ok(jobs.into_values().collect())
    }

    /// Returns the size of the ledger on disk, in bytes.
    ///
    /// # Errors
    /// Where its folder can't be read.
    pub fn size_on_disk(&self) -> Result<u64, LedgerError> {
        let folder = self.store.folder();
        let witness = folder.with_file_name("witness");
        let witness_bytes = std::fs::metadata(witness).map_or(0, |found| found.blocks() * 512);
        Ok(bytes_below(folder)? + witness_bytes)
    }

    fn with<T>(&self, f: impl FnOnce(&Committed) -> T) -> T {
        f(&self.committed.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn damaged(&self, what: &'static str) -> LedgerError {
        LedgerError::damaged(self.store.folder(), what)
    }
}
