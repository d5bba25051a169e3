//! Only this thread writes durable state during a run. It is the loop of an attempt: checks, claims, receives events,
//! and commits when a tick is due. Each part has its own state; the loop says in which order they act.

mod commits;
mod discovery_state;
mod draining;
pub(super) mod event;
pub(super) mod health;
mod publish;
mod receive;
pub(super) mod run_state;
#[cfg(test)]
mod tests;
mod watching;
mod worker_pool;

use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::command::ControlFlags;
use super::compaction::Compaction;
use super::dispatch::{ClaimScope, Dispatcher};
use super::error::EngineError;
use super::job_plan::{JobPlan, ScanScope};
use super::stats::{BatchStatistics, ProcessingState, WatchFigures};
use super::stop::Stop;
use super::watch::WatchState;
use crate::engine::commit::committer::Committer;
use crate::engine::roots::identity::{LostRoot, RootMonitor};
use crate::engine::workers::context::WorkContext;
use crate::engine::workers::pool::Pool;
use crate::model::Resource;
use commits::Ticks;
use discovery_state::DiscoveryState;
use draining::{Drained, Draining};
use event::Event;
use health::{Permission, ROOM_BYTES};
use run_state::{AttemptEnd, Interruption, RunState};
use watching::{Checked, Watching};
use worker_pool::{Crashed, Overdue, WorkerPool};

/// Time between checks of the machine and the workers, and between publications.
const CHECK: Duration = Duration::from_millis(250);
/// The shortest wait.
const MOMENT: Duration = Duration::from_millis(1);
/// Ticks at an attempt's end: each may show that a file reported missing has to be looked for again.
const LAST_TICKS_MAX: usize = 3;
/// How often the loop wakes while no events arrive.
const WAKE: Duration = Duration::from_millis(20);
/// The same while there is nothing to do but to wait for watch events.
const WAKE_STANDING: Duration = Duration::from_millis(100);
/// How long a dying process waits for the files that other workers are processing.
const LAST_FILES: Duration = Duration::from_millis(1_500);
/// How long a process takes to die.
const DEATH: Duration = Duration::from_secs(10);

/// The context that an attempt provides to its coordinator.
pub(crate) struct AttemptContext<'a> {
    pub plan: &'a JobPlan,
    pub work: &'a WorkContext,
    pub started: Instant,
    pub pool: &'a Arc<Pool>,
    /// What callers request.
    pub stop: &'a Stop,
    pub control_flags: &'a ControlFlags,
    /// Stops this attempt's threads, whatever the reason.
    pub halt: &'a Stop,
    /// The figures that other threads read.
    pub shown: &'a Mutex<BatchStatistics>,
    pub root_monitor: RootMonitor<'a>,
}

impl AttemptContext<'_> {
    fn now(&self) -> Instant {
        self.work.clock.now()
    }

    /// Returns whether no stop, halt or pause is requested.
    fn goes_on(&self) -> bool {
        !self.halt.is_requested() && !self.stop.is_requested() && !self.control_flags.is_paused()
    }

    /// Returns what claims are made from.
    fn claim_scope<'c>(&'c self, committer: &'c Committer<'_>) -> ClaimScope<'c> {
        ClaimScope { reader: &committer.store().reader, plan: self.plan, now: self.work.clock.time() }
    }
}

/// The parts of an attempt, and the order in which they act.
pub(crate) struct Coordinator<'a> {
    attempt: AttemptContext<'a>,
    run: &'a mut RunState,
    committer: Committer<'a>,
    ticks: Ticks,
    dispatch: Dispatcher,
    discovery: DiscoveryState,
    workers: WorkerPool<'a>,
    draining: Draining,
    compaction: Compaction,
    watching: Watching<'a>,
}

impl<'a> Coordinator<'a> {
    pub(crate) fn new(
        attempt: AttemptContext<'a>,
        committer: Committer<'a>,
        run: &'a mut RunState,
        dispatch: Dispatcher,
        watch_state: Option<&'a mut WatchState>,
    ) -> Self {
        let mut committer = committer;
        committer.set_listed(|root| !attempt.plan.scans_whole(root));
        let is_following = watch_state.as_ref().is_some_and(|watch_state| watch_state.watch.is_some());
        let is_scanning = attempt.plan.scan != ScanScope::Nothing;
        let discovery =
            DiscoveryState { is_standing: !is_scanning, is_scanning, is_following, is_incomplete: false };
        run.statistics.state = discovery.activity();
        Self {
            ticks: Ticks::new(attempt.now()),
            workers: WorkerPool::new(attempt.pool, attempt.work),
            compaction: Compaction::new(&attempt.work.config, Some(attempt.plan.job.start.log)),
            draining: Draining::default(),
            watching: Watching(watch_state),
            attempt,
            run,
            committer,
            dispatch,
            discovery,
        }
    }

    /// Runs until all is done, or the attempt can't continue. Closes the job, unless another attempt will follow.
    pub(crate) fn run(mut self, events: &Receiver<Event>) -> Result<AttemptEnd, EngineError> {
        self.run.publish(&self.attempt, &self.committer, &self.dispatch);
        let ended = loop {
            let is_standing = self.discovery.is_standing && !self.is_under_way();
            match self.step(events, if is_standing { WAKE_STANDING } else { WAKE }) {
                Ok(None) => {}
                Ok(Some(ending)) => break Ok(ending),
                Err(error) => break Err(error),
            }
        };
        self.attempt.halt.request();
        self.close(ended)
    }

    /// Runs one round of the loop, which waits for events for at most so long; returns how the attempt ended, if it
    /// did.
    pub(crate) fn step(
        &mut self,
        events: &Receiver<Event>,
        wait_max: Duration,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        if self.attempt.stop.is_requested() {
            self.end(AttemptEnd::Interrupted);
        } else if self.attempt.control_flags.has_config() {
            self.end(AttemptEnd::Reconfigured);
        }
        if let Some(thread) = self.workers.dying_thread() {
            return self.commit_before_crash(thread, events);
        }
        self.check()?;
        if let Some(workers) = self.workers.resize(self.attempt.now(), self.dispatch.idle()) {
            self.dispatch.set_workers(workers);
            self.run.set_workers(workers);
        }
        if !self.draining.has_begun() {
            self.claim()?;
        }
        self.begin_job()?;
        let wait_max = if self.compact()? { Duration::ZERO } else { wait_max };
        self.receive(events, wait_max)?;
        if self.ticks.policy.is_due(&self.tick_inputs()) {
            self.commit()?;
        }
        self.end_if_done()
    }

    /// Stops claiming; the workers finish the files in flight and release the rest.
    fn end(&mut self, ending: AttemptEnd) {
        let is_done = ending == AttemptEnd::Done;
        let drain = Duration::from_secs(self.attempt.work.config.drain_seconds);
        if !self.draining.begin(ending.clone(), drain, self.attempt.now()) {
            return;
        }
        if !is_done {
            let in_flight = self.dispatch.outstanding();
            tracing::info!(?ending, in_flight, "ending: finishing the files in flight");
            self.run.statistics.state = ProcessingState::Draining;
        }
        self.attempt.halt.request();
        self.watching.wake();
        self.dispatch.take_back();
    }

    fn end_if_done(&mut self) -> Result<Option<AttemptEnd>, EngineError> {
        if self.draining.has_begun() {
            let is_at_rest = self.discovery.has_ended() && self.dispatch.outstanding() == 0;
            let drained = self.draining.drained(is_at_rest, self.attempt.now());
            let Some(Drained { ending, is_late }) = drained else { return Ok(None) };
            if is_late {
                let groups = self.workers.abandon_all(&self.dispatch);
                groups.into_iter().for_each(|group| self.take_group(group));
            }
            for _ in 0..LAST_TICKS_MAX {
                if self.committer.waiting() > 0 {
                    self.commit()?;
                }
            }
            if is_late || self.committer.waiting() > 0 {
                self.watching.scan_again();
            }
            return Ok(Some(ending));
        }
        if self.committer.waiting() > 0 || !self.is_done_once_committed() {
            return Ok(None);
        }
        let lists_again = self.discovery.is_incomplete && self.run.may_rescan(&self.attempt.work.config);
        let ending = if lists_again { AttemptEnd::Hindered(Interruption::Rescan) } else { AttemptEnd::Done };
        if self.discovery.is_following {
            // Events already taken from the watcher are still on their way.
            self.end(ending);
            return Ok(None);
        }
        Ok(Some(ending))
    }

    /// Returns whether the job can end once what waits is committed.
    fn is_done_once_committed(&self) -> bool {
        let store = self.committer.store();
        !self.discovery.is_standing
            && !self.discovery.is_scanning
            && self.dispatch.outstanding() == 0
            && store.log_compared.is_some()
            && (!self.compaction.is_busy(store)
                || self.run.health.missing_disk_space(&self.committer, ROOM_BYTES).is_some())
            && self.run.health.is_good()
            && self.dispatch.claimable(&self.attempt.claim_scope(&self.committer)) == 0
    }

    /// Returns whether files are handed out, or changes wait to be committed.
    fn is_under_way(&self) -> bool {
        self.dispatch.outstanding() > 0 || self.committer.waiting() > 0
    }

    /// Claims pending files, plans batches of them and hands them to the workers, unless something holds it back.
    fn claim(&mut self) -> Result<(), EngineError> {
        let is_paused = self.attempt.control_flags.is_paused();
        if is_paused != (self.run.statistics.state == ProcessingState::Paused) {
            tracing::info!(%is_paused, "a pause begins or ends");
            let state = if is_paused {
                self.workers.take_back(&mut self.dispatch);
                ProcessingState::Paused
            } else if self.run.health.is_good() {
                self.discovery.activity()
            } else {
                ProcessingState::Waiting
            };
            self.run.publish_state(self.attempt.shown, state, self.attempt.now());
        }
        if is_paused {
            return Ok(());
        }
        let wait = Duration::from_secs(self.attempt.work.config.wait_seconds);
        match self.run.health.permission(wait, self.attempt.now()) {
            Permission::Allowed => {}
            Permission::Probe(resources) => return self.probe(&resources),
            Permission::Held => return Ok(()),
            Permission::GivenUp { resource, why } => {
                self.end(AttemptEnd::GaveUp { resource, why });
                return Ok(());
            }
        }
        let is_last = !self.discovery.is_scanning;
        let scope = self.attempt.claim_scope(&self.committer);
        self.dispatch.claim(&scope)?;
        if is_last && !self.is_under_way() {
            self.dispatch.claim_suspect(&self.attempt.claim_scope(&self.committer))?;
        }
        Ok(())
    }

    /// Probes whether missing resources are back: where only files can show it, a few of them, whose outcomes decide.
    fn probe(&mut self, resources: &[Resource]) -> Result<(), EngineError> {
        for &resource in resources {
            let budget = &self.attempt.work.budget;
            let mut works = self.run.health.probe(resource, budget, &self.committer);
            if resource == Resource::Files
                && let Some(lost) = self.attempt.root_monitor.lost()
            {
                self.run.health.probed(resource, false, self.attempt.now());
                self.lose_root(lost);
                return Ok(());
            }
            if works.is_none() && !self.is_under_way() {
                let none = self.dispatch.claim_probe(&self.attempt.claim_scope(&self.committer))?;
                works = none.then_some(true);
            }
            if let Some(works) = works {
                self.run.health.probed(resource, works, self.attempt.now());
            }
        }
        if self.run.health.is_good() {
            self.run.statistics.state = self.discovery.activity();
        }
        Ok(())
    }

    /// Takes back what is not begun, and publishes that the run waits.
    fn hold(&mut self) {
        self.workers.take_back(&mut self.dispatch);
        if !self.draining.has_begun() {
            self.run.publish_state(self.attempt.shown, ProcessingState::Waiting, self.attempt.now());
        }
    }

    /// Ends the attempt for a root that has changed identity: its files have to be listed again when it is back.
    fn lose_root(&mut self, lost: LostRoot) {
        // A watching process continues with its other roots.
        if !self.watching.is_set() {
            self.run.health.trip(Resource::Files, lost.to_string(), self.attempt.now());
            self.hold();
        }
        self.end(AttemptEnd::Hindered(Interruption::Root(lost)));
    }

    /// Checks the machine, the workers and the served roots now and then, and publishes the figures, also while
    /// nothing is committed, since that is when they are needed most.
    fn check(&mut self) -> Result<(), EngineError> {
        let now = self.attempt.now();
        if !self.ticks.is_check_due(now) {
            return Ok(());
        }
        self.committer.store().state.held().check()?;
        for Overdue { worker, finished, failed } in self.workers.reclaim_overdue(now, &self.dispatch) {
            finished.into_iter().for_each(|group| self.take_group(group));
            if let Some(why) = self.workers.too_many_hang() {
                self.end(AttemptEnd::GaveUp { resource: Resource::Processor, why });
            }
            self.workers.replace(worker)?;
            failed.into_iter().for_each(|group| self.take_group(group));
        }
        if self.run.statistics.state == ProcessingState::Paused {
            // A task may have been begun just when the pause did.
            self.workers.take_back(&mut self.dispatch);
        } else {
            self.workers.share_rests(now, &self.dispatch);
        }
        if let Some(why) = self.run.health.check_memory() {
            self.run.health.trip(Resource::Memory, why, now);
            self.hold();
        }
        self.dispatch.set_memory_percent(self.run.health.pressure().percent);
        let checked = self.watching.check(&mut self.committer, &self.attempt)?;
        if let Some(Checked { figures, lost, wants_switch }) = checked {
            let latency = self.run.latency.figures();
            self.run.statistics.watch = Some(WatchFigures { latency, ..figures });
            if let Some(lost) = lost {
                self.lose_root(lost);
            }
            if wants_switch {
                self.end(AttemptEnd::Superseded);
            }
        }
        self.workers.show(&mut self.run.statistics.workers, now);
        // With changes under way the counts would not add up until they are committed.
        if self.committer.waiting() == 0 {
            self.run.publish(&self.attempt, &self.committer, &self.dispatch);
        } else {
            let state = self.run.statistics.state;
            self.run.publish_state(self.attempt.shown, state, now);
        }
        Ok(())
    }

    /// Compacts a portion, if nothing more urgent waits. Returns whether to come back at once.
    fn compact(&mut self) -> Result<bool, EngineError> {
        let is_idle = !self.discovery.is_scanning && !self.is_under_way();
        let health = &self.run.health;
        if self.compaction.is_awaited()
            && let Some((resource, why)) = health.missing_for_compaction(&self.committer)
        {
            self.compaction.refuse(resource, &why);
        }
        let store = self.committer.store();
        let is_free = !self.draining.has_begun() && store.log_compared.is_some() && health.is_good();
        let now = self.attempt.now();
        if !is_free
            || !self.compaction.may_step(store, is_idle, now)
            || self.ticks.policy.is_due(&self.tick_inputs())
            || health.missing_disk_space(&self.committer, ROOM_BYTES).is_some()
        {
            return Ok(false);
        }
        let is_busy = self.compaction.step(self.committer.store_mut(), now)?;
        // Once it has ended, there may be nothing left to wait for.
        let now = self.attempt.now();
        let is_next = !is_busy || self.compaction.may_step(self.committer.store(), is_idle, now);
        Ok(is_idle && is_next)
    }

    /// Commits what is finished and which file is at fault, while a processor is bringing the process down. The dying
    /// thread waits for that.
    fn commit_before_crash(
        &mut self,
        thread: usize,
        events: &Receiver<Event>,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        self.attempt.halt.request();
        self.dispatch.take_back();
        let until = self.attempt.now() + LAST_FILES;
        let mut at_fault = PathBuf::new();
        let mut dying = Some(thread);
        while let Some(thread) = dying {
            let reader = &self.committer.store().reader;
            let Crashed { groups, path } =
                self.workers.attribute_crash(thread, &mut self.dispatch, reader)?;
            groups.into_iter().for_each(|group| self.take_group(group));
            at_fault = path.unwrap_or(at_fault);
            while self.dispatch.outstanding() > 0 {
                let wait = until.saturating_duration_since(self.attempt.now());
                if wait.is_zero() {
                    break;
                }
                let Ok(event) = events.recv_timeout(wait) else { break };
                self.take(event)?;
            }
            // Another thread may be dying of the same.
            dying = self.workers.dying_thread();
        }
        // There is no time to confirm them.
        self.committer.drop_all_removals();
        self.commit()?;
        self.workers.let_die();
        std::thread::sleep(DEATH);
        Err(EngineError::Crashed { path: at_fault })
    }
}
