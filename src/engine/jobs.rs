//! tmp
use crate::ledger::{Job, JobEnd};
pub(crate) fn next_queued(jobs: &[Job]) -> Option<&Job> {
    jobs.iter()
        .filter(|job| job.end == JobEnd::Queued)
        .min_by_key(|job| (std::cmp::Reverse(job.priority), job.id))
}
pub(crate) fn outranks(queued: &Job, running: &Job) -> bool {
    queued.priority > running.priority
}
