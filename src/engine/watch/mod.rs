//! Work of a watching process: the roots that it serves, and the durable queue of jobs. Its only threads are those of
//! probes.

pub(super) mod commands;
pub(super) mod root_checks;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::EngineError;
use super::job_plan::{self, JobPlan, JobRequest, ScanScope, with_scope};
use super::roots;
use super::stats::{RootState, WatchFigures, WatchedRoot};
use super::store::Store;
use crate::engine::discovery::relist::RelistQueue;
use crate::engine::lifecycle::transition::RunScope;
use crate::engine::query::jobs::{next_queued, outranks};
use crate::engine::roots::identity::LostRoot;
use crate::engine::roots::probe::FsProbe;
use crate::ledger::{Job, JobEnd, JobKind, LedgerError, RootInfo};
use crate::model::{BatchConfig, ErrorMode, FolderKey, Root, RootId, RootName};
use crate::source::watch::{Watch, WatchStatus};
use root_checks::ServedRoot;

/// Options of a watching process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchOptions {
    /// Whether nothing is watched and all is polled, for file systems that report no changes.
    pub poll: bool,
    /// Time between two polls of what can't be watched.
    pub poll_interval: Duration,
    /// How long a file must stay unchanged after a write, if nothing shows that its writer has finished.
    pub settle: Duration,
    /// Time between two scans for changes that the watcher did not report; none disables them.
    pub reconcile: Option<Duration>,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            poll: false,
            poll_interval: Duration::from_secs(30),
            settle: Duration::from_millis(500),
            reconcile: Some(Duration::from_secs(3600)),
        }
    }
}

/// Time between checks of roots: those that are served, and those that are away.
const LOOK: Duration = Duration::from_secs(1);

/// State carried from job to job.
pub(crate) struct WatchState {
    /// None if the source can't report changes: then all is scanned again now and then.
    pub watch: Option<Arc<Watch>>,
    pub folders: Arc<RelistQueue>,
    pub options: WatchOptions,
    pub(super) served: Vec<ServedRoot>,
    /// The roots that the process was started with: each start serves them.
    pub named: Vec<PathBuf>,
    /// Names that the process's settings give roots at these paths.
    pub names: BTreeMap<PathBuf, RootName>,
    /// Watch events may have been lost: all has to be scanned.
    pub must_scan: bool,
    next_reconcile: Option<Instant>,
    next_look: Instant,
    /// The running job is cancelled.
    pub cancelled: bool,
    /// The roots differ from those that the running job serves.
    pub changed: bool,
    /// Reasons for polling directories that have been reported.
    polled_for: BTreeSet<String>,
}

/// What the work for a watching process needs of the running job.
pub(crate) struct WatchContext<'a> {
    pub store: &'a mut Store,
    pub fs_probe: &'a FsProbe,
    pub processor: &'a str,
    pub running: &'a Job,
    pub config: &'a BatchConfig,
}

/// A job that was queued, or one that already covers the request.
pub(crate) struct Enqueued {
    pub job_id: u64,
    /// False if it waited before.
    pub is_new: bool,
}

impl WatchState {
    pub(crate) fn new(watch: Option<Arc<Watch>>, options: WatchOptions) -> Self {
        let now = Instant::now();
        Self {
            watch,
            folders: Arc::default(),
            next_reconcile: options.reconcile.map(|pause| now + pause),
            options,
            served: Vec::new(),
            named: Vec::new(),
            names: BTreeMap::new(),
            must_scan: false,
            next_look: now,
            cancelled: false,
            changed: false,
            polled_for: BTreeSet::new(),
        }
    }

    /// Serves this root from now on. One that is away is registered when it is back.
    pub(crate) fn serve(&mut self, root: Root, away: Option<String>) {
        if self.served.iter().any(|served| served.root.id == root.id) {
            return;
        }
        // Its status should be visible soon.
        self.next_look = Instant::now();
        let is_registered = away.is_none();
        let away = away.map(|why| LostRoot::new(root.clone(), why));
        self.served.push(ServedRoot { root, away, is_registered, look: None, known: None });
    }

    /// Stops serving this root.
    pub(crate) fn leave(&mut self, id: RootId) {
        self.served.retain(|served| served.root.id != id);
        if let Some(watch) = &self.watch {
            watch.remove_root(id);
        }
        self.folders.listed(&FolderKey::root(id), Instant::now());
    }

    /// Marks this root as away until it is back.
    pub(crate) fn lose(&mut self, lost: &LostRoot) {
        for served in self.served.iter_mut().filter(|served| served.root.id == lost.root.id) {
            tracing::warn!("{}; the other roots go on, and it is scanned when it is back", lost);
            served.away = Some(lost.clone());
            served.look = None;
            served.known = None;
        }
    }

    /// Makes the threads that follow the watcher check whether they should end.
    pub(crate) fn wake(&self) {
        if let Some(watch) = &self.watch {
            watch.wake();
        }
        self.folders.wake();
    }

    /// Returns the served root with this path.
    pub(crate) fn find(&self, path: &Path) -> Option<&Root> {
        self.served.iter().map(|served| &served.root).find(|root| root.path == path)
    }

    /// Returns the served roots.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &Root> {
        self.served.iter().map(|served| &served.root)
    }

    pub(crate) fn ids(&self) -> Vec<u32> {
        self.served.iter().map(|served| served.root.id.0).collect()
    }

    /// Warns of served roots that lie in another one.
    pub(crate) fn warn_of_nested(&self, store: &Store) {
        let ids = self.ids();
        let infos = &store.state.info().roots;
        let served = infos.iter().filter(|info| ids.contains(&info.id));
        roots::warn_of_nested(&served.cloned().collect::<Vec<_>>());
    }

    /// Returns the paths of the roots that can be served.
    pub(crate) fn paths_here(&self) -> Vec<PathBuf> {
        let here = self.served.iter().filter(|served| served.away.is_none());
        here.map(|served| served.root.path.clone()).collect()
    }

    fn is_here(&self, id: u32) -> bool {
        self.served.iter().any(|served| served.root.id.0 == id && served.away.is_none())
    }

    /// Queues a job, durably, unless another one that waits will scan all of that.
    pub(crate) fn queue(&self, store: &mut Store, wanted: JobRequest) -> Result<Enqueued, EngineError> {
        if let Some(queued) = self.waiting_for(store, &wanted)? {
            return Ok(queued);
        }
        let job = wanted.job(&store.reader.jobs()?);
        tracing::info!(job = job.id, kind = %job.kind, "queued");
        store.commit_without_lines(&[], Some(&job))?;
        Ok(Enqueued { job_id: job.id, is_new: true })
    }

    /// Returns the waiting job that will scan all that is wanted.
    pub(crate) fn waiting_for(
        &self,
        store: &Store,
        wanted: &JobRequest,
    ) -> Result<Option<Enqueued>, EngineError> {
        let jobs = store.reader.jobs()?;
        let job = jobs.iter().find(|job| will_do(job, wanted));
        Ok(job.map(|job| Enqueued { job_id: job.id, is_new: false }))
    }

    /// Ends the queued jobs that have no served root any more.
    pub(crate) fn cancel_unserved(&self, store: &mut Store) -> Result<(), EngineError> {
        let served = self.ids();
        for job in store.reader.jobs()? {
            if job.end == JobEnd::Queued && !job.roots.iter().any(|id| served.contains(id)) {
                store.commit_without_lines(&[], Some(&job_plan::ended(job, JobEnd::Cancelled)))?;
            }
        }
        Ok(())
    }

    /// Returns the queued jobs, without those whose roots are all away.
    fn runnable(&self, store: &Store) -> Result<Vec<Job>, LedgerError> {
        let is_runnable =
            |job: &Job| job.end == JobEnd::Queued && job.roots.iter().any(|&id| self.is_here(id));
        Ok(store.reader.jobs()?.into_iter().filter(is_runnable).collect())
    }

    /// Begins the next job, durably: the first queued one, else a standing one that waits for watch events.
    pub(crate) fn begin(&mut self, store: &mut Store, config: &BatchConfig) -> Result<JobPlan, EngineError> {
        self.changed = false;
        let runnable = self.runnable(store)?;
        let job = match next_queued(&runnable) {
            Some(job) => job.clone(),
            None => JobRequest::of(JobKind::Watch, self.ids()).job(&store.reader.jobs()?),
        };
        let resumed = job.start != crate::model::Cursor::default() && job.kind != JobKind::Watch;
        let job = job_plan::start(store, job, config)?;
        Ok(self.plan(job, &store.state.info().roots, config, resumed))
    }

    fn plan(&self, job: Job, infos: &[RootInfo], config: &BatchConfig, resumed: bool) -> JobPlan {
        let here = infos.iter().filter(|info| self.is_here(info.id));
        let roots: Vec<(Root, RunScope)> = here.map(with_scope(&job, config)).collect();
        let own: Vec<_> = roots.iter().filter(|(root, _)| job.roots.contains(&root.id.0)).cloned().collect();
        let below = |scope: &String| {
            FolderKey::from_relative_path(own.first()?.0.id, scope.as_bytes()).map(ScanScope::Below)
        };
        let scan = match (&job.kind, &job.scope) {
            (JobKind::Watch, _) => ScanScope::Nothing,
            (_, Some(scope)) => below(scope).unwrap_or(ScanScope::All),
            (_, None) => ScanScope::All,
        };
        let fails_fast = config.on_error == ErrorMode::FailFast;
        JobPlan { job, roots, own, scan, fails_fast, resumed, begins: None }
    }

    /// Returns how a job ends that is not done, while the process continues.
    pub(crate) fn end_of(&self, job: &Job) -> JobEnd {
        match job.kind {
            _ if self.cancelled => JobEnd::Cancelled,
            JobKind::Watch => JobEnd::Completed,
            _ => JobEnd::Queued,
        }
    }

    /// Returns whether the running job should make room for another one.
    pub(crate) fn wants_switch(&self, store: &Store, running: &Job) -> Result<bool, LedgerError> {
        let runnable = self.runnable(store)?;
        let next = next_queued(&runnable);
        Ok(self.cancelled || self.changed || next.is_some_and(|next| outranks(next, running)))
    }

    /// Returns whether the next check is due.
    pub(crate) fn is_due(&self) -> bool {
        Instant::now() >= self.next_look
    }

    /// Checks the roots, and whether a scan is due. Returns a root that went away.
    pub(crate) fn look(&mut self, context: &mut WatchContext<'_>) -> Result<Option<LostRoot>, EngineError> {
        let now = Instant::now();
        self.next_look = now + LOOK;
        let back = self.came_back(context)?;
        let (lost, led) = self.look_at_those_here(context)?;
        let WatchContext { store, running, .. } = context;
        for id in back.into_iter().chain(led) {
            self.queue(store, JobRequest::of(JobKind::Rescan, vec![id]))?;
        }
        let is_due = self.must_scan || self.next_reconcile.is_some_and(|at| at <= now);
        if is_due && running.kind == JobKind::Watch {
            self.next_reconcile = self.options.reconcile.map(|pause| now + pause);
            self.must_scan = false;
            self.queue(store, JobRequest::of(JobKind::Reconcile, self.ids()))?;
        }
        // The others are handled the next time.
        Ok(lost.into_iter().next())
    }

    /// Logs why directories are polled that should be watched, and when a reason is gone, each once.
    pub(crate) fn tell_of_polling(&mut self, status: &WatchStatus) {
        if status.polling {
            return;
        }
        let reasons: BTreeSet<String> = status.unwatched.keys().cloned().collect();
        for reason in reasons.difference(&self.polled_for) {
            let pause = self.options.poll_interval;
            tracing::warn!("some folders are not watched, but listed every {pause:?}: {reason}");
        }
        for reason in self.polled_for.difference(&reasons) {
            tracing::warn!("no folder is unwatched any more for this reason: {reason}");
        }
        self.polled_for = reasons;
    }

    /// Returns the watcher's figures.
    pub(crate) fn figures(&self, store: &Store) -> WatchFigures {
        let status = self.watch.as_ref().map(|watch| watch.status()).unwrap_or_default();
        let unwatched = self.watch.as_ref().map(|watch| watch.unwatched()).unwrap_or_default();
        let unlisted = self.folders.unlisted();
        let why_unlisted: BTreeMap<_, _> = unlisted.iter().map(|(folder, why)| (folder, why)).collect();
        let unwatched: BTreeSet<_> = unwatched.iter().map(|(root, _)| *root).collect();
        let is_polled = |root| self.watch.is_none() || unwatched.contains(&root);
        let roots = self.served.iter().map(|served| {
            let Root { id, name, path } = served.root.clone();
            let unlisted = why_unlisted.get(&FolderKey::root(id)).map(|why| (*why).clone());
            let (state, why) = match &served.away {
                Some(lost) => (RootState::Away, Some(lost.why.clone())),
                None if unlisted.is_some() => (RootState::Unreadable, unlisted),
                None if is_polled(id) => (RootState::Polled, None),
                None => (RootState::Watched, None),
            };
            WatchedRoot { id: id.0, name, path, state, why }
        });
        let queued = store
            .reader
            .jobs()
            .map_or(0, |jobs| jobs.iter().filter(|job| job.end == JobEnd::Queued).count() as u64);
        WatchFigures {
            status,
            roots: roots.collect(),
            folders_waiting: self.folders.waiting() as u64,
            unreadable_folders: unlisted.len() as u64,
            unreadable: unlisted.first().map(|(_, why)| why.clone()),
            queued_jobs: queued,
            ..WatchFigures::default()
        }
    }
}

/// Returns whether a waiting job scans all that is wanted, and no later.
fn will_do(job: &Job, wanted: &JobRequest) -> bool {
    let covers = job.scope.is_none() || job.scope == wanted.scope;
    job.end == JobEnd::Queued
        && job.kind != JobKind::Watch
        && job.priority >= wanted.priority
        && covers
        && wanted.roots.iter().all(|root| job.roots.contains(root))
}

#[cfg(test)]
mod tests;
