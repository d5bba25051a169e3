//! The list of jobs: which one is next, and the summary of each.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::engine::error::EngineError;
use crate::engine::stats::{BatchStatistics, ProcessingProgress, ProcessingState, lossy};
use crate::engine::store::StoreView;
use crate::ledger::{Job, JobCounts, JobEnd, JobKind};
use crate::model::{RootId, Timestamp};

/// Returns the queued job that is next: of the highest priority, the oldest.
pub(crate) fn next_queued(jobs: &[Job]) -> Option<&Job> {
    let queued = jobs.iter().filter(|job| job.end == JobEnd::Queued);
    // By number, as the clock may have been set.
    queued.min_by_key(|job| (std::cmp::Reverse(job.priority), job.id))
}

/// Returns whether a queued job preempts the running one. A standing job makes room for any.
pub(crate) fn outranks(queued: &Job, running: &Job) -> bool {
    running.kind == JobKind::Watch || queued.priority > running.priority
}

/// Answer of `outlast jobs`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobReport {
    /// The jobs, in the order of their numbers.
    pub jobs: Vec<JobSummary>,
    /// Ended jobs that are remembered but not listed: all older than those listed.
    pub left_out: u64,
}

/// Summary of one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSummary {
    /// Its number.
    pub job_id: u64,
    /// Why the job exists.
    pub kind: JobKind,
    /// How it ended, or that it waits or runs.
    pub state: JobOutcome,
    /// Higher ones go first.
    pub priority: i16,
    /// Its roots.
    pub roots: Vec<JobRoot>,
    /// The folder or file below its one root that it is limited to; `None` for all of its roots.
    pub scope: Option<String>,
    /// When it was requested.
    pub queued: Timestamp,
    /// When it last began; `None` where it never did.
    pub started: Option<Timestamp>,
    /// When it ended; `None` while it waits or runs, or if it was killed.
    pub ended: Option<Timestamp>,
    /// Its phase, while it runs.
    pub phase: Option<ProcessingState>,
    /// Files of its roots that are due, while it runs.
    pub pending: Option<u64>,
    /// Share of the files found that are finished, 0 to 1: while it runs, and once all are found.
    pub progress: Option<f64>,
    /// Entries found that are not directories and whose names the filters let in.
    pub discovered: u64,
    /// What it did.
    #[serde(flatten)]
    pub counts: JobCounts,
}

/// A root of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRoot {
    /// Name in the records; of a root that the state no longer has, its number.
    pub name: String,
    /// The folder; empty where it is not known.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
}

/// One job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobStatus {
    /// Its number.
    pub job_id: u64,
    /// How it ended, or that it runs.
    pub end: JobOutcome,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it runs, or if it was killed.
    pub ended: Option<Timestamp>,
    /// What it did.
    #[serde(flatten)]
    pub counts: JobCounts,
}

/// How a job ended, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobOutcome {
    /// It waits for its turn.
    Queued,
    /// It runs.
    Running,
    /// Everything was processed.
    Completed,
    /// It was asked to stop; the rest is pending.
    Interrupted,
    /// Its process was killed, or went down; the rest is pending.
    Killed,
    /// It could not go on, or failures stopped it; the rest is pending.
    Failed,
    /// It was cancelled before its end.
    Cancelled,
}

impl JobOutcome {
    /// Returns a job's outcome. `live` says whether a process holds the state for a job: before its own begins, it
    /// closes those that others left.
    fn of(job: &Job, live: bool) -> Self {
        match job.end {
            JobEnd::Running if live => Self::Running,
            JobEnd::Running => Self::Killed,
            // The next job records that it ended, and can't know when.
            JobEnd::Interrupted if job.ended.is_none() => Self::Killed,
            JobEnd::Interrupted => Self::Interrupted,
            JobEnd::Completed => Self::Completed,
            JobEnd::Failed => Self::Failed,
            JobEnd::Queued => Self::Queued,
            JobEnd::Cancelled => Self::Cancelled,
        }
    }
}

/// As in the JSON.
impl fmt::Display for JobOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Interrupted => "interrupted",
            Self::Killed => "killed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
}

impl JobStatus {
    /// `live` as for [`JobOutcome::of`].
    pub(super) fn of(job: &Job, live: bool) -> Self {
        Self {
            job_id: job.id,
            end: JobOutcome::of(job, live),
            started: job.started,
            ended: job.ended,
            counts: job.counts,
        }
    }
}

impl StoreView {
    /// Returns the jobs that wait or run, and the latest `ended_max` of those that ended (all if `None`). `running`
    /// has the figures of the current run.
    ///
    /// # Errors
    /// Where the state can't be read.
    pub fn jobs(
        &self,
        running: Option<&BatchStatistics>,
        ended_max: Option<usize>,
    ) -> Result<JobReport, EngineError> {
        let mut lines: Vec<JobSummary> =
            self.known_jobs()?.iter().map(|job| self.summary(job, running)).collect();
        let is_open = |line: &JobSummary| matches!(line.state, JobOutcome::Queued | JobOutcome::Running);
        let ended = lines.iter().filter(|line| !is_open(line)).count();
        let left_out = ended.saturating_sub(ended_max.unwrap_or(usize::MAX));
        let mut older = left_out;
        lines.retain(|line| {
            let stays = is_open(line) || older == 0;
            older -= usize::from(!stays);
            stays
        });
        Ok(JobReport { jobs: lines, left_out: left_out as u64 })
    }

    fn summary(&self, job: &Job, running: Option<&BatchStatistics>) -> JobSummary {
        let state = JobOutcome::of(job, running.is_some());
        let line = JobSummary {
            job_id: job.id,
            kind: job.kind,
            state,
            priority: job.priority,
            roots: job.roots.iter().map(|&root| self.job_root(root, running)).collect(),
            scope: job.scope.clone(),
            queued: job.queued,
            started: job.has_begun().then_some(job.started),
            ended: job.ended,
            phase: None,
            pending: None,
            progress: None,
            discovered: job.discovered,
            counts: job.counts,
        };
        match running {
            // The figures are those of the previous job until the first ones of this one exist.
            Some(live) if state == JobOutcome::Running && live.progress.job_id == job.id => {
                line.with_live(live)
            }
            _ => line,
        }
    }

    fn job_root(&self, id: u32, running: Option<&BatchStatistics>) -> JobRoot {
        if let Some(root) = self.roots.get(RootId(id)) {
            return JobRoot { name: root.name.clone(), path: root.path.clone() };
        }
        // One that was added since the running job began.
        let mut served =
            running.and_then(|live| live.watch.as_ref()).into_iter().flat_map(|watch| &watch.roots);
        match served.find(|root| root.id == id) {
            Some(root) => JobRoot { name: root.name.clone(), path: root.path.clone() },
            None => JobRoot { name: id.to_string(), path: PathBuf::new() },
        }
    }
}

impl JobSummary {
    fn with_live(self, statistics: &BatchStatistics) -> Self {
        let progress = &statistics.progress;
        let ProcessingProgress { ok, failed, unchanged, removed, bytes, .. } = *progress;
        Self {
            phase: Some(statistics.state),
            pending: Some(progress.pending),
            progress: (self.kind != JobKind::Watch).then(|| share_of(statistics.state, progress)).flatten(),
            discovered: progress.discovered,
            counts: JobCounts { ok, failed, unchanged, removed, bytes },
            ..self
        }
    }
}

/// While files are still being found the total is unknown.
fn share_of(state: ProcessingState, progress: &ProcessingProgress) -> Option<f64> {
    let is_known = state == ProcessingState::Processing && progress.discovered > 0;
    let rest = || progress.pending as f64 / progress.discovered as f64;
    is_known.then(|| (1.0 - rest()).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
