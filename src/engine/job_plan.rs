//! Jobs: what is settled before a run's threads start, and what is written when it ends.

use std::path::PathBuf;
use std::time::SystemTime;

use super::error::EngineError;
use super::roots::{self, GivenRoot};
use super::stats::CheckpointData;
use super::store::Store;
use crate::engine::lifecycle::counts::Tally;
use crate::engine::lifecycle::transition::{self, Ground};
use crate::engine::roots::identity::{self, RootMarks};
use crate::engine::roots::probe::Lookout;
use crate::ledger::{Entry, Job, JobEnd, JobKind, LedgerReader, ReadyPosition, RootInfo, StateInfo};
use crate::model::{BatchConfig, Cursor, ErrorMode, FileKey, FolderKey, Root, RootId, Timestamp};
use crate::source::Source;

/// Files looked at together when a changed filter is applied to what is pending.
const PRUNE_FILES: usize = 8192;

/// A job that has begun.
#[derive(Debug, Clone)]
pub(crate) struct JobPlan {
    pub job: Job,
    /// The roots whose files are processed meanwhile.
    pub roots: Vec<(Root, Ground)>,
    /// The job's own roots: what they have pending it claims.
    pub own: Vec<(Root, Ground)>,
    /// What of these it scans.
    pub scan: Scan,
    /// Whether the first failure stops it.
    pub fails_fast: bool,
    pub resumed: bool,
    /// What is written down while it is under way already, before it itself: that these jobs were interrupted, whose
    /// process was killed. None where it is written down that it has begun.
    pub begins: Option<Vec<Job>>,
}

impl JobPlan {
    /// Whether a scan counts all of this root.
    pub(crate) fn scans_whole(&self, id: RootId) -> bool {
        self.scan == Scan::All && self.own.iter().any(|(root, _)| root.id == id)
    }

    /// Whether a scan counts all that is served.
    pub(crate) fn scans_all(&self) -> bool {
        self.roots.iter().all(|(root, _)| self.scans_whole(root.id))
    }

    /// The same with each root where it leads now.
    pub(crate) fn bound(&self, marks: &RootMarks) -> Self {
        let mut plan = self.clone();
        let roots = plan.roots.iter_mut().chain(&mut plan.own);
        roots.for_each(|(root, _)| *root = marks.bound(root));
        plan
    }

    /// The folder that it scans only.
    pub(crate) fn below(&self) -> Option<FolderKey> {
        match &self.scan {
            Scan::Below(folder) => Some(folder.clone()),
            Scan::All | Scan::Nothing => None,
        }
    }
}

/// What a job scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Its roots.
    All,
    /// What is at and below a folder of its one root.
    Below(FolderKey),
    /// Nothing: it stands and waits for news.
    Nothing,
}

/// Registers the roots, durably, and the job, which is so once it is under way.
pub(crate) fn begin(
    store: &mut Store,
    roots: &[GivenRoot],
    processor: &str,
    lookout: &Lookout,
    config: &BatchConfig,
) -> Result<JobPlan, EngineError> {
    let infos = register(store, roots, processor, lookout, config)?;
    roots::warn_of_nested(&infos);
    let mut jobs = store.reader.jobs()?;
    let begins = Some(interrupt_stale(&mut jobs));
    let same_roots =
        |job: &&Job| job.has_begun() && job.roots.iter().any(|id| infos.iter().any(|info| info.id == *id));
    let resumed = jobs.iter().rev().find(same_roots).is_some_and(|job| job.end != JobEnd::Completed);
    let wanted = Wanted::of(JobKind::Run, infos.iter().map(|info| info.id).collect());
    let job = begun(store, wanted.job(&jobs), config)?;
    let roots: Vec<_> = infos.iter().map(with_ground(&job, config)).collect();
    let fails_fast = config.on_error == ErrorMode::FailFast;
    Ok(JobPlan { job, own: roots.clone(), roots, scan: Scan::All, fails_fast, resumed, begins })
}

/// A root, and how a job sees it.
pub(crate) fn with_ground(job: &Job, config: &BatchConfig) -> impl Fn(&RootInfo) -> (Root, Ground) + use<> {
    let (run_start, quarantine) = (job.start.log, config.on_error == ErrorMode::Quarantine);
    move |info| (info.root(), Ground { epoch: info.epoch, run_start, quarantine })
}

/// A job that somebody wants.
pub(crate) struct Wanted {
    pub kind: JobKind,
    pub roots: Vec<u32>,
    pub priority: i16,
    pub scope: Option<String>,
}

impl Wanted {
    /// Of the usual priority, and with whole roots.
    pub(crate) fn of(kind: JobKind, roots: Vec<u32>) -> Self {
        Self { kind, roots, priority: 0, scope: None }
    }

    /// The next one behind these, queued.
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
            ok: 0,
            failed: 0,
            unchanged: 0,
            removed: 0,
            bytes: 0,
        }
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_system_time(SystemTime::now())
}

/// Begins a job now, where the state stands, durably.
pub(crate) fn start(store: &mut Store, job: Job, config: &BatchConfig) -> Result<Job, EngineError> {
    let job = begun(store, job, config)?;
    store.commit_without_lines(&[], Some(&job))?;
    Ok(job)
}

/// The job as it begins now, where the state stands.
fn begun(store: &mut Store, job: Job, config: &BatchConfig) -> Result<Job, EngineError> {
    store.ledger.set_order(config.order, now())?;
    store.ledger.keep_jobs(config.jobs_kept);
    let (start, config) = (store.ledger.cursor(), serde_json::to_string(config).unwrap_or_default());
    Ok(Job { started: now(), end: JobEnd::Running, config, start, ..job })
}

/// Writes down that jobs of a process that was killed were interrupted.
pub(crate) fn close_stale(store: &mut Store) -> Result<(), EngineError> {
    let stale = interrupt_stale(&mut store.reader.jobs()?);
    stale.iter().try_for_each(|job| store.commit_without_lines(&[], Some(job)))
}

/// Makes jobs of a process that was killed interrupted ones, and returns these.
pub(super) fn interrupt_stale(jobs: &mut [Job]) -> Vec<Job> {
    let stale = jobs.iter_mut().filter(|job| job.end == JobEnd::Running);
    let interrupted = stale.map(|job| {
        job.end = JobEnd::Interrupted;
        job.clone()
    });
    interrupted.collect()
}

/// The job with the counts that it has come to.
pub(crate) fn so_far(job: &Job, tally: &Tally, bytes: u64) -> Job {
    Job {
        discovered: tally.discovered,
        ok: tally.ok,
        failed: tally.failed,
        unchanged: tally.unchanged,
        removed: tally.removed,
        bytes,
        ..job.clone()
    }
}

/// The job at its end.
pub(crate) fn ended(job: Job, end: JobEnd) -> Job {
    Job { end, ended: Some(now()), ..job }
}

/// Finds or adds each root in the state, and notices what changed since its last run.
pub(crate) fn register(
    store: &mut Store,
    roots: &[GivenRoot],
    processor: &str,
    lookout: &Lookout,
    config: &BatchConfig,
) -> Result<Vec<RootInfo>, EngineError> {
    let (source, before) = (lookout.source().as_ref(), store.state.info().roots.clone());
    let mut infos = before.clone();
    let used = last_used(&store.reader)?;
    let (chosen, filtered) = choose(&mut infos, roots, processor, &source.filters(), config, used)?;
    if infos != before {
        roots::warn_of_new(lookout, &before, &chosen);
        // What is no longer let in leaves the queue before the new filters are on record.
        prune(store, &filtered, source)?;
        // Otherwise the first attempt would have the state remember what the new ones are, and write it once more.
        identity::mark_new(lookout, infos.iter_mut().skip(before.len()));
        store.describe(|state| state.roots = infos)?;
    }
    Ok(chosen)
}

/// The highest number of a root that a remembered job names: a new root gets none that another one had then.
pub(crate) fn last_used(reader: &LedgerReader) -> Result<u32, EngineError> {
    Ok(reader.jobs()?.iter().flat_map(|job| &job.roots).copied().max().unwrap_or(0))
}

/// The chosen roots as a run with this processor and these filters leaves them, and which of them
/// had other filters before. What is chosen tells where its path leads now; the others, where it led when it was
/// looked at last.
pub(crate) fn choose(
    infos: &mut Vec<RootInfo>,
    roots: &[GivenRoot],
    processor: &str,
    filters: &str,
    config: &BatchConfig,
    used: u32,
) -> Result<(Vec<RootInfo>, Vec<RootId>), EngineError> {
    let mut chosen = Vec::new();
    let mut filtered = Vec::new();
    for root in roots::each_once(infos, roots) {
        let at = roots::find_or_add(infos, root, processor, used)?;
        let Some(info) = infos.get_mut(at) else { continue };
        if info.processor != processor {
            check_processor(info, processor, config)?;
            tracing::warn!(root = %info.name, from = %info.processor, to = %processor,
                "the processor changed: every file is due again");
        }
        if info.processor != processor || config.reprocess {
            info.epoch += 1;
            processor.clone_into(&mut info.processor);
        }
        if info.filters != filters {
            filtered.push(RootId(info.id));
            filters.clone_into(&mut info.filters);
        }
        chosen.push(RootInfo { target: root.target.clone(), ..info.clone() });
    }
    Ok((chosen, filtered))
}

/// A new version of a processor takes its own records over; another processor only where that is asked for.
pub(crate) fn check_processor(
    info: &RootInfo,
    processor: &str,
    config: &BatchConfig,
) -> Result<(), EngineError> {
    let name = |identity: &str| identity.rsplit_once('/').map_or(identity, |(name, _)| name).to_owned();
    if config.change_processor || info.processor.is_empty() || name(&info.processor) == name(processor) {
        return Ok(());
    }
    let (path, found, wanted) = (info.path.clone(), info.processor.clone(), processor.to_owned());
    Err(EngineError::OtherProcessor { path, found, wanted })
}

/// The roots and the configuration of a checkpoint's job.
pub(crate) fn of_checkpoint(
    info: &StateInfo,
    reader: &LedgerReader,
    job_id: u64,
    checkpoint: &CheckpointData,
    processor: &str,
) -> Result<(Vec<PathBuf>, BatchConfig), EngineError> {
    if checkpoint.state_id.as_ref().is_some_and(|id| *id != info.id) {
        let what = "was made anew or repaired since the checkpoint; start a new run";
        return Err(EngineError::Job(format!("{}: {what}", checkpoint.state.display())));
    }
    let jobs = reader.jobs()?;
    let Some(job) = jobs.iter().find(|job| job.id == job_id && job_id == checkpoint.job_id) else {
        return Err(EngineError::Job(format!("{}: knows no job {job_id}", checkpoint.state.display())));
    };
    let reached = reader.cursor();
    if reached.tick < checkpoint.cursor.tick {
        let what = format!(
            "{}: has reached tick {} only, and the checkpoint is at {}; it is an older copy",
            checkpoint.state.display(),
            reached.tick,
            checkpoint.cursor.tick
        );
        return Err(EngineError::Job(what));
    }
    let infos = &info.roots;
    if let Some(info) = infos.iter().find(|info| job.roots.contains(&info.id) && info.processor != processor)
    {
        let what =
            format!("job {job_id} was done by {}, not by {processor}: resume it with that", info.processor);
        return Err(EngineError::Job(what));
    }
    let roots =
        infos.iter().filter(|info| job.roots.contains(&info.id)).map(|info| info.path.clone()).collect();
    let config: BatchConfig = serde_json::from_str(&job.config).map_err(|error| {
        EngineError::Job(format!("the configuration of job {job_id} can't be read: {error}"))
    })?;
    Ok((roots, BatchConfig { reprocess: false, change_processor: false, ..config }))
}

/// Takes pending files that the filters don't let in any more out of the queue. One with a record
/// keeps it, and is due again when a filter lets it in.
fn prune(store: &mut Store, roots: &[RootId], source: &dyn Source) -> Result<(), EngineError> {
    let mut position = Some(ReadyPosition::default());
    while let Some(from) = position {
        let ready = store.reader.ready(&from, PRUNE_FILES)?;
        let mut changes: Vec<(FileKey, Option<Entry>)> = Vec::new();
        for (key, entry) in ready.files {
            if roots.contains(&key.root()) && !source.accepts(&key.relative_path()) {
                changes.push((key, transition::hidden(&entry)));
            }
        }
        changes.sort_by(|a, b| a.0.cmp(&b.0));
        if !changes.is_empty() {
            store.commit_without_lines(&changes, None)?;
        }
        position = ready.next;
    }
    Ok(())
}
