//! Jobs: what is settled before a run's threads start, and what is recorded when it ends.

use std::path::Path;
use std::time::SystemTime;

use super::error::EngineError;
use super::roots::file_list::FileList;
use super::roots::{self, GivenRoot};
use super::store::{Store, interrupt_stale};
use crate::engine::lifecycle::counts::RunCounts;
use crate::engine::lifecycle::transition::RunScope;
use crate::engine::roots::identity::RootIdentities;
use crate::engine::roots::probe::FsProbe;
use crate::engine::roots::registry::register;
use crate::ledger::{Job, JobCounts, JobEnd, JobKind, RootInfo};
use crate::model::{
    BatchConfig, Cursor, ErrorMode, FileKey, FolderKey, LogPosition, Root, RootId, Timestamp,
};

/// A job that has begun.
#[derive(Debug, Clone)]
pub(crate) struct JobPlan {
    pub job: Job,
    /// The roots whose files are processed meanwhile.
    pub roots: Vec<(Root, RunScope)>,
    /// The job's own roots: it claims their pending files.
    pub own: Vec<(Root, RunScope)>,
    /// Which part of these it scans.
    pub scan: ScanScope,
    /// Whether the first failure stops it.
    pub fails_fast: bool,
    pub resumed: bool,
    /// Jobs to record as interrupted, as their process was killed. They are recorded while this job is already under
    /// way, before the job itself. None where the beginning was recorded before the attempt.
    pub begins: Option<Vec<Job>>,
}

impl JobPlan {
    /// Returns the job, if its beginning is not recorded yet.
    pub(crate) fn unwritten(&self) -> Option<Job> {
        self.begins.as_ref().map(|_| self.job.clone())
    }

    /// Returns whether all that is counted of this root is what a scan counts.
    pub(crate) fn scans_whole(&self, id: RootId) -> bool {
        matches!(self.scan, ScanScope::All | ScanScope::Listed(_))
            && self.own.iter().any(|(root, _)| root.id == id)
    }

    /// Returns whether a scan counts all that is served.
    pub(crate) fn scans_all(&self) -> bool {
        self.roots.iter().all(|(root, _)| self.scans_whole(root.id))
    }

    /// Returns the plan of a run on the files of a list only; its job is not recorded yet.
    pub(crate) fn limited_to(self, files: &FileList, infos: &[RootInfo]) -> Result<Self, EngineError> {
        let scan = ScanScope::Listed(Listing::of(files, infos)?);
        Ok(Self { job: Job { kind: JobKind::Listed, ..self.job }, scan, ..self })
    }

    /// Returns the same plan with each root bound to where it leads now.
    pub(crate) fn bound(&self, identities: &RootIdentities) -> Self {
        let mut plan = self.clone();
        let roots = plan.roots.iter_mut().chain(&mut plan.own);
        roots.for_each(|(root, _)| *root = identities.bound(root));
        plan
    }

    /// Returns the directory, if the job scans only that.
    pub(crate) fn below(&self) -> Option<FolderKey> {
        match &self.scan {
            ScanScope::Below(folder) => Some(folder.clone()),
            ScanScope::All | ScanScope::Listed(_) | ScanScope::Nothing => None,
        }
    }
}

/// The scope of a job's scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ScanScope {
    /// All of its roots.
    All,
    /// The files that a list names, and no others.
    Listed(Listing),
    /// What is at and below a directory of its one root.
    Below(FolderKey),
    /// Nothing: a standing job that waits for watch events.
    Nothing,
}

/// A list of files, with the roots that it counts as the state numbers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub files: FileList,
    ids: Vec<RootId>,
}

impl Listing {
    /// Finds the roots of a list among those of a run.
    pub(crate) fn of(files: &FileList, infos: &[RootInfo]) -> Result<Self, EngineError> {
        Ok(Self { files: files.clone(), ids: files.ids(infos)? })
    }

    /// Returns the key in the state of a file that the list holds under this one.
    pub(crate) fn key(&self, listed: &[u8]) -> Option<FileKey> {
        let key = FileKey::from_bytes(listed)?;
        let &id = self.ids.get(key.root().0 as usize)?;
        FileKey::from_relative_path(id, &key.relative_path())
    }
}

/// Registers the roots durably, and the job, which becomes durable once it is under way.
pub(crate) fn begin(
    store: &mut Store,
    roots: &[GivenRoot],
    processor: &str,
    fs_probe: &FsProbe,
    config: &BatchConfig,
) -> Result<JobPlan, EngineError> {
    let infos = register(store, roots, processor, fs_probe, config)?;
    roots::warn_of_nested(&infos);
    let mut jobs = store.reader.jobs()?;
    let begins = Some(interrupt_stale(&mut jobs));
    let same_roots =
        |job: &&Job| job.has_begun() && job.roots.iter().any(|id| infos.iter().any(|info| info.id == *id));
    let resumed = jobs.iter().rev().find(same_roots).is_some_and(|job| job.end != JobEnd::Completed);
    let wanted = JobRequest::of(JobKind::Run, infos.iter().map(|info| info.id).collect());
    let job = begun(store, wanted.job(&jobs), config)?;
    let mut roots: Vec<_> = infos.iter().map(with_scope(&job, config)).collect();
    for (root, scope) in &mut roots {
        scope.reported_before = reported_before(&jobs, root.id).unwrap_or(scope.run_start);
    }
    let fails_fast = config.on_error == ErrorMode::FailFast;
    Ok(JobPlan { job, own: roots.clone(), roots, scan: ScanScope::All, fails_fast, resumed, begins })
}

/// Returns where the unfinished runs of this root began that the next one resumes, if there are any. How such a run
/// ended said nothing of the files that failed in it: the process was killed or asked to stop.
pub(crate) fn reported_before(jobs: &[Job], root: RootId) -> Option<LogPosition> {
    let of_root = jobs.iter().rev().filter(|job| job.has_begun() && job.roots.contains(&root.0));
    let unfinished = of_root.take_while(|job| job.kind.is_run() && job.end != JobEnd::Completed);
    Some(unfinished.last()?.start.log)
}

/// Maps a root to how a job sees it.
pub(crate) fn with_scope(job: &Job, config: &BatchConfig) -> impl Fn(&RootInfo) -> (Root, RunScope) + use<> {
    let run_start = job.start.log;
    let quarantine = config.on_error == ErrorMode::Quarantine;
    move |info| {
        (info.root(), RunScope { epoch: info.epoch, run_start, reported_before: run_start, quarantine })
    }
}

/// A request for a job.
pub(crate) struct JobRequest {
    pub kind: JobKind,
    pub roots: Vec<u32>,
    pub priority: i16,
    pub scope: Option<String>,
}

impl JobRequest {
    /// Creates a request of the usual priority, for whole roots.
    pub(crate) fn of(kind: JobKind, roots: Vec<u32>) -> Self {
        Self { kind, roots, priority: 0, scope: None }
    }

    /// Makes the next job behind these, queued.
    pub(crate) fn job(self, jobs: &[Job]) -> Job {
        let Self { kind, roots, priority, scope } = self;
        let now = now();
        Job {
            id: jobs.last().map_or(1, |last| last.id + 1),
            kind,
            priority,
            scope,
            queued: now,
            started: now,
            ended: None,
            end: JobEnd::Queued,
            roots,
            config: String::new(),
            start: Cursor::default(),
            discovered: 0,
            counts: JobCounts::default(),
        }
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_system_time(SystemTime::now())
}

/// Begins a job now, at the current state, durably.
pub(crate) fn start(store: &mut Store, job: Job, config: &BatchConfig) -> Result<Job, EngineError> {
    let job = begun(store, job, config)?;
    store.commit_without_lines(&[], Some(&job))?;
    Ok(job)
}

/// Returns the job as it begins now, at the current state.
fn begun(store: &mut Store, job: Job, config: &BatchConfig) -> Result<Job, EngineError> {
    store.sort_pending(config.order, &config.priorities, now())?;
    store.ledger.keep_jobs(config.jobs_kept);
    let config = serde_json::to_string(config).unwrap_or_default();
    Ok(Job { started: now(), end: JobEnd::Running, config, start: store.ledger.cursor(), ..job })
}

/// Records jobs of a process that was killed as interrupted.
pub(crate) fn close_stale(store: &mut Store) -> Result<(), EngineError> {
    let stale = interrupt_stale(&mut store.reader.jobs()?);
    stale.iter().try_for_each(|job| store.commit_without_lines(&[], Some(job)))
}

/// Returns the job with the counts so far.
pub(crate) fn so_far(job: &Job, counts: &RunCounts, bytes: u64) -> Job {
    let RunCounts { discovered, ok, failed, unchanged, removed, .. } = *counts;
    Job { discovered, counts: JobCounts { ok, failed, unchanged, removed, bytes }, ..job.clone() }
}

/// Returns the job at its end.
pub(crate) fn ended(job: Job, end: JobEnd) -> Job {
    Job { end, ended: Some(now()), ..job }
}

/// Returns the configuration that a job ran with.
pub(crate) fn config_of(job: &Job, state: &Path) -> Result<BatchConfig, EngineError> {
    serde_json::from_str(&job.config).map_err(|source| EngineError::JobConfig {
        state: state.to_owned(),
        job_id: job.id,
        source,
    })
}
