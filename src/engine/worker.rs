//! What a worker does with one file: read, hash, process, write the record's line.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::board::{Board, Held, Slot};
use super::change::End;
use super::fatal::{self, Dying};
use super::pool::{Hand, Task};
use super::stop::Stop;
use crate::model::{BatchConfig, Clock, Digest, DiscoveredFile, ErrorClass, FileError, Resource, RootTable};
use crate::process::{FileContent, Processor, ResultWriter};
use crate::source::{ReadError, Source};

use outcome::{Attempt, ReadFile, put};

pub(crate) use outcome::{OutcomeGroup, overdue_outcome};

pub(crate) mod outcome;
#[cfg(test)]
mod tests;

/// Outcomes that a worker hands over together.
const GROUP_FILES_MAX: usize = 64;
const GROUP_BYTES_MAX: usize = 256 << 10;
const LARGE_BYTES: u64 = 4 << 20;
/// A slow processor's outcomes don't wait longer than this for company.
const GROUP_AGE_MAX: Duration = Duration::from_millis(20);

/// What the workers of a run share.
pub(crate) struct WorkContext {
    pub processor: Arc<dyn Processor>,
    pub source: Arc<dyn Source>,
    pub roots: RootTable,
    pub config: Arc<BatchConfig>,
    pub clock: Clock,
    pub size_max: u64,
    pub stop: Stop,
    pub board: Arc<Board>,
    pub dying: Arc<Dying>,
}

/// A worker's buffers, and where its outcomes go.
pub(crate) struct BatchWorker<S> {
    context: Arc<WorkContext>,
    slot: Arc<Slot>,
    send: S,
    content: Vec<u8>,
    result: ResultWriter,
}

impl<S: FnMut(OutcomeGroup)> BatchWorker<S> {
    /// `send` takes each group of outcomes.
    pub(crate) fn new(context: Arc<WorkContext>, worker: usize, send: S) -> Self {
        let slot = context.board.enter(worker);
        Self { context, slot, send, content: Vec::new(), result: ResultWriter::default() }
    }

    /// Works through a task. Once a stop is asked for, what is left is released. Breaks off where what it had
    /// in hand was taken away: this worker must not be called again.
    pub(crate) fn run(&mut self, task: Task, hand: &Hand<'_>) -> ControlFlow<()> {
        match catch_unwind(AssertUnwindSafe(|| self.work_through(task, hand))) {
            Ok(Some(())) => ControlFlow::Continue(()),
            Ok(None) => ControlFlow::Break(()),
            // What an abandoned thread does concerns nobody.
            Err(_) if self.slot.hold().is_none() => ControlFlow::Break(()),
            Err(panic) => resume_unwind(panic),
        }
    }

    fn work_through(&mut self, task: Task, hand: &Hand<'_>) -> Option<()> {
        let batch = Arc::clone(task.batch());
        let _span = tracing::debug_span!("batch", id = batch.batch_id, files = task.len()).entered();
        self.begin_task(task)?;
        let mut done = None;
        while let Some(place) = self.turn(done.take(), hand)? {
            let file = batch.files.get(place)?;
            self.begin_file(place);
            done = Some((file, self.attempt(file)));
        }
        Some(())
    }

    fn begin_task(&self, task: Task) -> Option<()> {
        let now = self.context.clock.now();
        self.slot.hold()?.begin(task, self.slot.worker(), now);
        Some(())
    }

    fn begin_file(&self, _place: usize) {}

    /// Puts down what came of the last file, hands over what is due, and takes the next file in hand: its
    /// place, or none at the end of the task. Breaks off where the slot was taken away.
    fn turn(&mut self, done: Option<(&DiscoveredFile, Attempt)>, hand: &Hand<'_>) -> Option<Option<usize>> {
        let mut now = self.context.clock.now();
        let mut held = self.slot.hold()?;
        if let Some((file, attempt)) = done {
            put(&self.context, &mut held.group, file, attempt, self.result.as_bytes());
        }
        if is_due(&held, now.saturating_duration_since(held.group_since)) {
            let group = held.take_group(now);
            drop(held);
            // May wait until there is room.
            (self.send)(group);
            now = self.context.clock.now();
            held = self.slot.hold()?;
            held.group_since = now;
        }
        if let Some(task) = &mut held.task {
            hand.share(task);
        }
        self.slot.is_processing(false);
        Some(held.next(now))
    }

    fn attempt(&mut self, file: &DiscoveredFile) -> Attempt {
        let path = || String::from_utf8_lossy(&file.key.relative_path()).into_owned();
        let _span = tracing::trace_span!("file", path = path()).entered();
        if self.context.stop.is_requested() {
            return Attempt::Plain(End::Released);
        }
        let Some(root) = self.context.roots.get(file.key.root()) else {
            return Attempt::Plain(End::Released);
        };
        let read = self.context.source.read(root, &file.key, self.context.size_max, &mut self.content);
        let content = match read {
            Ok(content) => content,
            Err(ReadError::Gone | ReadError::NotAFile(_)) => return Attempt::Plain(End::Gone),
            Err(error) => {
                let (short_of, error) = (error.short_of(), file_error(&error));
                return Attempt::Failed { read: None, error, short_of };
            }
        };
        let hash = blake3::hash(&self.content);
        if file.recorded == Some(Digest::from_hash(&hash)) {
            return Attempt::Unchanged(content);
        }
        let read = ReadFile { content, hash };
        match self.call_processor(file) {
            Ok(()) => Attempt::Processed(read),
            Err(error) => {
                let short_of = Resource::of_processing(error.class);
                Attempt::Failed { read: Some(read), error, short_of }
            }
        }
    }

    fn call_processor(&mut self, file: &DiscoveredFile) -> Result<(), FileError> {
        self.slot.is_processing(true);
        let path = file.key.relative_path();
        let content = FileContent { path: &path, bytes: &self.content };
        let (processor, result) = (self.context.processor.as_ref(), &mut self.result);
        let call = || process_content(processor, &content, result);
        fatal::within(&self.context.dying, self.slot.seat(), call)
    }
}

/// Whether the finished outcomes are handed over now.
fn is_due(held: &Held, busy: Duration) -> bool {
    if held.group.outcomes.is_empty() {
        return false;
    }
    // What is done need not wait for a file that may take long.
    let no_company =
        held.task.as_ref().and_then(Task::peek).is_none_or(|next| next.fingerprint.size >= LARGE_BYTES);
    no_company
        || held.group.outcomes.len() >= GROUP_FILES_MAX
        || held.group.lines.len() >= GROUP_BYTES_MAX
        || busy >= GROUP_AGE_MAX
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
