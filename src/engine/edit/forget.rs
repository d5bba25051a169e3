//! Ends records of files that may still exist: of single files, of a part of a tree, or of a whole root.
//!
//! A `removed` record is appended for each record, also where a rule leaves the file out by now. Files that still
//! exist and are let in come back as new ones with the next scan. A whole root leaves the state once none of its
//! files is left.

use std::ffi::OsString;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::retry::Chunks;
use crate::engine::commit::committer::Committer;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::counts::RunCounts;
use crate::engine::lifecycle::transition::{FileEvent, RunScope};
use crate::engine::query::selection::Selection;
use crate::engine::store::{Store, StoreView};
use crate::model::{FileKey, FolderKey, LogPosition, Root, RootId};

/// What is to be forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetFilter {
    /// Files whose name (or, with a `/`, path below the root) matches this glob.
    pub glob: Option<String>,
    /// The glob as an absolute path, which may not be UTF-8. Where a root is there, or the state knows a file or a
    /// folder there, that is meant, and the glob ignored.
    pub path: Option<OsString>,
    /// Only count.
    #[serde(default)]
    pub dry_run: bool,
}

/// Answer of `outlast forget`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetReport {
    /// Files that the state no longer knows.
    pub files: u64,
    /// Of those, files whose record is ended by a `removed` record.
    pub records: u64,
    /// Name of the root that has left the state, if a whole root was forgotten.
    pub root: Option<String>,
    /// Whether this only says what would be done.
    pub dry_run: bool,
}

impl ForgetReport {
    /// Returns whether nothing matched.
    pub fn is_empty(&self) -> bool {
        self.files == 0 && self.root.is_none()
    }
}

/// Forgets files or a root of a state that is not in use by a run. Committed when this returns.
///
/// # Errors
/// There is no state, or it is in use or damaged; or the glob can't be read.
pub fn forget(state: impl AsRef<Path>, filter: &ForgetFilter) -> Result<ForgetReport, EngineError> {
    let state = state.as_ref();
    if filter.dry_run {
        return StoreView::open(state)?.forgotten(filter);
    }
    let mut store = Store::existing(state)?;
    let view = store.view();
    let mut report = ForgetReport::default();
    let chosen = view.chosen(filter)?;
    view.each_chunk(&chosen.selection, &mut report, |changes, _| commit_alone(&mut store, changes))?;
    if let Some(root) = chosen.root {
        drop_root(&mut store, root.id)?;
        report.root = Some(root.name);
    }
    Ok(report)
}

fn commit_alone(store: &mut Store, changes: Vec<(FileKey, FileEvent)>) -> Result<(), EngineError> {
    let scope = RunScope {
        epoch: 0,
        run_start: LogPosition::START,
        reported_before: LogPosition::START,
        quarantine: false,
    };
    let roots: Vec<(Root, RunScope)> =
        store.state.info().roots.iter().map(|info| (info.root(), scope)).collect();
    let mut committer = Committer::new(store, &roots);
    committer.take_changes(changes);
    committer.commit(&mut RunCounts::default(), false, |_, _| None).map(drop)
}

/// Removes a root without files from the state.
pub(crate) fn drop_root(store: &mut Store, root: RootId) -> Result<(), EngineError> {
    store.describe(|state| state.roots.retain(|info| info.id != root.0))
}

/// What a filter selects.
pub(crate) struct Chosen {
    /// The root, where it is a whole one.
    pub(crate) root: Option<Root>,
    pub(crate) selection: Selection,
}

impl StoreView {
    pub(crate) fn chosen(&self, filter: &ForgetFilter) -> Result<Chosen, EngineError> {
        let root = self.whole_root(filter).cloned();
        let selection = match &root {
            Some(root) => Selection::below(&FolderKey::root(root.id)),
            None => self.selection(filter.glob.as_deref(), filter.path.as_deref())?,
        };
        Ok(Chosen { root, selection })
    }

    /// Returns the root that a filter names: by its path, or by its name where the path is not known.
    fn whole_root(&self, filter: &ForgetFilter) -> Option<&Root> {
        let by_path = filter.path.as_deref().and_then(|path| self.root_of(Path::new(path)));
        let is_lost = |root: &&Root| {
            root.path.as_os_str().is_empty() && filter.glob.as_ref().is_some_and(|name| *name == root.name)
        };
        let whole = by_path.filter(|(_, relative)| relative.is_empty()).map(|(root, _)| root);
        whole.or_else(|| self.roots.iter().find(is_lost))
    }

    /// Counts what would be forgotten.
    pub(crate) fn forgotten(&self, filter: &ForgetFilter) -> Result<ForgetReport, EngineError> {
        let mut report = ForgetReport { dry_run: true, ..ForgetReport::default() };
        let chosen = self.chosen(filter)?;
        self.each_chunk(&chosen.selection, &mut report, |_, _| Ok(()))?;
        report.root = chosen.root.map(|root| root.name);
        Ok(report)
    }

    /// Passes what is to be forgotten to `commit`, chunk by chunk, each with the number of files before it.
    pub(crate) fn each_chunk(
        &self,
        selection: &Selection,
        report: &mut ForgetReport,
        commit: impl FnMut(Vec<(FileKey, FileEvent)>, u64) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut chunks = Chunks::new(report.files, commit);
        self.each_selected(selection, |key, entry| {
            report.files += 1;
            report.records += u64::from(entry.record.is_some());
            chunks.push(key, FileEvent::Forgotten)
        })?;
        chunks.end()
    }
}
