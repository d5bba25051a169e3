//! The commit tick: changes become records and entries, all of them or none.

use rustc_hash::{FxHashMap, FxHashSet};

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
    /// The number of the run that it came with.
    run: usize,
    line: std::ops::Range<usize>,
}

/// What came together, and mostly is in the order of the tree, with the lines of its records.
#[derive(Default)]
struct Run {
    queued: Vec<Queued>,
    lines: Vec<u8>,
}

/// Collects changes, and commits them tick by tick.
pub(crate) struct Committer<'a> {
    store: &'a mut Store,
    roots: FxHashMap<RootId, RootGround>,
    runs: Vec<Run>,
    waiting: usize,
    lines_bytes: usize,
    /// Roots of which all files were listed, and so counted.
    listed: FxHashSet<RootId>,
    /// Files that were missing, and whose entries were other ones by then than was known.
    doubted: Vec<FileKey>,
    /// For lines on their way to the log, kept from tick to tick.
    buffer: Vec<u8>,
}

impl<'a> Committer<'a> {
    /// For files of these roots.
    pub(crate) fn new(store: &'a mut Store, roots: &[(Root, Ground)]) -> Self {
        let known = |(root, ground): &(Root, Ground)| {
            (root.id, RootGround { name: root.name.clone(), ground: *ground })
        };
        let roots = roots.iter().map(known).collect();
        let (runs, listed, doubted, buffer) = Default::default();
        Self { store, roots, runs, waiting: 0, lines_bytes: 0, listed, doubted, buffer }
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
        let all = self.runs.iter().flat_map(|run| &run.queued);
        let gone = all.filter(|queued| queued.change.is_gone() && queued.key.root() == root);
        gone.map(|queued| queued.key.clone()).collect()
    }

    /// Forgets what waits as gone of this root, if this says so.
    pub(crate) fn forget_gone(&mut self, root: RootId, which: impl Fn(&FileKey) -> bool) {
        let stays =
            |queued: &Queued| queued.key.root() != root || !queued.change.is_gone() || !which(&queued.key);
        self.runs.iter_mut().for_each(|run| run.queued.retain(stays));
        self.waiting = self.runs.iter().map(|run| run.queued.len()).sum();
    }

    /// Files that somebody missed, and that the ledger still holds, since it held something else of them when the
    /// news came to be committed: an outcome, mostly. They have to be looked for again.
    pub(crate) fn take_doubted(&mut self) -> Vec<FileKey> {
        std::mem::take(&mut self.doubted)
    }

    /// Changes that wait for the next tick.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
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
        let run = self.runs.len();
        let queued = changes.into_iter().map(|(key, change)| {
            let listed = self.listed.contains(&key.root());
            Queued { key, change, listed, run, line: 0..0 }
        });
        let queued = queued.collect();
        self.take_run(Run { queued, lines: Vec::new() });
    }

    /// Takes what a worker did.
    pub(crate) fn take_group(&mut self, group: OutcomeGroup) {
        let (run, mut at) = (self.runs.len(), 0);
        let queued = group.outcomes.into_iter().map(|outcome| {
            let line = at..at + outcome.line;
            at = line.end;
            let listed = self.listed.contains(&outcome.key.root());
            Queued { key: outcome.key, change: outcome.change, listed, run, line }
        });
        let queued = queued.collect();
        self.take_run(Run { queued, lines: group.lines });
    }

    fn take_run(&mut self, run: Run) {
        if run.queued.is_empty() {
            return;
        }
        self.waiting += run.queued.len();
        self.lines_bytes += run.lines.len();
        self.runs.push(run);
    }

    /// Commits all that waits, together with the job's own record as of the new counts: record lines
    /// first, then the ledger. When it returns, it is durable. Nothing to commit is no tick, unless `is_last`.
    /// Where it fails, the counts stay as they were, and what waited is lost: it is still pending, or found again.
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
        let (news, lines) = self.take_in_order();
        let keys = unique_keys(&news);
        let entries = self.store.reader.lookup(&keys)?;
        drop(keys);
        let mut writer = LineWriter::begin(self.store, std::mem::take(&mut self.buffer))?;
        let mut changes = Vec::with_capacity(entries.len());
        let mut news = news.into_iter().peekable();
        for old in entries {
            let Some(mut one) = news.next() else { break };
            let mut entry = old;
            loop {
                if let Some(root) = self.roots.get(&one.key.root()) {
                    if matches!(&one.change, Change::Missing(seen) if entry.is_some_and(|entry| entry != *seen))
                    {
                        self.doubted.push(one.key.clone());
                    }
                    entry = settle_one(entry, &one, root, &lines, &mut writer, tally)?;
                }
                let Some(next) = news.next_if(|next| next.key == one.key) else { break };
                one = next;
            }
            if entry != old {
                changes.push((one.key, entry));
            }
        }
        let (appended, buffer) = writer.end()?;
        self.buffer = buffer;
        self.buffer.shrink_to(2 * WRITE_BYTES);
        let nothing = changes.is_empty() && appended.end == self.store.ledger.cursor().log;
        if nothing && !is_last {
            return Ok(self.store.ledger.cursor());
        }
        let tick =
            Tick { changes: &changes, log: appended.end, log_crc: appended.crc, job: Some(&job(tally)) };
        Ok(self.store.ledger.commit(tick)?)
    }

    /// Takes all that waits: by key, and the changes of one file in the order in which they came; and the lines of
    /// each run.
    fn take_in_order(&mut self) -> (Vec<Queued>, Vec<Vec<u8>>) {
        let mut runs = std::mem::take(&mut self.runs);
        let lines = runs.iter_mut().map(|run| std::mem::take(&mut run.lines)).collect();
        let waiting = std::mem::take(&mut self.waiting);
        self.lines_bytes = 0;
        // Runs are in the order of the tree, and mostly overlap with no other one: put in order by where they
        // begin, they nearly are what the sort below is to make of them, and it has one comparison a file to do.
        // As they come, it took seven.
        runs.sort_by(|a, b| a.queued.first().map(|one| &one.key).cmp(&b.queued.first().map(|one| &one.key)));
        let mut news = Vec::with_capacity(waiting);
        runs.into_iter().for_each(|run| news.extend(run.queued));
        news.sort_by(|a, b| a.key.cmp(&b.key).then(a.run.cmp(&b.run)));
        (news, lines)
    }
}

fn unique_keys(news: &[Queued]) -> Vec<&FileKey> {
    let mut keys: Vec<&FileKey> = news.iter().map(|queued| &queued.key).collect();
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
            let line = &lines[queued.run][queued.line.clone()];
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
    fn begin(store: &'a mut Store, buffer: Vec<u8>) -> Result<Self, EngineError> {
        let tick = store.ledger.cursor().tick + 1;
        let position = store.log.begin_tick()?;
        Ok(Self { log: &mut store.log, position, tick, buffer })
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

    /// Makes all durable, and gives the buffer back.
    fn end(mut self) -> Result<(crate::sink::Appended, Vec<u8>), EngineError> {
        if !self.buffer.is_empty() {
            self.hand_over()?;
        }
        Ok((self.log.sync()?, self.buffer))
    }
}
