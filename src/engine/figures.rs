//! The figures of a run, as others see them.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::change::{Change, End};
use super::results::{BatchStatistics, MemoryStatus, ProcessingState};
use super::run_state::RunState;
use super::worker::OutcomeGroup;
use crate::ledger::Counts;
use crate::model::Cursor;

/// How the ledger stands.
pub(crate) struct Standing {
    pub cursor: Cursor,
    /// Of the run's roots together.
    pub counts: Counts,
    /// Ticks before this run.
    pub first_tick: u64,
    pub in_flight: u64,
    pub in_hand_bytes: u64,
}

impl RunState {
    /// Notes what a worker did.
    pub(crate) fn note_group(&mut self, group: &OutcomeGroup, batch_is_complete: bool) {
        let progress = &mut self.statistics.progress;
        progress.bytes += group.bytes;
        progress.batches += u64::from(batch_is_complete);
        if let Some(worker) = self.statistics.workers.get_mut(group.worker) {
            worker.files +=
                group.outcomes.iter().filter(|outcome| was_looked_at(&outcome.change)).count() as u64;
            worker.bytes += group.bytes;
            worker.busy_seconds += group.busy.as_secs_f64();
        }
    }

    /// Shows how things stand.
    pub(crate) fn publish(
        &mut self,
        shown: &Mutex<BatchStatistics>,
        standing: &Standing,
        started: Instant,
        now: Instant,
    ) {
        let elapsed = now.saturating_duration_since(started).as_secs_f64();
        let statistics = &mut self.statistics;
        let progress = &mut statistics.progress;
        progress.take_tally(&self.tally);
        progress.pending = standing.counts.pending;
        progress.ticks = standing.cursor.tick.saturating_sub(standing.first_tick);
        progress.elapsed_seconds = elapsed;
        progress.files_per_second = (progress.ok + progress.failed) as f64 / elapsed.max(1e-9);
        statistics.cursor = standing.cursor;
        statistics.pending_bytes = standing.counts.pending_bytes;
        statistics.in_flight = standing.in_flight;
        statistics.breakers = self.breakers.report(now);
        statistics.memory = MemoryStatus {
            rss_bytes: self.pressure.rss_bytes,
            limit_bytes: self.pressure.limit_bytes,
            in_hand_bytes: standing.in_hand_bytes,
            percent: self.pressure.percent,
        };
        statistics.rounds += 1;
        show(shown, statistics);
    }

    /// Shows that the run waits, or goes on.
    pub(crate) fn publish_state(
        &mut self,
        shown: &Mutex<BatchStatistics>,
        state: ProcessingState,
        now: Instant,
    ) {
        self.statistics.state = state;
        self.statistics.breakers = self.breakers.report(now);
        self.statistics.rounds += 1;
        show(shown, &self.statistics);
    }
}

fn was_looked_at(change: &Change) -> bool {
    !matches!(change, Change::Ended(ending) if matches!(ending.end, End::Released | End::Gone))
}

fn show(shown: &Mutex<BatchStatistics>, statistics: &BatchStatistics) {
    let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    let before = shown.shown;
    shown.clone_from(statistics);
    shown.shown = before + 1;
}
