//! Records that end though their files may still be there: of files, of a part of a tree, or of a whole root.
//!
//! A `removed` record is appended for each record, also where a rule leaves the file out by now. Files that are still
//! there and let in come back as new ones with the next scan. A whole root leaves the state once nothing is left of it.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::retry::{Chunks, Selection, broken_off};
use crate::engine::commit::committer::Committer;
use crate::engine::coordinator::event::Event;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::counts::Tally;
use crate::engine::lifecycle::transition::{Change, Ground};
use crate::engine::run::engine::Engine;
use crate::engine::store::{Store, StoreView};
use crate::model::{FileKey, FolderKey, LogPosition, Root, RootId};

/// How long a running process may take to let go of a root: files in flight are finished first.
const LEAVE_WAIT: Duration = Duration::from_secs(60);
const LOOK_UP: Duration = Duration::from_millis(50);

/// What is to be forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetFilter {
    /// Files whose name (or, with a `/`, path below the root) matches this glob.
    pub glob: Option<String>,
    /// The glob taken as an absolute path, which may be no UTF-8. Where a root is there, or the state knows a file or
    /// a folder there, that is meant, and the glob not looked at.
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
    /// Of those, files with a record, which ends with one that says `removed`.
    pub records: u64,
    /// Name of the root that has left the state, where a whole root was forgotten.
    pub root: Option<String>,
    /// Whether all that is only what would be done.
    pub dry_run: bool,
}

impl ForgetReport {
    /// Whether nothing matched.
    pub fn is_empty(&self) -> bool {
        self.files == 0 && self.root.is_none()
    }
}

/// Forgets files or a root of a state that no run holds. Committed when this returns.
///
/// # Errors
/// There is no state, or it is in use or damaged; or the glob can't be read.
pub fn forget(state: &Path, filter: &ForgetFilter) -> Result<ForgetReport, EngineError> {
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

fn commit_alone(store: &mut Store, changes: Vec<(FileKey, Change)>) -> Result<(), EngineError> {
    let ground = Ground { epoch: 0, run_start: LogPosition::START, quarantine: false };
    let roots: Vec<(Root, Ground)> =
        store.state.info().roots.iter().map(|info| (info.root(), ground)).collect();
    let mut committer = Committer::new(store, &roots);
    committer.take_changes(changes);
    committer.commit(&mut Tally::default(), false, |_, _| None).map(drop)
}

/// The state knows a root no longer that it holds no file of.
pub(crate) fn drop_root(store: &mut Store, root: RootId) -> Result<(), EngineError> {
    store.describe(|state| state.roots.retain(|info| info.id != root.0))
}

impl Engine {
    /// Forgets files or a root while a run goes on, and waits until that is committed. A root that is served is served
    /// no more.
    ///
    /// # Errors
    /// No run goes on, or it ends before all is committed; or it can't go on without the root.
    pub fn forget(&self, filter: &ForgetFilter) -> Result<ForgetReport, EngineError> {
        let view = self.view().ok_or_else(|| broken_off(0, "forgotten", "the run has ended"))?;
        if filter.dry_run {
            return view.forgotten(filter);
        }
        let chosen = view.chosen(filter)?;
        let mut report = ForgetReport::default();
        let Some(root) = chosen.root else {
            self.forget_selected(&view, &chosen.selection, &mut report)?;
            return Ok(report);
        };
        let until = Instant::now() + LEAVE_WAIT;
        // It may find more of the root until it serves that no longer.
        while !self.put(|reply| Event::Forget { root: root.id, reply })?? {
            if Instant::now() >= until {
                return Err(broken_off(
                    report.files,
                    "forgotten",
                    "the process has not let go of the root yet",
                ));
            }
            self.forget_selected(&view, &chosen.selection, &mut report)?;
            std::thread::sleep(LOOK_UP);
        }
        self.show_without(root.id);
        report.root = Some(root.name);
        Ok(report)
    }

    fn forget_selected(
        &self,
        view: &StoreView,
        selection: &Selection,
        report: &mut ForgetReport,
    ) -> Result<(), EngineError> {
        view.each_chunk(selection, report, |changes, before| {
            let committed = self.put(|reply| Event::Asked { changes: changes.clone(), reply });
            committed.map(drop).map_err(|error| broken_off(before, "forgotten", &error.to_string()))
        })
    }
}

/// What a filter means.
struct Chosen {
    /// The root, where it is a whole one.
    root: Option<Root>,
    selection: Selection,
}

impl StoreView {
    fn chosen(&self, filter: &ForgetFilter) -> Result<Chosen, EngineError> {
        let root = self.whole_root(filter).cloned();
        let selection = match &root {
            Some(root) => Selection::below(&FolderKey::root(root.id)),
            None => self.selection(filter.glob.as_deref(), filter.path.as_deref())?,
        };
        Ok(Chosen { root, selection })
    }

    /// The root that a filter names: by its path, or by its name where the path is not known.
    fn whole_root(&self, filter: &ForgetFilter) -> Option<&Root> {
        let by_path = filter.path.as_deref().and_then(|path| self.root_of(Path::new(path)));
        let is_lost = |root: &&Root| {
            root.path.as_os_str().is_empty() && filter.glob.as_ref().is_some_and(|name| *name == root.name)
        };
        let whole = by_path.filter(|(_, relative)| relative.is_empty()).map(|(root, _)| root);
        whole.or_else(|| self.roots.iter().find(is_lost))
    }

    /// What would be forgotten.
    fn forgotten(&self, filter: &ForgetFilter) -> Result<ForgetReport, EngineError> {
        let mut report = ForgetReport { dry_run: true, ..ForgetReport::default() };
        let chosen = self.chosen(filter)?;
        self.each_chunk(&chosen.selection, &mut report, |_, _| Ok(()))?;
        report.root = chosen.root.map(|root| root.name);
        Ok(report)
    }

    /// Gives what is to be forgotten to `commit`, chunk by chunk, each with the number of files before it.
    fn each_chunk(
        &self,
        selection: &Selection,
        report: &mut ForgetReport,
        commit: impl FnMut(Vec<(FileKey, Change)>, u64) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut chunks = Chunks::new(report.files, commit);
        self.each_selected(selection, |key, entry| {
            report.files += 1;
            report.records += u64::from(entry.record.is_some());
            chunks.push(key, Change::Forgotten)
        })?;
        chunks.end()
    }
}
