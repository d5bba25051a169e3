//! What a run carries through all its attempts.

use std::time::Duration;

use super::health::Health;
use crate::engine::commit::job_record::JobRecord;
use crate::engine::job_plan::JobPlan;
use crate::engine::lifecycle::counts::RunCounts;
use crate::engine::roots::identity::LostRoot;
use crate::engine::stats::latency::Latency;
use crate::engine::stats::{BatchStatistics, StopCause, WorkerStatistics};
use crate::ledger::{Job, LedgerReader};
use crate::model::{BatchConfig, Resource};

/// Counts and figures of a run over all its attempts, and what holds it back.
pub(crate) struct RunState {
    pub counts: RunCounts,
    pub statistics: BatchStatistics,
    pub health: Health,
    pub job: JobRecord,
    /// From the start of the first job to the first commit of new work.
    pub first_commit: Option<Duration>,
    /// Attempts that were begun only to list again what could not be listed.
    pub rescans: u16,
    /// Whether the kill of an earlier process has been counted against its file.
    pub blamed: bool,
    /// From changes to their durable records.
    pub latency: Latency,
}

/// How an attempt of a run ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AttemptEnd {
    /// All is done.
    Done,
    /// A stop was requested.
    Interrupted,
    /// Too many files failed.
    Stopped(StopCause),
    /// It can't continue as it is; another attempt can, when what is missing is there again.
    Hindered(Interruption),
    /// There is another configuration to continue with.
    Reconfigured,
    /// Another job comes first.
    Superseded,
    /// The wait for a missing resource was given up.
    GaveUp { resource: Resource, why: String },
}

/// A condition that another attempt waits for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Interruption {
    /// A root is no longer the same folder.
    Root(LostRoot),
    /// The state could not be written for want of this, and has to be opened again.
    State { resource: Resource, why: String },
    /// Directories could not be listed for want of something that is there again.
    Rescan,
}

impl RunState {
    /// Creates the state before all jobs.
    pub(crate) fn new(health: Health) -> Self {
        Self {
            counts: RunCounts::default(),
            statistics: BatchStatistics::default(),
            health,
            job: JobRecord::default(),
            first_commit: None,
            rescans: 0,
            blamed: false,
            latency: Latency::default(),
        }
    }

    /// Resets the counts before all attempts of a job.
    pub(crate) fn begin_job(&mut self, plan: &JobPlan, first_tick: u64) {
        let watch = self.statistics.watch.take();
        self.statistics = BatchStatistics { watch, ..BatchStatistics::default() };
        self.statistics.progress.job_id = plan.job.id;
        self.counts = RunCounts::default();
        self.job = JobRecord { first_tick, has_begun: plan.begins.is_none(), completed_at: None };
        self.rescans = 0;
    }

    /// Prepares for an attempt: a scan will count anew what it finds, and what was not committed is forgotten. Roots
    /// that are not scanned as a whole start with the ledger's counts.
    pub(crate) fn begin_attempt(&mut self, reader: &LedgerReader, plan: &JobPlan, workers: usize) {
        self.statistics.workers.truncate(workers);
        self.set_workers(workers);
        self.job.completed_at = None;
        let pending = reader.counts_of(plan.roots.iter().map(|(root, _)| root.id)).pending;
        let RunCounts { ok, failed, failed_again, removed, .. } = self.counts;
        let unscanned = plan.roots.iter().filter(|(root, _)| !plan.scans_whole(root.id));
        let known = reader.counts_of(unscanned.map(|(root, _)| root.id));
        let unchanged = (known.ok + known.failed).saturating_sub(ok + failed);
        let failed_earlier = known.failed.saturating_sub(failed).min(unchanged);
        let discovered = pending + ok + failed + unchanged;
        let kept = RunCounts { ok, failed, failed_again, removed, ..RunCounts::default() };
        self.counts = RunCounts { discovered, unchanged, failed_earlier, ..kept };
        self.statistics.progress.filtered.clear();
        self.statistics.progress.take_counts(&self.counts);
        self.statistics.progress.pending = pending;
    }

    /// Takes over the committed counts after the state was reopened.
    pub(crate) fn take_committed(&mut self, jobs: &[Job], id: u64) {
        if let Some(job) = jobs.iter().find(|job| job.id == id) {
            self.counts.ok = job.counts.ok;
            self.counts.failed = job.counts.failed;
            self.counts.failed_again = self.counts.failed_again.min(job.counts.failed);
            self.counts.removed = job.counts.removed;
        }
    }

    /// Returns whether the run may list once more what could not be listed.
    pub(super) fn may_rescan(&self, config: &BatchConfig) -> bool {
        self.rescans + 1 < config.retry_attempts
    }

    /// Sets the number of workers.
    pub(super) fn set_workers(&mut self, workers: usize) {
        self.statistics.workers_allowed = workers;
        if self.statistics.workers.len() < workers {
            self.statistics.workers.resize_with(workers, WorkerStatistics::default);
        }
    }
}
