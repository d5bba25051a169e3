//! Processes one file: read, hash, process, write the record's line.

mod reading;
#[cfg(test)]
mod tests;
mod window;

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::context::WorkContext;
use super::crash_hook;
use super::io_wait::IoWaitSampler;
use super::outcome::{Attempt, GROUP_BYTES_MAX, GROUP_FILES_MAX, OutcomeGroup, ReadFile};
use super::pool::WorkerHandle;
use super::read_ahead::ReadAhead;
use super::record::put;
use super::slots::{Slot, SlotState, Stage};
use super::task::{Lane, Task};
use crate::engine::lifecycle::transition::AttemptOutcome;
use crate::engine::resources::memory_budget::MemoryPermit;
use crate::ledger::Marker;
use crate::model::{Digest, DiscoveredFile, ErrorClass, FileError, Resource};
use crate::process::{FileContent, Processor, ResultWriter};
use crate::source::{Ahead, ReadError};
use reading::Reading;
use window::InFlight;

/// A file of this size takes long, compared to most.
pub(crate) const LARGE_BYTES: u64 = 4 << 20;
/// A slow processor's outcomes are handed over after this time, even if few.
const GROUP_AGE_MAX: Duration = Duration::from_millis(20);

/// A worker's buffers, and where its outcomes go.
pub(crate) struct BatchWorker<S> {
    context: Arc<WorkContext>,
    slot: Arc<Slot>,
    send: S,
    content: Vec<u8>,
    result: ResultWriter,
    marker: Option<Marker>,
    /// Where in its batch the current task began.
    first: usize,
    /// Bytes that a buffer keeps from file to file without a permit.
    kept: usize,
    /// The permit for what the content's buffer has beyond that.
    permit: Option<MemoryPermit>,
    workers: usize,
    gauge: IoWaitSampler,
    ahead: ReadAhead,
    /// When the current file was taken.
    taken: Instant,
    /// Memory that other files in flight are admitted with.
    admitted_beside: u64,
    /// What it has in flight, if the processor has several files at once.
    in_flight: Option<InFlight>,
}

impl<S> Drop for BatchWorker<S> {
    fn drop(&mut self) {
        self.slot.came_back();
    }
}

impl<S: FnMut(OutcomeGroup)> BatchWorker<S> {
    /// Creates a worker; `send` takes each group of outcomes.
    pub(crate) fn new(context: Arc<WorkContext>, worker: usize, send: S) -> Self {
        let slot = context.slots.enter(worker);
        let marker = context.markers.as_ref().map(|markers| markers.marker(worker));
        let kept = context.budget.kept_bytes(context.config.worker_count);
        let in_flight = InFlight::open(&context, worker);
        Self {
            workers: context.config.worker_count,
            taken: context.clock.now(),
            context,
            slot,
            send,
            content: Vec::new(),
            result: ResultWriter::default(),
            marker,
            first: 0,
            kept,
            permit: None,
            gauge: IoWaitSampler::of_this_thread(),
            ahead: ReadAhead::default(),
            admitted_beside: 0,
            in_flight,
        }
    }

    /// Works through a task. Once a stop is requested, what is left is released. Breaks if its work was taken away:
    /// this worker must not be called again.
    pub(crate) fn run(&mut self, task: Task, hand: &WorkerHandle<'_>) -> ControlFlow<()> {
        match catch_unwind(AssertUnwindSafe(|| self.work_through_all(task, hand))) {
            Ok(Some(())) => ControlFlow::Continue(()),
            Ok(None) => ControlFlow::Break(()),
            // A panic of an abandoned thread is ignored.
            Err(_) if self.slot.hold().is_none() => ControlFlow::Break(()),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Works through the task, and through further ones as long as its large buffer is worth keeping for them.
    fn work_through_all(&mut self, task: Task, hand: &WorkerHandle<'_>) -> Option<()> {
        if let Some(in_flight) = self.in_flight.take() {
            self.in_flight = Some(self.work_with(in_flight, task, hand)?);
            return Some(());
        }
        let mut next = Some(task);
        while let Some(task) = next {
            self.work_through(task, hand)?;
            next = (self.content.capacity() > self.kept).then(|| hand.try_next()).flatten();
        }
        self.give_back();
        Some(())
    }

    fn work_through(&mut self, task: Task, hand: &WorkerHandle<'_>) -> Option<()> {
        let shared = Arc::clone(task.shared());
        let context = Arc::clone(&self.context);
        let _span = tracing::debug_span!("batch", id = shared.batch.batch_id, files = task.len()).entered();
        self.begin_task(task)?;
        self.workers = hand.allowed();
        self.kept = context.budget.kept_bytes(self.workers);
        let mut done = None;
        while let Some(place) = self.turn(done.take(), hand)? {
            let file = shared.batch.files.get(place)?;
            self.ask_ahead(&context, place, &shared.batch.files);
            done = Some((file, self.attempt(&context, file)));
        }
        context.source.rest();
        if hand.is_surplus() {
            self.content = Vec::new();
            self.result = ResultWriter::default();
        }
        tracing::debug!("through with it");
        Some(())
    }

    /// Asks for files behind the one at this place, where that helps.
    fn ask_ahead(&mut self, context: &WorkContext, place: usize, files: &[DiscoveredFile]) {
        let gauge = &self.gauge;
        self.ahead.ask(place, files, |file, is_measured| {
            let ask = || match context.roots.get(file.key.root()) {
                Some(root) => context.source.ahead(root, &file.key),
                None => Ahead::Unable,
            };
            if is_measured { gauge.waits(ask) } else { (ask(), false) }
        });
    }

    fn begin_task(&mut self, task: Task) -> Option<()> {
        if let Some(marker) = &mut self.marker {
            let alone = task.shared().lane == Lane::Alone;
            marker.begin(task.files().iter().map(|file| &file.key), alone);
        }
        self.first = task.place();
        self.ahead.begin(self.first);
        let now = self.context.clock.now();
        self.slot.hold()?.begin(task, self.slot.worker(), now);
        Some(())
    }

    /// Stores the outcome of the last file, hands over what is due, and takes the next file: its place, or none at
    /// the end of the task, which comes early if urgent work waits. Breaks if the slot was taken away.
    fn turn(
        &mut self,
        done: Option<(&DiscoveredFile, Attempt)>,
        hand: &WorkerHandle<'_>,
    ) -> Option<Option<usize>> {
        let mut now = self.context.clock.now();
        let mut held = self.slot.hold()?;
        if let Some((file, attempt)) = done {
            put(&self.context, &mut held.group, file, attempt, self.result.as_bytes());
            self.result.keep(self.kept);
        }
        if let Some(task) = &mut held.task {
            hand.yield_to_urgent(task);
            hand.share(task);
        }
        if is_due(&held, now.saturating_duration_since(held.group_since)) {
            let group = held.take_group(now);
            drop(held);
            // May block until there is room.
            (self.send)(group);
            now = self.context.clock.now();
            held = self.slot.hold()?;
            held.group_since = now;
        }
        self.slot.is_at(Stage::Reading);
        self.taken = now;
        let place = held.next(now);
        // All that was left may have been taken out.
        let last = (place.is_none() && !held.group.outcomes.is_empty()).then(|| held.take_group(now));
        drop(held);
        if let Some(group) = last {
            (self.send)(group);
        }
        if let Some(marker) = &mut self.marker {
            match place {
                Some(place) => marker.place(place - self.first, now),
                None => marker.end(),
            }
        }
        Some(place)
    }

    fn attempt(&mut self, context: &WorkContext, file: &DiscoveredFile) -> Attempt {
        let path = || String::from_utf8_lossy(&file.key.relative_path()).into_owned();
        let _span = tracing::debug_span!("file", path = path()).entered();
        let attempt = self.attempt_within_span(context, file);
        attempt.log();
        attempt
    }

    fn attempt_within_span(&mut self, context: &WorkContext, file: &DiscoveredFile) -> Attempt {
        let (reading, measured) = self.read(context, file, true);
        let attempt = match reading {
            Reading::Read(read) => self.process(context, file, read),
            Reading::Ended(attempt) => attempt,
            Reading::NoMemory => Attempt::Plain(AttemptOutcome::Released),
        };
        self.put_down();
        if let Some(measured) = &measured {
            let counts = self.ahead.note(measured.has_waited());
            self.gauge.note(measured, counts, &self.slot);
        }
        attempt
    }

    fn process(&mut self, context: &WorkContext, file: &DiscoveredFile, read: ReadFile) -> Attempt {
        if file.recorded == Some(Digest::from_hash(&read.hash)) {
            return Attempt::Unchanged(read.content);
        }
        match self.call_processor(context, file) {
            Ok(()) => Attempt::Processed(read),
            Err(error) => {
                let short_of = Resource::of_processing(error.class);
                Attempt::Failed { read: Some(read), error, short_of }
            }
        }
    }

    fn call_processor(&mut self, context: &WorkContext, file: &DiscoveredFile) -> Result<(), FileError> {
        self.slot.is_at(Stage::Processing);
        let path = file.key.relative_path();
        let content = FileContent { path: &path, bytes: &self.content };
        let call = || process_content(context.processor.as_ref(), &content, &mut self.result);
        crash_hook::within(&context.crash_signal, self.slot.thread_id(), call)
    }
}

/// Returns whether the finished outcomes are handed over now.
fn is_due(held: &SlotState, busy: Duration) -> bool {
    if held.group.outcomes.is_empty() {
        return false;
    }
    // Finished outcomes need not wait for a file that may take long.
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
    let call = AssertUnwindSafe(|| processor.process(content, result));
    catch_unwind(call).unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

/// Returns the failure that a panic of a processor is.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> FileError {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    FileError::new(ErrorClass::Panic, format!("the processor panicked: {text}"))
}

pub(super) fn file_error(error: &ReadError) -> FileError {
    FileError::new(error.class().unwrap_or(ErrorClass::IoPermanent), error.to_string())
}
