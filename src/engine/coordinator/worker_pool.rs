//! The coordinator's side of the workers: how many there are, what they hold, and what is taken from those that hang
//! or bring the process down.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::dispatch::Dispatcher;
use crate::engine::error::EngineError;
use crate::engine::stats::WorkerStatistics;
use crate::engine::workers::context::WorkContext;
use crate::engine::workers::outcome::OutcomeGroup;
use crate::engine::workers::pool::Pool;
use crate::engine::workers::record::{crashed_outcome, overdue_outcome};
use crate::engine::workers::sizing::PoolSizer;
use crate::engine::workers::slots::Reclaimed;
use crate::engine::workers::task::Task;
use crate::ledger::LedgerReader;
use crate::model::DiscoveredFile;

/// Abandoned threads that have not come back, at most: each keeps its memory.
const ABANDONED_MAX: usize = 256;
/// A file that is in flight for longer than this holds up the files behind it.
const SLOW_FILE: Duration = Duration::from_millis(200);

/// The worker threads, their slots, and their number.
pub(super) struct WorkerPool<'a> {
    pool: &'a Arc<Pool>,
    context: &'a WorkContext,
    sizer: PoolSizer,
}

/// The work of a worker that hangs.
pub(super) struct Overdue {
    pub worker: usize,
    /// The outcomes that it had finished.
    pub finished: Option<OutcomeGroup>,
    /// The outcome of the file that took too long.
    pub failed: Option<OutcomeGroup>,
}

/// The work of a thread that is bringing the process down.
#[derive(Default)]
pub(super) struct Crashed {
    /// The outcomes that it had finished, and that of the file at fault.
    pub groups: Vec<OutcomeGroup>,
    /// The file at fault, if it was processing one.
    pub path: Option<PathBuf>,
}

impl<'a> WorkerPool<'a> {
    pub(super) fn new(pool: &'a Arc<Pool>, context: &'a WorkContext) -> Self {
        Self { pool, context, sizer: PoolSizer::new(&context.config) }
    }

    /// Adjusts the number of workers to how long their reads wait. Returns the new number, if it was adjusted.
    pub(super) fn resize(&mut self, now: Instant, idle: usize) -> Option<usize> {
        if !self.sizer.is_due(now) {
            return None;
        }
        let workers = self.sizer.decide(now, self.context.slots.take_measures(), idle)?;
        tracing::debug!(workers, "as many workers, by how long reading waits");
        if let Err(error) = self.pool.allow(workers) {
            let there = self.pool.allowed();
            tracing::warn!(workers = there, wanted = workers, %error, "no more workers can be started");
            self.sizer.limit(there);
        }
        Some(self.pool.allowed())
    }

    /// Takes the work of workers whose current file is in flight for too long.
    pub(super) fn reclaim_overdue(&self, now: Instant, dispatch: &Dispatcher) -> Vec<Overdue> {
        let limit = Duration::from_secs(self.context.config.timeout_seconds);
        let reclaimed = self.context.slots.reclaim_overdue(limit, now).into_iter();
        let overdue = reclaimed.map(|reclaimed| Overdue {
            worker: reclaimed.worker,
            failed: overdue_outcome(self.context, &reclaimed),
            finished: hand_over(reclaimed, dispatch).0,
        });
        overdue.collect()
    }

    /// Starts a worker in place of one that hangs.
    pub(super) fn replace(&self, worker: usize) -> Result<(), EngineError> {
        self.pool.replace(worker).map_err(EngineError::no_threads("a worker in place of one that hangs"))
    }

    /// Returns why the run can't continue, if too many workers hang.
    pub(super) fn too_many_hang(&self) -> Option<String> {
        let is_over = self.context.budget.given_up() > ABANDONED_MAX;
        is_over.then(|| format!("the processor did not come back from {ABANDONED_MAX} files"))
    }

    /// Takes back all files that are not begun, also those of tasks under way. A task that a worker is just about to
    /// begin is missed.
    pub(super) fn take_back(&self, dispatch: &mut Dispatcher) {
        dispatch.take_back();
        let rests = self.context.slots.take_rests(|_| true);
        rests.into_iter().for_each(|rest| dispatch.release(rest));
    }

    /// Passes what waits behind a slow file to idle workers.
    pub(super) fn share_rests(&self, now: Instant, dispatch: &Dispatcher) {
        if dispatch.idle() > 0 {
            let rests = self.context.slots.take_rests(|slot| slot.is_slow(SLOW_FILE, now));
            rests.into_iter().for_each(|rest| dispatch.pass_on(rest));
        }
    }

    /// Abandons what is in flight: it stays pending. Returns the outcomes that were finished.
    pub(super) fn abandon_all(&self, dispatch: &Dispatcher) -> Vec<OutcomeGroup> {
        let mut groups = Vec::new();
        for reclaimed in self.context.slots.seize_all() {
            if !reclaimed.is_waiting {
                self.pool.abandon(reclaimed.worker);
            }
            let begun = reclaimed.file.iter().chain(reclaimed.again.iter().flat_map(Task::files));
            for path in begun.filter_map(|file| self.context.roots.path_of(&file.key)) {
                tracing::warn!(path = %path.display(), "abandoned: it is still pending");
            }
            groups.extend(hand_over(reclaimed, dispatch).0);
        }
        groups
    }

    /// Returns the ID of a thread that is bringing the process down. It waits for [`Self::let_die`].
    pub(super) fn dying_thread(&self) -> Option<usize> {
        self.context.crash_signal.poll()
    }

    /// Lets the dying threads die.
    pub(super) fn let_die(&self) {
        self.context.crash_signal.release();
    }

    /// Attributes a crash to the current file of the thread with this ID.
    pub(super) fn attribute_crash(
        &self,
        thread_id: usize,
        dispatch: &mut Dispatcher,
        reader: &LedgerReader,
    ) -> Result<Crashed, EngineError> {
        let Some(mut reclaimed) = self.context.slots.seize(thread_id) else { return Ok(Crashed::default()) };
        let worker = reclaimed.worker;
        let batch = reclaimed.batch_id;
        self.pool.abandon(worker);
        // What is not begun is still pending, and so is what was begun beside the file at fault.
        dispatch.forget(reclaimed.rest.take());
        reclaimed.again.drain(..).for_each(|task| dispatch.forget(Some(task)));
        let (group, file) = hand_over(reclaimed, dispatch);
        let mut crashed = Crashed { groups: group.into_iter().collect(), path: None };
        if let Some(file) = file {
            let path = self.context.roots.path_of(&file.key).unwrap_or_default();
            let crashes = reader.get(&file.key)?.map_or(0, |entry| entry.crashes);
            tracing::error!(path = %path.display(), crashes, "the processor brings the process down");
            crashed.groups.push(crashed_outcome(self.context, worker, batch, &file, crashes));
            crashed.path = Some(path);
        }
        Ok(crashed)
    }

    /// Shows what each worker holds.
    pub(super) fn show(&self, workers: &mut [WorkerStatistics], now: Instant) {
        let slots = &self.context.slots;
        let slow_files = slots.slow_files(&self.context.roots, now);
        for ((worker, slow_file), held) in workers.iter_mut().zip(slow_files).zip(slots.current()) {
            worker.slow_file = slow_file;
            (worker.batch, worker.in_hand) = held.map_or((None, 0), |(batch, files)| (Some(batch), files));
        }
    }
}

/// Passes what a reclaimed slot held to other workers, but for its current file. Returns its finished outcomes, and its
/// current file.
fn hand_over(reclaimed: Reclaimed, dispatch: &Dispatcher) -> (Option<OutcomeGroup>, Option<DiscoveredFile>) {
    reclaimed.rest.into_iter().chain(reclaimed.again).for_each(|task| dispatch.pass_on(task));
    let group = Some(reclaimed.group).filter(|group| !group.outcomes.is_empty());
    (group, reclaimed.file)
}
