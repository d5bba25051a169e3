//! What a run carries through all its attempts.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::engine::job_plan::JobPlan;
use crate::engine::lifecycle::counts::RunCounts;
use crate::engine::resources::breaker::Breakers;
use crate::engine::resources::memory_meter::{Meter, Pressure};
use crate::engine::roots::identity::LostRoot;
use crate::engine::stats::latency::Latency;
use crate::engine::stats::{BatchStatistics, StopCause, WorkerStatistics};
use crate::ledger::{Job, LedgerReader, free_bytes};
use crate::model::Resource;

/// Counts, figures, and what holds the run back.
pub(crate) struct RunState {
    pub tally: RunCounts,
    pub statistics: BatchStatistics,
    pub breakers: Breakers,
    pub meter: Meter,
    /// As last checked; each attempt checks it first.
    pub pressure: Pressure,
    /// From the start of the process to the first commit of new work.
    pub first_commit: Option<Duration>,
    /// The last tick before this run, or the one with which the job began.
    pub first_tick: u64,
    /// Whether it is durable that the job has begun.
    pub has_begun: bool,
    /// Returns the free space on a directory's file system.
    pub free_bytes: fn(&Path) -> std::io::Result<u64>,
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
    /// A root is no longer the same directory.
    Root(LostRoot),
    /// The state could not be written for want of this, and has to be opened again.
    State { resource: Resource, why: String },
    /// Directories could not be listed for want of something that is there again.
    Rescan,
}

impl RunState {
    /// Creates the state before all jobs.
    pub(crate) fn new(meter: Meter) -> Self {
        Self {
            tally: RunCounts::default(),
            statistics: BatchStatistics::default(),
            breakers: Breakers::new(),
            pressure: Pressure::default(),
            meter,
            first_commit: None,
            first_tick: 0,
            has_begun: false,
            free_bytes,
            rescans: 0,
            blamed: false,
            latency: Latency::default(),
        }
    }

    /// Resets the counts before all attempts of a job.
    pub(crate) fn begin_job(&mut self, plan: &JobPlan, first_tick: u64) {
        let watch = self.statistics.watch.take();
        self.statistics = BatchStatistics { watch, ..BatchStatistics::default() };
        self.statistics.progress.job = plan.job.id;
        self.tally = RunCounts::default();
        (self.first_tick, self.rescans) = (first_tick, 0);
        self.has_begun = plan.begins.is_none();
    }

    /// Prepares for an attempt: a scan will count anew what it finds, and what was not committed is forgotten. Roots
    /// that are not scanned as a whole start with the ledger's counts.
    pub(crate) fn begin_attempt(&mut self, reader: &LedgerReader, plan: &JobPlan, workers: usize) {
        self.statistics.workers.resize_with(workers, WorkerStatistics::default);
        self.statistics.workers_allowed = workers;
        let pending = reader.counts_of(plan.roots.iter().map(|(root, _)| root.id)).pending;
        let RunCounts { ok, failed, removed, .. } = self.tally;
        let unscanned = plan.roots.iter().filter(|(root, _)| !plan.scans_whole(root.id));
        let known = reader.counts_of(unscanned.map(|(root, _)| root.id));
        let unchanged = (known.ok + known.failed).saturating_sub(ok + failed);
        let failed_earlier = known.failed.saturating_sub(failed).min(unchanged);
        let discovered = pending + ok + failed + unchanged;
        self.tally =
            RunCounts { discovered, ok, failed, unchanged, failed_earlier, removed, ..RunCounts::default() };
        self.statistics.progress.filtered.clear();
        self.statistics.progress.take_tally(&self.tally);
        self.statistics.progress.pending = pending;
    }

    /// Takes over the committed counts after the state was reopened.
    pub(crate) fn take_committed(&mut self, jobs: &[Job], id: u64) {
        if let Some(job) = jobs.iter().find(|job| job.id == id) {
            let counts = &job.counts;
            (self.tally.ok, self.tally.failed, self.tally.removed) =
                (counts.ok, counts.failed, counts.removed);
        }
    }

    /// Returns the ending if a breaker has been open for longer than the run waits.
    pub(crate) fn given_up(&self, wait: Duration, now: Instant) -> Option<AttemptEnd> {
        let (resource, since, why) = self.breakers.open_since()?;
        let over = now.saturating_duration_since(since) >= wait;
        over.then(|| AttemptEnd::GaveUp { resource, why: why.to_owned() })
    }
}
