//! The coordinator's side of a commit tick: what the policy is asked, what is committed, and what is recorded at a job's
//! end.

use super::publish::Standing;
use super::run_state::{AttemptEnd, Interruption};
use super::{Coordinator, LOOK_UP};
use crate::engine::commit::tick_policy::{TickInputs, TickPolicy};
use crate::engine::error::EngineError;
use crate::engine::job_plan;
use crate::engine::lifecycle::counts::RunCounts;
use crate::engine::roots::identity::LostRoot;
use crate::engine::stats::StopCause;
use crate::ledger::JobEnd;
use crate::model::{Cursor, Resource};

impl Coordinator<'_> {
    /// Returns whether a tick is due.
    pub(super) fn tick_is_due(&self) -> bool {
        self.ticks.is_due(&self.tick_inputs())
    }

    /// Returns what a tick may be due for now.
    pub(super) fn tick_inputs(&self) -> TickInputs {
        let waiting = self.committer.waiting();
        TickInputs {
            now: self.now(),
            waiting,
            is_demanded: !self.checkpoints.is_empty() || self.is_full(),
            is_hindered: !self.run.breakers.is_closed(Resource::Disk),
            is_urgent: self.touched.wait_for_tick(),
            is_scanning: self.scanning,
            makes_claimable: self.makes_claimable,
            outstanding: self.dispatch.outstanding(),
            idle: self.dispatch.hungry(),
            ended: self.dispatch.claims.ended_count(),
            interval: self.config().checkpoint_interval,
            is_all_out: TickPolicy::may_close(waiting, self.scanning) && self.claimable() == 0,
        }
    }

    pub(super) fn commit(&mut self) -> Result<(), EngineError> {
        if !self.has_room() {
            return Ok(());
        }
        let begun = self.now();
        let (ok, failed) = (self.run.tally.ok, self.run.tally.failed);
        let (lost, committed) = self.commit_waiting(None);
        let cursor = committed?;
        self.makes_claimable = false;
        self.dispatch.claims.committed();
        self.settle_touched()?;
        self.ticks.committed(begun, self.now());
        if self.run.first_commit.is_none() && (ok, failed) != (self.run.tally.ok, self.run.tally.failed) {
            self.run.first_commit = Some(self.now().saturating_duration_since(self.set.started));
        }
        self.publish();
        for reply in self.checkpoints.drain(..) {
            // The client may have gone.
            let _ = reply.try_send(cursor);
        }
        if let Some(lost) = lost {
            self.lost_root(lost);
        }
        self.heed_failures();
        Ok(())
    }

    /// Records that the job has begun, once there is something to do or a moment has passed: the first files are
    /// listed and read meanwhile, and a run that finds nothing to do is one tick.
    pub(super) fn begin_under_way(&mut self) -> Result<(), EngineError> {
        let is_under_way = self.dispatch.outstanding() > 0 || self.committer.waiting() > 0;
        let is_due = !self.run.has_begun && (is_under_way || self.ticks.since(self.now()) >= LOOK_UP);
        // A run that waits for the ledger's check hands nothing out meanwhile.
        let is_due = is_due && self.committer.store().ledger.is_checked();
        if is_due && self.has_room() { self.begin() } else { Ok(()) }
    }

    /// Records that the job has begun, if it is not recorded yet. That comes before the first tick with records: so
    /// an older copy of the state lacks two ticks of any run, and differs from a state whose last tick was cut short.
    fn begin(&mut self) -> Result<(), EngineError> {
        if !self.run.has_begun {
            let store = self.committer.store_mut();
            let mut jobs = self.set.plan.begins.iter().flatten().chain([&self.set.plan.job]);
            jobs.try_for_each(|job| store.commit_without_lines(&[], Some(job)))?;
            (self.run.has_begun, self.run.first_tick) = (true, store.ledger.cursor().tick);
        }
        Ok(())
    }

    /// Commits what waits, and the job as it stands then, or as it ends. Waiting removals are checked once more
    /// before: a root that went away takes no record with it.
    fn commit_waiting(&mut self, end: Option<JobEnd>) -> (Option<LostRoot>, Result<Cursor, EngineError>) {
        if self.committer.waiting() > 0
            && let Err(error) = self.begin()
        {
            return (None, Err(error));
        }
        let lost = self.check_gone();
        let (job, bytes) = (&self.set.plan.job, self.run.statistics.progress.bytes);
        let may_be_last = lost.is_none() && self.may_be_last();
        let mut is_last = false;
        let with_counts = |tally: &RunCounts, is_done| {
            let so_far = job_plan::so_far(job, tally, bytes);
            is_last = may_be_last && is_done;
            let end = end.or_else(|| is_last.then_some(JobEnd::Completed));
            Some(if let Some(end) = end { job_plan::ended(so_far, end) } else { so_far })
        };
        let committed = self.committer.commit(&mut self.run.tally, end.is_some(), with_counts);
        self.completed_at = committed.as_ref().ok().filter(|_| is_last).map(|cursor| cursor.tick);
        (lost, committed)
    }

    /// Confirms removals before they are committed: their roots must be unchanged, and the files still missing, as a
    /// mount may have come and gone since. Others are dropped, and these files stay as they were. Returns the first
    /// lost root.
    pub(super) fn check_gone(&mut self) -> Option<LostRoot> {
        let (guard, committer) = (&self.set.guard, &mut self.committer);
        let mut first = None;
        for (root, _) in guard.roots {
            let gone = committer.gone_of(root.id);
            if gone.is_empty() {
                continue;
            }
            match guard.look(root).map_or_else(|| guard.found_again(root, &gone), Err) {
                Ok(found) => committer.forget_gone(root.id, |key| found.contains(key)),
                Err(lost) => {
                    committer.forget_gone(root.id, |_| true);
                    first.get_or_insert(lost);
                }
            }
        }
        first
    }

    /// Returns whether the tick that is due may also end the job: another tick for that alone would take two more
    /// syncs. Should there be more to do all the same, the next tick records that the job continues.
    fn may_be_last(&self) -> bool {
        self.ending.is_none() && !self.following && !self.unlisted && self.is_done_once_committed()
    }

    /// Returns whether the job is recorded as completed already, with nothing recorded since.
    fn is_written_as(&self, end: JobEnd) -> bool {
        let at = self.committer.store().ledger.cursor().tick;
        end == JobEnd::Completed && self.committer.waiting() == 0 && self.completed_at == Some(at)
    }

    fn heed_failures(&mut self) {
        let (ok, failed) = (self.run.tally.ok, self.run.tally.failed);
        if self.config().max_failures.is_some_and(|max| max.is_passed(failed, ok + failed)) {
            self.end(AttemptEnd::Stopped(StopCause::MaxFailures));
        }
    }

    pub(super) fn publish(&mut self) {
        let store = self.committer.store();
        let roots = self.set.plan.roots.iter().map(|(root, _)| root.id);
        let standing = Standing {
            cursor: store.ledger.cursor(),
            counts: store.reader.counts_of(roots),
            first_tick: self.run.first_tick,
            in_flight: self.dispatch.claims.in_flight(),
            in_hand_bytes: self.set.context.budget.in_use_bytes(),
        };
        let now = self.now();
        self.run.publish(self.set.shown, &standing, self.set.started, now);
    }

    /// Records how the job ended, if that can be written.
    pub(crate) fn close(
        &mut self,
        ended: Result<AttemptEnd, EngineError>,
    ) -> Result<AttemptEnd, EngineError> {
        let end = match &ended {
            Ok(AttemptEnd::Done) => JobEnd::Completed,
            Ok(AttemptEnd::Interrupted) => JobEnd::Interrupted,
            Ok(AttemptEnd::Stopped(_) | AttemptEnd::GaveUp { .. }) => JobEnd::Failed,
            Ok(AttemptEnd::Hindered(_) | AttemptEnd::Reconfigured | AttemptEnd::Superseded) => return ended,
            // If the state itself failed, nothing more can be written; the error says so.
            Err(error) if error.is_of_the_state() => return open_again_or(ended),
            Err(_) => JobEnd::Failed,
        };
        if self.is_written_as(end) || (end != JobEnd::Completed && self.lacks_last_room()) {
            return ended;
        }
        // What could not be committed before still waits; a lost root ends the job as it is.
        let (_, committed) = self.commit_waiting(Some(end));
        match committed {
            Err(error) if end == JobEnd::Completed => return open_again_or(Err(error)),
            Err(error) => tracing::warn!(%error, "the end of the job can't be written down"),
            Ok(_) => self.publish(),
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
