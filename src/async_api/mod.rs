//! The async API of the engine: each call runs the same synchronous function on a thread that may block. Async
//! functions as processors are in `calls.rs`.
//!
//! Constraints: nothing here writes state; a call needs a runtime of tokio for nothing but its own waiting.

mod calls;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

use crate::engine::{
    BatchExecutionResult, BatchResult, BatchStatistics, CheckpointData, Engine, EngineError, IntoRoots,
    RepositoryProcessingResult, RunOptions, Stop, execute_batches, process_one_batch,
};
use crate::model::{BatchConfig, FileBatch};
use crate::process::{AstProcessor, IntoProcessor};

pub use calls::async_from_fn;

/// Runs blocking work on a thread of its own.
async fn offload<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    // A dedicated thread: the runtime panics if it can't start one.
    let (send, done) = oneshot::channel();
    let thread = std::thread::Builder::new().name("outlast".to_owned());
    let started = thread.spawn(move || {
        let _ = send.send(work());
    });
    started.map_err(EngineError::no_threads("a thread for the job"))?;
    done.await.unwrap_or(Err(EngineError::Panicked("outlast")))
}

/// Guard that asks a job to stop if its future is dropped before the job has ended, which releases its state.
struct StopIfDropped {
    stop: Stop,
    has_ended: Arc<AtomicBool>,
}

impl Drop for StopIfDropped {
    fn drop(&mut self) {
        // Otherwise the next job would take the request as its own.
        if !self.has_ended.load(Ordering::SeqCst) {
            self.stop.request();
        }
    }
}

/// Runs a job of an engine like `offload`, and asks it to stop once its future is dropped.
async fn offload_job<T: Send + 'static>(
    engine: &Arc<Engine>,
    work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    let has_ended = Arc::new(AtomicBool::new(false));
    let stops = StopIfDropped { stop: engine.stop(), has_ended: Arc::clone(&has_ended) };
    let engine = Arc::clone(engine);
    let ended = offload(move || {
        let done = work(&engine);
        has_ended.store(true, Ordering::SeqCst);
        done
    });
    let ended = ended.await;
    // Also if its thread did not start, or panicked.
    stops.has_ended.store(true, Ordering::SeqCst);
    ended
}

/// Processes one batch in parallel. A file's failure does not stop the others.
///
/// ```
/// use outlast::{BatchConfig, DiscoveredFile, create_optimal_batches, from_fn, process_batch};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("a.txt");
/// std::fs::write(&path, "one\ntwo\n")?;
/// let config = BatchConfig { worker_count: 2, ..BatchConfig::default() };
/// let mut batches = create_optimal_batches(vec![DiscoveredFile::at(&path)?], &config)?;
/// let lines = from_fn("lines/1", &["*"], |file| {
///     Ok(file.bytes.iter().filter(|byte| **byte == b'\n').count())
/// });
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
pub async fn process_batch<Kind>(
    batch: FileBatch,
    processor: impl IntoProcessor<Kind>,
    config: &BatchConfig,
) -> Result<BatchResult, EngineError> {
    let config = config.clone();
    let processor = processor.into_processor();
    offload(move || process_one_batch(batch, processor, &config)).await
}

/// Processes several batches on one pool of `worker_count` work-stealing threads.
///
/// # Errors
/// As [`process_batch`].
pub async fn execute_parallel_batches<Kind>(
    batches: Vec<FileBatch>,
    worker_count: usize,
    processor: impl IntoProcessor<Kind>,
) -> Result<BatchExecutionResult, EngineError> {
    let processor = processor.into_processor();
    offload(move || execute_batches(batches, worker_count, processor)).await
}

/// Resumes a job of the AST processor from a checkpoint. For another processor, see
/// [`BatchProcessingEngine::resume_failed_batch_job`].
///
/// # Errors
/// The state does not know the job or has not reached the checkpoint; or the run as a whole fails.
pub async fn resume_failed_batch_job(
    job_id: u64,
    checkpoint: CheckpointData,
) -> Result<RepositoryProcessingResult, EngineError> {
    BatchProcessingEngine::new(AstProcessor::default()).resume_failed_batch_job(job_id, checkpoint).await
}

/// Ingests repositories with one processor.
///
/// ```
/// use outlast::{AstProcessor, BatchConfig, BatchProcessingEngine};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let tree = folder.path().join("asts");
/// # let state = folder.path().join("state");
/// # std::fs::create_dir(&tree)?;
/// std::fs::write(tree.join("a.ast.json"), r#"{"_type": "Module", "body": []}"#)?;
/// let engine = BatchProcessingEngine::new(AstProcessor::default()).with_state(&state);
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
    /// Creates an engine with its state in `.outlast` in the current folder.
    pub fn new<Kind>(processor: impl IntoProcessor<Kind>) -> Self {
        Self::from_engine(Engine::new(processor))
    }

    /// Wraps an engine that was built with a custom source or strategy.
    pub fn from_engine(engine: Engine) -> Self {
        let options = RunOptions::new(".outlast");
        Self { engine: Arc::new(engine), state: options.state, records: options.records }
    }

    /// Sets the state folder.
    #[must_use]
    pub fn with_state(mut self, state: impl AsRef<Path>) -> Self {
        state.as_ref().clone_into(&mut self.state);
        self
    }

    /// Sets the record folder.
    #[must_use]
    pub fn with_records(mut self, records: impl AsRef<Path>) -> Self {
        self.records = Some(records.as_ref().to_owned());
        self
    }

    /// Ingests a folder, or several: resumes where the last run stopped, finds new, changed and removed files, and returns once
    /// everything is committed.
    ///
    /// # Errors
    /// The run as a whole fails; everything committed before stays.
    pub async fn process_repository(
        &self,
        roots: impl IntoRoots,
        config: BatchConfig,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        let roots = roots.into_roots();
        let mut options = RunOptions::new(&self.state);
        options.records.clone_from(&self.records);
        offload_job(&self.engine, move |engine| engine.run(roots, &config, &options)).await
    }

    /// Returns live figures, as of the last commit.
    pub fn processing_statistics(&self) -> BatchStatistics {
        self.engine.statistics()
    }

    /// Commits what the running job's workers have finished so far, and returns the cursor.
    ///
    /// # Errors
    /// The job is not running.
    pub async fn create_checkpoint(&self, job_id: u64) -> Result<CheckpointData, EngineError> {
        let engine = Arc::clone(&self.engine);
        offload(move || engine.checkpoint(job_id)).await
    }

    /// Resumes a job from a checkpoint: with its roots and its configuration, from what is committed.
    ///
    /// # Errors
    /// The state does not know the job or has not reached the checkpoint; or the run as a whole fails.
    pub async fn resume_failed_batch_job(
        &self,
        job_id: u64,
        checkpoint: CheckpointData,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        offload_job(&self.engine, move |engine| engine.resume(job_id, &checkpoint)).await
    }

    /// Returns the handle that asks the running job to stop, see [`Stop::request`]: the job commits its in-flight
    /// files and leaves the rest pending. The next job is not affected. A job whose future is dropped is asked to
    /// stop as well, and releases the state.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.engine.stop()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::{CheckpointError, ForgetFilter, ProcessingState, forget, root_path};
    use crate::ledger::LedgerError;
    use crate::model::Cursor;

    /// Creates a tree of `files` slow files, and an engine for it.
    fn slow(files: usize) -> (tempfile::TempDir, BatchProcessingEngine) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tree")).unwrap();
        for number in 0..files {
            std::fs::write(folder.path().join(format!("tree/f{number}")), "content").unwrap();
        }
        let sleeps = crate::process::from_fn("sleeps/1", &["*"], |file| {
            std::thread::sleep(Duration::from_millis(20));
            Ok(file.bytes.len())
        });
        let engine = BatchProcessingEngine::new(sleeps).with_state(folder.path().join("state"));
        (folder, engine)
    }

    fn config() -> BatchConfig {
        BatchConfig { worker_count: 1, checkpoint_interval: 1, ..BatchConfig::default() }
    }

    #[tokio::test]
    async fn a_stop_is_over_with_its_job() {
        let (folder, engine) = slow(60);
        let tree = folder.path().join("tree");
        let stop = async {
            while engine.processing_statistics().progress.ok == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let job = engine.processing_statistics().progress.job_id;
            let checkpoint = engine.create_checkpoint(job).await.unwrap();
            engine.stop().request();
            (job, checkpoint)
        };
        let (first, (job, checkpoint)) = tokio::join!(engine.process_repository(&tree, config()), stop);
        let first = first.unwrap();
        assert!(first.interrupted && first.progress.pending > 0);
        let rest = engine.resume_failed_batch_job(job, checkpoint).await.unwrap();
        assert_eq!(rest.progress.ok, first.progress.pending, "the stop was the first job's");
    }

    #[tokio::test]
    async fn a_caller_can_tell_why_a_job_is_not_resumed() {
        let (folder, engine) = slow(1);
        let job_id =
            engine.process_repository(folder.path().join("tree"), config()).await.unwrap().progress.job_id;
        let ended = engine.create_checkpoint(job_id).await;
        assert!(matches!(ended, Err(EngineError::NotRunning { job_id: named }) if named == job_id));
        let state = folder.path().join("state");
        let of = |job_id, tick, state_id: Option<&str>| {
            let cursor = Cursor { tick, ..Cursor::default() };
            CheckpointData { job_id, state: state.clone(), cursor, state_id: state_id.map(str::to_owned) }
        };
        let unknown = engine.resume_failed_batch_job(77, of(77, 1, None)).await;
        assert!(matches!(unknown, Err(EngineError::UnknownJob { job_id: 77, .. })));
        let reason_of = async |unfit| match engine.resume_failed_batch_job(job_id, unfit).await {
            Err(EngineError::Checkpoint { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        let older = reason_of(of(job_id, 1_000_000, None)).await;
        assert!(matches!(older, CheckpointError::OlderCopy { checkpoint: 1_000_000, .. }));
        let other = reason_of(of(job_id, 1, Some("another"))).await;
        assert_eq!(other, CheckpointError::OtherState);
        assert!(engine.resume_failed_batch_job(job_id, of(job_id, 1, None)).await.is_ok());
        let tree = root_path(folder.path().join("tree"));
        let filter = ForgetFilter { path: Some(tree.into_os_string()), ..ForgetFilter::default() };
        forget(&state, &filter).unwrap();
        let forgotten = reason_of(of(job_id, 1, None)).await;
        assert_eq!(forgotten, CheckpointError::RootsForgotten { job_id });
    }

    #[tokio::test]
    async fn several_roots_are_one_run() {
        let (folder, engine) = slow(2);
        let other = folder.path().join("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join("file"), "content").unwrap();
        let roots = [folder.path().join("tree"), other];
        assert_eq!(engine.processing_statistics().state, ProcessingState::Idle);
        assert_eq!(engine.process_repository(&roots, config()).await.unwrap().progress.ok, 3);
        assert_eq!(engine.processing_statistics().state, ProcessingState::Ended);
        let first = engine.process_repository(&roots[1], config()).await.unwrap();
        assert_eq!(first.progress.unchanged, 1);
    }

    #[tokio::test]
    async fn a_future_that_is_dropped_after_its_job_has_ended_stops_no_other_job() {
        let (folder, engine) = slow(1);
        let tree = folder.path().join("tree");
        let mut first = Box::pin(engine.process_repository(&tree, config()));
        let polled = tokio::time::timeout(Duration::ZERO, &mut first).await;
        assert!(polled.is_err());
        // This runtime has one thread: the future is not polled meanwhile.
        while engine.processing_statistics().progress.ok == 0 || engine.engine.view().is_some() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(300));
        drop(first);
        std::fs::write(tree.join("other"), "content").unwrap();
        let second = engine.process_repository(&tree, config()).await.unwrap();
        assert!(!second.interrupted && second.progress.ok == 1, "{second:?}");
    }

    #[tokio::test]
    async fn a_job_whose_future_is_dropped_releases_the_state() {
        let (folder, engine) = slow(2_000);
        let tree = folder.path().join("tree");
        let cut =
            tokio::time::timeout(Duration::from_millis(300), engine.process_repository(&tree, config()));
        assert!(cut.await.is_err());
        let other = Engine::new(crate::process::from_fn("sleeps/1", &["*"], |file| Ok(file.bytes.len())));
        let options = RunOptions::new(folder.path().join("state"));
        let until = std::time::Instant::now() + Duration::from_secs(20);
        let done = loop {
            match other.run(std::slice::from_ref(&tree), &config(), &options) {
                Err(EngineError::Ledger(LedgerError::InUse { .. })) if std::time::Instant::now() < until => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                ended => break ended.unwrap(),
            }
        };
        assert_eq!(done.progress.ok + done.progress.unchanged, 2_000);
    }
}
