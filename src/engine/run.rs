//! A run from its start to its end: opens the state, starts the threads, coordinates, closes the job.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;
use std::time::Instant;

use super::board::Board;
use super::committer::{Committer, RootGround};
use super::coordinator::{Coordinator, Setting};
use super::error::EngineError;
use super::event::{CHANNEL_EVENTS, Event};
use super::fatal::Dying;
use super::job::{self, JobPlan};
use super::pool::{Hand, Pool};
use super::results::{BatchResult, BatchStatistics, CheckpointData, RepositoryProcessingResult};
use super::scan::ScanPlan;
use super::stop::{Stop, StopOnDrop};
use super::store::{RECORDS, Store, StoreView, check_log};
use super::worker::{BatchWorker, WorkContext};
use crate::batch::{BatchStrategy, strategy_of};
use crate::ledger::{Ledger, StateFolder};
use crate::model::{BatchConfig, Clock, Root, RootTable};
use crate::process::Processor;
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
    stop: Stop,
    shared: Arc<Shared>,
}

/// What others may look at while a run goes on.
#[derive(Default)]
struct Shared {
    statistics: Mutex<BatchStatistics>,
    running: Mutex<Option<Running>>,
}

struct Running {
    job: u64,
    view: StoreView,
    send: SyncSender<Event>,
}

impl Engine {
    /// An engine for this processor, with the tree on disk as its source.
    pub fn new(processor: Arc<dyn Processor>) -> Self {
        Self {
            processor,
            source: None,
            strategy: Box::new(strategy_of),
            stop: Stop::default(),
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

    /// What asks the present run, and every later one of this engine, to stop: see [`Stop::request`].
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

    /// Commits now what the present run's workers have handed over, and returns the cursor.
    ///
    /// # Errors
    /// No run of this job goes on.
    pub fn checkpoint(&self, job_id: u64) -> Result<CheckpointData, EngineError> {
        let none = || EngineError::Job(format!("job {job_id} is not running"));
        let (reply, receive) = sync_channel(1);
        let (send, state) = {
            let running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
            let running = running.as_ref().filter(|running| running.job == job_id).ok_or_else(none)?;
            (running.send.clone(), running.view.state.clone())
        };
        send.send(Event::Checkpoint(reply)).map_err(|_| none())?;
        let cursor = receive.recv().map_err(|_| none())?;
        Ok(CheckpointData { job_id, state, cursor })
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
        config.check()?;
        let roots = job::resolve_roots(roots)?;
        let mut store = Store::create(&options.state, options.records.as_deref())?;
        let source = self.source_for(config, store.view().own_folders())?;
        let plan = job::begin(&mut store, &roots, self.processor.identity(), source.as_ref(), config)?;
        tracing::info!(job = plan.job.id, roots = roots.len(), resumed = plan.resumed, "run started");
        self.run_job(store, source, &plan, config, options, begun)
    }

    /// Goes on with a job from a checkpoint: with its roots and its configuration, from what is committed.
    ///
    /// # Errors
    /// The state does not know the job, or has not reached the checkpoint; or as [`Engine::run`].
    pub fn resume(&self, job_id: u64, checkpoint: &CheckpointData) -> Result<BatchResult, EngineError> {
        let (roots, config) = {
            let state = StateFolder::open(&checkpoint.state)?;
            let ledger = Ledger::open(&state)?;
            job::of_checkpoint(&state, &ledger.reader(), job_id, checkpoint, self.identity())?
        };
        let options = RunOptions::new(&checkpoint.state);
        let done = self.run(&roots, &config, &options)?.progress;
        let (ok, failed, bytes) = (done.ok, done.failed, done.bytes);
        Ok(BatchResult { ok, failed, bytes, elapsed_seconds: done.elapsed_seconds, ..BatchResult::default() })
    }

    /// The source for a configuration: the engine's own, or the tree on disk, which never enters the `state` folders.
    pub(crate) fn source_for(
        &self,
        config: &BatchConfig,
        state: Vec<PathBuf>,
    ) -> Result<Arc<dyn Source>, EngineError> {
        match &self.source {
            Some(source) => Ok(Arc::clone(source)),
            None => Ok(Arc::new(self.tree_for(config, state)?)),
        }
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

    fn run_job<G>(
        &self,
        store: Store,
        source: Arc<dyn Source>,
        plan: &JobPlan,
        config: &BatchConfig,
        options: &RunOptions,
        begun: impl FnOnce(&Path) -> G,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        let (send, receive) = sync_channel(CHANNEL_EVENTS);
        // Declared first, dropped last: whoever reads the state through this run has gone by then.
        let mut committer = Committer::new(store, grounds(plan));
        let store = committer.store();
        let running = Running { job: plan.job.id, view: store.view(), send: send.clone() };
        let scan = ScanPlan {
            reader: Some(store.reader.clone()),
            roots: &plan.roots,
            source: Arc::clone(&source),
            halt: Stop::default(),
        };
        let check = (store.state.records(), store.ledger.log_ranges());
        // Before anybody can ask, and until nobody can.
        let _published = Published::new(&self.shared, running)?;
        let _guard = begun(store.path());
        let table = RootTable::new(plan.roots.iter().map(|(root, _)| root.clone()).collect());
        let marks = root_marks(source.as_ref(), plan)?;
        let context = Arc::new(WorkContext {
            processor: Arc::clone(&self.processor),
            source: Arc::clone(&source),
            roots: table,
            config: Arc::new(config.clone()),
            clock: Clock::default(),
            size_max: config.memory_limit_mb.saturating_mul(1 << 20),
            stop: scan.halt.clone(),
            board: Arc::new(Board::new(config.worker_count)),
            dying: Arc::new(Dying::default()),
        });
        std::thread::scope(|scope| {
            let (for_make, for_panic, shared) = (send.clone(), send.clone(), Arc::clone(&context));
            let make = move |index| {
                let send = for_make.clone();
                BatchWorker::new(Arc::clone(&shared), index, move |group| {
                    // The receiver is gone only when the run has failed.
                    let _ = send.send(Event::Ended(group));
                })
            };
            let work = |worker: &mut BatchWorker<_>, task, hand: &Hand<'_>| worker.run(task, hand);
            let panicked = move || drop(for_panic.send(Event::Failed(EngineError::Panicked("worker"))));
            let pool = Pool::start(config.worker_count, make, work, panicked)
                .map_err(EngineError::io("worker threads can't be started"))?;
            let pool = CloseOnExit(pool);
            // Dropped before the workers are waited for: none waits for room in the channel for ever.
            let receive = receive;
            // On every way out, also a failure to start the next thread.
            let _halt = StopOnDrop(&scan.halt);
            spawn(scope, "scan", &send, || scan.run(&send))?;
            spawn(scope, "check-log", &send, || {
                let checked = check_log(&check.0, &check.1, &scan.halt);
                let _ = send.send(checked.map_or_else(Event::Failed, |()| Event::LogChecked));
            })?;
            let setting = Setting {
                plan,
                config,
                started: options.started,
                pool: &pool.0,
                stop: &self.stop,
                halt: &scan.halt,
                shown: &self.shared.statistics,
                board: &context.board,
                roots: &context.roots,
                source: source.as_ref(),
                marks: &marks,
                clock: &context.clock,
            };
            let coordinator = Coordinator::new(setting, &mut committer, (self.strategy)(config));
            coordinator.run(&receive)
        })
    }
}

/// Starts a thread of the run. Should it panic, the run fails: nobody waits for it for ever.
pub(crate) fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &'static str,
    send: &SyncSender<Event>,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), EngineError> {
    let send = send.clone();
    let started = std::thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, move || {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            let _ = send.send(Event::Failed(EngineError::Panicked(name)));
        }
    });
    started.map(drop).map_err(EngineError::io(format!("the thread {name} can't be started")))
}

fn root_marks(source: &dyn Source, plan: &JobPlan) -> Result<Vec<u128>, EngineError> {
    let mark = |root: &Root| {
        let what = format!("{}: can't be opened", root.path.display());
        source.root_mark(root).map_err(EngineError::io(what))
    };
    plan.roots.iter().map(|(root, _)| mark(root)).collect()
}

fn grounds(plan: &JobPlan) -> HashMap<crate::model::RootId, RootGround> {
    plan.roots
        .iter()
        .map(|(root, ground)| (root.id, RootGround { name: root.name.clone(), ground: *ground }))
        .collect()
}

/// Ends the workers on every way out, and waits for them.
struct CloseOnExit(Arc<Pool>);

impl Drop for CloseOnExit {
    fn drop(&mut self) {
        self.0.close();
        self.0.join(None);
    }
}

/// Shows the run to others until it ends.
struct Published<'a>(&'a Shared);

impl<'a> Published<'a> {
    fn new(shared: &'a Shared, running: Running) -> Result<Self, EngineError> {
        let mut shown = shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.is_some() {
            return Err(EngineError::Job("this engine runs a job already; make another engine".to_owned()));
        }
        *shown = Some(running);
        Ok(Self(shared))
    }
}

impl Drop for Published<'_> {
    fn drop(&mut self) {
        *self.0.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
