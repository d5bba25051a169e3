//! The engine's public interface.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::live::{OneRun, Running, Shared};
use crate::batch::{BatchStrategy, strategy_of};
use crate::engine::command::ControlFlags;
use crate::engine::coordinator::event::Event;
use crate::engine::error::EngineError;
use crate::engine::roots::file_list::FileList;
use crate::engine::stats::{BatchStatistics, CheckpointData};
use crate::engine::stop::Stop;
use crate::engine::store::{RECORDS, StoreView};
use crate::model::{BatchConfig, Clock, RootId, RootName, RootTable};
use crate::process::{IntoProcessor, Processor};
use crate::source::watch::Watch;
use crate::source::{Filters, Source, TreeSource};

/// The location of a run's state, and the start of its clock.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// State directory.
    pub state: PathBuf,
    /// Record directory, relative to the state directory unless absolute. None is the one that the state has, and
    /// `records` for a new state.
    pub records: Option<PathBuf>,
    /// Names of roots, by [`root_path`](crate::engine::root_path): for those without, a new root gets the last component of its path.
    pub names: BTreeMap<PathBuf, RootName>,
    /// The only files that a run looks at, if not all below its roots: what is not named stays as it is. What an
    /// earlier run has left pending is done as well. Not for a watching process.
    pub files: Option<FileList>,
    /// When the process started: `first_commit_seconds` counts from here.
    pub started: Instant,
}

impl RunOptions {
    /// Creates options for this state directory, with its own record directory and the clock started now.
    pub fn new(state: impl AsRef<Path>) -> Self {
        Self {
            state: state.as_ref().to_owned(),
            records: None,
            names: BTreeMap::new(),
            files: None,
            started: Instant::now(),
        }
    }

    /// Returns the record directory for a new state, relative to the state.
    pub fn records_or_default(&self) -> &Path {
        self.records.as_deref().unwrap_or(Path::new(RECORDS))
    }
}

/// Creates a strategy, at the start of each run.
type MakeStrategy = dyn Fn(&BatchConfig) -> Box<dyn BatchStrategy> + Send + Sync;

/// Runs jobs with one processor.
pub struct Engine {
    processor: Arc<dyn Processor>,
    source: Option<Arc<dyn Source>>,
    strategy: Box<MakeStrategy>,
    pub(crate) stop: Stop,
    pub(super) clock: Clock,
    /// Whether a run is going on.
    pub(crate) runs: AtomicBool,
    shared: Arc<Shared>,
}

impl Engine {
    /// Creates an engine for this processor, or batch processor, with the tree on disk as its source. An `Arc` of one
    /// is one, too.
    pub fn new<Kind>(processor: impl IntoProcessor<Kind>) -> Self {
        Self {
            processor: processor.into_processor(),
            source: None,
            strategy: Box::new(strategy_of),
            stop: Stop::default(),
            clock: Clock::default(),
            runs: AtomicBool::new(false),
            shared: Arc::new(Shared::default()),
        }
    }

    /// Replaces the handle that asks its runs to stop, for a caller that may do so before there is an engine.
    #[must_use]
    pub fn with_stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Replaces the source; filters of the configuration are then up to that source.
    #[must_use]
    pub fn with_source(mut self, source: impl Source + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Replaces the strategy, which is made anew for each run.
    #[must_use]
    pub fn with_strategy(
        mut self,
        make: impl Fn(&BatchConfig) -> Box<dyn BatchStrategy> + Send + Sync + 'static,
    ) -> Self {
        self.strategy = Box::new(make);
        self
    }

    /// Begins a run.
    pub(super) fn begin(&self) -> Result<OneRun<'_>, EngineError> {
        OneRun::begin(&self.runs, &self.stop, &self.shared)
    }

    /// Returns the clock of its runs: it stands still while the process is stopped.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Returns the identity of its processor.
    pub fn identity(&self) -> &str {
        self.processor.identity()
    }

    /// Returns a handle that asks the current run to stop, or the next one if none is running: see [`Stop::request`].
    /// The request ends with that run.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Returns figures of the current run, as of its last commit; of the last one when none runs.
    pub fn statistics(&self) -> BatchStatistics {
        self.shared.statistics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the state of the current run, for reading; none when none runs.
    pub fn view(&self) -> Option<StoreView> {
        self.shared.of_run(|running| running.view.clone())
    }

    /// Returns the configuration of the current run, or the one it continues with next; none when none runs.
    pub fn config(&self) -> Option<Arc<BatchConfig>> {
        self.shared.of_run(|running| Arc::clone(&running.config))
    }

    /// Returns the roots that the current run serves.
    pub(crate) fn roots(&self) -> Vec<RootId> {
        self.shared.of_run(|running| running.roots.clone()).unwrap_or_default()
    }

    /// Returns the channel for events to the current run; none when none runs.
    pub(crate) fn events(&self) -> Option<SyncSender<Event>> {
        self.shared.of_run(|running| running.send.clone())?
    }

    /// Removes this root from the view that other threads see.
    pub(crate) fn show_without(&self, root: RootId) {
        self.shared.of_run(|Running { view, .. }| {
            let others = view.roots.iter().filter(|known| known.id != root);
            view.roots = RootTable::new(others.cloned().collect());
        });
    }

    /// Commits now what the current run's workers have handed over, and returns the cursor.
    ///
    /// # Errors
    /// No run of this job is going on.
    pub fn checkpoint(&self, job_id: u64) -> Result<CheckpointData, EngineError> {
        let view = self.shared.of_run(|running| (running.job_id == job_id).then(|| running.view.clone()));
        let view = view.flatten().ok_or(EngineError::NotRunning { job_id })?;
        let state = view.state.clone();
        let state_id = view.id.clone();
        // It would keep the state locked.
        drop(view);
        Ok(CheckpointData { job_id, state, cursor: self.put(Event::Checkpoint)?, state_id })
    }

    /// Returns the source for a configuration: the engine's own, or the tree on disk, which never enters the `state`
    /// directories, and which arms a watcher if there is one.
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

    /// Returns whether its source is a user's own instead of the tree on disk.
    pub(super) fn has_own_source(&self) -> bool {
        self.source.is_some()
    }

    /// Returns the tree on disk as a source, with the configuration's filters: the processor's own if it names none.
    ///
    /// # Errors
    /// A glob that can't be parsed.
    pub fn tree_for(&self, config: &BatchConfig, state: Vec<PathBuf>) -> Result<TreeSource, EngineError> {
        let own = || self.processor.default_include().into_iter().map(str::to_owned).collect();
        let include = if config.include.is_empty() { own() } else { config.include.clone() };
        let filters = Filters::new(&include, &config.exclude)?;
        Ok(TreeSource::new(filters.with_shard(config.shard), state))
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

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn control_flags(&self) -> &ControlFlags {
        &self.shared.control_flags
    }
}
