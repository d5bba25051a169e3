//! A run from its start to its end: opens the state, starts the threads, coordinates, closes the job.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::session::Runtime;
use crate::batch::{BatchStrategy, strategy_of};
use crate::engine::command::Wishes;
use crate::engine::coordinator::event::Event;
use crate::engine::coordinator::run_state::{Ending, RunState};
use crate::engine::error::EngineError;
use crate::engine::job_plan::{self, JobPlan};
use crate::engine::resources::machine;
use crate::engine::roots;
use crate::engine::run::one_run::runs_already;
use crate::engine::stats::{BatchResult, BatchStatistics, CheckpointData, RepositoryProcessingResult};
use crate::engine::stop::Stop;
use crate::engine::store::{RECORDS, StoreView};
use crate::ledger::AskedState;
use crate::model::{BatchConfig, Clock, RootId, RootTable};
use crate::process::Processor;
use crate::source::watch::Watch;
use crate::source::{Filters, Source, TreeSource};

/// Where a run keeps its state, and when its clock starts.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// State folder.
    pub state: PathBuf,
    /// Record folder, relative to the state folder where it isn't absolute. None is the one that the state
    /// has, and `records` for a new state.
    pub records: Option<PathBuf>,
    /// When the process started: `first_commit_seconds` counts from here.
    pub started: Instant,
}

impl RunOptions {
    /// This state folder, with its own record folder, and the clock started now.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        Self { state: state.into(), records: None, started: Instant::now() }
    }

    /// The record folder for a new state.
    pub(crate) fn records_or_default(&self) -> &Path {
        self.records.as_deref().unwrap_or(Path::new(RECORDS))
    }
}

/// What a strategy is made by, at the start of each run.
type MakeStrategy = dyn Fn(&BatchConfig) -> Box<dyn BatchStrategy> + Send + Sync;

/// Runs jobs with one processor.
pub struct Engine {
    processor: Arc<dyn Processor>,
    source: Option<Arc<dyn Source>>,
    strategy: Box<MakeStrategy>,
    pub(crate) stop: Stop,
    pub(super) clock: Clock,
    /// A run goes on.
    pub(crate) runs: AtomicBool,
    shared: Arc<Shared>,
}

/// What others may look at while a run goes on.
#[derive(Default)]
pub(super) struct Shared {
    statistics: Mutex<BatchStatistics>,
    running: Mutex<Option<Running>>,
    wishes: Wishes,
}

/// A run that goes on.
struct Running {
    job: u64,
    view: StoreView,
    /// The roots that are served meanwhile.
    roots: Vec<RootId>,
    config: Arc<BatchConfig>,
    /// The attempt that goes on; none while the run waits for something, or is between two jobs.
    send: Option<SyncSender<Event>>,
    /// Another job will follow.
    is_between: bool,
}

impl Engine {
    /// An engine for this processor, with the tree on disk as its source.
    pub fn new(processor: Arc<dyn Processor>) -> Self {
        Self {
            processor,
            source: None,
            strategy: Box::new(strategy_of),
            stop: Stop::default(),
            clock: Clock::default(),
            runs: AtomicBool::new(false),
            shared: Arc::new(Shared::default()),
        }
    }

    /// The same engine with a source of one's own; filters of the configuration are the source's business then.
    #[must_use]
    pub fn with_source(mut self, source: Arc<dyn Source>) -> Self {
        self.source = Some(source);
        self
    }

    /// The same engine with a strategy of one's own, made anew for each run.
    #[must_use]
    pub fn with_strategy(
        mut self,
        make: impl Fn(&BatchConfig) -> Box<dyn BatchStrategy> + Send + Sync + 'static,
    ) -> Self {
        self.strategy = Box::new(make);
        self
    }

    /// Identity of its processor.
    pub fn identity(&self) -> &str {
        self.processor.identity()
    }

    /// What asks the present run to stop, or the next one where none goes on: see [`Stop::request`]. With the end of that
    /// run it is over.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Figures of the present run, as of its last commit; of the last one when none runs.
    pub fn statistics(&self) -> BatchStatistics {
        self.shared.statistics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The state of the present run, for reading; none when none runs.
    pub fn view(&self) -> Option<StoreView> {
        let running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(|running| running.view.clone())
    }

    /// The configuration of the present run, or of what it goes on with next; none when none runs.
    pub fn config(&self) -> Option<Arc<BatchConfig>> {
        let running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(|running| Arc::clone(&running.config))
    }

    /// The roots that the present run serves.
    pub(crate) fn roots(&self) -> Vec<RootId> {
        let running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(|running| running.roots.clone()).unwrap_or_default()
    }

    /// Where the present run takes news; none when none runs.
    pub(crate) fn events(&self) -> Option<SyncSender<Event>> {
        let running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref()?.send.clone()
    }

    /// What others look at has this root no longer.
    pub(crate) fn show_without(&self, root: RootId) {
        let mut running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = running.as_mut().map(|running| &mut running.view) {
            view.roots =
                RootTable::new(view.roots.iter().filter(|known| known.id != root).cloned().collect());
        }
    }

    /// Commits now what the present run's workers have handed over, and returns the cursor.
    ///
    /// # Errors
    /// No run of this job goes on.
    pub fn checkpoint(&self, job_id: u64) -> Result<CheckpointData, EngineError> {
        let view = {
            let running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
            let running = running.as_ref().filter(|running| running.job == job_id);
            running.map(|running| running.view.clone())
        };
        let view = view.ok_or_else(|| EngineError::Job(format!("job {job_id} is not running")))?;
        let (state, state_id) = (view.state.clone(), view.id.clone());
        // It would keep the state locked.
        drop(view);
        Ok(CheckpointData { job_id, state, cursor: self.put(Event::Checkpoint)?, state_id })
    }

    /// Ingests folders: goes on with what the state holds as pending, scans for what is new, and
    /// returns when all is done or a stop was asked for.
    ///
    /// # Errors
    /// What ends a run as a whole; everything committed before stays.
    pub fn run(
        &self,
        roots: &[PathBuf],
        config: &BatchConfig,
        options: &RunOptions,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        self.run_with(roots, config, options, |_| ())
    }

    /// The same, with something of the caller's that lives while the run holds the state: made once the
    /// state folder is open, dropped before it is closed.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn run_with<G>(
        &self,
        roots: &[PathBuf],
        config: &BatchConfig,
        options: &RunOptions,
        begun: impl FnOnce(&Path) -> G,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        let _one = self.begin()?;
        let roots = roots::resolve_roots(roots)?;
        let (mut runtime, meter) = Runtime::open(self, config, options, None)?;
        let plan = runtime.begin(&roots).inspect_err(|_| runtime.discard())?;
        tracing::info!(job = plan.job.id, roots = roots.len(), resumed = plan.resumed, "run started");
        let mut run = RunState::new(meter);
        run.begin_job(&plan, runtime.first_tick());
        let guard = begun(&options.state);
        let ended = runtime.run_job(&plan, &mut run, None);
        // Whoever reads the state through this run has to go first.
        drop(guard);
        runtime.close(&ended);
        self.result_of(ended?, plan.resumed, run, &runtime)
    }

    pub(super) fn result_of(
        &self,
        ending: Ending,
        resumed: bool,
        run: RunState,
        runtime: &Runtime<'_>,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        let stopped = match ending {
            Ending::GaveUp { resource, why } => {
                return Err(EngineError::Unavailable { resource, what: why });
            }
            Ending::Stopped(cause) => Some(cause),
            Ending::Done
            | Ending::Interrupted
            | Ending::Hindered(_)
            | Ending::Reconfigured
            | Ending::Superseded => None,
        };
        if ending == Ending::Done {
            runtime.in_hand.clear();
        }
        Ok(RepositoryProcessingResult {
            progress: run.statistics.progress,
            resumed,
            first_commit_seconds: run.first_commit.map(|elapsed| elapsed.as_secs_f64()),
            peak_rss_bytes: machine::peak_rss_bytes(),
            interrupted: ending == Ending::Interrupted,
            stopped,
            breakers: run.statistics.breakers.into_iter().filter(|breaker| breaker.opened > 0).collect(),
        })
    }

    /// Goes on with a job from a checkpoint: with its roots and its configuration, from what is committed.
    ///
    /// # Errors
    /// The state does not know the job, or has not reached the checkpoint; or as [`Engine::run`].
    pub fn resume(&self, job_id: u64, checkpoint: &CheckpointData) -> Result<BatchResult, EngineError> {
        let (roots, config) = {
            let state = AskedState::open(&checkpoint.state)?;
            job_plan::of_checkpoint(state.info(), &state.reader(), job_id, checkpoint, self.identity())?
        };
        let options = RunOptions::new(&checkpoint.state);
        let done = self.run(&roots, &config, &options)?.progress;
        let (ok, failed, bytes) = (done.ok, done.failed, done.bytes);
        Ok(BatchResult { ok, failed, bytes, elapsed_seconds: done.elapsed_seconds, ..BatchResult::default() })
    }

    /// The source for a configuration: the engine's own, or the tree on disk, which never enters the `state` folders,
    /// and which arms a watcher where there is one.
    pub(crate) fn source_for(
        &self,
        config: &BatchConfig,
        state: Vec<PathBuf>,
        watch: Option<&Arc<Watch>>,
    ) -> Result<Arc<dyn Source>, EngineError> {
        if let Some(source) = &self.source {
            return Ok(Arc::clone(source));
        }
        let tree = self.tree_for(config, state)?;
        Ok(Arc::new(match watch {
            Some(watch) => tree.with_watch(Arc::clone(watch)),
            None => tree,
        }))
    }

    /// Whether its source is no tree on disk, but a user's own.
    pub(super) fn has_own_source(&self) -> bool {
        self.source.is_some()
    }

    /// The tree on disk as a source, with the filters that a configuration asks for: the processor's
    /// own where it names none.
    ///
    /// # Errors
    /// A glob that can't be read.
    pub fn tree_for(&self, config: &BatchConfig, state: Vec<PathBuf>) -> Result<TreeSource, EngineError> {
        let own = || self.processor.default_include().iter().map(|glob| (*glob).to_owned()).collect();
        let include = if config.include.is_empty() { own() } else { config.include.clone() };
        let filters = Filters::new(&include, &config.exclude)?;
        Ok(TreeSource::new(filters, state))
    }

    pub(super) fn processor(&self) -> Arc<dyn Processor> {
        Arc::clone(&self.processor)
    }

    pub(super) fn make_strategy(&self, config: &BatchConfig) -> Box<dyn BatchStrategy> {
        (self.strategy)(config)
    }

    pub(super) fn shown(&self) -> &Mutex<BatchStatistics> {
        &self.shared.statistics
    }

    pub(super) fn stop_flag(&self) -> &Stop {
        &self.stop
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn wishes(&self) -> &Wishes {
        &self.shared.wishes
    }
}

/// Shows the run to others until it is dropped.
pub(super) struct Published<'a> {
    shared: &'a Shared,
    /// Whether another job may follow, and the state can be looked at until then.
    stays: bool,
}

impl<'a> Published<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        plan: &JobPlan,
        view: StoreView,
        config: &Arc<BatchConfig>,
        stays: bool,
    ) -> Result<Self, EngineError> {
        let mut shown = shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.as_ref().is_some_and(|running| !running.is_between) {
            return Err(runs_already());
        }
        let roots = plan.roots.iter().map(|(root, _)| root.id).collect();
        let (job, config) = (plan.job.id, Arc::clone(config));
        *shown = Some(Running { job, view, roots, config, send: None, is_between: false });
        Ok(Self { shared, stays })
    }

    /// From now on an attempt listens.
    pub(super) fn listens(&self, send: &SyncSender<Event>) {
        let mut shown = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shown.as_mut() {
            running.send = Some(send.clone());
        }
    }

    /// What can be looked at is this from now on.
    pub(super) fn look(&self, view: StoreView) {
        let mut shown = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shown.as_mut() {
            running.view = view;
        }
    }

    /// Shows it no longer: the state is to be closed.
    pub(super) fn end(mut self) {
        self.stays = false;
    }
}

impl Drop for Published<'_> {
    fn drop(&mut self) {
        let mut shown = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        match shown.as_mut() {
            Some(running) if self.stays => (running.send, running.is_between) = (None, true),
            _ => *shown = None,
        }
    }
}

impl Shared {
    /// No job will follow.
    pub(super) fn end(&self) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
