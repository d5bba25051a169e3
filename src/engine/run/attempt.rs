//! One attempt of a run: its threads, from start to end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::live::LiveRun;
use super::session::Session;
use crate::engine::commit::committer::Committer;
use crate::engine::coordinator::event::{CHANNEL_EVENTS, Event};
use crate::engine::coordinator::run_state::{AttemptEnd, RunState};
use crate::engine::coordinator::{AttemptContext, Coordinator};
use crate::engine::discovery::follow::WatchFollower;
use crate::engine::discovery::listed::ListedPlan;
use crate::engine::discovery::message::Reports;
use crate::engine::discovery::scan::ScanPlan;
use crate::engine::dispatch::Dispatcher;
use crate::engine::error::EngineError;
use crate::engine::job_plan::{JobPlan, ScanScope};
use crate::engine::roots::identity::RootMonitor;
use crate::engine::stop::{Stop, StopOnDrop};
use crate::engine::store::Store;
use crate::engine::store::log_check::check_log;
use crate::engine::watch::WatchState;
use crate::engine::workers::context::WorkContext;
use crate::engine::workers::crash_hook::{self, CrashSignal};
use crate::engine::workers::pool::{Pool, WorkerHandle};
use crate::engine::workers::record::blamed_outcome;
use crate::engine::workers::slots::WorkerSlots;
use crate::engine::workers::worker::BatchWorker;
use crate::model::joining::join_until;
use crate::model::{FileKey, RootTable};

/// How long to wait for threads that have nothing more to do.
const THREADS_END: Duration = Duration::from_secs(1);
/// A record log below this size is compared in less time than it takes to start a thread.
const LOG_BYTES_SMALL: u64 = 64 << 10;

impl Session<'_> {
    /// Starts the threads, coordinates, and ends the threads. The plan's roots are bound to where they lead.
    pub(super) fn attempt(
        &self,
        plan: &JobPlan,
        store: &mut Store,
        root_monitor: RootMonitor<'_>,
        shown: &LiveRun<'_>,
        run: &mut RunState,
        watch_state: Option<&mut WatchState>,
    ) -> Result<AttemptEnd, EngineError> {
        let (send, receive) = sync_channel(CHANNEL_EVENTS);
        shown.listens(&send);
        let halt = Stop::default();
        // On every way out, also on failure to start the next thread.
        let _halt = StopOnDrop(&halt);
        crash_hook::watch();
        let pending = store.reader.counts_of(plan.roots.iter().map(|(root, _)| root.id)).pending;
        let context = Arc::new(self.context(plan, &halt, pending > 0));
        let pool = CloseOnDrop(self.start_pool(&context, &send)?);
        let news = watch_state.as_deref().and_then(|watch_state| self.news(plan, watch_state, store, &halt));
        let threads = self.start_readers(plan, store, &halt, &send, news)?;
        if let Err(error) = pool.0.allow(self.config.worker_count) {
            let workers = pool.0.allowed();
            tracing::warn!(workers, %error, "fewer workers, as no more threads can be started");
        }
        let attempt = AttemptContext {
            plan,
            work: &context,
            started: self.started,
            pool: &pool.0,
            stop: self.engine.stop_flag(),
            control_flags: self.engine.control_flags(),
            halt: &halt,
            shown: self.engine.shown(),
            root_monitor,
        };
        let strategy = self.engine.make_strategy(&self.config);
        let suspects = self.previous_crash.suspects.clone();
        let dispatch = Dispatcher::new(&self.config, strategy, Arc::clone(&pool.0), suspects);
        let committer = Committer::new(store, &plan.roots);
        // Once in the life of a process.
        let killed_by = self.killed_by().filter(|_| !std::mem::replace(&mut run.blamed, true));
        let blamed =
            killed_by.map(|key| blamed_outcome(&context, &committer.store().reader, key)).transpose()?;
        let mut coordinator = Coordinator::new(attempt, committer, run, dispatch, watch_state);
        blamed.flatten().into_iter().for_each(|group| coordinator.take_group(group));
        let ended = coordinator.run(&receive);
        // From here on, senders no longer block on the receiver.
        drop(receive);
        context.crash_signal.release();
        pool.0.close();
        let deadline = Instant::now() + THREADS_END;
        pool.0.join(Some(deadline));
        threads.into_iter().for_each(|thread| join_until(thread, deadline));
        // For a damaged ledger, the full check decides the error, whatever was read of it and by which thread.
        ended.or_else(|error| store.ledger.settle().map_err(EngineError::from).and(Err(error)))
    }

    /// Returns the file that was alone in flight when the kernel killed a process for want of memory, and ours died.
    fn killed_by(&self) -> Option<FileKey> {
        let rose = self
            .previous_crash
            .oom_kills
            .is_some_and(|before| self.oom_kills.is_some_and(|now| now > before));
        self.previous_crash.alone.clone().filter(|_| rose)
    }

    /// Creates the workers' context. `left_over` indicates that files were pending before anything was scanned.
    fn context(&self, plan: &JobPlan, halt: &Stop, left_over: bool) -> WorkContext {
        let roots = plan.roots.iter().map(|(root, _)| root.clone()).collect();
        WorkContext {
            processor: self.engine.processor(),
            source: Arc::clone(self.fs_probe.source()),
            roots: RootTable::new(roots),
            config: Arc::clone(&self.config),
            clock: self.clock.clone(),
            stop: halt.clone(),
            slots: Arc::new(WorkerSlots::new(self.config.most_workers(), Arc::clone(&self.budget))),
            budget: Arc::clone(&self.budget),
            markers: Some(Arc::clone(&self.markers)),
            crash_signal: Arc::new(CrashSignal::default()),
            doubts_rules: AtomicBool::new(plan.scan != ScanScope::Nothing && left_over),
        }
    }

    fn start_pool(
        &self,
        context: &Arc<WorkContext>,
        send: &SyncSender<Event>,
    ) -> Result<Arc<Pool>, EngineError> {
        let context = Arc::clone(context);
        let outcomes = send.clone();
        let failures = send.clone();
        let make = move |worker| {
            let outcomes = outcomes.clone();
            BatchWorker::new(Arc::clone(&context), worker, move |group| {
                // The receiver is gone only when the attempt has ended.
                let _ = outcomes.send(Event::Ended(group));
            })
        };
        let work = |worker: &mut BatchWorker<_>, task, hand: &WorkerHandle<'_>| worker.run(task, hand);
        let panicked = move || drop(failures.send(Event::Failed(EngineError::Panicked("worker"))));
        // The others are started last: one is enough to do all.
        Pool::start(1, make, work, panicked).map_err(EngineError::no_threads("a worker thread"))
    }

    /// Starts the scan, the check of the log, and the threads that follow the watcher.
    fn start_readers(
        &self,
        plan: &JobPlan,
        store: &Store,
        halt: &Stop,
        send: &SyncSender<Event>,
        news: Option<WatchFollower>,
    ) -> Result<Vec<JoinHandle<()>>, EngineError> {
        let mut threads = Vec::new();
        if plan.scan != ScanScope::Nothing {
            let scan = ScanPlan {
                reader: Some(store.reader.clone()),
                roots: plan.own.clone(),
                below: plan.below(),
                source: Arc::clone(self.fs_probe.source()),
                unlisted: news.as_ref().map(|news| Arc::clone(&news.folders)),
                halt: halt.clone(),
            };
            let found = Reports::to(send);
            threads.push(match plan.scan.clone() {
                ScanScope::Listed(listing) => {
                    let listed = ListedPlan { scan, listing };
                    spawn("scan", send, move || listed.run(&found))?
                }
                _ => spawn("scan", send, move || scan.run(&found))?,
            });
        }
        if store.log_compared.is_none() {
            let records = store.state.records();
            let ranges = store.ledger.log_ranges();
            let checked = send.clone();
            let halt = halt.clone();
            let check = move || {
                let _ = match check_log(&records, &ranges, &halt) {
                    Ok(true) => checked.send(Event::LogChecked),
                    // The attempt is ending.
                    Ok(false) => Ok(()),
                    Err(error) => checked.send(Event::Failed(error)),
                };
            };
            match store.ledger.log_bytes() {
                0..LOG_BYTES_SMALL => check(),
                _ => threads.push(spawn("check-log", send, check)?),
            }
        }
        if let Some(news) = news {
            let reports = Reports::to(send);
            let rescan = news.clone();
            let found = Reports::to(send);
            threads.push(spawn("watch", send, move || news.follow(&reports))?);
            threads.push(spawn("rescan", send, move || rescan.rescan(&found))?);
        }
        Ok(threads)
    }

    fn news(
        &self,
        plan: &JobPlan,
        watch_state: &WatchState,
        store: &Store,
        halt: &Stop,
    ) -> Option<WatchFollower> {
        let watch = watch_state.watch.clone()?;
        // A root that leads elsewhere than before is watched there, and no longer where it led.
        plan.roots.iter().for_each(|(root, _)| watch.add_root(root));
        Some(WatchFollower {
            reader: store.reader.clone(),
            roots: plan.roots.clone(),
            source: Arc::clone(self.fs_probe.source()),
            watch,
            folders: Arc::clone(&watch_state.folders),
            poll_interval: watch_state.options.poll_interval,
            halt: halt.clone(),
        })
    }
}

/// Starts a thread of the run. A panic in it fails the run, so that no thread waits for it for ever.
pub(super) fn spawn(
    name: &'static str,
    send: &SyncSender<Event>,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, EngineError> {
    let send = send.clone();
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            let _ = send.send(Event::Failed(EngineError::Panicked(name)));
        }
    });
    started.map_err(EngineError::no_threads(&format!("the thread {name}")))
}

/// Ends the workers on every way out.
struct CloseOnDrop(Arc<Pool>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
