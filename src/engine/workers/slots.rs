//! One slot per worker: its current file, finished outcomes and remaining task. Used to report slow files and to
//! reclaim the work of a worker that hangs or dies.
//!
//! A worker locks its slot once a file, to store the last outcome and to take the next file; it reads and processes
//! without the lock. A slot is taken away as a whole: the finished outcomes not handed over, the current file, and
//! the rest of the task. The worker finds that out when it next locks the slot, and drops what it has. So each
//! outcome is reported once, by one of the two.
//!
//! A worker of a processor with several files in flight has these in its slot's window instead of one current file,
//! and says on whose behalf it works. Taken away, the file at fault is the current one; without one, all of them are
//! suspects, to be processed again alone.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::outcome::{GROUP_BYTES_MAX, OutcomeGroup};
use super::sizing::{IoWait, ReadingTimes};
use super::task::{SharedBatch, Task};
use crate::engine::resources::memory_budget::{Budget, GivenUp, need};
use crate::model::{DiscoveredFile, RootTable};

/// A file that is in flight for longer than this is slow.
const SLOW: Duration = Duration::from_secs(1);

/// One slot for each worker.
pub(crate) struct WorkerSlots {
    slots: Vec<RwLock<Arc<Slot>>>,
    budget: Arc<Budget>,
    next_thread_id: AtomicUsize,
}

/// The stage of a worker's current file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Waiting for memory.
    Waiting,
    Reading,
    Processing,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Waiting, Self::Reading, Self::Processing];
}

/// Work taken away from a worker.
#[derive(Debug)]
pub(crate) struct Reclaimed {
    pub worker: usize,
    /// The current file, and its batch.
    pub file: Option<DiscoveredFile>,
    pub batch_id: u64,
    pub stage: Stage,
    /// Finished outcomes.
    pub group: OutcomeGroup,
    /// What is not begun.
    pub rest: Option<Task>,
    /// What was begun beside the current file, and is to be begun again.
    pub again: Vec<Task>,
    /// Whether its thread only waits for answers, and will find out soon.
    pub is_waiting: bool,
}

/// A file in flight beside others.
#[derive(Debug)]
pub(crate) struct InWindow {
    pub shared: Arc<SharedBatch>,
    pub place: usize,
    pub since: Instant,
}

/// On whose behalf a worker with several files in flight works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnBehalf {
    /// That of the file at this place in the window.
    Of(usize),
    OfAll,
}

/// The current work of one thread. A thread that replaces another one gets a slot of its own.
pub(crate) struct Slot {
    worker: usize,
    thread_id: usize,
    /// Place in [`Stage::ALL`].
    stage: AtomicUsize,
    /// How long its reads have waited.
    pub reading: ReadingTimes,
    /// Memory that its files are admitted with.
    pub admitted_bytes: AtomicU64,
    held: Mutex<SlotState>,
}

/// A slot, locked.
pub(crate) struct SlotState {
    pub task: Option<Task>,
    pub group: OutcomeGroup,
    /// When the first of the group's files was begun.
    pub group_since: Instant,
    /// The current file's place in the batch.
    place: Option<usize>,
    /// The files in flight of a worker that has several, oldest first.
    pub window: Vec<InWindow>,
    on_behalf: Option<OnBehalf>,
    since: Instant,
    abandoned: bool,
    /// Memory in use until its thread comes back.
    given_up: Option<GivenUp>,
}

impl WorkerSlots {
    /// Creates slots for so many workers, whose memory comes from this budget.
    pub(crate) fn new(workers: usize, budget: Arc<Budget>) -> Self {
        let slots = (0..workers).map(|worker| RwLock::new(Arc::new(Slot::new(worker, worker)))).collect();
        Self { slots, budget, next_thread_id: AtomicUsize::new(workers) }
    }

    /// Creates a slot for a thread that begins as this worker. Its ID is a number that no other thread has.
    pub(crate) fn enter(&self, worker: usize) -> Arc<Slot> {
        let slot = Arc::new(Slot::new(worker, self.next_thread_id.fetch_add(1, Ordering::Relaxed)));
        if let Some(place) = self.slots.get(worker) {
            *place.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&slot);
        }
        slot
    }

    /// Takes away all work of those workers whose current file has taken longer than `limit`.
    pub(crate) fn reclaim_overdue(&self, limit: Duration, now: Instant) -> Vec<Reclaimed> {
        let overdue = |held: &SlotState| held.is_slow(limit, now);
        let slots = self.slots().filter(|slot| slot.stage() != Stage::Waiting);
        slots.filter_map(|slot| slot.seize_if(&self.budget, overdue)).collect()
    }

    /// Takes what is not begun from the workers that the predicate selects.
    pub(crate) fn take_rests(&self, which: impl Fn(&SlotState) -> bool) -> Vec<Task> {
        let rest = |slot: Arc<Slot>| {
            let mut held = slot.hold()?;
            if which(&held) { held.task.as_mut()?.take_rest() } else { None }
        };
        self.slots().filter_map(rest).collect()
    }

    /// Takes away the work of all workers. A worker that is just about to begin a task is missed.
    pub(crate) fn seize_all(&self) -> Vec<Reclaimed> {
        self.slots().filter_map(|slot| slot.seize_if(&self.budget, |_| true)).collect()
    }

    /// Takes away the work of the thread with this ID. None if it has nothing, or was abandoned.
    pub(crate) fn seize(&self, thread_id: usize) -> Option<Reclaimed> {
        self.slots().find(|slot| slot.thread_id == thread_id)?.seize_if(&self.budget, |_| true)
    }

    /// Returns for each worker the path of its current file, if that is slow.
    pub(crate) fn slow_files(&self, roots: &RootTable, now: Instant) -> Vec<Option<String>> {
        let look = |slot: Arc<Slot>| {
            let held = slot.lock();
            let (file, since) = held.file().map(|file| (file, held.since)).or_else(|| held.oldest())?;
            let file = Some(file).filter(|_| now.saturating_duration_since(since) >= SLOW)?;
            Some(roots.path_of(&file.key)?.to_string_lossy().into_owned())
        };
        self.slots().map(look).collect()
    }

    /// Returns for each worker its batch, and the number of that batch's files that it is processing or begins next.
    pub(crate) fn current(&self) -> Vec<Option<(u64, u64)>> {
        let look = |slot: Arc<Slot>| {
            let held = slot.lock();
            let oldest = held.window.first().map(|file| file.shared.batch.batch_id);
            let batch = held.task.as_ref().map(Task::batch_id).or(oldest)?;
            let rest = held.task.as_ref().map_or(0, Task::len);
            Some((batch, (rest + held.window.len()) as u64 + u64::from(held.place.is_some())))
        };
        self.slots().map(look).collect()
    }

    /// Returns what the workers have measured since the last call.
    pub(crate) fn take_measures(&self) -> IoWait {
        self.slots().fold(IoWait::default(), |sum, slot| sum.plus(slot.reading.take()))
    }

    fn slots(&self) -> impl Iterator<Item = Arc<Slot>> {
        self.slots.iter().map(|slot| Arc::clone(&slot.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Slot {
    fn new(worker: usize, thread_id: usize) -> Self {
        let now = Instant::now();
        let held = SlotState {
            task: None,
            group: OutcomeGroup::default(),
            group_since: now,
            place: None,
            window: Vec::new(),
            on_behalf: None,
            since: now,
            abandoned: false,
            given_up: None,
        };
        Self {
            worker,
            thread_id,
            stage: AtomicUsize::default(),
            reading: ReadingTimes::default(),
            admitted_bytes: AtomicU64::default(),
            held: Mutex::new(held),
        }
    }

    pub(crate) fn worker(&self) -> usize {
        self.worker
    }

    /// Returns the number of the thread among all that have worked here.
    pub(crate) fn thread_id(&self) -> usize {
        self.thread_id
    }

    /// Locks the slot; none when it was taken away.
    pub(crate) fn hold(&self) -> Option<MutexGuard<'_, SlotState>> {
        Some(self.lock()).filter(|held| !held.abandoned)
    }

    /// Sets what is done with the current file from now on.
    pub(crate) fn is_at(&self, stage: Stage) {
        self.stage.store(stage as usize, Ordering::Relaxed);
    }

    /// Restarts the current file's time, as waiting for memory does not count: it is read from now on.
    pub(crate) fn restart(&self, now: Instant) {
        self.lock().since = now;
        self.is_at(Stage::Reading);
    }

    fn stage(&self) -> Stage {
        Stage::ALL.get(self.stage.load(Ordering::Relaxed)).copied().unwrap_or(Stage::Waiting)
    }

    /// Notes that its thread has come back to find that its work was taken away.
    pub(crate) fn came_back(&self) {
        self.lock().given_up = None;
    }

    fn seize_if(&self, budget: &Arc<Budget>, fits: impl FnOnce(&SlotState) -> bool) -> Option<Reclaimed> {
        let mut held = self.hold()?;
        if !fits(&held) {
            return None;
        }
        let is_waiting = held.on_behalf.is_none() && !held.window.is_empty();
        let current = held.file().cloned().map(|file| (file, held.group.batch_id));
        let (at_fault, again) = held.take_window();
        let (file, batch_id) = current.or(at_fault).unzip();
        let batch_id = batch_id.unwrap_or_default();
        let rest = held.task.take().filter(|task| task.len() > 0);
        if file.is_none() && again.is_empty() && rest.is_none() && held.group.outcomes.is_empty() {
            return None;
        }
        held.abandoned = true;
        if file.is_some() || !again.is_empty() {
            let size = file.as_ref().map_or(0, |file| file.fingerprint.size);
            let admitted = self.admitted_bytes.load(Ordering::Relaxed);
            held.given_up = Some(budget.give_up(need(size).max(admitted)));
        }
        let stage = self.stage();
        let since = held.since;
        let group = held.take_group(since);
        Some(Reclaimed { worker: self.worker, file, batch_id, stage, group, rest, again, is_waiting })
    }

    fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotState {
    /// Returns whether there is current work that has taken longer than `limit`.
    pub(crate) fn is_slow(&self, limit: Duration, now: Instant) -> bool {
        let is_at_work = self.place.is_some() || self.on_behalf.is_some();
        is_at_work && now.saturating_duration_since(self.since) > limit
    }

    /// Sets on whose behalf the worker works from now on; `None` while it waits.
    pub(crate) fn works(&mut self, on_behalf: Option<OnBehalf>, now: Instant) {
        self.on_behalf = on_behalf;
        self.since = now;
    }

    /// Begins a task.
    pub(crate) fn begin(&mut self, task: Task, worker: usize, now: Instant) {
        self.group = OutcomeGroup { batch_id: task.batch_id(), worker, ..OutcomeGroup::default() };
        self.group_since = now;
        self.task = Some(task);
    }

    /// Takes the next file of the task; none at its end.
    pub(crate) fn next(&mut self, now: Instant) -> Option<usize> {
        self.place = self.task.as_mut().and_then(Task::next_place);
        self.since = now;
        if self.place.is_none() {
            self.task = None;
        }
        self.place
    }

    /// Takes the finished outcomes out, at this time. The current file is among them, or there is none.
    pub(crate) fn take_group(&mut self, now: Instant) -> OutcomeGroup {
        self.place = None;
        let batch_id = self.group.batch_id;
        let worker = self.group.worker;
        // The next group mostly becomes as large as this one: it need not grow, and be copied, on the way there.
        let outcomes = Vec::with_capacity(self.group.outcomes.len());
        let lines = Vec::with_capacity(self.group.lines.len().min(GROUP_BYTES_MAX));
        let next = OutcomeGroup { batch_id, worker, outcomes, lines, ..OutcomeGroup::default() };
        let busy = now.saturating_duration_since(self.group_since);
        OutcomeGroup { busy, ..std::mem::replace(&mut self.group, next) }
    }

    fn file(&self) -> Option<&DiscoveredFile> {
        self.task.as_ref()?.shared().file(self.place?)
    }

    /// Returns the oldest of several files in flight, and when it was begun.
    fn oldest(&self) -> Option<(&DiscoveredFile, Instant)> {
        let oldest = self.window.first()?;
        Some((oldest.shared.file(oldest.place)?, oldest.since))
    }

    /// Empties the window. Returns the file at fault with its batch, if that is known, and the others as tasks.
    fn take_window(&mut self) -> (Option<(DiscoveredFile, u64)>, Vec<Task>) {
        let window = std::mem::take(&mut self.window);
        let is_together = self.on_behalf == Some(OnBehalf::OfAll);
        let at_fault = match self.on_behalf {
            Some(OnBehalf::Of(at)) => Some(at),
            _ => (is_together && window.len() == 1).then_some(0),
        };
        let file = at_fault.and_then(|at| window.get(at));
        let file = file.and_then(|it| Some((it.shared.file(it.place)?.clone(), it.shared.batch.batch_id)));
        let others = window.into_iter().enumerate().filter(|(at, _)| Some(*at) != at_fault);
        (file, others.map(|(_, it)| Task::again(it.shared, it.place, is_together)).collect())
    }
}
