//! What a worker does with one file: read, hash, process, write the record's line.

use std::hash::BuildHasher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::board::{Board, Slot};
use super::change::{Change, End, Ending};
use super::pool::{Hand, Task};
use super::stop::Stop;
use crate::ledger::Retry;
use crate::model::{
    BatchConfig, Clock, Digest, DiscoveredFile, ErrorClass, FileError, FileKey, Fingerprint, RecordLine,
    RecordStatus, Resource, Root, RootTable, Timestamp,
};
use crate::process::{FileContent, Processor, ResultWriter};
use crate::source::{ReadError, Source};

/// Outcomes that a worker hands over together.
const GROUP_FILES_MAX: usize = 64;
const GROUP_BYTES_MAX: usize = 256 << 10;
const LARGE_BYTES: u64 = 4 << 20;
/// A slow processor's outcomes don't wait longer than this for company.
const GROUP_AGE_MAX: Duration = Duration::from_millis(20);

/// What the workers of a run share.
pub(crate) struct WorkContext<'a> {
    pub processor: &'a dyn Processor,
    pub source: &'a dyn Source,
    pub roots: &'a RootTable,
    pub config: &'a BatchConfig,
    pub clock: Clock,
    pub size_max: u64,
    pub stop: &'a Stop,
    pub board: &'a Board,
}

/// One file's outcome. `line` is the length of its record's line in the group.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub key: FileKey,
    pub change: Change,
    pub line: usize,
    /// What was short, where the file failed and not by its own fault.
    pub short_of: Option<Resource>,
}

/// Outcomes of one batch, with the lines of their records one after the other.
#[derive(Debug, Default)]
pub(crate) struct OutcomeGroup {
    pub batch_id: u64,
    pub worker: usize,
    pub outcomes: Vec<Outcome>,
    pub lines: Vec<u8>,
    pub bytes: u64,
    pub busy: Duration,
}

/// A worker's buffers, and where its outcomes go.
pub(crate) struct BatchWorker<'a, S> {
    context: &'a WorkContext<'a>,
    slot: &'a Slot,
    index: usize,
    send: S,
    content: Vec<u8>,
    result: ResultWriter,
    group: OutcomeGroup,
}

impl<'a, S: FnMut(OutcomeGroup)> BatchWorker<'a, S> {
    /// `send` takes each group of outcomes.
    pub(crate) fn new(context: &'a WorkContext<'a>, index: usize, send: S) -> Self {
        let (content, result, group) = Default::default();
        Self { context, slot: context.board.slot(index), index, send, content, result, group }
    }

    /// Works through a task. Once a stop is asked for, what is left is released.
    pub(crate) fn run(&mut self, mut task: Task, hand: &Hand<'_>) {
        self.group =
            OutcomeGroup { batch_id: task.batch().batch_id, worker: self.index, ..OutcomeGroup::default() };
        self.slot.set(Some(Arc::clone(task.batch())));
        let mut since = Instant::now();
        loop {
            hand.share(&mut task);
            self.slot.begin(task.place());
            let Some(file) = task.next_file() else { break };
            if file.fingerprint.size >= LARGE_BYTES {
                // What is done need not wait for a file that may take long.
                self.flush(since.elapsed());
                since = Instant::now();
            }
            if self.context.stop.is_requested() {
                self.push(file, End::Released, 0);
            } else {
                self.process(file);
            }
            let busy = since.elapsed();
            let full = self.group.outcomes.len() >= GROUP_FILES_MAX
                || self.group.lines.len() >= GROUP_BYTES_MAX
                || busy >= GROUP_AGE_MAX;
            if full {
                self.flush(busy);
                since = Instant::now();
            }
        }
        self.slot.set(None);
        self.flush(since.elapsed());
    }

    fn flush(&mut self, busy: Duration) {
        if self.group.outcomes.is_empty() {
            return;
        }
        let next =
            OutcomeGroup { batch_id: self.group.batch_id, worker: self.index, ..OutcomeGroup::default() };
        let mut full = std::mem::replace(&mut self.group, next);
        full.busy = busy;
        (self.send)(full);
    }

    fn process(&mut self, file: &DiscoveredFile) {
        let Some(root) = self.context.roots.get(file.key.root()) else {
            return self.push(file, End::Released, 0);
        };
        let read = self.context.source.read(root, &file.key, self.context.size_max, &mut self.content);
        let content = match read {
            Ok(content) => content,
            Err(ReadError::Gone | ReadError::NotAFile(_)) => return self.push(file, End::Gone, 0),
            Err(error) => return self.fail_unread(file, root, &error),
        };
        self.group.bytes += content.fingerprint.size;
        let hash = blake3::hash(&self.content);
        let digest = Digest::from_hash(&hash);
        if file.recorded == Some(digest) {
            let end = End::Unchanged { fingerprint: content.fingerprint, racy: content.racy };
            return self.push(file, end, 0);
        }
        let processed = self.call_processor(file);
        if let Some(retry) = processed.as_ref().err().and_then(|error| self.retry_of(file, error)) {
            return self.push_short(file, End::Again(retry), 0, Some(Resource::Processor));
        }
        let failure = processed.as_ref().err().map(|error| error.class);
        let short_of = failure.and_then(Resource::of_processing);
        let line = self.write_line(file, root, &content.fingerprint, Some(&hash), processed.err().as_ref());
        let (fingerprint, racy) = (content.fingerprint, content.racy);
        let end = End::Recorded { fingerprint, racy, digest: Some(digest), failure };
        self.push_short(file, end, line, short_of);
    }

    fn call_processor(&mut self, file: &DiscoveredFile) -> Result<(), FileError> {
        let path = file.key.relative_path();
        let content = FileContent { path: &path, bytes: &self.content };
        process_content(self.context.processor, &content, &mut self.result)
    }

    fn fail_unread(&mut self, file: &DiscoveredFile, root: &Root, error: &ReadError) {
        let short_of = error.short_of();
        let error = file_error(error);
        if let Some(retry) = self.retry_of(file, &error) {
            return self.push_short(file, End::Again(retry), 0, short_of);
        }
        let line = self.write_line(file, root, &file.fingerprint, None, Some(&error));
        let (fingerprint, failure) = (file.fingerprint, Some(error.class));
        let end = End::Recorded { fingerprint, racy: false, digest: None, failure };
        self.push_short(file, end, line, short_of);
    }

    fn retry_of(&self, file: &DiscoveredFile, error: &FileError) -> Option<Retry> {
        another_attempt(file, error, self.context.config, &self.context.clock)
    }

    fn write_line(
        &mut self,
        file: &DiscoveredFile,
        root: &Root,
        fingerprint: &Fingerprint,
        digest: Option<&blake3::Hash>,
        error: Option<&FileError>,
    ) -> usize {
        let before = self.group.lines.len();
        let line = RecordLine {
            root: &root.name,
            key: &file.key,
            status: if error.is_some() { RecordStatus::Failed } else { RecordStatus::Ok },
            fingerprint: Some(fingerprint),
            digest,
            processor: self.context.processor.identity(),
            attempts: file.attempts.saturating_add(1),
            result: error.is_none().then(|| self.result.as_bytes()),
            error,
        };
        line.begin(&mut self.group.lines);
        self.group.lines.len() - before
    }

    fn push(&mut self, file: &DiscoveredFile, end: End, line: usize) {
        self.push_short(file, end, line, None);
    }

    fn push_short(&mut self, file: &DiscoveredFile, end: End, line: usize, short_of: Option<Resource>) {
        let change = Change::Ended(Ending { claimed: file.fingerprint, end });
        self.group.outcomes.push(Outcome { key: file.key.clone(), change, line, short_of });
    }
}

/// Whether the file is tried again after this failure, and when: as the policy of its class says. A failure
/// of the processor's own is final where the processor does not say that it may pass.
pub(crate) fn another_attempt(
    file: &DiscoveredFile,
    error: &FileError,
    config: &BatchConfig,
    clock: &Clock,
) -> Option<Retry> {
    let class = error.class;
    let policy = config.retry_policy(class);
    let attempt = file.attempts.saturating_add(1);
    if attempt >= policy.attempts || !class.can_pass() || (class == ErrorClass::Processor && !error.may_pass)
    {
        return None;
    }
    let now = clock.time();
    let seed = rustc_hash::FxBuildHasher.hash_one((&file.key, now.0));
    let pause = i64::try_from(policy.pause(attempt, seed).as_nanos()).unwrap_or(i64::MAX);
    Some(Retry { class, at: Timestamp(now.0.saturating_add(pause)) })
}

/// Calls the processor. A panic is the file's failure, and only the file's.
pub(super) fn process_content(
    processor: &dyn Processor,
    content: &FileContent<'_>,
    result: &mut ResultWriter,
) -> Result<(), FileError> {
    result.clear();
    catch_unwind(AssertUnwindSafe(|| processor.process(content, result))).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Err(FileError::new(ErrorClass::Panic, format!("the processor panicked: {text}")))
    })
}

pub(super) fn file_error(error: &ReadError) -> FileError {
    FileError::new(error.class().unwrap_or(ErrorClass::IoPermanent), error.to_string())
}
