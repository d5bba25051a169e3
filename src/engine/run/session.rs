//! What a process has open from its first job to its last, and its jobs on it.

use std::sync::Arc;
use std::time::Instant;

use super::engine::{Engine, RunOptions};
use super::pulse::Pulse;
use super::summary::SummaryWriter;
use crate::engine::coordinator::run_state::{AttemptEnd, RunState};
use crate::engine::error::EngineError;
use crate::engine::job_plan::{self, JobPlan};
use crate::engine::resources::machine::{self, Bounds, Machine};
use crate::engine::resources::memory_budget::{Budget, effective_limit};
use crate::engine::resources::memory_meter::Meter;
use crate::engine::roots::file_list::FileList;
use crate::engine::roots::probe::FsProbe;
use crate::engine::roots::{GivenRoot, registry};
use crate::engine::store::Store;
use crate::engine::watch::WatchState;
use crate::engine::workers::context::fitted;
use crate::ledger::{InFlightMarkers, Job, JobEnd, LedgerError, PreviousCrash, RootInfo};
use crate::model::{BatchConfig, Clock};
use crate::source::watch::Watch;

/// Descriptors that the state, the control socket and the scan need.
const OWN_DESCRIPTORS: u64 = 192;
/// Descriptors of one worker.
const WORKERS_DESCRIPTORS: u64 = 5;
/// Each worker's part of an address-space limit: a quarter of it is for their stacks, of 2 MiB, and for what they
/// keep.
const WORKERS_ADDRESSES: u64 = 16 << 20;

/// An open state, and what goes with it.
pub(super) struct Session<'a> {
    pub(super) engine: &'a Engine,
    /// Empty only while attempts have the store, and once all is over.
    slot: Option<Store>,
    pub(super) config: Arc<BatchConfig>,
    pub(super) fs_probe: FsProbe,
    pub(super) markers: Arc<InFlightMarkers>,
    /// The files that were in flight when an earlier process died.
    pub(super) previous_crash: PreviousCrash,
    /// The kernel's count of processes that it killed for want of memory.
    pub(super) oom_kills: Option<u64>,
    /// Shared by all jobs: threads abandoned in one keep their memory.
    pub(super) budget: Arc<Budget>,
    bounds: Bounds,
    /// When the current job began, or the process.
    pub(super) started: Instant,
    pub(super) clock: Clock,
    /// Advances the clock.
    _pulse: Pulse,
    watch: Option<Arc<Watch>>,
    /// Writes the summaries of a shard.
    summaries: Option<SummaryWriter>,
    /// Whether the source's filters differ from those that the roots were registered with.
    pub(super) has_other_filters: bool,
}

impl<'a> Session<'a> {
    /// Opens the state, or creates one.
    pub(super) fn open(
        engine: &'a Engine,
        config: &BatchConfig,
        options: &RunOptions,
        watch: Option<Arc<Watch>>,
    ) -> Result<(Self, Meter), EngineError> {
        config.check()?;
        let store = Store::create(&options.state, options.records.as_deref());
        let mut store = store.map_err(EngineError::or_unavailable)?;
        if let Err(error) = store.take_shard(config.shard) {
            store.discard();
            return Err(error);
        }
        let machine = Machine::new();
        let oom_kills = machine.oom_kills();
        let clock = engine.clock();
        let prepared =
            engine.source_for(config, store.view().own_folders(), watch.as_ref()).and_then(|source| {
                let opened = InFlightMarkers::open(&store.state, oom_kills);
                Ok((source, opened.map_err(|error| EngineError::from(error).or_unavailable())?))
            });
        let (source, (markers, previous_crash)) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                store.discard();
                return Err(error);
            }
        };
        let bounds = machine.bounds();
        let memory_limit_bytes = effective_limit(config, bounds.memory);
        let session = Self {
            engine,
            slot: Some(store),
            config: Arc::new(with_room_for(config, bounds, engine)),
            fs_probe: FsProbe::new(source, engine.stop(), clock.clone()),
            markers: Arc::new(markers),
            previous_crash,
            oom_kills,
            budget: Arc::new(Budget::new(bounds.for_files(memory_limit_bytes))),
            bounds,
            started: options.started,
            _pulse: Pulse::start(&clock),
            clock,
            watch,
            summaries: config
                .shard
                .map(|shard| SummaryWriter::start(Arc::clone(engine.shared()), shard, engine.identity())),
            has_other_filters: false,
        };
        let processor = engine.processor();
        let children_bytes = move || processor.windowed().map_or(0, |windowed| windowed.children_bytes());
        Ok((session, Meter::of_machine(memory_limit_bytes, machine, children_bytes)))
    }

    /// Returns the state; an error if it is closed.
    pub(super) fn store(&mut self) -> Result<&mut Store, EngineError> {
        Ok(self.slot.as_mut().ok_or(LedgerError::Poisoned)?)
    }

    pub(super) fn identity(&self) -> &str {
        self.engine.identity()
    }

    /// Registers a job that scans these roots, or looks at the files of a list, durably.
    pub(super) fn begin(
        &mut self,
        roots: &[GivenRoot],
        files: Option<&FileList>,
    ) -> Result<JobPlan, EngineError> {
        let fs_probe = self.fs_probe.clone();
        let config = Arc::clone(&self.config);
        let identity = self.engine.identity();
        let store = self.store()?;
        let plan = job_plan::begin(store, roots, identity, &fs_probe, &config)
            .map_err(EngineError::or_unavailable)?;
        match files {
            Some(files) => plan.limited_to(files, &store.state.info().roots),
            None => Ok(plan),
        }
    }

    /// Registers these roots with the current filters. With `reprocess` all that was done is due again, if the
    /// configuration says so: once, when they are first registered.
    pub(super) fn register(
        &mut self,
        roots: &[GivenRoot],
        reprocess: bool,
    ) -> Result<Vec<RootInfo>, EngineError> {
        let fs_probe = self.fs_probe.clone();
        let config = BatchConfig { reprocess: reprocess && self.config.reprocess, ..(*self.config).clone() };
        let identity = self.engine.identity();
        self.has_other_filters = false;
        registry::register(self.store()?, roots, identity, &fs_probe, &config)
    }

    /// Clears the suspects, once the files in flight in an earlier process have been processed.
    pub(super) fn forget_suspects(&mut self) {
        self.previous_crash = PreviousCrash::default();
        if let Err(error) = self.markers.set_suspects(&[]) {
            tracing::debug!(%error, "suspects can't be forgotten");
        }
    }

    /// Starts a job's clock.
    pub(super) fn restart_clock(&mut self) {
        self.started = self.clock.now();
    }

    /// Records how a job ended that was superseded.
    pub(super) fn end_job(&mut self, plan: &JobPlan, run: &RunState, end: JobEnd) -> Result<(), EngineError> {
        let so_far = job_plan::so_far(&plan.job, &run.counts, run.statistics.progress.bytes);
        let job = if end.is_final() { job_plan::ended(so_far, end) } else { Job { end, ..so_far } };
        self.store()?.commit_without_lines(&[], Some(&job))
    }

    /// Returns the tick before which nothing is this session's.
    pub(super) fn first_tick(&self) -> u64 {
        self.slot.as_ref().map_or(0, |store| store.ledger.cursor().tick)
    }

    /// Does a job to its end, with every configuration that comes meanwhile.
    pub(super) fn run_job(
        &mut self,
        plan: &JobPlan,
        run: &mut RunState,
        mut watch_state: Option<&mut WatchState>,
    ) -> Result<AttemptEnd, EngineError> {
        loop {
            self.reconfigure(run)?;
            if self.has_other_filters && watch_state.is_some() {
                return Ok(AttemptEnd::Superseded);
            }
            let mut slot = self.slot.take();
            let ended = self.attempts(plan, &mut slot, run, watch_state.as_deref_mut());
            self.slot = slot;
            match ended? {
                AttemptEnd::Reconfigured => {}
                ending => return Ok(ending),
            }
        }
    }

    /// Continues with another configuration, if there is one.
    pub(super) fn reconfigure(&mut self, run: &mut RunState) -> Result<(), EngineError> {
        let Some(config) = self.engine.control_flags().take_config() else { return Ok(()) };
        let config = &*config;
        let old = &self.config;
        let has_other_globs = old.include != config.include || old.exclude != config.exclude;
        if has_other_globs && self.watch.is_some() {
            let own = self.store()?.view().own_folders();
            self.fs_probe.set_source(self.engine.source_for(config, own, self.watch.as_ref())?);
            self.has_other_filters = true;
        }
        self.config = Arc::new(with_room_for(config, self.bounds, self.engine));
        let memory_limit_bytes = effective_limit(config, self.bounds.memory);
        self.budget.set_limit(self.bounds.for_files(memory_limit_bytes));
        run.health.set_memory_limit(memory_limit_bytes);
        tracing::info!(workers = self.config.worker_count, "going on with another configuration");
        Ok(())
    }

    /// Closes the state of a failed start; removes one that was created for it.
    pub(super) fn discard(&mut self) {
        self.slot.take().into_iter().for_each(Store::discard);
    }

    /// Closes the state.
    pub(super) fn close(&mut self, ended: &Result<AttemptEnd, EngineError>) {
        let Some(store) = self.slot.take() else { return };
        if ended.is_ok() {
            store.note_compared_log();
        }
        self.summaries.take().into_iter().for_each(|summaries| summaries.end(&store));
    }
}

/// Limits the workers to the available descriptors and addresses. Each needs a descriptor for a file, one for its
/// directory, one for its in-flight marker and one to measure itself, and the processor may need another.
fn with_room_for(config: &BatchConfig, bounds: Bounds, engine: &Engine) -> BatchConfig {
    let descriptors = machine::raise_descriptor_limit().saturating_sub(OWN_DESCRIPTORS) / WORKERS_DESCRIPTORS;
    let addresses = bounds.addresses.unwrap_or(u64::MAX) / WORKERS_ADDRESSES;
    let (there, limit) = (descriptors, "ulimit -n").min((addresses, "ulimit -v"));
    let there = usize::try_from(there).unwrap_or(usize::MAX).max(1);
    let worker_count = config.worker_count.min(there);
    if worker_count < config.worker_count {
        let wanted = config.worker_count;
        tracing::warn!(workers = worker_count, wanted, "fewer workers: raise the limit (`{limit}`)");
    }
    let config = BatchConfig { worker_count, workers_max: config.workers_max.min(there), ..config.clone() };
    fitted(engine.processor().as_ref(), config)
}
