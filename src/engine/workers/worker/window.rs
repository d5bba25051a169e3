//! A worker with several files in flight: reads them, gives them to its window, and puts their answers.
//!
//! The window goes on across tasks and batches, so that none waits for the slowest file of another. It takes a file
//! if there is room and memory for it now: what waits for memory is begun when nothing else is in flight, as what is
//! in flight may hold it. While it is full, or waits for answers, the rest of its task is there for other workers.
//!
//! If the window dies, its files are passed on, each to be run alone, and none has an outcome by that. One that was
//! alone has failed. Where files die together, one that has failed before runs alone at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::reading::{Reading, unread};
use super::{BatchWorker, panicked};
use crate::engine::lifecycle::transition::AttemptOutcome;
use crate::engine::resources::memory_budget::MemoryPermit;
use crate::engine::workers::context::WorkContext;
use crate::engine::workers::crash_hook;
use crate::engine::workers::outcome::{Attempt, GROUP_BYTES_MAX, GROUP_FILES_MAX, OutcomeGroup, ReadFile};
use crate::engine::workers::pool::WorkerHandle;
use crate::engine::workers::record::{put, too_slow};
use crate::engine::workers::slots::{InWindow, OnBehalf, Slot, Stage};
use crate::engine::workers::task::{Lane, SharedBatch, Task};
use crate::model::{Digest, DiscoveredFile, ErrorClass, FileError, Resource};
use crate::process::Processor;
use crate::process::window::{Caller, Cancelled, FileAnswer, GivenFile, Window, WindowEnd};
use crate::source::ReadError;

/// How long a worker waits for answers before it looks for more files, and whether its work was taken away.
const LOOK_UP: Duration = Duration::from_millis(10);

/// A worker's window, and the files in it. The slot lists the same files in the same order, with the one that is just
/// read behind them.
pub(super) struct InFlight {
    window: Box<dyn Window>,
    wants_content: bool,
    wants_place: bool,
    files: Vec<Given>,
    next_id: u64,
    /// Whether what is in it runs alone.
    is_alone: bool,
    /// Whether there was no task to fill it with.
    lacks_task: bool,
    /// Whether the in-flight marker has all of the files.
    is_noted: bool,
    answers: Vec<(u64, FileAnswer)>,
}

/// A file that the window has.
struct Given {
    id: u64,
    shared: Arc<SharedBatch>,
    place: usize,
    since: Instant,
    read: ReadFile,
    permit: Option<MemoryPermit>,
}

impl InFlight {
    /// Opens the window of a worker, if its processor has several files in flight.
    pub(super) fn open(context: &WorkContext, worker: usize) -> Option<Self> {
        let windowed = context.processor.windowed()?;
        let window = windowed.open(worker, &context.config);
        Some(Self {
            window,
            wants_content: windowed.wants_content(),
            wants_place: windowed.wants_place(),
            files: Vec::new(),
            next_id: 0,
            is_alone: false,
            lacks_task: false,
            is_noted: false,
            answers: Vec::new(),
        })
    }

    /// Returns whether the file may begin beside those that it has.
    fn has_room(&self, file: &DiscoveredFile, is_alone: bool) -> bool {
        !is_alone && !self.is_alone && self.window.has_room(file.fingerprint.size)
    }
}

impl<S: FnMut(OutcomeGroup)> BatchWorker<S> {
    /// Works through a task, and through others while files are in flight. Returns what it was given, empty.
    pub(super) fn work_with(
        &mut self,
        mut in_flight: InFlight,
        task: Task,
        hand: &WorkerHandle<'_>,
    ) -> Option<InFlight> {
        let context = Arc::clone(&self.context);
        self.workers = hand.allowed();
        self.kept = context.budget.kept_bytes(self.workers);
        self.slot.hold()?.group_since = context.clock.now();
        self.take_up(task)?;
        loop {
            self.fill(&context, &mut in_flight, hand)?;
            self.give_back();
            self.hand_over()?;
            if in_flight.files.is_empty() {
                break;
            }
            self.note_in_flight(&mut in_flight);
            self.collect(&context, &mut in_flight, hand)?;
            self.end_overdue(&context, &mut in_flight, hand)?;
        }
        if let Some(marker) = &mut self.marker {
            marker.end();
        }
        context.source.rest();
        Some(in_flight)
    }

    fn take_up(&mut self, task: Task) -> Option<()> {
        self.ahead.begin(task.place());
        self.slot.hold()?.task = Some(task);
        Some(())
    }

    /// Begins files as long as they fit beside those in flight.
    fn fill(
        &mut self,
        context: &WorkContext,
        in_flight: &mut InFlight,
        hand: &WorkerHandle<'_>,
    ) -> Option<()> {
        while let Some((shared, place)) = self.next_beside(context, in_flight, hand)? {
            let file = shared.file(place)?;
            self.ask_ahead(context, place, &shared.batch.files);
            let at = in_flight.files.len();
            let (reading, measured) = if in_flight.wants_content {
                self.read(context, file, at == 0)
            } else {
                (self.read_digest(context, file), None)
            };
            if let Some(measured) = &measured {
                self.ahead.note(measured.has_waited());
            }
            match reading {
                Reading::Read(read) if file.recorded == Some(Digest::from_hash(&read.hash)) => {
                    self.finish(context, (&shared, place), at, Attempt::Unchanged(read.content), b"")?;
                }
                Reading::Read(read) => self.give(context, in_flight, (shared, place), read)?,
                Reading::Ended(attempt) => self.finish(context, (&shared, place), at, attempt, b"")?,
                // It has grown: it is begun when nothing else is in flight.
                Reading::NoMemory => {
                    self.slot.hold()?.window.truncate(at);
                    hand.pass_on(Task::again(shared, place, true));
                }
            }
        }
        Some(())
    }

    /// Takes the next file into the slot's window, if there is one that fits beside those in flight.
    fn next_beside(
        &mut self,
        context: &WorkContext,
        in_flight: &mut InFlight,
        hand: &WorkerHandle<'_>,
    ) -> Option<Option<(Arc<SharedBatch>, usize)>> {
        in_flight.lacks_task = false;
        loop {
            self.taken = context.clock.now();
            let mut held = self.slot.hold()?;
            let Some(task) = &mut held.task else {
                drop(held);
                let Some(task) = hand.try_next() else {
                    in_flight.lacks_task = true;
                    return Some(None);
                };
                self.take_up(task)?;
                continue;
            };
            hand.yield_to_urgent(task);
            hand.share(task);
            let Some(file) = task.peek() else {
                held.task = None;
                continue;
            };
            let size = if in_flight.wants_content { file.fingerprint.size } else { 0 };
            let dies_together = in_flight.window.dies_together();
            let is_alone = task.is_alone() || (dies_together && file.attempts > 0);
            if !in_flight.files.is_empty() {
                if !in_flight.has_room(file, is_alone) {
                    hand.share_rest(task);
                    return Some(None);
                }
                drop(held);
                if !self.admit_beside(context, size) {
                    return Some(None);
                }
                held = self.slot.hold()?;
            }
            let Some(task) = &mut held.task else { continue };
            let shared = Arc::clone(task.shared());
            // It may have been taken out, or the whole task meanwhile.
            let Some(place) = task.take_front() else { continue };
            in_flight.is_alone = is_alone;
            let at = held.window.len();
            held.window.push(InWindow { shared: Arc::clone(&shared), place, since: self.taken });
            held.works(Some(OnBehalf::Of(at)), self.taken);
            self.slot.is_at(Stage::Reading);
            return Some(Some((shared, place)));
        }
    }

    /// Gives the content of the buffer to the window.
    fn give(
        &mut self,
        context: &WorkContext,
        in_flight: &mut InFlight,
        (shared, place): (Arc<SharedBatch>, usize),
        read: ReadFile,
    ) -> Option<()> {
        let key = &shared.file(place)?.key;
        let mut file = GivenFile {
            path: key.relative_path(),
            bytes: std::mem::take(&mut self.content),
            size: read.content.size,
            ..GivenFile::default()
        };
        if in_flight.wants_place {
            file.root = context.roots.get(key.root())?.name.to_string();
            file.absolute = context.roots.path_of(key)?;
            file.digest = read.hash.to_hex().to_string();
        }
        let since = context.clock.now();
        let mut held = self.slot.hold()?;
        held.works(None, since);
        held.window.last_mut()?.since = since;
        drop(held);
        let permit = self.permit.take();
        self.admitted_beside += permit.as_ref().map_or(0, MemoryPermit::bytes);
        let id = in_flight.next_id;
        in_flight.next_id += 1;
        in_flight.is_noted = false;
        in_flight.window.give(id, file);
        in_flight.files.push(Given { id, shared, place, since, read, permit });
        Some(())
    }

    /// Notes the files in flight for the next start, before code of the user's sees them.
    fn note_in_flight(&mut self, in_flight: &mut InFlight) {
        let files = &in_flight.files;
        if let Some(marker) = self.marker.as_mut().filter(|_| !in_flight.is_noted) {
            let is_alone = files.iter().all(|file| file.shared.lane == Lane::Alone);
            let keys = files.iter().filter_map(|file| Some(&file.shared.file(file.place)?.key));
            marker.hold(keys, is_alone);
        }
        in_flight.is_noted = true;
    }

    /// Waits for answers, and puts them.
    fn collect(
        &mut self,
        context: &WorkContext,
        in_flight: &mut InFlight,
        hand: &WorkerHandle<'_>,
    ) -> Option<()> {
        let now = context.clock.now();
        let oldest = in_flight.files.first().map_or(now, |file| file.since);
        let wait = (oldest + limit_of(context)).saturating_duration_since(now).min(LOOK_UP);
        let mut answers = std::mem::take(&mut in_flight.answers);
        let idle = in_flight.lacks_task.then_some(hand);
        let mut caller = WorkerCaller { context, slot: &self.slot, files: &mut in_flight.files, idle };
        let died = in_flight.window.answers(wait, &mut caller, &mut answers).err();
        for (id, answer) in answers.drain(..) {
            if let Ok(at) = in_flight.files.binary_search_by_key(&id, |file| file.id) {
                self.answered(context, in_flight, at, answer)?;
            }
        }
        in_flight.answers = answers;
        match died {
            Some(end) => self.give_up_window(context, in_flight, end, hand),
            None => Some(()),
        }
    }

    /// Puts the answer for the file at this place in the window.
    fn answered(
        &mut self,
        context: &WorkContext,
        in_flight: &mut InFlight,
        at: usize,
        answer: FileAnswer,
    ) -> Option<()> {
        let Given { shared, place, read, permit, .. } = in_flight.files.remove(at);
        let bytes = permit.as_ref().map_or(0, MemoryPermit::bytes);
        self.admitted_beside -= bytes;
        self.slot.admitted_bytes.fetch_sub(bytes, Ordering::Relaxed);
        let file = shared.file(place)?;
        let root = context.roots.get(file.key.root());
        let is_same = in_flight.wants_content
            || root.is_none_or(|root| context.source.is_at(root, &file.key, &read.content.fingerprint));
        let (attempt, result) = match answer {
            // The processor has read it itself, and maybe not what was digested.
            _ if !is_same => (unread(&ReadError::Unstable), Vec::new()),
            Ok(result) => (Attempt::Processed(read), result),
            Err(error) => {
                let short_of = Resource::of_processing(error.class);
                (Attempt::Failed { read: Some(read), error, short_of }, Vec::new())
            }
        };
        let result = if result.is_empty() { &b"null"[..] } else { &result };
        self.finish(context, (&shared, place), at, attempt, result)
    }

    /// Takes a file out of the slot's window and stores its outcome.
    fn finish(
        &mut self,
        context: &WorkContext,
        (shared, place): (&SharedBatch, usize),
        at: usize,
        attempt: Attempt,
        result: &[u8],
    ) -> Option<()> {
        let file = shared.file(place)?;
        let path = || String::from_utf8_lossy(&file.key.relative_path()).into_owned();
        tracing::debug_span!("file", path = path()).in_scope(|| attempt.log());
        let batch_id = shared.batch.batch_id;
        let now = context.clock.now();
        let mut held = self.slot.hold()?;
        held.window.remove(at);
        held.works(None, now);
        let is_full =
            held.group.outcomes.len() >= GROUP_FILES_MAX || held.group.lines.len() >= GROUP_BYTES_MAX;
        let is_other = held.group.batch_id != batch_id && !held.group.outcomes.is_empty();
        let finished = (is_full || is_other).then(|| held.take_group(now));
        if finished.is_some() {
            held.group_since = now;
        }
        held.group.batch_id = batch_id;
        held.group.worker = self.slot.worker();
        put(context, &mut held.group, file, attempt, result);
        drop(held);
        finished.into_iter().for_each(&mut self.send);
        Some(())
    }

    /// Hands over the finished outcomes.
    fn hand_over(&mut self) -> Option<()> {
        let now = self.context.clock.now();
        let mut held = self.slot.hold()?;
        if held.group.outcomes.is_empty() {
            return Some(());
        }
        let group = held.take_group(now);
        held.group_since = now;
        drop(held);
        (self.send)(group);
        Some(())
    }

    /// Ends files that have taken too long.
    fn end_overdue(
        &mut self,
        context: &WorkContext,
        in_flight: &mut InFlight,
        hand: &WorkerHandle<'_>,
    ) -> Option<()> {
        let now = context.clock.now();
        while let Some(oldest) = in_flight.files.first()
            && now.saturating_duration_since(oldest.since) >= limit_of(context)
        {
            let id = oldest.id;
            let mut caller =
                WorkerCaller { context, slot: &self.slot, files: &mut in_flight.files, idle: None };
            match in_flight.window.cancel(id, &mut caller) {
                Cancelled::Ended => self.answered(context, in_flight, 0, Err(too_slow(&context.config)))?,
                Cancelled::Restarted => {}
                Cancelled::Died(end) => return self.give_up_window(context, in_flight, end, hand),
            }
        }
        Some(())
    }

    /// Opens another window in place of one that died. The error is that of the only file in it; several are passed
    /// on, to be run alone. Where the processor is away, they stay as they were.
    fn give_up_window(
        &mut self,
        context: &WorkContext,
        in_flight: &mut InFlight,
        end: WindowEnd,
        hand: &WorkerHandle<'_>,
    ) -> Option<()> {
        match end {
            WindowEnd::Died(error) if in_flight.files.len() == 1 => {
                self.answered(context, in_flight, 0, Err(error))?;
            }
            WindowEnd::Died(error) => {
                let files = in_flight.files.len();
                tracing::debug!(files, error = error.message, "failed together: they are run alone");
            }
            WindowEnd::Stopping => {
                while let Some(Given { shared, place, .. }) = in_flight.files.pop() {
                    let at = in_flight.files.len();
                    self.finish(
                        context,
                        (&shared, place),
                        at,
                        Attempt::Plain(AttemptOutcome::Released),
                        b"",
                    )?;
                }
            }
            WindowEnd::Unavailable(why) => {
                while !in_flight.files.is_empty() {
                    self.slot.hold()?.group.processor_away.get_or_insert_with(|| why.clone());
                    let away = FileError::processor(&why).may_pass();
                    self.answered(context, in_flight, 0, Err(away))?;
                }
            }
        }
        let mut held = self.slot.hold()?;
        let suspects = std::mem::take(&mut held.window);
        drop(held);
        let next_id = in_flight.next_id;
        *in_flight = InFlight { next_id, ..InFlight::open(context, self.slot.worker())? };
        self.admitted_beside = 0;
        self.slot.admitted_bytes.store(0, Ordering::Relaxed);
        suspects.into_iter().for_each(|it| hand.pass_on(Task::again(it.shared, it.place, true)));
        Some(())
    }
}

fn limit_of(context: &WorkContext) -> Duration {
    Duration::from_secs(context.config.timeout_seconds)
}

/// Calls the user's code for a window, so that a hang, a panic or a crash is attributed.
struct WorkerCaller<'a> {
    context: &'a WorkContext,
    slot: &'a Slot,
    files: &'a mut Vec<Given>,
    /// To take tasks by, while it lacks one.
    idle: Option<&'a WorkerHandle<'a>>,
}

impl WorkerCaller<'_> {
    /// Sets on whose behalf the worker works; false if its work was taken away.
    fn works(&self, on_behalf: Option<OnBehalf>) -> bool {
        let now = self.context.clock.now();
        self.slot.hold().map(|mut held| held.works(on_behalf, now)).is_some()
    }
}

impl Caller for WorkerCaller<'_> {
    fn call(&mut self, on_behalf_of: Option<u64>, work: &mut dyn FnMut()) -> Result<(), FileError> {
        let place = |id| self.files.binary_search_by_key(&id, |file| file.id).ok();
        let on_behalf = on_behalf_of.and_then(place).map_or(OnBehalf::OfAll, OnBehalf::Of);
        self.slot.is_at(Stage::Processing);
        if !self.works(Some(on_behalf)) {
            return Err(FileError::new(ErrorClass::Timeout, "the files were taken away"));
        }
        let guarded = || catch_unwind(AssertUnwindSafe(work));
        let called = crash_hook::within(&self.context.crash_signal, self.slot.thread_id(), guarded);
        self.works(None);
        called.map_err(|panic| panicked(panic.as_ref()))
    }

    fn wait(&mut self, wait: &mut dyn FnMut()) {
        match self.idle {
            Some(hand) => hand.without_task(wait),
            None => wait(),
        }
    }

    fn is_stopping(&self) -> bool {
        self.context.stop.is_requested()
    }

    fn restart(&mut self, id: u64) {
        let now = self.context.clock.now();
        let Ok(at) = self.files.binary_search_by_key(&id, |file| file.id) else { return };
        if let Some(file) = self.files.get_mut(at) {
            file.since = now;
        }
        if let Some(mut held) = self.slot.hold()
            && let Some(file) = held.window.get_mut(at)
        {
            file.since = now;
        }
    }
}
