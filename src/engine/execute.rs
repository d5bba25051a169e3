//! Batches without a state: the same pool and the same workers, the outcomes returned instead of committed.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use super::board::Board;
use super::change::{Change, End};
use super::error::EngineError;
use super::pool::{Pool, Task};
use super::results::{BatchExecutionResult, BatchResult, ProcessingResult, WorkerStatistics};
use super::stop::Stop;
use super::worker::{BatchWorker, OutcomeGroup, WorkContext};
use crate::model::{BatchConfig, Clock, FileBatch, FileKey, RecordHead, RecordLine, RecordStatus, RootTable};
use crate::process::Processor;
use crate::source::{Filters, Source, TreeSource};

/// Groups of outcomes that may wait for the receiver.
const CHANNEL_GROUPS: usize = 256;

/// Processes batches of files (see [`DiscoveredFile::at`](crate::DiscoveredFile::at)) on `worker_count` threads.
///
/// # Errors
/// Where threads can't be started. A file's failure is part of the result.
pub fn execute_batches(
    batches: Vec<FileBatch>,
    worker_count: usize,
    processor: &dyn Processor,
) -> Result<BatchExecutionResult, EngineError> {
    let config = BatchConfig { worker_count, ..BatchConfig::default() };
    config.check()?;
    execute(batches, processor, &config)
}

/// Processes one batch on as many threads as the configuration says.
///
/// # Errors
/// As [`execute_batches`].
pub fn process_one_batch(
    batch: FileBatch,
    processor: &dyn Processor,
    config: &BatchConfig,
) -> Result<BatchResult, EngineError> {
    config.check()?;
    let mut executed = execute(vec![batch], processor, config)?;
    Ok(executed.batches.pop().unwrap_or_default())
}

fn execute(
    mut batches: Vec<FileBatch>,
    processor: &dyn Processor,
    config: &BatchConfig,
) -> Result<BatchExecutionResult, EngineError> {
    let started = Instant::now();
    // Nobody would come back for a second attempt.
    let config = &BatchConfig { retry_attempts: 1, retry: BTreeMap::new(), ..config.clone() };
    let source = TreeSource::new(Filters::default(), Vec::new());
    let (roots, stop) = (RootTable::new(Vec::new()), Stop::default());
    let board = Board::new(config.worker_count);
    let context = WorkContext {
        processor,
        source: &source as &dyn Source,
        roots: &roots,
        config,
        clock: Clock::default(),
        size_max: config.memory_limit_mb.saturating_mul(1 << 20),
        stop: &stop,
        board: &board,
    };
    let mut gathered = Gathered::new(&batches, config.worker_count);
    // The callers' numbers need not be unique; these are, and results keep the callers'.
    (0..).zip(&mut batches).for_each(|(at, batch)| batch.batch_id = at);
    let (send, receive) = sync_channel(CHANNEL_GROUPS);
    std::thread::scope(|scope| {
        let make = |index| {
            let send = send.clone();
            BatchWorker::new(&context, index, move |group| {
                let _ = send.send(Ok(group));
            })
        };
        let work =
            |worker: &mut BatchWorker<'_, _>, task, hand: &super::pool::Hand<'_>| worker.run(task, hand);
        let panicked = || drop(send.send(Err(EngineError::Panicked("worker"))));
        let pool = Pool::start(scope, config.worker_count, make, work, panicked)
            .map_err(EngineError::io("worker threads can't be started"))?;
        batches.into_iter().for_each(|batch| pool.push(Task::new(batch)));
        let result = gather(&receive, &mut gathered, &roots);
        pool.close();
        result
    })?;
    Ok(gathered.finish(started.elapsed().as_secs_f64()))
}

fn gather(
    receive: &Receiver<Result<OutcomeGroup, EngineError>>,
    gathered: &mut Gathered,
    roots: &RootTable,
) -> Result<(), EngineError> {
    while gathered.outstanding > 0 {
        let Ok(group) = receive.recv() else { break };
        gathered.take(group?, roots);
    }
    Ok(())
}

struct Gathered {
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

impl Gathered {
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
        let (files, (result, slots)) = (&self.places[at], &mut self.batches[at]);
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

/// A worker writes a record's line; this reads it back.
fn one_result(path: &Path, change: &Change, line: &mut Vec<u8>) -> ProcessingResult {
    let gone = || crate::model::FileError::new(crate::model::ErrorClass::IoPermanent, "the file is gone");
    let mut one =
        ProcessingResult { path: path.to_owned(), status: RecordStatus::Removed, result: None, error: None };
    let Change::Ended(ending) = change else { return one };
    if !matches!(ending.end, End::Recorded { .. }) {
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
