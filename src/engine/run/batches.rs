//! Batches without a state: the same pool and workers, with outcomes returned instead of committed.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::pulse::Pulse;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition::{AttemptOutcome, FileEvent};
use crate::engine::resources::machine::Machine;
use crate::engine::resources::memory_budget::{Budget, effective_limit};
use crate::engine::stats::{BatchExecutionResult, BatchResult, ProcessingResult, WorkerStatistics};
use crate::engine::stop::Stop;
use crate::engine::workers::context::{WorkContext, fitted};
use crate::engine::workers::crash_hook::CrashSignal;
use crate::engine::workers::outcome::OutcomeGroup;
use crate::engine::workers::pool::{Pool, WorkerHandle};
use crate::engine::workers::record::overdue_outcome;
use crate::engine::workers::slots::WorkerSlots;
use crate::engine::workers::task::Task;
use crate::engine::workers::worker::BatchWorker;
use crate::model::{BatchConfig, Clock, FileBatch, FileKey, RecordHead, RecordLine, RecordStatus, RootTable};
use crate::process::{IntoProcessor, Processor};
use crate::source::{Filters, TreeSource};

/// Groups of outcomes that may wait for the receiver.
const CHANNEL_GROUPS: usize = 256;
/// Time between checks for a hung worker.
const LOOK_AROUND: Duration = Duration::from_millis(50);
const WORKER: &str = "a worker thread";

/// A message from the workers.
type Report = Result<OutcomeGroup, EngineError>;

/// Processes batches of files (see [`DiscoveredFile::at`](crate::DiscoveredFile::at)) on `worker_count` threads.
///
/// # Errors
/// If threads can't be started. A file's failure is part of the result.
pub fn execute_batches<Kind>(
    batches: Vec<FileBatch>,
    worker_count: usize,
    processor: impl IntoProcessor<Kind>,
) -> Result<BatchExecutionResult, EngineError> {
    let config = BatchConfig { worker_count, ..BatchConfig::default() };
    config.check()?;
    execute(batches, processor.into_processor(), &config)
}

/// Processes one batch on as many threads as the configuration says. A file that takes longer than `timeout_seconds`
/// fails as `timeout`, and its thread is abandoned.
///
/// # Errors
/// As [`execute_batches`].
pub fn process_one_batch<Kind>(
    batch: FileBatch,
    processor: impl IntoProcessor<Kind>,
    config: &BatchConfig,
) -> Result<BatchResult, EngineError> {
    config.check()?;
    let mut executed = execute(vec![batch], processor.into_processor(), config)?;
    Ok(executed.batches.pop().unwrap_or_default())
}

fn execute(
    mut batches: Vec<FileBatch>,
    processor: Arc<dyn Processor>,
    config: &BatchConfig,
) -> Result<BatchExecutionResult, EngineError> {
    let started = Instant::now();
    let context = Arc::new(context_of(processor, config));
    let _pulse = Pulse::start(&context.clock);
    let mut gathered = BatchCollector::new(&batches, config.worker_count);
    // The callers' numbers need not be unique; these are, and results keep the callers'.
    (0..).zip(&mut batches).for_each(|(at, batch)| batch.batch_id = at);
    let (send, receive) = sync_channel(CHANNEL_GROUPS);
    let pool = start_workers(&context, send)?;
    batches.into_iter().for_each(|batch| pool.push(Task::new(batch)));
    let result = gather(receive, &mut gathered, &context, &pool);
    // On an error, this stops the workers that still run.
    context.stop.request();
    pool.close();
    pool.join(Some(Instant::now() + limit_of(&context)));
    result?;
    Ok(gathered.finish(started.elapsed().as_secs_f64()))
}

fn context_of(processor: Arc<dyn Processor>, config: &BatchConfig) -> WorkContext {
    // There is no later run to make a second attempt.
    let config = BatchConfig { retry_attempts: 1, retry: BTreeMap::new(), workers_max: 0, ..config.clone() };
    let config = fitted(processor.as_ref(), config);
    let crash_signal = CrashSignal::default();
    // There is nothing to save.
    crash_signal.release();
    let bounds = Machine::new().bounds();
    let limit_bytes = effective_limit(&config, bounds.memory);
    let budget = Arc::new(Budget::new(bounds.for_files(limit_bytes)));
    WorkContext {
        processor,
        source: Arc::new(TreeSource::new(Filters::default(), Vec::new())),
        roots: RootTable::new(Vec::new()),
        clock: Clock::default(),
        slots: Arc::new(WorkerSlots::new(config.worker_count, Arc::clone(&budget))),
        budget,
        markers: None,
        stop: Stop::default(),
        crash_signal: Arc::new(crash_signal),
        doubts_rules: Default::default(),
        config: Arc::new(config),
    }
}

fn start_workers(context: &Arc<WorkContext>, send: SyncSender<Report>) -> Result<Arc<Pool>, EngineError> {
    let for_workers = Arc::clone(context);
    let failures = send.clone();
    let make = move |worker| {
        let send = send.clone();
        BatchWorker::new(Arc::clone(&for_workers), worker, move |group| {
            let _ = send.send(Ok(group));
        })
    };
    let work = |worker: &mut BatchWorker<_>, task, hand: &WorkerHandle<'_>| worker.run(task, hand);
    let panicked = move || drop(failures.send(Err(EngineError::Panicked("worker"))));
    let pool = Pool::start(1, make, work, panicked).map_err(EngineError::no_threads(WORKER))?;
    // Fewer will do as well.
    let _ = pool.allow(context.config.worker_count);
    Ok(pool)
}

fn limit_of(context: &WorkContext) -> Duration {
    Duration::from_secs(context.config.timeout_seconds)
}

/// Collects all outcomes; replaces a worker that hangs.
fn gather(
    receive: Receiver<Report>,
    gathered: &mut BatchCollector,
    context: &WorkContext,
    pool: &Arc<Pool>,
) -> Result<(), EngineError> {
    let mut last_look = context.clock.now();
    while gathered.outstanding > 0 {
        match receive.recv_timeout(LOOK_AROUND) {
            Ok(group) => gathered.take(group?, &context.roots),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let now = context.clock.now();
        if now - last_look < LOOK_AROUND {
            continue;
        }
        last_look = now;
        for reclaimed in context.slots.reclaim_overdue(limit_of(context), now) {
            if let Some(group) = overdue_outcome(context, &reclaimed) {
                gathered.take(group, &context.roots);
            }
            gathered.take(reclaimed.group, &context.roots);
            reclaimed.rest.into_iter().chain(reclaimed.again).for_each(|task| pool.push(task));
            pool.replace(reclaimed.worker).map_err(EngineError::no_threads(WORKER))?;
        }
    }
    Ok(())
}

struct BatchCollector {
    outstanding: usize,
    started: Instant,
    /// When each batch's first file was begun, in seconds from the start.
    begun: Vec<Option<f64>>,
    /// Each file's place in its batch.
    places: Vec<HashMap<FileKey, usize>>,
    batches: Vec<(BatchResult, Vec<Option<ProcessingResult>>)>,
    errors: BTreeMap<crate::model::ErrorClass, u64>,
    workers: Vec<WorkerStatistics>,
}

impl BatchCollector {
    fn new(batches: &[FileBatch], worker_count: usize) -> Self {
        let mut places = Vec::new();
        let mut results = Vec::new();
        for batch in batches {
            places.push(batch.files.iter().enumerate().map(|(at, file)| (file.key.clone(), at)).collect());
            let empty = BatchResult { batch_id: batch.batch_id, ..BatchResult::default() };
            results.push((empty, vec![None; batch.files.len()]));
        }
        Self {
            outstanding: batches.iter().map(|batch| batch.files.len()).sum(),
            started: Instant::now(),
            begun: vec![None; batches.len()],
            places,
            batches: results,
            errors: BTreeMap::new(),
            workers: vec![WorkerStatistics::default(); worker_count],
        }
    }

    fn take(&mut self, group: OutcomeGroup, roots: &RootTable) {
        self.outstanding -= group.outcomes.len();
        let worker = &mut self.workers[group.worker];
        worker.files += group.outcomes.len() as u64;
        worker.bytes += group.bytes;
        worker.busy_seconds += group.busy.as_secs_f64();
        let Ok(at) = usize::try_from(group.batch_id) else { return };
        let files = &self.places[at];
        let (result, slots) = &mut self.batches[at];
        result.bytes += group.bytes;
        let busy = group.busy.as_secs_f64();
        let begun = self.begun[at].get_or_insert_with(|| self.started.elapsed().as_secs_f64() - busy);
        result.elapsed_seconds = self.started.elapsed().as_secs_f64() - *begun;
        result.busy_seconds += busy;
        let mut from = 0;
        for outcome in group.outcomes {
            let mut line = group.lines[from..from + outcome.line].to_vec();
            from += outcome.line;
            let path = roots.path_of(&outcome.key).unwrap_or_default();
            let one = one_result(&path, &outcome.change, &mut line);
            match one.status {
                RecordStatus::Ok => result.ok += 1,
                RecordStatus::Failed | RecordStatus::Removed => result.failed += 1,
            }
            if let Some(error) = &one.error {
                *self.errors.entry(error.class).or_default() += 1;
            }
            if let Some(slot) = files.get(&outcome.key).and_then(|&at| slots.get_mut(at)) {
                *slot = Some(one);
            }
        }
    }

    fn finish(self, elapsed_seconds: f64) -> BatchExecutionResult {
        let close = |(result, slots): (BatchResult, Vec<Option<_>>)| BatchResult {
            results: slots.into_iter().flatten().collect(),
            ..result
        };
        let batches: Vec<BatchResult> = self.batches.into_iter().map(close).collect();
        let busy: f64 = self.workers.iter().map(|worker| worker.busy_seconds).sum();
        let available = elapsed_seconds * self.workers.len() as f64;
        BatchExecutionResult {
            ok: batches.iter().map(|batch| batch.ok).sum(),
            failed: batches.iter().map(|batch| batch.failed).sum(),
            batches,
            errors: self.errors,
            elapsed_seconds,
            utilization: if available > 0.0 { (busy / available).min(1.0) } else { 0.0 },
            workers: self.workers,
        }
    }
}

/// Parses the record line that a worker wrote.
fn one_result(path: &Path, change: &FileEvent, line: &mut Vec<u8>) -> ProcessingResult {
    let gone = || crate::model::FileError::new(crate::model::ErrorClass::IoPermanent, "the file is gone");
    let mut one =
        ProcessingResult { path: path.to_owned(), status: RecordStatus::Removed, result: None, error: None };
    let FileEvent::Ended(ending) = change else { return one };
    if !matches!(ending.end, AttemptOutcome::Recorded { .. }) {
        one.error = Some(gone());
        return one;
    }
    RecordLine::finish(line, 0);
    if let Ok(record) = RecordHead::parse(line) {
        one.status = record.status;
        one.result = record.result.and_then(|raw| serde_json::from_str(raw.get()).ok());
        one.error = record.error;
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DiscoveredFile, ErrorClass};
    use crate::process::{FileContent, from_fn};

    #[test]
    fn a_file_that_hangs_is_a_timeout_and_the_batch_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = |n: usize| {
            let path = folder.path().join(n.to_string());
            std::fs::write(&path, if n == 3 { "hang" } else { "go" }).unwrap();
            DiscoveredFile::at(&path).unwrap()
        };
        let batch = FileBatch::unplanned(5, (0..20).map(file));
        let processor = from_fn("sleeper/1", &["*"], |file: &FileContent<'_>| {
            std::thread::sleep(Duration::from_secs(if file.bytes == b"hang" { 6 } else { 0 }));
            Ok(file.bytes.len())
        });
        let config = BatchConfig { worker_count: 1, timeout_seconds: 1, ..BatchConfig::default() };
        let result = process_one_batch(batch, processor, &config).unwrap();
        assert_eq!((result.ok, result.failed, result.results.len()), (19, 1, 20));
        let error = result.results[3].error.as_ref().unwrap();
        assert_eq!(error.class, ErrorClass::Timeout);
        assert_eq!(error.message, "processing took longer than 1 s; raise `timeout`");
        assert!(result.elapsed_seconds < 5.0, "{}", result.elapsed_seconds);
    }
}
