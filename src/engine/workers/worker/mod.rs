//! Processes one file: read, hash, process, write the record's line.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
use crate::engine::resources::memory_budget::{Admission, MemoryPermit};
use crate::ledger::Marker;
use crate::model::{Digest, DiscoveredFile, ErrorClass, FileError, Resource};
use crate::process::{FileContent, Processor, ResultWriter};
use crate::source::{Ahead, Content, ReadError};

#[cfg(test)]
mod tests;

/// How often a file may have grown again when it is to be read.
const GROWTHS_MAX: usize = 5;
/// A file that is longer than its file system reported is allowed so many times as much for the next read: within
/// [`GROWTHS_MAX`] reads its length is known, up to what memory allows.
const LONGER_FACTOR: u64 = 64;
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
        if context.stop.is_requested() {
            return Attempt::Plain(AttemptOutcome::Released);
        }
        let Some(root) = context.roots.get(file.key.root()) else {
            return Attempt::Plain(AttemptOutcome::Released);
        };
        if context.doubts_rules.load(Ordering::Relaxed) && context.source.is_hidden(root, &file.key) {
            return Attempt::Plain(AttemptOutcome::Hidden);
        }
        let mut size = file.fingerprint.size;
        for _ in 0..GROWTHS_MAX {
            let size_max = match self.admit(context, size) {
                Ok(size_max) => size_max,
                Err(attempt) => return *attempt,
            };
            let buffer = &mut self.content;
            let read = || context.source.read_expected(root, &file.key, &file.fingerprint, size_max, buffer);
            let (read, measured) = self.gauge.read(self.taken, read);
            let attempt = match read {
                Ok(content) => self.process(context, file, content),
                Err(ReadError::Gone | ReadError::NotAFile(_)) => Attempt::Plain(AttemptOutcome::Gone),
                // It has grown since it was found: that takes another permit.
                Err(ReadError::TooLarge { size: grown }) => {
                    size = grown;
                    continue;
                }
                Err(ReadError::Longer { read }) if read < context.budget.size_max() => {
                    size = read.saturating_mul(LONGER_FACTOR).min(context.budget.size_max());
                    continue;
                }
                Err(error) => unread(&error),
            };
            self.put_down();
            if let Some(measured) = &measured {
                let counts = self.ahead.note(measured.has_waited());
                self.gauge.note(measured, counts, &self.slot);
            }
            return attempt;
        }
        unread(&ReadError::Unstable)
    }

    /// Waits for memory for a file of this size, unless the current permit is good for it. Returns the largest content
    /// that may be read.
    fn admit(&mut self, context: &WorkContext, size: u64) -> Result<u64, Box<Attempt>> {
        if let Some(permit) = self.permit.as_ref().filter(|permit| permit.is_good_for(size)) {
            return Ok(permit.size_max());
        }
        self.give_back();
        let mut keep = |permit: MemoryPermit| {
            self.slot.permit_bytes.store(size, Ordering::Relaxed);
            Ok(self.permit.insert(permit).size_max())
        };
        if let Some(permit) = context.budget.admit_now(size) {
            return keep(permit);
        }
        self.slot.is_at(Stage::Waiting);
        let admission = context.budget.acquire(size, &context.stop);
        self.slot.restart(context.clock.now());
        match admission {
            Admission::Admitted(permit) => keep(permit),
            Admission::Stopped => Err(Box::new(Attempt::Plain(AttemptOutcome::Released))),
            Admission::Short => {
                let message = "there is no memory for it beside files that were given up";
                let error = FileError::new(ErrorClass::IoTransient, message);
                Err(Box::new(Attempt::Failed { read: None, error, short_of: Some(Resource::Memory) }))
            }
            Admission::TooLarge { limit_bytes } => {
                let limit_mib = limit_bytes >> 20;
                let message = format!(
                    "{size} bytes take more than the memory limit of {limit_mib} MiB has for one file; \
                     raise the memory limit, or `ulimit -v` where that is less, to process it"
                );
                let error = FileError::new(ErrorClass::TooLarge, message);
                Err(Box::new(Attempt::Failed { read: None, error, short_of: None }))
            }
        }
    }

    /// Releases the content. A large buffer stays as it is while the permit for it may be kept.
    fn put_down(&mut self) {
        if !self.permit.as_ref().is_some_and(|permit| permit.may_be_kept(self.workers)) {
            self.give_back();
        }
    }

    /// Frees what the content's buffer has grown by.
    fn give_back(&mut self) {
        self.content.clear();
        self.content.shrink_to(self.kept);
        if self.permit.take().is_some() {
            self.slot.permit_bytes.store(0, Ordering::Relaxed);
        }
    }

    fn process(&mut self, context: &WorkContext, file: &DiscoveredFile, content: Content) -> Attempt {
        let hash = blake3::hash(&self.content);
        if file.recorded == Some(Digest::from_hash(&hash)) {
            return Attempt::Unchanged(content);
        }
        let read = ReadFile { content, hash };
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

fn unread(error: &ReadError) -> Attempt {
    Attempt::Failed { read: None, error: file_error(error), short_of: error.short_of() }
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
