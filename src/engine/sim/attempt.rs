//! One attempt of a simulated run: the coordinator, the scan and the workers, stepped by the seed.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::world::{InBatches, Trouble};
use super::{Faults, Schedule, judge};
use crate::batch::strategy_of;
use crate::engine::command::ControlFlags;
use crate::engine::commit::committer::Committer;
use crate::engine::coordinator::event::{CHANNEL_EVENTS, Event};
use crate::engine::coordinator::run_state::{AttemptEnd, Interruption, RunState};
use crate::engine::coordinator::{AttemptContext, Coordinator};
use crate::engine::discovery::message::{Message, Reports};
use crate::engine::discovery::scan::ScanPlan;
use crate::engine::dispatch::Dispatcher;
use crate::engine::error::EngineError;
use crate::engine::job_plan::JobPlan;
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::resources::memory_budget::Budget;
use crate::engine::resources::semaphore::Semaphore;
use crate::engine::roots::identity::{RootIdentities, RootMonitor};
use crate::engine::roots::probe::FsProbe;
use crate::engine::stats::BatchStatistics;
use crate::engine::stop::Stop;
use crate::engine::store::Store;
use crate::engine::workers::context::WorkContext;
use crate::engine::workers::crash_hook::CrashSignal;
use crate::engine::workers::outcome::OutcomeGroup;
use crate::engine::workers::pool::{Pool, WorkerHandle};
use crate::engine::workers::slots::{InWindow, OnBehalf, SlotState, Stage, WorkerSlots};
use crate::engine::workers::task::Task;
use crate::engine::workers::worker::BatchWorker;
use crate::model::failpoint::{self, Fault};
use crate::model::{FileKey, RootId, RootTable};
use crate::process::{IntoProcessor, Processor};

/// Steps of an attempt with faults before it dies.
const STEPS_MAX: u64 = 300;
/// Enough for a breaker to open and probe several times.
const ROUNDS_WITHOUT_READS: usize = 400;
/// Rounds after which a run without faults must have ended.
const ROUNDS_MAX: usize = 20_000;

type Groups = Rc<RefCell<Vec<OutcomeGroup>>>;
type Worker = BatchWorker<Box<dyn FnMut(OutcomeGroup)>>;

/// The workers, stepped by hand.
struct Crew {
    context: Arc<WorkContext>,
    pool: Arc<Pool>,
    workers: Vec<Worker>,
    /// Finished outcomes, on their way to the coordinator.
    groups: Groups,
}

impl Crew {
    fn new(context: &Arc<WorkContext>) -> Self {
        let no_work = |(): &mut (), _, _: &WorkerHandle<'_>| ControlFlow::Break(());
        let pool = Pool::start(0, |_| (), no_work, || ()).unwrap();
        let mut crew =
            Self { context: Arc::clone(context), pool, workers: Vec::new(), groups: Groups::default() };
        crew.workers = (0..context.config.worker_count).map(|index| crew.worker(index)).collect();
        crew
    }

    fn worker(&self, index: usize) -> Worker {
        let groups = Rc::clone(&self.groups);
        BatchWorker::new(
            Arc::clone(&self.context),
            index,
            Box::new(move |group| groups.borrow_mut().push(group)),
        )
    }

    /// Makes a worker take a task and work through it.
    fn work(&mut self, index: usize) {
        let Some(task) = self.pool.take_back() else { return };
        let worker = &mut self.workers[index];
        if self.pool.with_hand(|hand| worker.run(task, hand)).is_break() {
            self.workers[index] = self.worker(index);
        }
    }

    /// Makes a worker take a task and hang on its first file, or all that are processed together.
    fn hang(&mut self, index: usize) {
        let Some(task) = self.pool.take_back() else { return };
        let slot = self.context.slots.enter(index);
        let now = self.context.clock.now();
        let mut held = slot.hold().unwrap();
        if self.context.processor.windowed().is_some() {
            hold_together(&mut held, task, now);
        } else {
            held.begin(task, index, now);
            held.next(now);
        }
        drop(held);
        slot.is_at(Stage::Processing);
    }

    /// Replaces the worker's thread, if it hung.
    fn replace(&mut self, index: usize) {
        self.workers[index] = self.worker(index);
    }
}

impl Schedule {
    /// Makes attempts until the run ends, or the process dies. Returns whether it ended.
    pub(super) fn run(&mut self, store: Store, plan: &JobPlan, run: &mut RunState, faults: Faults) -> bool {
        let mut slot = Some(store);
        let mut identities = slot.as_ref().map(|store| RootIdentities::of(store.state.info())).unwrap();
        loop {
            let store = slot.as_mut().unwrap();
            match identities.check(store, &self.fs_probe(), &plan.roots, |id| plan.scans_whole(id), false) {
                Ok(None) => {}
                // The run waits until the tree is back.
                Ok(Some(_)) => {
                    self.heal();
                    continue;
                }
                Err(_) => return false,
            }
            run.begin_attempt(&store.reader, plan, self.config.worker_count);
            let ended = self.attempt(store, plan, &identities, run, faults);
            judge::adds_up(&run.statistics.progress);
            match ended {
                Ok(Some(AttemptEnd::Done)) => return true,
                Ok(Some(AttemptEnd::Hindered(outage))) => {
                    self.heal();
                    self.pass_breakers(run);
                    if matches!(outage, Interruption::State { .. }) {
                        let Ok(store) = Store::open(slot.take().unwrap().close()) else { return false };
                        run.take_committed(&store.reader.jobs().unwrap(), plan.job.id);
                        slot = Some(store);
                    }
                }
                Ok(_) | Err(_) => return false,
            }
        }
    }

    /// Returns a processor of one file at a time, or of several.
    fn processor(&self) -> Arc<dyn Processor> {
        match self.files_max {
            0 => Arc::new(self.world.clone()),
            files_max => InBatches(self.world.clone(), files_max).into_processor(),
        }
    }

    pub(super) fn fs_probe(&self) -> FsProbe {
        FsProbe::new(Arc::new(self.world.clone()), Stop::default(), self.clock.clone())
    }

    /// Brings back what went away, and waits until the run has noticed.
    fn pass_breakers(&self, run: &mut RunState) {
        while !run.health.is_good() {
            self.clock.advance(Duration::from_secs(1));
            for resource in crate::model::Resource::ALL {
                run.health.verdict(resource, self.clock.now());
                run.health.probed(resource, true, self.clock.now());
            }
        }
    }

    /// Makes one attempt; returns `None` if the process died.
    fn attempt(
        &mut self,
        store: &mut Store,
        plan: &JobPlan,
        identities: &RootIdentities,
        run: &mut RunState,
        faults: Faults,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        let stop = Stop::default();
        let halt = Stop::default();
        let budget = Arc::new(Budget::new(super::LIMIT_BYTES));
        let context = Arc::new(WorkContext {
            processor: self.processor(),
            source: Arc::new(self.world.clone()),
            roots: RootTable::new(plan.roots.iter().map(|(root, _)| root.clone()).collect()),
            config: Arc::clone(&self.config),
            clock: self.clock.clone(),
            slots: Arc::new(WorkerSlots::new(self.config.worker_count, Arc::clone(&budget))),
            budget,
            markers: None,
            stop: halt.clone(),
            crash_signal: Arc::new(CrashSignal::default()),
            doubts_rules: Default::default(),
        });
        let mut crew = Crew::new(&context);
        let pool = Arc::clone(&crew.pool);
        let fs_probe = self.fs_probe();
        let scan = ScanPlan {
            below: None,
            reader: Some(store.reader.clone()),
            roots: plan.roots.clone(),
            source: Arc::clone(&context.source),
            unlisted: None,
            halt: halt.clone(),
        };
        let shown = Mutex::new(BatchStatistics::default());
        let attempt = AttemptContext {
            plan,
            work: &context,
            started: Instant::now(),
            pool: &pool,
            stop: &stop,
            control_flags: &ControlFlags::default(),
            halt: &halt,
            shown: &shown,
            root_monitor: RootMonitor::new(&fs_probe, identities, &plan.roots),
        };
        let dispatch = Dispatcher::new(&self.config, strategy_of(&self.config), pool.clone(), Vec::new());
        let coordinator = Coordinator::new(attempt, Committer::new(store, &plan.roots), run, dispatch, None);
        let (send, receive) = sync_channel(CHANNEL_EVENTS);
        send.send(Event::LogChecked).unwrap();
        let ended = match faults {
            Faults::Any => self.with_faults(coordinator, &receive, &send, &mut crew, &scan, &stop),
            Faults::Reads => self.without_reads(coordinator, &receive, &send, &mut crew, &scan),
            Faults::None => self.undisturbed(coordinator, &receive, &send, &mut crew, &scan),
        };
        pool.close();
        judge::adds_up(&shown.lock().unwrap().progress);
        ended
    }

    fn with_faults(
        &mut self,
        mut coordinator: Coordinator<'_>,
        receive: &Receiver<Event>,
        send: &SyncSender<Event>,
        crew: &mut Crew,
        scan: &ScanPlan,
        stop: &Stop,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        let mut scanned = false;
        let mut armed = None;
        let (found_send, found) = sync_channel(CHANNEL_EVENTS);
        for _ in 0..self.rng.below(STEPS_MAX) {
            let worker = self.rng.below(crew.workers.len() as u64) as usize;
            match self.rng.below(100) {
                0..40 => {
                    let stepped = coordinator.step(receive, Duration::ZERO);
                    let done = !matches!(stepped, Ok(None));
                    if done {
                        drop(armed.take());
                        return coordinator.close(stepped.map(|ending| ending.unwrap())).map(Some);
                    }
                }
                40..60 => crew.work(worker),
                60..80 => self.deliver(crew, send),
                80..86 => self.clock.advance(Duration::from_millis(self.rng.below(700))),
                86..90 if !scanned => {
                    scan.run(&Reports::to(&found_send));
                    scanned = true;
                }
                86..90 => (0..=self.rng.below(3)).for_each(|_| tell_next(&found, send)),
                90..93 => self.disturb(),
                93 => self.heal(),
                94 => {
                    crew.hang(worker);
                    self.clock.advance(Duration::from_secs(self.rng.below(9)));
                }
                95 => crew.replace(worker),
                96 => {
                    let hit = 1 + self.rng.below(40);
                    let fault = [Fault::Io, Fault::NoSpace, Fault::Short][self.rng.below(3) as usize];
                    armed = None.or(Some(failpoint::arm(hit..hit + 1, fault)));
                }
                97 if self.rng.chance(20) => stop.request(),
                97 | 99 => {
                    self.edit();
                    self.tell(scan, send);
                }
                98 => ask_to_compact(send),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Makes a watcher report what has changed, and some file that has not.
    fn tell(&mut self, scan: &ScanPlan, send: &SyncSender<Event>) {
        let mut names = std::mem::take(&mut self.touched);
        self.with_any_file(|_, path| names.push(path));
        let look = |path: String| {
            let key = FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap();
            let known = || scan.reader.as_ref().unwrap().get(&key).unwrap().unwrap_or_default();
            let change =
                self.world.lock().look(&path).map_or_else(|| FileEvent::Missing(known()), FileEvent::Found);
            (key, change)
        };
        let changes = names.into_iter().map(look).collect();
        let message =
            Message::Touched { changes, since: self.clock.now(), permit: Semaphore::new(1).acquire() };
        send.try_send(message.into()).unwrap_or_default();
    }

    fn deliver(&mut self, crew: &Crew, send: &SyncSender<Event>) {
        let mut groups = crew.groups.borrow_mut();
        if !groups.is_empty() {
            let at = self.rng.below(groups.len() as u64) as usize;
            // The channel has room for more than there can be.
            send.try_send(Event::Ended(groups.remove(at))).unwrap_or_default();
        }
    }

    fn without_reads(
        &mut self,
        mut coordinator: Coordinator<'_>,
        receive: &Receiver<Event>,
        send: &SyncSender<Event>,
        crew: &mut Crew,
        scan: &ScanPlan,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        scan.run(&Reports::to(send));
        if self.rng.chance(30) {
            ask_to_compact(send);
        }
        self.world.lock().trouble = Trouble::Failing(rustix::io::Errno::IO);
        for _ in 0..ROUNDS_WITHOUT_READS {
            if let Some(ending) = coordinator.step(receive, Duration::ZERO)? {
                return coordinator.close(Ok(ending)).map(Some);
            }
            crew.work(0);
            while !crew.groups.borrow().is_empty() {
                self.deliver(crew, send);
            }
            self.clock.advance(Duration::from_millis(50));
        }
        Ok(None)
    }

    fn undisturbed(
        &mut self,
        mut coordinator: Coordinator<'_>,
        receive: &Receiver<Event>,
        send: &SyncSender<Event>,
        crew: &mut Crew,
        scan: &ScanPlan,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        let (found_send, found) = sync_channel(CHANNEL_EVENTS);
        scan.run(&Reports::to(&found_send));
        // Only reported, never scanned.
        let mut edits = self.rng.below(40);
        for _ in 0..ROUNDS_MAX {
            while edits > 0 && self.rng.chance(40) {
                edits -= 1;
                self.edit();
                if self.rng.chance(50) {
                    crew.work(0);
                }
                self.tell(scan, send);
            }
            if let Some(ending) = coordinator.step(receive, Duration::ZERO)? {
                return coordinator.close(Ok(ending)).map(Some);
            }
            if self.rng.chance(50) {
                tell_next(&found, send);
            }
            crew.work(0);
            while !crew.groups.borrow().is_empty() && self.rng.chance(80) {
                self.deliver(crew, send);
            }
            self.clock.advance(Duration::from_millis(self.rng.below(100)));
        }
        panic!("a run without faults does not come to its end");
    }
}

/// Makes a worker work on up to three files, for one of which in every other task.
fn hold_together(held: &mut SlotState, mut task: Task, now: Instant) {
    let is_of_one = task.len().is_multiple_of(2);
    for _ in 0..3 {
        if let Some(place) = task.take_front() {
            held.window.push(InWindow { shared: Arc::clone(task.shared()), place, since: now });
        }
    }
    let on_behalf = if is_of_one { OnBehalf::Of(0) } else { OnBehalf::OfAll };
    held.works(Some(on_behalf), now);
    held.task = Some(task);
}

/// Passes on the scan's next message.
fn tell_next(found: &Receiver<Event>, send: &SyncSender<Event>) {
    if let Ok(event) = found.try_recv() {
        // The channel has room for more messages than there can be, while there is a receiver.
        send.try_send(event).unwrap();
    }
}

/// Requests a compaction; no thread waits for the reply.
fn ask_to_compact(send: &SyncSender<Event>) {
    let _ = send.try_send(Event::Compact(sync_channel(1).0));
}
