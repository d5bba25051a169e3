//! The number of workers: adjusted to how long reading waits.

use super::Coordinator;
use crate::engine::stats::WorkerStatistics;

impl Coordinator<'_> {
    /// Checks whether workers wait for their reads, and adjusts their number.
    pub(crate) fn look_at_reading(&mut self) {
        let now = self.now();
        if !self.sizer.is_due(now) {
            return;
        }
        let measured = self.set.context.slots.take_measures();
        let hungry = self.dispatch.hungry();
        let Some(workers) = self.sizer.decide(now, measured, hungry) else { return };
        tracing::debug!(workers, "as many workers, by how long reading waits");
        if let Err(error) = self.set.pool.allow(workers) {
            let there = self.set.pool.allowed();
            tracing::warn!(workers = there, wanted = workers, %error, "no more workers can be started");
            (self.sizer.most, self.sizer.allowed) = (there, there);
        }
        let allowed = self.set.pool.allowed();
        self.dispatch.set_workers(allowed);
        self.run.statistics.workers_allowed = allowed;
        let figures = &mut self.run.statistics.workers;
        if figures.len() < allowed {
            figures.resize_with(allowed, WorkerStatistics::default);
        }
    }
}
