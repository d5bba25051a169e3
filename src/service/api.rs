//! The async face of the engine: each call runs the same synchronous function on a thread that may block.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::engine::{
    BatchExecutionResult, BatchResult, BatchStatistics, CheckpointData, Engine, EngineError,
    RepositoryProcessingResult, RunOptions, Stop, execute_batches, process_one_batch,
};
use crate::model::{BatchConfig, FileBatch, FileError};
use crate::process::{AstProcessor, FileContent, Processor};

/// Runs blocking work off the async threads.
async fn offload<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|error| Err(EngineError::Job(format!("the engine's thread ended early: {error}"))))
}

/// Processes one batch in parallel. One file's failure stops no other.
///
/// ```
/// use std::sync::Arc;
/// use outlast::{BatchConfig, DiscoveredFile, create_optimal_batches, from_fn, process_batch};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("a.txt");
/// std::fs::write(&path, "one\ntwo\n")?;
/// let config = BatchConfig { worker_count: 2, ..BatchConfig::default() };
/// let mut batches = create_optimal_batches(vec![DiscoveredFile::at(&path)?], &config)?;
/// let lines = Arc::new(from_fn("lines/1", &["*"], |file| {
///     Ok(file.bytes.iter().filter(|byte| **byte == b'\n').count())
/// }));
/// let result = process_batch(batches.remove(0), lines, &config).await?;
/// assert_eq!((result.ok, result.failed), (1, 0));
/// assert_eq!(result.results[0].result, Some(2.into()));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A setting outside its limits, or threads that can't be started.
pub async fn process_batch(
    batch: FileBatch,
    processor: Arc<dyn Processor>,
    config: &BatchConfig,
) -> Result<BatchResult, EngineError> {
    let config = config.clone();
    offload(move || process_one_batch(batch, processor, &config)).await
}

/// Processes many batches on one pool of `worker_count` threads that steal from each other.
///
/// # Errors
/// As [`process_batch`].
pub async fn execute_parallel_batches(
    batches: Vec<FileBatch>,
    worker_count: usize,
    processor: Arc<dyn Processor>,
) -> Result<BatchExecutionResult, EngineError> {
    offload(move || execute_batches(batches, worker_count, processor)).await
}

/// Goes on with a job of the AST processor from a checkpoint; with another processor, see
/// [`BatchProcessingEngine::resume_failed_batch_job`].
///
/// # Errors
/// The state does not know the job or has not reached the checkpoint; or what ends a run.
pub async fn resume_failed_batch_job(
    job_id: u64,
    checkpoint: CheckpointData,
) -> Result<BatchResult, EngineError> {
    BatchProcessingEngine::new(Arc::new(AstProcessor::default()))
        .resume_failed_batch_job(job_id, checkpoint)
        .await
}

/// Ingests repositories with one processor.
///
/// ```
/// use std::sync::Arc;
/// use outlast::{AstProcessor, BatchConfig, BatchProcessingEngine};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let (tree, state) = (folder.path().join("asts"), folder.path().join("state"));
/// # std::fs::create_dir(&tree)?;
/// std::fs::write(tree.join("a.ast.json"), r#"{"_type": "Module", "body": []}"#)?;
/// let engine = BatchProcessingEngine::new(Arc::new(AstProcessor::default())).with_state(&state);
/// let first = engine.process_repository(&tree, BatchConfig::default()).await?;
/// assert_eq!((first.progress.discovered, first.progress.ok), (1, 1));
/// let second = engine.process_repository(&tree, BatchConfig::default()).await?;
/// assert_eq!((second.progress.ok, second.progress.unchanged), (0, 1));
/// assert_eq!(engine.processing_statistics().progress.pending, 0);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct BatchProcessingEngine {
    engine: Arc<Engine>,
    state: PathBuf,
    records: Option<PathBuf>,
}

impl BatchProcessingEngine {
    /// An engine with its state in `.outlast` in the current folder.
    pub fn new(processor: Arc<dyn Processor>) -> Self {
        Self::from_engine(Engine::new(processor))
    }

    /// An engine that was set up with a source or a strategy of one's own.
    pub fn from_engine(engine: Engine) -> Self {
        let options = RunOptions::new(".outlast");
        Self { engine: Arc::new(engine), state: options.state, records: options.records }
    }

    /// The same engine with another state folder.
    #[must_use]
    pub fn with_state(mut self, state: &Path) -> Self {
        state.clone_into(&mut self.state);
        self
    }

    /// The same engine with another record folder.
    #[must_use]
    pub fn with_records(mut self, records: &Path) -> Self {
        self.records = Some(records.to_owned());
        self
    }

    /// Ingests a folder: goes on where the last run stopped, finds what is new, changed and gone, and
    /// returns when all is committed.
    ///
    /// # Errors
    /// What ends a run as a whole; everything committed before stays.
    pub async fn process_repository(
        &self,
        path: &Path,
        config: BatchConfig,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        let (engine, path) = (Arc::clone(&self.engine), path.to_owned());
        let mut options = RunOptions::new(&self.state);
        options.records.clone_from(&self.records);
        offload(move || engine.run(&[path], &config, &options)).await
    }

    /// Live figures, as of the last commit.
    pub fn processing_statistics(&self) -> BatchStatistics {
        self.engine.statistics()
    }

    /// Commits what the running job's workers have handed over so far, and returns the cursor.
    ///
    /// # Errors
    /// The job is not running.
    pub async fn create_checkpoint(&self, job_id: u64) -> Result<CheckpointData, EngineError> {
        let engine = Arc::clone(&self.engine);
        offload(move || engine.checkpoint(job_id)).await
    }

    /// Goes on with a job from a checkpoint: with its roots and its configuration, from what is committed.
    ///
    /// # Errors
    /// The state does not know the job or has not reached the checkpoint; or what ends a run.
    pub async fn resume_failed_batch_job(
        &self,
        job_id: u64,
        checkpoint: CheckpointData,
    ) -> Result<BatchResult, EngineError> {
        let engine = Arc::clone(&self.engine);
        offload(move || engine.resume(job_id, &checkpoint)).await
    }

    /// What asks the running job to stop, see [`Stop::request`]: it commits what it has in hand and leaves
    /// the rest pending. An awaited job whose future is dropped goes on.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.engine.stop()
    }
}

/// Makes a processor of an async function: each call is driven to its end on the worker thread
/// that has the file, within the tokio runtime of the caller.
///
/// The function gets the path and the content as its own, since it may hold them while it waits.
///
/// # Panics
/// Outside a tokio runtime.
pub fn async_from_fn<F, R, T>(
    identity: &str,
    include: &[&'static str],
    function: F,
) -> impl Processor + use<F, R, T>
where
    F: Fn(Vec<u8>, Vec<u8>) -> R + Send + Sync,
    R: Future<Output = Result<T, FileError>> + Send,
    T: Serialize,
{
    let runtime = tokio::runtime::Handle::current();
    crate::process::from_fn(identity, include, move |file: &FileContent<'_>| {
        runtime.block_on(function(file.path.to_vec(), file.bytes.to_vec()))
    })
}
