//! What all workers of a run share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::crash_hook::CrashSignal;
use super::slots::WorkerSlots;
use crate::engine::resources::memory_budget::Budget;
use crate::engine::stop::Stop;
use crate::ledger::InFlightMarkers;
use crate::model::clock::Clock;
use crate::model::config::BatchConfig;
use crate::model::key::RootTable;
use crate::process::Processor;
use crate::source::Source;

/// Limits the workers to those that the processor has files for at the same time.
pub(crate) fn fitted(processor: &dyn Processor, config: BatchConfig) -> BatchConfig {
    let workers_max = processor.windowed().map_or(usize::MAX, |windowed| windowed.workers_max(&config));
    BatchConfig { worker_count: config.worker_count.min(workers_max), ..config }
}

/// State shared by the workers of a run.
pub(crate) struct WorkContext {
    pub processor: Arc<dyn Processor>,
    pub source: Arc<dyn Source>,
    pub roots: RootTable,
    pub config: Arc<BatchConfig>,
    pub clock: Clock,
    /// The memory for files.
    pub budget: Arc<Budget>,
    /// Where workers note the files in flight, for the next start.
    pub markers: Option<Arc<InFlightMarkers>>,
    pub stop: Stop,
    pub slots: Arc<WorkerSlots>,
    pub crash_signal: Arc<CrashSignal>,
    /// Whether files from an earlier scan are in flight, while the present scan may find that rules hide them.
    pub doubts_rules: AtomicBool,
}
