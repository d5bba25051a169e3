//! The commit tick: changes become records and entries, all of them or none.

use std::collections::{HashMap, HashSet};

use super::change::{Change, Effect, Ground, apply};
use super::error::EngineError;
use super::store::Store;
use super::tally::Tally;
use super::worker::OutcomeGroup;
use crate::ledger::{Entry, Job, Tick};
use crate::model::{Cursor, FileKey, LogPosition, RecordLine, RecordStatus, Root, RootId};

/// Size at which record lines are handed to the log, in bytes.
const WRITE_BYTES: usize = 1 << 20;

/// What the committer knows of a root.
#[derive(Debug, Clone)]
struct RootGround {
    name: String,
    ground: Ground,
}

struct Queued {
    key: FileKey,
    change: Change,
    /// Whether all files were listed when it came, and so counted, this one too.
    listed: bool,
    lines: usize,
    line: std::ops::Range<usize>,
}

/// Collects changes, and commits them tick by tick.
pub(crate) struct Committer<'a> {
    store: &'a mut Store,
    roots: HashMap<RootId, RootGround>,
    queued: Vec<Queued>,
    lines: Vec<Vec<u8>>,
    lines_bytes: usize,
    /// Roots of which all files were listed, and so counted.
    listed: HashSet<RootId>,
    /// Files that were missing, and whose entries were other ones by then than was known.
    doubted: Vec<FileKey>,
}

impl<'a> Committer<'a> {
    /// For files of these roots.
    pub(crate) fn new(store: &'a mut Store, roots: &[(Root, Ground)]) -> Self {
        let known = |(root, ground): &(Root, Ground)| {
            (root.id, RootGround { name: root.name.clone(), ground: *ground })
        };
        let roots = roots.iter().map(known).collect();
        let (queued, lines, doubted) = Default::default();
        Self { store, roots, queued, lines, lines_bytes: 0, listed: HashSet::new(), doubted }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store
    }

    /// The store, for what is no file's change.
    pub(crate) fn store_mut(&mut self) -> &mut Store {
        self.store
    }

    /// The files of this root that wait as gone.
    pub(crate) fn gone_of(&self, root: RootId) -> Vec<FileKey> {
        let gone = self.queued.iter().filter(|queued| queued.change.is_gone() && queued.key.root() == root);
        gone.map(|queued| queued.key.clone()).collect()
    }

    /// Forgets what waits as gone of this root, if this says so.
    pub(crate) fn forget_gone(&mut self, root: RootId, which: impl Fn(&FileKey) -> bool) {
        self.queued
            .retain(|queued| queued.key.root() != root || !queued.change.is_gone() || !which(&queued.key));
    }

    /// Files that somebody missed, and that the ledger still holds, since it held something else of them when the
    /// news came to be committed: an outcome, mostly. They have to be looked for again.
    pub(crate) fn take_doubted(&mut self) -> Vec<FileKey> {
        std::mem::take(&mut self.doubted)
    }

    /// Changes that wait for the next tick.
    pub(crate) fn waiting(&self) -> usize {
        self.queued.len()
    }

    /// Bytes of record lines that wait for the next tick.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.lines_bytes
    }

    /// From now on all files of these roots count as listed.
    pub(crate) fn set_listed(&mut self, is_listed: impl Fn(RootId) -> bool) {
        self.listed.extend(self.roots.keys().copied().filter(|root| is_listed(*root)));
    }

    /// Takes what a scan found, or what somebody told.
    pub(crate) fn take_changes(&mut self, changes: Vec<(FileKey, Change)>) {
        let queued = changes.into_iter().map(|(key, change)| {
            let listed = self.listed.contains(&key.root());
            Queued { key, change, listed, lines: 0, line: 0..0 }
        });
        self.queued.extend(queued);
    }

    /// Takes what a worker did.
    pub(crate) fn take_group(&mut self, group: OutcomeGroup) {
        let (lines, mut at) = (self.lines.len(), 0);
        for outcome in group.outcomes {
            let line = at..at + outcome.line;
            at = line.end;
            let (key, change) = (outcome.key, outcome.change);
            let listed = self.listed.contains(&key.root());
            self.queued.push(Queued { key, change, listed, lines, line });
        }
        self.lines_bytes += group.lines.len();
        self.lines.push(group.lines);
    }

    /// Commits all that waits, together with the job's own record as of the new counts: record lines
    /// first, then the ledger. When it returns, it is durable. Nothing to commit is no tick, unless `is_last`.
    /// Where it fails, the counts stay as they were, and what waited is lost: it is still pending.
    pub(crate) fn commit(
        &mut self,
        counts: &mut Tally,
        is_last: bool,
        job: impl FnOnce(&Tally) -> Job,
    ) -> Result<Cursor, EngineError> {
        let mut tally = counts.clone();
        let cursor = self.commit_with(&mut tally, is_last, job)?;
        *counts = tally;
        Ok(cursor)
    }

    fn commit_with(
        &mut self,
        tally: &mut Tally,
        is_last: bool,
        job: impl FnOnce(&Tally) -> Job,
    ) -> Result<Cursor, EngineError> {
        let taken = std::mem::take(&mut self.queued);
        let mut queued: Vec<&Queued> = taken.iter().collect();
        let lines = std::mem::take(&mut self.lines);
        self.lines_bytes = 0;
        // Scans and batches come in the order of the tree: a sort finds long runs. It is a stable one, since the
        // changes of a file apply in the order in which they came.
        queued.sort_by(|a, b| a.key.cmp(&b.key));
        let keys = unique_keys(&queued);
        let entries = self.store.reader.lookup(&keys)?;
        drop(keys);
        let mut writer = LineWriter::begin(self.store)?;
        let mut changes = Vec::with_capacity(entries.len());
        for (news, old) in queued.chunk_by(|a, b| a.key == b.key).zip(entries) {
            let Some(root) = news.first().and_then(|first| self.roots.get(&first.key.root())) else {
                continue;
            };
            let mut entry = old;
            for one in news {
                let is_doubted =
                    matches!(&one.change, Change::Missing(seen) if entry.is_some_and(|entry| entry != *seen));
                entry = settle_one(entry, one, root, &lines, &mut writer, tally)?;
                if is_doubted {
                    self.doubted.push(one.key.clone());
                }
            }
            if let (Some(first), true) = (news.first(), entry != old) {
                changes.push((first.key.clone(), entry));
            }
        }
        let appended = writer.end()?;
        let nothing = changes.is_empty() && appended.end == self.store.ledger.cursor().log;
        if nothing && !is_last {
            return Ok(self.store.ledger.cursor());
        }
        let tick =
            Tick { changes: &changes, log: appended.end, log_crc: appended.crc, job: Some(&job(tally)) };
        Ok(self.store.ledger.commit(tick)?)
    }
}

fn unique_keys<'a>(queued: &[&'a Queued]) -> Vec<&'a FileKey> {
    let mut keys: Vec<&FileKey> = queued.iter().map(|queued| &queued.key).collect();
    keys.dedup();
    keys
}

/// Applies one change, writes the line it asks for, and counts it.
fn settle_one(
    old: Option<Entry>,
    queued: &Queued,
    root: &RootGround,
    lines: &[Vec<u8>],
    writer: &mut LineWriter<'_>,
    tally: &mut Tally,
) -> Result<Option<Entry>, EngineError> {
    let counted = if queued.listed { Ground::counted_as_listed } else { Ground::counted };
    let before = old.as_ref().and_then(|entry| counted(&root.ground, entry));
    let (entry, effect) = apply(old, &queued.change, root.ground, writer.position());
    let after = entry.as_ref().and_then(|entry| root.ground.counted(entry));
    tally.note(before, after, effect, entry.as_ref());
    match effect {
        Effect::Recorded => {
            let line = &lines[queued.lines][queued.line.clone()];
            writer.write(|buffer| buffer.extend_from_slice(line))?;
        }
        Effect::Removed => {
            let line = RecordLine {
                root: &root.name,
                key: &queued.key,
                status: RecordStatus::Removed,
                fingerprint: None,
                digest: None,
                processor: "",
                attempts: 0,
                result: None,
                error: None,
            };
            writer.write(|buffer| line.begin(buffer))?;
        }
        _ => {}
    }
    Ok(entry)
}

/// Puts lines together and knows where the next one will stand.
struct LineWriter<'a> {
    log: &'a mut crate::sink::RecordLog,
    position: LogPosition,
    tick: u64,
    buffer: Vec<u8>,
}

impl<'a> LineWriter<'a> {
    fn begin(store: &'a mut Store) -> Result<Self, EngineError> {
        let tick = store.ledger.cursor().tick + 1;
        let position = store.log.begin_tick()?;
        Ok(Self { log: &mut store.log, position, tick, buffer: Vec::new() })
    }

    fn position(&self) -> LogPosition {
        let LogPosition { segment, offset } = self.position;
        LogPosition { segment, offset: offset + self.buffer.len() as u64 }
    }

    fn write(&mut self, begin: impl FnOnce(&mut Vec<u8>)) -> Result<(), EngineError> {
        begin(&mut self.buffer);
        RecordLine::finish(&mut self.buffer, self.tick);
        if self.buffer.len() >= WRITE_BYTES { self.hand_over() } else { Ok(()) }
    }

    fn hand_over(&mut self) -> Result<(), EngineError> {
        self.log.append(&self.buffer)?;
        self.position.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn end(mut self) -> Result<crate::sink::Appended, EngineError> {
        if !self.buffer.is_empty() {
            self.hand_over()?;
        }
        Ok(self.log.sync()?)
    }
}
