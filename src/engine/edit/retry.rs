//! Retry of failed files on request: which, and how they become due.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition::{FileEvent, RunScope, apply};
use crate::engine::store::{Store, StoreView};
use crate::ledger::{self, EntryState};
use crate::model::{BatchConfig, ErrorClass, FileKey, LogPosition, RootId};
use crate::source::{Filters, TreeSource, Verdict};

/// Files whose changes are committed together.
const CHUNK_FILES: usize = 8_192;

/// Selects failed files. An empty filter selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryFilter {
    /// Files whose name (or, with a `/`, path below the root) matches this glob.
    pub glob: Option<String>,
    /// The glob as an absolute path, which may not be UTF-8. Where the state knows a file or a folder there, that is
    /// meant, and the glob ignored.
    pub path: Option<OsString>,
    /// Files that failed with this class.
    pub class: Option<ErrorClass>,
}

/// Answer of `outlast retry`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryReport {
    /// Files that were made due.
    pub files: u64,
    /// Of those, files that already waited for another attempt.
    pub waited: u64,
    /// Files that were made due, by the class of their failure.
    pub classes: BTreeMap<ErrorClass, u64>,
    /// Files that match and stay as they are: their roots are not in the current run.
    pub elsewhere: u64,
    /// Files that match and stay as they are: a rule of their root's latest run leaves them out.
    pub left_out: u64,
    /// Whether a current run processes them now.
    pub running: bool,
}

impl RetryReport {
    fn count(&mut self, class: ErrorClass, waited: bool) {
        self.files += 1;
        self.waited += u64::from(waited);
        *self.classes.entry(class).or_default() += 1;
    }
}

/// Makes failed files due in a state that is not in use by a run. Committed when this returns.
///
/// # Errors
/// There is no state, or it is in use or damaged; or the glob can't be read.
pub fn retry(state: impl AsRef<Path>, filter: &RetryFilter) -> Result<RetryReport, EngineError> {
    let mut store = Store::existing(state.as_ref())?;
    let view = store.view();
    let batch = RetryBatch::new(&view, filter);
    batch.each_chunk(|_| true, |chunk, _| commit(&mut store, chunk))
}

fn commit(store: &mut Store, chunk: Vec<(FileKey, FileEvent)>) -> Result<(), EngineError> {
    // There is no other writer: each entry is as it was observed.
    let scope = RunScope {
        epoch: 0,
        run_start: LogPosition::START,
        reported_before: LogPosition::START,
        quarantine: false,
    };
    let due = |(key, change): (FileKey, FileEvent)| {
        let FileEvent::Asked(observed) = change else { return None };
        let (entry, _) = apply(Some(observed), &change, scope, LogPosition::START);
        Some((key, entry))
    };
    let changes: Vec<(FileKey, Option<ledger::Entry>)> = chunk.into_iter().filter_map(due).collect();
    store.commit_without_lines(&changes, None)
}

/// Returns the error for a request that was carried out for only so many files.
pub(crate) fn broken_off(files: u64, are: &str, why: &str) -> EngineError {
    let what = format!("{files} files are {are}, and the rest is as it was; ask again");
    EngineError::Io { what, source: io::Error::new(io::ErrorKind::Interrupted, why) }
}

/// Selected files that are being made due.
pub(crate) struct RetryBatch<'a> {
    view: &'a StoreView,
    filter: &'a RetryFilter,
    selector: RetrySelector<'a>,
    pub(crate) report: RetryReport,
}

impl<'a> RetryBatch<'a> {
    pub(crate) fn new(view: &'a StoreView, filter: &'a RetryFilter) -> Self {
        let selector = RetrySelector { view, trees: BTreeMap::new() };
        Self { view, filter, selector, report: RetryReport::default() }
    }

    /// Passes the changes of the roots that are `within` to `commit`, chunk by chunk, each with the number of files
    /// before it.
    pub(crate) fn each_chunk(
        mut self,
        within: impl Fn(RootId) -> bool,
        commit: impl FnMut(Vec<(FileKey, FileEvent)>, u64) -> Result<(), EngineError>,
    ) -> Result<RetryReport, EngineError> {
        let mut chunks = Chunks::new(0, commit);
        self.view.retriable(self.filter, |key, entry, class| {
            if !within(key.root()) {
                self.report.elsewhere += 1;
                return Ok(());
            }
            if self.selector.leaves_out(&key)? {
                self.report.left_out += 1;
                return Ok(());
            }
            self.report.count(class, entry.pending);
            chunks.push(key, FileEvent::Asked(entry))
        })?;
        chunks.end()?;
        Ok(self.report)
    }
}

/// Collects changes into bounded chunks and commits these.
pub(super) struct Chunks<C> {
    chunk: Vec<(FileKey, FileEvent)>,
    /// Files before these.
    before: u64,
    commit: C,
}

impl<C: FnMut(Vec<(FileKey, FileEvent)>, u64) -> Result<(), EngineError>> Chunks<C> {
    /// `commit` gets each chunk and the number of files before it, which is `before` for the first.
    pub(super) fn new(before: u64, commit: C) -> Self {
        Self { chunk: Vec::new(), before, commit }
    }

    pub(super) fn push(&mut self, key: FileKey, change: FileEvent) -> Result<(), EngineError> {
        self.chunk.push((key, change));
        if self.chunk.len() >= CHUNK_FILES { self.commit() } else { Ok(()) }
    }

    /// Commits the rest.
    pub(super) fn end(mut self) -> Result<(), EngineError> {
        if self.chunk.is_empty() { Ok(()) } else { self.commit() }
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        let chunk = std::mem::take(&mut self.chunk);
        let files = chunk.len() as u64;
        (self.commit)(chunk, self.before)?;
        self.before += files;
        Ok(())
    }
}

/// Excludes files that a rule leaves out: due, they would be processed though they are not wanted.
struct RetrySelector<'a> {
    view: &'a StoreView,
    /// As the latest run of each root saw them.
    trees: BTreeMap<RootId, Option<TreeSource>>,
}

impl RetrySelector<'_> {
    fn leaves_out(&mut self, key: &FileKey) -> Result<bool, EngineError> {
        let Some(root) = self.view.roots.get(key.root()) else { return Ok(false) };
        let view = self.view;
        let tree = |config: &BatchConfig| {
            // What the processor includes itself is known to match: the file is in the state.
            let include = if config.include.is_empty() { &vec!["*".to_owned()] } else { &config.include };
            let filters = Filters::new(include, &config.exclude)?.with_shard(config.shard);
            Ok(TreeSource::new(filters, view.own_folders()))
        };
        let tree = match self.trees.entry(root.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(view.tree_of(root.id, &tree)?),
        };
        let verdict = tree.as_ref().map(|tree| tree.verdict(&root.path, &key.relative_path()));
        Ok(matches!(verdict, Some(Verdict::LeftOut { .. })))
    }
}

impl StoreView {
    /// Calls `each` for each file that failed, or waits for another attempt, and that the filter lets in, with the
    /// class of its failure.
    ///
    /// # Errors
    /// The glob can't be read, or the state not; or `each` fails.
    pub fn retriable(
        &self,
        filter: &RetryFilter,
        mut each: impl FnMut(FileKey, ledger::Entry, ErrorClass) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let selection = self.selection(filter.glob.as_deref(), filter.path.as_deref())?;
        self.each_selected(&selection, |key, entry| {
            let class = failure_of(entry).filter(|of| filter.class.is_none_or(|class| class == *of));
            class.map_or(Ok(()), |class| each(key, *entry, class))
        })
    }
}

/// Returns the class of a failure that stands, or waits for another attempt.
fn failure_of(entry: &ledger::Entry) -> Option<ErrorClass> {
    match entry.state() {
        EntryState::Failed(class) => Some(class),
        EntryState::Pending => entry.retry.map(|retry| retry.class),
        EntryState::Ok => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::process::{FileContent, from_fn};

    #[test]
    fn without_a_run_nothing_is_due_and_nobody_waits() {
        let nothing = from_fn("nothing/1", &["*"], |_: &FileContent<'_>| Ok(()));
        let engine = Engine::new(nothing);
        let message = engine.retry(&RetryFilter::default()).unwrap_err().to_string();
        assert!(message.starts_with("0 files are due, and the rest is as it was; ask again"), "{message}");
    }
}
