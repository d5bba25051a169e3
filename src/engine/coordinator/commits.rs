//! The coordinator's side of a commit tick: what the policy is asked, what is committed, and what is recorded at a
//! job's beginning and end.

use std::sync::mpsc::SyncSender;
use std::time::Instant;

use super::health::{LAST_ROOM_BYTES, ROOM_BYTES};
use super::run_state::{AttemptEnd, Interruption};
use super::{CHECK, Coordinator, WAKE};
use crate::engine::commit::tick_policy::{TickInputs, TickPolicy};
use crate::engine::error::EngineError;
use crate::engine::job_plan;
use crate::engine::lifecycle::counts::RunCounts;
use crate::engine::roots::identity::LostRoot;
use crate::engine::stats::StopCause;
use crate::ledger::JobEnd;
use crate::model::{Cursor, Resource};

/// The times of commits and checks, and the clients that wait for the next commit.
pub(super) struct Ticks {
    pub policy: TickPolicy,
    /// Clients that wait for the cursor of the next commit.
    pub clients: Vec<SyncSender<Cursor>>,
    checked_at: Option<Instant>,
}

impl Ticks {
    pub(super) fn new(now: Instant) -> Self {
        Self { policy: TickPolicy::new(now), clients: Vec::new(), checked_at: None }
    }

    /// Returns whether the machine and the workers should be checked now.
    pub(super) fn is_check_due(&mut self, now: Instant) -> bool {
        let is_due = self.checked_at.is_none_or(|last| now.saturating_duration_since(last) >= CHECK);
        if is_due {
            self.checked_at = Some(now);
        }
        is_due
    }
}

impl Coordinator<'_> {
    /// Returns what a tick may be due for now.
    pub(super) fn tick_inputs(&self) -> TickInputs {
        let waiting = self.committer.waiting();
        let is_scanning = self.discovery.is_scanning;
        let is_all_out = || self.dispatch.claimable(&self.attempt.claim_scope(&self.committer)) == 0;
        TickInputs {
            now: self.attempt.now(),
            waiting,
            is_demanded: !self.ticks.clients.is_empty() || self.committer.is_full(),
            is_hindered: !self.run.health.has(Resource::Disk),
            is_urgent: self.dispatch.awaits_tick(),
            is_scanning,
            makes_claimable: self.dispatch.makes_claimable(),
            outstanding: self.dispatch.outstanding(),
            idle: self.dispatch.idle(),
            ended: self.dispatch.ended_count(),
            interval: self.attempt.work.config.checkpoint_interval,
            is_all_out: TickPolicy::may_close(waiting, is_scanning) && is_all_out(),
        }
    }

    /// Records that the job has begun, once there is something to do or a moment has passed: the first files are
    /// listed and read meanwhile, and a run that finds nothing to do is one tick.
    pub(super) fn begin_job(&mut self) -> Result<(), EngineError> {
        let is_due = !self.run.job.has_begun
            && (self.is_under_way() || self.ticks.policy.since(self.attempt.now()) >= WAKE)
            // A run that waits for the ledger's check hands nothing out meanwhile.
            && self.committer.store().ledger.is_checked();
        if is_due && self.has_room() {
            self.run.job.begin(self.committer.store_mut(), self.attempt.plan)?;
        }
        Ok(())
    }

    /// Commits what waits, unless the disk is full. Answers the clients that wait for it.
    pub(super) fn commit(&mut self) -> Result<(), EngineError> {
        if !self.has_room() {
            return Ok(());
        }
        let begun = self.attempt.now();
        let done_before = self.run.counts.ok + self.run.counts.failed;
        let (lost, committed) = self.commit_waiting(None);
        let cursor = committed?;
        self.dispatch.committed(&self.committer.take_left());
        self.committer.recheck_unconfirmed(&self.attempt.root_monitor, &self.attempt.work.roots)?;
        let is_open = self.attempt.goes_on() && self.run.health.is_good();
        let scope = self.attempt.claim_scope(&self.committer);
        let now = self.attempt.work.clock.instant();
        self.dispatch.settle_changed(&scope, is_open, now, &mut self.run.latency)?;
        self.ticks.policy.committed(begun, self.attempt.now());
        let RunCounts { ok, failed, .. } = self.run.counts;
        if self.run.first_commit.is_none() && ok + failed != done_before {
            self.run.first_commit = Some(self.attempt.now().saturating_duration_since(self.attempt.started));
        }
        self.run.publish(&self.attempt, &self.committer, &self.dispatch);
        for reply in self.ticks.clients.drain(..) {
            // The client may have gone.
            let _ = reply.try_send(cursor);
        }
        if let Some(lost) = lost {
            self.lose_root(lost);
        }
        if self.attempt.work.config.max_failures.is_some_and(|max| max.is_passed(failed, ok + failed)) {
            self.end(AttemptEnd::Stopped(StopCause::MaxFailures));
        }
        Ok(())
    }

    /// Returns whether there is room for a commit; if not, the run waits for it.
    fn has_room(&mut self) -> bool {
        let missing = self.run.health.missing_disk_space(&self.committer, ROOM_BYTES);
        if let Some(why) = missing {
            if self.run.health.has(Resource::Disk) {
                self.run.health.trip(Resource::Disk, why, self.attempt.now());
                self.hold();
            }
            return false;
        }
        self.run.health.has(Resource::Disk)
    }

    /// Commits what waits, and the job as it stands then, or as it ends. Waiting removals are checked once more
    /// before: a root that went away takes no record with it.
    ///
    /// The tick may also end the job, as another tick for that alone would take two more syncs. Should there be more
    /// to do all the same, the next tick records that the job continues.
    fn commit_waiting(&mut self, end: Option<JobEnd>) -> (Option<LostRoot>, Result<Cursor, EngineError>) {
        if self.committer.waiting() > 0
            && let Err(error) = self.run.job.begin(self.committer.store_mut(), self.attempt.plan)
        {
            return (None, Err(error));
        }
        let lost = self.committer.confirm_removals(&self.attempt.root_monitor);
        let may_be_last = lost.is_none()
            && !self.draining.has_begun()
            && !self.discovery.is_following
            && !self.discovery.is_incomplete
            && self.is_done_once_committed();
        let job = &self.attempt.plan.job;
        let bytes = self.run.statistics.progress.bytes;
        let mut is_last = false;
        let with_counts = |counts: &RunCounts, is_done| {
            let so_far = job_plan::so_far(job, counts, bytes);
            is_last = may_be_last && is_done;
            let end = end.or_else(|| is_last.then_some(JobEnd::Completed));
            Some(if let Some(end) = end { job_plan::ended(so_far, end) } else { so_far })
        };
        let committed = self.committer.commit(&mut self.run.counts, end.is_some(), with_counts);
        if let (true, Ok(cursor)) = (is_last, &committed) {
            self.run.job.completed_at = Some(cursor.tick);
        }
        (lost, committed)
    }

    /// Records how the job ended, if that can be written.
    pub(crate) fn close(
        &mut self,
        ended: Result<AttemptEnd, EngineError>,
    ) -> Result<AttemptEnd, EngineError> {
        let end = match &ended {
            Ok(AttemptEnd::Done) if self.run.job.is_completed(&self.committer) => return ended,
            Ok(AttemptEnd::Done) => JobEnd::Completed,
            Ok(AttemptEnd::Interrupted) => JobEnd::Interrupted,
            Ok(AttemptEnd::Stopped(_) | AttemptEnd::GaveUp { .. }) => JobEnd::Failed,
            Ok(AttemptEnd::Hindered(_) | AttemptEnd::Reconfigured | AttemptEnd::Superseded) => return ended,
            // If the state itself failed, nothing more can be written; the error says so.
            Err(error) if error.is_of_the_state() => return open_again_or(ended),
            Err(_) => JobEnd::Failed,
        };
        if end != JobEnd::Completed
            && self.run.health.missing_disk_space(&self.committer, LAST_ROOM_BYTES).is_some()
        {
            return ended;
        }
        // A run that ends at once has recorded nothing yet: jobs that a kill ended must not stay as running.
        if self.attempt.plan.begins.as_ref().is_some_and(|stale| !stale.is_empty())
            && let Err(error) = self.run.job.begin(self.committer.store_mut(), self.attempt.plan)
        {
            return open_again_or(Err(error));
        }
        // What could not be committed before still waits; a lost root ends the job as it is.
        let (_, committed) = self.commit_waiting(Some(end));
        match committed {
            Err(error) if end == JobEnd::Completed => return open_again_or(Err(error)),
            Err(error) => tracing::warn!(%error, "cannot record the end of the job"),
            Ok(_) => self.run.publish(&self.attempt, &self.committer, &self.dispatch),
        }
        ended
    }
}

/// Makes the run reopen a state that could not be written, once the missing resource is there.
fn open_again_or(ended: Result<AttemptEnd, EngineError>) -> Result<AttemptEnd, EngineError> {
    match ended {
        Err(error) if let Some(resource) = error.short_of() => {
            Ok(AttemptEnd::Hindered(Interruption::State { resource, why: error.to_string() }))
        }
        other => other,
    }
}
