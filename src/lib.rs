//! Outlast: a batch engine for files that outlasts crashes.

pub mod batch;
pub mod engine;
pub mod ledger;
pub mod model;
pub mod process;
pub mod service;
pub mod sink;
pub mod source;

pub use batch::{BatchStrategy, create_optimal_batches};
pub use engine::{
    BatchExecutionResult, BatchResult, BatchStatistics, CheckpointData, Engine, EngineError,
    ProcessingProgress, ProcessingResult, ProcessingState, RepositoryProcessingResult, RunOptions, Stop,
    WorkerStatistics,
};
pub use model::*;
pub use process::{AstProcessor, FileContent, Processor, ResultWriter, from_fn};
pub use service::{
    BatchProcessingEngine, async_from_fn, execute_parallel_batches, process_batch, resume_failed_batch_job,
};
pub use source::Source;
