//! The commit tick: changes become records and entries, all of them or none.

use rustc_hash::FxHashMap;

use crate::engine::error::EngineError;
use crate::engine::lifecycle::counts::RunCounts;
use crate::engine::lifecycle::left_pending::LeftPending;
use crate::engine::lifecycle::transition::{Effect, FileEvent, RunScope, apply};
use crate::engine::store::Store;
use crate::engine::workers::outcome::{Outcome, OutcomeGroup};
use crate::ledger::{Entry, Job, Tick};
use crate::model::{Cursor, FileKey, LogPosition, RecordLine, RecordStatus, Root, RootId};

/// Size at which record lines are handed to the log, in bytes.
const WRITE_BYTES: usize = 1 << 20;

/// Changes that make a tick due at once.
const WAITING_MAX: usize = 8_192;
const WAITING_BYTES_MAX: usize = 8 << 20;

/// A root as the committer sees it.
#[derive(Debug, Clone)]
struct CountedRoot {
    name: String,
    scope: RunScope,
    /// Whether all its files count as listed from the beginning.
    listed: bool,
    /// Whether it is one of the run's own.
    is_counted: bool,
}

/// Changes that arrived together, mostly in tree order, with their record lines concatenated.
struct PendingRun {
    outcomes: Vec<Outcome>,
    lines: Vec<u8>,
    /// Whether all files of all roots had been listed when it arrived, and so were counted, these too.
    all_listed: bool,
}

/// One file's pending change.
struct PendingChange<'r> {
    key: &'r FileKey,
    change: &'r FileEvent,
    line: &'r [u8],
    /// The number of the run that it arrived with.
    run: usize,
    all_listed: bool,
}

/// Collects changes, and commits them tick by tick.
pub(crate) struct Committer<'a> {
    store: &'a mut Store,
    roots: FxHashMap<RootId, CountedRoot>,
    runs: Vec<PendingRun>,
    waiting: usize,
    lines_bytes: usize,
    /// Whether all files of all roots are listed by now.
    all_listed: bool,
    /// Files reported missing whose entries had changed by then.
    unconfirmed: Vec<FileKey>,
    /// Of the files of the last tick.
    left: LeftPending,
    /// Buffer for lines on their way to the log, kept from tick to tick.
    buffer: Vec<u8>,
}

impl<'a> Committer<'a> {
    /// Creates a committer for files of these roots.
    pub(crate) fn new(store: &'a mut Store, roots: &[(Root, RunScope)]) -> Self {
        let known = |(root, scope): &(Root, RunScope)| {
            let name = root.name.clone();
            (root.id, CountedRoot { name, scope: *scope, listed: false, is_counted: true })
        };
        let roots = roots.iter().map(known).collect();
        Self {
            store,
            roots,
            runs: Vec::new(),
            waiting: 0,
            lines_bytes: 0,
            all_listed: false,
            unconfirmed: Vec::new(),
            left: LeftPending::default(),
            buffer: Vec::new(),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store
    }

    /// Returns the store, for changes that concern no file.
    pub(crate) fn store_mut(&mut self) -> &mut Store {
        self.store
    }

    /// Returns the files of this root that wait to be committed as gone.
    pub(super) fn removed_of(&self, root: RootId) -> Vec<FileKey> {
        let all = self.runs.iter().flat_map(|run| &run.outcomes);
        let removed = all.filter(|outcome| outcome.change.is_gone() && outcome.key.root() == root);
        removed.map(|outcome| outcome.key.clone()).collect()
    }

    /// Drops waiting removals in this root that the predicate selects.
    pub(super) fn drop_removals(&mut self, root: RootId, which: impl Fn(&FileKey) -> bool) {
        // A removal has no line: the lines of the others stay where they are.
        let stays = |outcome: &Outcome| {
            outcome.key.root() != root || !outcome.change.is_gone() || !which(&outcome.key)
        };
        self.runs.iter_mut().for_each(|run| run.outcomes.retain(stays));
        let waiting = self.runs.iter().map(|run| run.outcomes.len()).sum();
        if std::mem::replace(&mut self.waiting, waiting) > waiting {
            // These files may be pending.
            self.left.note_any();
        }
    }

    /// Drops all waiting removals: these files stay as they are until the next scan.
    pub(crate) fn drop_all_removals(&mut self) {
        let roots: Vec<RootId> = self.roots.keys().copied().collect();
        roots.into_iter().for_each(|root| self.drop_removals(root, |_| true));
    }

    /// Takes the files reported missing whose entries had changed by then.
    pub(super) fn take_unconfirmed(&mut self) -> Vec<FileKey> {
        std::mem::take(&mut self.unconfirmed)
    }

    /// Takes what the last tick has left pending of its files.
    pub(crate) fn take_left(&mut self) -> LeftPending {
        std::mem::take(&mut self.left)
    }

    /// Returns the number of changes that wait for the next tick.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Returns whether changes of this root wait for the next tick.
    pub(crate) fn holds_of(&self, root: RootId) -> bool {
        self.runs.iter().flat_map(|run| &run.outcomes).any(|outcome| outcome.key.root() == root)
    }

    /// Returns the bytes of record lines that wait for the next tick.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.lines_bytes
    }

    /// Returns whether a tick is due at once, so that memory stays bounded.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting >= WAITING_MAX || self.lines_bytes >= WAITING_BYTES_MAX
    }

    /// Accepts changes in all roots that the state knows; only those in the run's roots are counted.
    pub(crate) fn know_all_roots(&mut self) {
        for info in &self.store.state.info().roots {
            let scope = RunScope {
                epoch: info.epoch,
                run_start: LogPosition::START,
                reported_before: LogPosition::START,
                quarantine: false,
            };
            let root = CountedRoot { name: info.name.clone(), scope, listed: false, is_counted: false };
            self.roots.entry(RootId(info.id)).or_insert(root);
        }
    }

    /// Sets for which roots all files count as listed from the beginning.
    pub(crate) fn set_listed(&mut self, is_listed: impl Fn(RootId) -> bool) {
        self.roots.iter_mut().for_each(|(id, root)| root.listed = is_listed(*id));
    }

    /// Counts all files of all roots as listed from now on.
    pub(crate) fn set_all_listed(&mut self) {
        self.all_listed = true;
    }

    /// Takes changes that a scan found or a client asked for.
    pub(crate) fn take_changes(&mut self, changes: Vec<(FileKey, FileEvent)>) {
        self.take_run(changes.into_iter().map(Outcome::of_news).collect(), Vec::new());
    }

    /// Takes the outcomes of a worker.
    pub(crate) fn take_group(&mut self, group: OutcomeGroup) {
        self.take_run(group.outcomes, group.lines);
    }

    fn take_run(&mut self, outcomes: Vec<Outcome>, lines: Vec<u8>) {
        if outcomes.is_empty() {
            return;
        }
        self.waiting += outcomes.len();
        self.lines_bytes += lines.len();
        self.runs.push(PendingRun { outcomes, lines, all_listed: self.all_listed });
    }

    /// Commits all waiting changes with the job's own record at the new counts: record lines first, then the ledger.
    /// The commit is durable on return. Without changes there is no tick, unless the job itself has to be recorded.
    /// On failure the counts stay as they were, and the waiting changes are lost: their files are still pending, or
    /// are found again. `job` is passed whether nothing of what is committed has to be done again.
    pub(crate) fn commit(
        &mut self,
        counts: &mut RunCounts,
        records_job: bool,
        job: impl FnOnce(&RunCounts, bool) -> Option<Job>,
    ) -> Result<Cursor, EngineError> {
        let mut new_counts = counts.clone();
        let cursor = self.commit_with(&mut new_counts, records_job, job)?;
        *counts = new_counts;
        Ok(cursor)
    }

    fn commit_with(
        &mut self,
        counts: &mut RunCounts,
        records_job: bool,
        job: impl FnOnce(&RunCounts, bool) -> Option<Job>,
    ) -> Result<Cursor, EngineError> {
        let runs = std::mem::take(&mut self.runs);
        self.waiting = 0;
        self.lines_bytes = 0;
        let in_order = in_order(&runs);
        let files: Vec<&[PendingChange<'_>]> = in_order.chunk_by(|a, b| a.key == b.key).collect();
        let keys: Vec<&FileKey> = files.iter().map(|of_file| of_file[0].key).collect();
        let entries = self.store.reader.lookup(&keys)?;
        let priorities = self.store.reader.priorities();
        let mut writer = LineWriter::begin(self.store, std::mem::take(&mut self.buffer))?;
        let mut changes = Vec::with_capacity(entries.len());
        let mut is_done = true;
        for (of_file, old) in files.into_iter().zip(entries) {
            let mut entry = old;
            for one in of_file {
                let Some(root) = self.roots.get(&one.key.root()) else { continue };
                entry = settle_one(entry, one, root, &mut writer, counts)?;
                if matches!(one.change, FileEvent::Missing(_)) && entry.is_some() {
                    self.unconfirmed.push(one.key.clone());
                }
            }
            if let Some(pending) = entry.as_ref().filter(|entry| entry.pending) {
                is_done = false;
                let priority = priorities.as_ref().map(|of| of(of_file[0].key, &pending.fingerprint));
                self.left.note(priority.unwrap_or_default(), pending.retry);
            }
            if entry != old {
                changes.push((of_file[0].key.clone(), entry));
            }
        }
        let (appended, buffer) = writer.end()?;
        self.buffer = buffer;
        self.buffer.shrink_to(2 * WRITE_BYTES);
        let nothing = changes.is_empty() && appended.end == self.store.ledger.cursor().log;
        if nothing && !records_job {
            return Ok(self.store.ledger.cursor());
        }
        let job = job(counts, is_done && self.unconfirmed.is_empty());
        let tick = Tick { changes: &changes, log: appended.end, log_crc: appended.crc, job: job.as_ref() };
        Ok(self.store.ledger.commit(tick)?)
    }
}

/// Returns all waiting changes by key, those of one file in order of arrival. They are not moved: moving them into
/// that order was an eighth of what the committing thread did for each file.
fn in_order(runs: &[PendingRun]) -> Vec<PendingChange<'_>> {
    let mut by_beginning: Vec<(usize, &PendingRun)> = runs.iter().enumerate().collect();
    // Runs are in tree order and mostly do not overlap. Ordered by their first key, they are nearly what the sort
    // below produces, and it needs one comparison a file. In order of arrival, it took seven.
    by_beginning.sort_by_key(|(_, run)| run.outcomes.first().map(|one| &one.key));
    let mut changes = Vec::with_capacity(runs.iter().map(|run| run.outcomes.len()).sum());
    for (number, run) in by_beginning {
        let mut lines = run.lines.as_slice();
        for Outcome { key, change, line, .. } in &run.outcomes {
            let (line, rest) = lines.split_at(*line);
            lines = rest;
            changes.push(PendingChange { key, change, line, run: number, all_listed: run.all_listed });
        }
    }
    changes.sort_by(|a, b| a.key.cmp(b.key).then(a.run.cmp(&b.run)));
    changes
}

/// Applies one change, writes the line it asks for, and counts it.
fn settle_one(
    old: Option<Entry>,
    pending: &PendingChange<'_>,
    root: &CountedRoot,
    writer: &mut LineWriter<'_>,
    counts: &mut RunCounts,
) -> Result<Option<Entry>, EngineError> {
    let listed = root.listed || pending.all_listed;
    let counted = if listed { RunScope::counted_as_listed } else { RunScope::counted };
    let is_counted = |_: &&Entry| root.is_counted;
    let before = old.as_ref().filter(is_counted).and_then(|entry| counted(&root.scope, entry));
    let (entry, effect) = apply(old, pending.change, root.scope, writer.position());
    let after = entry.as_ref().filter(is_counted).and_then(|entry| root.scope.counted(entry));
    counts.note(before, after, effect, root.scope.failure_after(old.as_ref(), pending.change));
    match effect {
        Effect::Recorded => {
            writer.write(|buffer| buffer.extend_from_slice(pending.line))?;
        }
        Effect::Removed => {
            let line = RecordLine {
                root: &root.name,
                key: pending.key,
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

/// Assembles lines, and tracks the position of the next one.
struct LineWriter<'a> {
    log: &'a mut crate::sink::RecordLog,
    position: LogPosition,
    tick: u64,
    buffer: Vec<u8>,
}

impl<'a> LineWriter<'a> {
    fn begin(store: &'a mut Store, buffer: Vec<u8>) -> Result<Self, EngineError> {
        let tick = store.ledger.cursor().tick + 1;
        let position = store.begin_tick()?;
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

    /// Makes all lines durable, and returns the buffer.
    fn end(mut self) -> Result<(crate::sink::Appended, Vec<u8>), EngineError> {
        if !self.buffer.is_empty() {
            self.hand_over()?;
        }
        Ok((self.log.sync()?, self.buffer))
    }
}
