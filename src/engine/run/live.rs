//! What other threads may see during a run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::engine::StoreView;
use crate::engine::command::ControlFlags;
use crate::engine::coordinator::event::Event;
use crate::engine::error::EngineError;
use crate::engine::job_plan::JobPlan;
use crate::engine::stats::{BatchStatistics, ProcessingProgress, ProcessingState};
use crate::engine::stop::Stop;
use crate::model::BatchConfig;
use crate::model::key::RootId;

/// The state that is visible to other threads during a run.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) statistics: Mutex<BatchStatistics>,
    running: Mutex<Option<Running>>,
    pub(super) control_flags: ControlFlags,
}

/// A run that is going on.
pub(super) struct Running {
    pub(super) job_id: u64,
    pub(super) view: StoreView,
    /// The roots that are served meanwhile.
    pub(super) roots: Vec<RootId>,
    pub(super) config: Arc<BatchConfig>,
    /// The current attempt; none while the run waits for something, or is between two jobs.
    pub(super) send: Option<SyncSender<Event>>,
    /// Another job will follow.
    pub(super) is_between: bool,
}

/// The one run of an engine. A stop request and signs of life are its own, so they are cleared when this is dropped.
pub(super) struct OneRun<'a> {
    runs: &'a AtomicBool,
    stop: &'a Stop,
    shared: &'a Shared,
}

impl<'a> OneRun<'a> {
    /// Begins a run, if none is going on.
    pub(super) fn begin(
        runs: &'a AtomicBool,
        stop: &'a Stop,
        shared: &'a Shared,
    ) -> Result<Self, EngineError> {
        if runs.swap(true, Ordering::SeqCst) {
            return Err(EngineError::Busy);
        }
        Ok(Self { runs, stop, shared })
    }
}

impl Drop for OneRun<'_> {
    fn drop(&mut self) {
        self.stop.withdraw();
        self.shared.shows_life(None);
        let mut statistics = self.shared.statistics.lock().unwrap_or_else(PoisonError::into_inner);
        // A run that was refused has not begun.
        if statistics.state != ProcessingState::Idle {
            statistics.state = ProcessingState::Ended;
        }
        drop(statistics);
        self.runs.store(false, Ordering::SeqCst);
    }
}

/// Publishes the run to other threads until it is dropped.
pub(super) struct LiveRun<'a> {
    shared: &'a Shared,
    /// Whether another job may follow, with the state readable until then.
    stays: bool,
}

impl<'a> LiveRun<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        plan: &JobPlan,
        view: StoreView,
        config: &Arc<BatchConfig>,
        stays: bool,
    ) -> Result<Self, EngineError> {
        let mut shown = shared.lock_run();
        if shown.as_ref().is_some_and(|running| !running.is_between) {
            return Err(EngineError::Busy);
        }
        let roots = plan.roots.iter().map(|(root, _)| root.id).collect();
        let config = Arc::clone(config);
        *shown = Some(Running { job_id: plan.job.id, view, roots, config, send: None, is_between: false });
        Ok(Self { shared, stays })
    }

    /// Publishes the channel of an attempt.
    pub(super) fn listens(&self, send: &SyncSender<Event>) {
        self.shared.of_run(|running| running.send = Some(send.clone()));
    }

    /// Replaces the published view.
    pub(super) fn look(&self, view: StoreView) {
        self.shared.of_run(|running| running.view = view);
    }

    /// Withdraws the view, as the state is about to be closed.
    pub(super) fn end(mut self) {
        self.stays = false;
    }
}

impl Drop for LiveRun<'_> {
    fn drop(&mut self) {
        let mut shown = self.shared.lock_run();
        match shown.as_mut() {
            Some(running) if self.stays => {
                running.send = None;
                running.is_between = true;
            }
            _ => *shown = None,
        }
    }
}

impl Shared {
    fn lock_run(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `of_run` with the run that is going on; if none is, not at all.
    pub(super) fn of_run<T>(&self, of_run: impl FnOnce(&mut Running) -> T) -> Option<T> {
        self.lock_run().as_mut().map(of_run)
    }

    /// Notes that the run's own thread is there; none once it has ended.
    pub(super) fn shows_life(&self, at: Option<Instant>) {
        let mut statistics = self.statistics.lock().unwrap_or_else(PoisonError::into_inner);
        statistics.published = at;
        statistics.progressed = at;
    }

    /// Returns the phase and the counts of the current job, or of the last one.
    pub(super) fn figures(&self) -> (ProcessingState, ProcessingProgress) {
        let statistics = self.statistics.lock().unwrap_or_else(PoisonError::into_inner);
        (statistics.state, statistics.progress.clone())
    }

    /// Ends the run for other threads: no job will follow.
    pub(super) fn end(&self) {
        *self.lock_run() = None;
    }
}
