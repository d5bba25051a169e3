//! The figures of a run, as other threads see them.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::AttemptContext;
use super::run_state::RunState;
use crate::engine::commit::committer::Committer;
use crate::engine::dispatch::Dispatcher;
use crate::engine::stats::{BatchStatistics, MemoryStatus, ProcessTotals, ProcessingState};
use crate::engine::workers::outcome::OutcomeGroup;

impl RunState {
    /// Notes a worker's outcomes.
    pub(crate) fn note_group(&mut self, group: &OutcomeGroup, batch_is_complete: bool) {
        let progress = &mut self.statistics.progress;
        progress.bytes += group.bytes;
        progress.batches += u64::from(batch_is_complete);
        if let Some(worker) = self.statistics.workers.get_mut(group.worker) {
            worker.files +=
                group.outcomes.iter().filter(|outcome| outcome.change.was_attempted()).count() as u64;
            worker.bytes += group.bytes;
            worker.busy_seconds += group.busy.as_secs_f64();
        }
    }

    /// Publishes the current figures: those of the last commit, and what is in flight.
    pub(super) fn publish(
        &mut self,
        attempt: &AttemptContext<'_>,
        committer: &Committer<'_>,
        dispatch: &Dispatcher,
    ) {
        let now = attempt.now();
        let elapsed = now.saturating_duration_since(attempt.started).as_secs_f64();
        let store = committer.store();
        let cursor = store.ledger.cursor();
        let committed = store.reader.counts_of(attempt.plan.roots.iter().map(|(root, _)| root.id));
        let statistics = &mut self.statistics;
        let progress = &mut statistics.progress;
        progress.take_counts(&self.counts);
        progress.pending = committed.pending;
        progress.ticks = cursor.tick.saturating_sub(self.job.first_tick);
        progress.elapsed_seconds = elapsed;
        progress.files_per_second = (progress.ok + progress.failed) as f64 / elapsed.max(1e-9);
        statistics.cursor = cursor;
        statistics.pending_bytes = committed.pending_bytes;
        statistics.pending_by_class = store.reader.pending();
        statistics.in_flight = dispatch.in_flight();
        statistics.breakers = self.health.report(now);
        let pressure = self.health.pressure();
        statistics.memory = MemoryStatus {
            rss_bytes: pressure.rss_bytes,
            limit_bytes: pressure.limit_bytes,
            in_hand_bytes: attempt.work.budget.in_use_bytes(),
            percent: pressure.percent,
        };
        show(attempt.shown, statistics, now);
    }

    /// Publishes the run's state, and the breakers', also between its attempts.
    pub(crate) fn publish_state(
        &mut self,
        shown: &Mutex<BatchStatistics>,
        state: ProcessingState,
        now: Instant,
    ) {
        self.statistics.state = state;
        self.statistics.breakers = self.health.report(now);
        show(shown, &self.statistics, now);
    }
}

fn show(shown: &Mutex<BatchStatistics>, statistics: &BatchStatistics, now: Instant) {
    let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    let process = shown.process.plus(&shown, statistics);
    let progressed = shown.progressed.filter(|_| statistics.stands_as(&shown)).or(Some(now));
    shown.clone_from(statistics);
    shown.process = process;
    shown.published = Some(now);
    shown.progressed = progressed;
}

impl ProcessTotals {
    /// Adds the difference between two publications: figures begin at 0 with each job.
    fn plus(self, before: &BatchStatistics, now: &BatchStatistics) -> Self {
        let is_same_job = before.progress.job_id == now.progress.job_id;
        let added = |before: u64, now: u64| if is_same_job { now.saturating_sub(before) } else { now };
        let mut totals = self;
        for (number, worker) in now.workers.iter().enumerate() {
            let earlier = before.workers.get(number).map_or((0, 0), |worker| (worker.files, worker.bytes));
            totals.files += added(earlier.0, worker.files);
            totals.bytes += added(earlier.1, worker.bytes);
        }
        totals.batches += added(before.progress.batches, now.progress.batches);
        totals
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::stats::WorkerStatistics;

    fn statistics(job: u64, files: &[u64], batches: u64) -> BatchStatistics {
        let workers =
            files.iter().map(|&files| WorkerStatistics { files, bytes: files * 10, ..Default::default() });
        let mut statistics = BatchStatistics { workers: workers.collect(), ..BatchStatistics::default() };
        (statistics.progress.job_id, statistics.progress.batches) = (job, batches);
        statistics
    }

    #[test]
    fn sums_of_a_process_go_on_over_jobs_and_other_numbers_of_workers() {
        let shown = Mutex::default();
        let mut sums = Vec::new();
        for (job, files, batches) in [
            (1, &[5, 5][..], 1),
            (1, &[9, 6], 2),
            (1, &[9], 2),
            (1, &[10, 4], 2),
            // Another job may have done more at its first publication than the last one had at its last.
            (2, &[12, 1], 3),
            (2, &[12, 1], 3),
        ] {
            show(&shown, &statistics(job, files, batches), Instant::now());
            let process = shown.lock().unwrap().process;
            assert_eq!(process.bytes, process.files * 10);
            sums.push((process.files, process.batches));
        }
        assert_eq!(sums, [(10, 1), (15, 2), (15, 2), (20, 2), (33, 5), (33, 5)]);
    }

    #[test]
    fn publication_and_progress_of_files_are_dated() {
        let (shown, start) = (Mutex::default(), Instant::now());
        let dates = |seconds: u64, in_flight, tick, state| {
            let mut figures = BatchStatistics { in_flight, state, ..BatchStatistics::default() };
            figures.cursor.tick = tick;
            show(&shown, &figures, start + Duration::from_secs(seconds));
            let shown = shown.lock().unwrap();
            [shown.published, shown.progressed].map(|at| at.unwrap().duration_since(start).as_secs())
        };
        let processing = ProcessingState::Processing;
        assert_eq!(dates(1, 3, 7, processing), [1, 1]);
        assert_eq!(dates(2, 3, 7, processing), [2, 1], "nothing has come of the files");
        assert_eq!(dates(3, 3, 8, processing), [3, 3], "a commit");
        assert_eq!(dates(4, 3, 8, ProcessingState::Paused), [4, 4]);
        assert_eq!(dates(5, 0, 8, processing), [5, 5], "nothing is in flight");
        assert_eq!(dates(6, 1, 8, processing), [6, 5]);
    }
}
