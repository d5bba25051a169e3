//! Jobs: what is settled before a run's threads start, and what is written when it ends.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::change::Ground;
use super::error::EngineError;
use super::lookout::Lookout;
use super::results::CheckpointData;
use super::store::Store;
use super::tally::Tally;
use crate::ledger::{Entry, Job, JobEnd, JobKind, LedgerReader, ReadyPosition, RootInfo, StateFolder};
use crate::model::{
    BatchConfig, Cursor, ErrorMode, FileKey, Fingerprint, FolderKey, Root, RootId, Timestamp,
};
use crate::source::Source;

/// Files looked at together when a changed filter is applied to what is pending.
const PRUNE_FILES: usize = 8192;
/// Links that are followed on the way to a root; the system follows as many.
const LINKS_MAX: usize = 40;

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

/// The absolute paths of the folders to ingest.
pub(crate) fn resolve_roots(given: &[PathBuf]) -> Result<Vec<PathBuf>, EngineError> {
    let mut roots = Vec::new();
    for path in given {
        let absolute = path.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => EngineError::root(path, "no such folder; check the path"),
            _ => EngineError::root(path, format!("can't be opened: {error}")),
        })?;
        if !absolute.is_dir() {
            return Err(EngineError::root(
                path,
                "is a file, not a folder; name its folder, and the file with --include",
            ));
        }
        if !roots.contains(&absolute) {
            roots.push(absolute);
        }
    }
    Ok(roots)
}

/// The same for one root whose file system may hang. Where it is not there, tells the path that it would have, too.
pub(crate) fn resolve_root(lookout: &Lookout, given: &Path) -> Result<Vec<PathBuf>, (EngineError, PathBuf)> {
    let path = given.to_owned();
    let look = move |_: &dyn Source| {
        resolve_roots(std::slice::from_ref(&path)).map_err(|error| (error, leads_to(&path)))
    };
    lookout.ask(given, look).unwrap_or_else(|error| {
        let whole = std::path::absolute(given).unwrap_or_else(|_| given.to_owned());
        Err((EngineError::root(given, error.to_string()), whole))
    })
}

/// The path of a root that is not there, as [`resolve_roots`] tells it when it is: links are followed as far as they lead.
fn leads_to(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..LINKS_MAX {
        let there = path.ancestors().find_map(|above| Some((above.canonicalize().ok()?, above)));
        let Some((real, rest)) = there.and_then(|(real, above)| Some((real, path.strip_prefix(above).ok()?)))
        else {
            break;
        };
        let mut rest = rest.components();
        let Some(first) = rest.next() else { return real };
        match real.join(first).read_link() {
            Ok(link) => path = real.join(link).join(rest),
            Err(_) => return real.join(first).join(rest),
        }
    }
    path
}

/// Registers the roots and the job, durably.
pub(crate) fn begin(
    store: &mut Store,
    roots: &[PathBuf],
    processor: &str,
    source: &dyn Source,
    config: &BatchConfig,
) -> Result<JobPlan, EngineError> {
    let infos = register(store, roots, processor, source, config)?;
    warn_of_nested(&infos);
    let jobs = store.reader.jobs()?;
    let same_roots =
        |job: &&Job| job.has_begun() && job.roots.iter().any(|id| infos.iter().any(|info| info.id == *id));
    let resumed = jobs.iter().rev().find(same_roots).is_some_and(|job| job.end != JobEnd::Completed);
    close_stale(store)?;
    let wanted = Wanted::of(JobKind::Run, infos.iter().map(|info| info.id).collect());
    let job = start(store, wanted.job(&jobs), config)?;
    let roots: Vec<_> = infos.iter().map(with_ground(&job, config)).collect();
    let fails_fast = config.on_error == ErrorMode::FailFast;
    Ok(JobPlan { job, own: roots.clone(), roots, scan: Scan::All, fails_fast, resumed })
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
    store.ledger.set_order(config.order, now())?;
    store.ledger.keep_jobs(config.jobs_kept);
    let (start, config) = (store.ledger.cursor(), serde_json::to_string(config).unwrap_or_default());
    let job = Job { started: now(), end: JobEnd::Running, config, start, ..job };
    store.commit_without_lines(&[], Some(&job))?;
    Ok(job)
}

/// Jobs of a process that was killed were interrupted.
pub(crate) fn close_stale(store: &mut Store) -> Result<(), EngineError> {
    for stale in store.reader.jobs()?.into_iter().filter(|job| job.end == JobEnd::Running) {
        store.commit_without_lines(&[], Some(&Job { end: JobEnd::Interrupted, ..stale }))?;
    }
    Ok(())
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
    roots: &[PathBuf],
    processor: &str,
    source: &dyn Source,
    config: &BatchConfig,
) -> Result<Vec<RootInfo>, EngineError> {
    let mut infos = store.state.info().roots.clone();
    let (chosen, filtered) = choose(&mut infos, roots, processor, &source.filters(), config.reprocess);
    if infos != store.state.info().roots {
        // What is no longer let in leaves the queue before the new filters are on record.
        prune(store, &filtered, source)?;
        store.state.update(|state| state.roots = infos)?;
    }
    Ok(chosen)
}

/// The chosen roots as a run with this processor and these filters leaves them, and which of them
/// had other filters before.
pub(crate) fn choose(
    infos: &mut Vec<RootInfo>,
    roots: &[PathBuf],
    processor: &str,
    filters: &str,
    reprocess: bool,
) -> (Vec<RootInfo>, Vec<RootId>) {
    let mut chosen = Vec::new();
    let mut filtered = Vec::new();
    for path in roots {
        let at = find_or_add(infos, path, processor);
        let Some(info) = infos.get_mut(at) else { continue };
        if info.processor != processor {
            tracing::warn!(root = %info.name, from = %info.processor, to = %processor,
                "the processor changed: every file is due again");
        }
        if info.processor != processor || reprocess {
            info.epoch += 1;
            processor.clone_into(&mut info.processor);
        }
        if info.filters != filters {
            filtered.push(RootId(info.id));
            filters.clone_into(&mut info.filters);
        }
        chosen.push(info.clone());
    }
    (chosen, filtered)
}

/// Warns of roots that lie in another one of these.
pub(crate) fn warn_of_nested(infos: &[RootInfo]) {
    for inner in infos {
        let within = |outer: &&RootInfo| outer.id != inner.id && inner.path.starts_with(&outer.path);
        if let Some(outer) = infos.iter().find(within) {
            tracing::warn!(
                "{} lies in {}: its files are ingested under both roots",
                inner.path.display(),
                outer.path.display()
            );
        }
    }
}

/// The roots and the configuration of a checkpoint's job.
pub(crate) fn of_checkpoint(
    state: &StateFolder,
    reader: &LedgerReader,
    job_id: u64,
    checkpoint: &CheckpointData,
    processor: &str,
) -> Result<(Vec<PathBuf>, BatchConfig), EngineError> {
    if checkpoint.state_id.as_ref().is_some_and(|id| *id != state.info().id) {
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
    let infos = &state.info().roots;
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
    Ok((roots, BatchConfig { reprocess: false, ..config }))
}

/// The place of the root with this path: known, rebuilt without its path, or new.
fn find_or_add(infos: &mut Vec<RootInfo>, path: &Path, processor: &str) -> usize {
    if let Some(at) = infos.iter().position(|info| info.path == path) {
        return at;
    }
    let base = path.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned());
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
    let unique = format!("{base}-{}", &hash[..8]);
    for name in [&unique, &base] {
        let lost = |info: &RootInfo| info.name == *name && info.path.as_os_str().is_empty();
        if let Some(at) = infos.iter().position(lost) {
            infos[at].path = path.to_owned();
            return at;
        }
    }
    let taken = infos.iter().any(|info| info.name == base);
    infos.push(RootInfo {
        id: infos.iter().map(|info| info.id).max().unwrap_or(0) + 1,
        name: if taken { unique } else { base },
        path: path.to_owned(),
        processor: processor.to_owned(),
        epoch: 1,
        filters: String::new(),
        mark: String::new(),
        watched: false,
    });
    infos.len() - 1
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
                let fingerprint = Fingerprint::default();
                let kept = entry.record.is_some().then_some(Entry { pending: false, fingerprint, ..entry });
                changes.push((key, kept));
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
