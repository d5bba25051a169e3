//! What is durable of the running job.

use super::committer::Committer;
use crate::engine::error::EngineError;
use crate::engine::job_plan::JobPlan;
use crate::engine::store::Store;

/// The ticks that recorded the job's beginning and its end.
#[derive(Debug, Default)]
pub(crate) struct JobRecord {
    /// The last tick before this run, or the one with which the job began.
    pub first_tick: u64,
    pub has_begun: bool,
    /// The tick that recorded the job as completed.
    pub completed_at: Option<u64>,
}

impl JobRecord {
    /// Records that the job has begun, if it is not recorded yet. That comes before the first tick with records: so
    /// an older copy of the state lacks two ticks of any run, and differs from a state whose last tick was cut short.
    pub(crate) fn begin(&mut self, store: &mut Store, plan: &JobPlan) -> Result<(), EngineError> {
        if self.has_begun {
            return Ok(());
        }
        let mut jobs = plan.begins.iter().flatten().chain([&plan.job]);
        jobs.try_for_each(|job| store.commit_without_lines(&[], Some(job)))?;
        self.has_begun = true;
        self.first_tick = store.ledger.cursor().tick;
        Ok(())
    }

    /// Returns whether the job is recorded as completed already, with nothing recorded since.
    pub(crate) fn is_completed(&self, committer: &Committer<'_>) -> bool {
        committer.waiting() == 0 && self.completed_at == Some(committer.store().ledger.cursor().tick)
    }
}
