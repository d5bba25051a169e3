//! The loop of an attempt, on one thread: receives events, commits when a tick is due, claims and plans what is
//! pending. During a run no other thread commits.

pub(super) mod admission;
pub(super) mod changed;
pub(super) mod commands;
pub(super) mod compaction;
pub(super) mod event;
pub(super) mod health;
pub(super) mod pool_size;
pub(super) mod publish;
pub(super) mod run_state;
pub(super) mod stuck_workers;
pub(super) mod tick;

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::command::ControlFlags;
use super::compaction::Compaction;
use super::dispatch::Dispatcher;
use super::error::EngineError;
use super::job_plan::{JobPlan, ScanScope};
use super::stats::{BatchStatistics, ProcessingState, StopCause};
use super::stop::Stop;
use super::watch::WatchState;
use crate::engine::commit::committer::Committer;
use crate::engine::commit::tick_policy::TickPolicy;
use crate::engine::discovery::message::Message;
use crate::engine::lifecycle::transition::{AttemptOutcome, FileEvent};
use crate::engine::roots::identity::RootMonitor;
use crate::engine::workers::context::WorkContext;
use crate::engine::workers::outcome::OutcomeGroup;
use crate::engine::workers::pool::Pool;
use crate::engine::workers::sizing::PoolSizer;
use crate::model::{BatchConfig, Cursor};
use changed::ChangedFiles;
use event::Event;
use run_state::{AttemptEnd, Interruption, RunState};

/// Changes that make a tick due at once, so that memory stays bounded.
const WAITING_MAX: usize = 8_192;
const WAITING_BYTES_MAX: usize = 8 << 20;
/// Time between checks of the machine and the workers, and between publications.
const LOOK_AROUND: Duration = Duration::from_millis(250);
/// The shortest wait.
const MOMENT: Duration = Duration::from_millis(1);
/// Ticks at an attempt's end: one may reveal that files reported missing have changed.
const LAST_TICKS_MAX: usize = 3;
/// How often the loop wakes while no events arrive.
pub(super) const LOOK_UP: Duration = Duration::from_millis(20);
/// The same while there is nothing to do but to wait for watch events.
const LOOK_UP_STANDING: Duration = Duration::from_millis(100);

/// The context that an attempt provides to its coordinator.
pub(crate) struct AttemptContext<'a> {
    pub plan: &'a JobPlan,
    pub context: &'a WorkContext,
    pub started: Instant,
    pub pool: &'a Arc<Pool>,
    /// What callers request.
    pub stop: &'a Stop,
    pub control_flags: &'a ControlFlags,
    /// Stops this attempt's threads, whatever the reason.
    pub halt: &'a Stop,
    /// The figures that other threads read.
    pub shown: &'a Mutex<BatchStatistics>,
    pub guard: RootMonitor<'a>,
}

pub(crate) struct Coordinator<'a> {
    pub(super) set: AttemptContext<'a>,
    pub(super) committer: Committer<'a>,
    pub(super) run: &'a mut RunState,
    pub(super) dispatch: Dispatcher,
    pub(super) scanning: bool,
    /// Whether the coming tick gives the workers more to do: it makes something pending that they do not have.
    pub(super) makes_claimable: bool,
    /// A directory could not be listed for want of something that may come back.
    pub(super) unlisted: bool,
    /// Why the attempt ends, and when it ends at the latest.
    pub(super) ending: Option<(AttemptEnd, Instant)>,
    pub(super) ticks: TickPolicy,
    pub(super) checkpoints: Vec<SyncSender<Cursor>>,
    last_look: Option<Instant>,
    /// Whether watch events may still come.
    pub(super) following: bool,
    /// The tick that recorded the job as completed.
    pub(super) completed_at: Option<u64>,
    /// Set in a process that watches.
    pub(super) watch_state: Option<&'a mut WatchState>,
    pub(super) touched: ChangedFiles,
    pub(super) compaction: Compaction,
    pub(super) sizer: PoolSizer,
}

impl<'a> Coordinator<'a> {
    pub(crate) fn new(
        set: AttemptContext<'a>,
        committer: Committer<'a>,
        run: &'a mut RunState,
        dispatch: Dispatcher,
        watch_state: Option<&'a mut WatchState>,
    ) -> Self {
        let (now, mut committer) = (set.context.clock.now(), committer);
        committer.set_listed(|root| !set.plan.scans_whole(root));
        let scanning = set.plan.scan != ScanScope::Nothing;
        run.statistics.state = if scanning { ProcessingState::Scanning } else { ProcessingState::Watching };
        let compaction = Compaction::new(&set.context.config, Some(set.plan.job.start.log));
        let sizer = PoolSizer::new(&set.context.config);
        Self {
            following: watch_state.as_ref().is_some_and(|watch_state| watch_state.watch.is_some()),
            watch_state,
            set,
            committer,
            run,
            dispatch,
            scanning,
            makes_claimable: false,
            unlisted: false,
            ending: None,
            ticks: TickPolicy::new(now),
            checkpoints: Vec::new(),
            last_look: None,
            touched: ChangedFiles::default(),
            completed_at: None,
            compaction,
            sizer,
        }
    }

    /// Runs until all is done, or the attempt can't continue. Closes the job, unless another attempt will follow.
    pub(crate) fn run(mut self, events: &Receiver<Event>) -> Result<AttemptEnd, EngineError> {
        self.publish();
        let ended = loop {
            let is_standing = self.set.plan.scan == ScanScope::Nothing && self.is_idle();
            match self.step(events, if is_standing { LOOK_UP_STANDING } else { LOOK_UP }) {
                Ok(None) => {}
                Ok(Some(ending)) => break Ok(ending),
                Err(error) => break Err(error),
            }
        };
        self.set.halt.request();
        self.close(ended)
    }

    /// Runs one round of the loop, which waits for events for at most so long; returns how the attempt ended, if it
    /// did.
    pub(crate) fn step(
        &mut self,
        events: &Receiver<Event>,
        wait_max: Duration,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        self.apply_control_flags();
        if let Some(worker) = self.set.context.crash_signal.poll() {
            return self.last_words(worker, events);
        }
        self.look_around()?;
        self.look_at_reading();
        if self.ending.is_none() {
            self.claim()?;
        }
        self.begin_under_way()?;
        let wait_max = if self.compact()? { Duration::ZERO } else { wait_max };
        self.receive(events, wait_max)?;
        if self.tick_is_due() {
            self.commit()?;
        }
        self.end_if_done()
    }

    fn apply_control_flags(&mut self) {
        if self.set.stop.is_requested() {
            self.end(AttemptEnd::Interrupted);
        } else if self.set.control_flags.has_config() {
            self.end(AttemptEnd::Reconfigured);
        }
    }

    /// Stops claiming; the workers finish the files in flight and release the rest.
    pub(super) fn end(&mut self, ending: AttemptEnd) {
        if self.ending.is_some() {
            return;
        }
        let drain = Duration::from_secs(self.config().drain_seconds);
        // The last commit needs some of the time.
        let latest = self.now() + drain - (drain / 4).min(Duration::from_secs(2));
        if ending != AttemptEnd::Done {
            let in_hand = self.dispatch.outstanding();
            tracing::info!(?ending, in_hand, "ending: finishing the files in flight");
            self.run.statistics.state = ProcessingState::Draining;
        }
        self.ending = Some((ending, latest));
        self.set.halt.request();
        if let Some(watch_state) = &self.watch_state {
            watch_state.wake();
        }
        self.take_back();
    }

    fn end_if_done(&mut self) -> Result<Option<AttemptEnd>, EngineError> {
        if let Some((ending, latest)) = &self.ending {
            let late = self.now() >= *latest;
            let has_ended = !self.scanning && !self.following && self.dispatch.outstanding() == 0;
            if late || has_ended {
                let ending = ending.clone();
                if late {
                    self.abandon_all();
                }
                for _ in 0..LAST_TICKS_MAX {
                    if self.committer.waiting() > 0 {
                        self.commit()?;
                    }
                }
                // What could not be committed is not reported again.
                if let (true, Some(watch_state)) =
                    (late || self.committer.waiting() > 0, &mut self.watch_state)
                {
                    watch_state.must_scan = true;
                }
                return Ok(Some(ending));
            }
            return Ok(None);
        }
        if self.committer.waiting() > 0 || !self.is_done_once_committed() {
            return Ok(None);
        }
        let again = self.unlisted && self.run.rescans + 1 < self.config().retry_attempts;
        let ending = if again { AttemptEnd::Hindered(Interruption::Rescan) } else { AttemptEnd::Done };
        if self.following {
            // Events already taken from the watcher are still on their way.
            self.end(ending);
            return Ok(None);
        }
        Ok(Some(ending))
    }

    /// Returns whether the job can end once what waits is committed.
    pub(super) fn is_done_once_committed(&self) -> bool {
        self.set.plan.scan != ScanScope::Nothing
            && !self.scanning
            && self.dispatch.outstanding() == 0
            && self.log_is_checked()
            && !self.is_compacting()
            && self.run.breakers.all_closed()
            && self.claimable() == 0
    }

    /// Returns whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        !self.scanning && self.dispatch.outstanding() == 0 && self.committer.waiting() == 0
    }

    /// Returns whether the record log is known to be as it was committed: no run ends well on a damaged one. The run
    /// waits for the check, unless it is stopped.
    pub(super) fn log_is_checked(&self) -> bool {
        self.committer.store().log_compared.is_some()
    }

    fn receive(&mut self, events: &Receiver<Event>, wait_max: Duration) -> Result<(), EngineError> {
        let inputs = self.tick_inputs();
        let wait = match inputs.waiting {
            0 => wait_max,
            _ if self.ticks.is_due(&inputs) => Duration::ZERO,
            _ => self.ticks.until_due(&inputs).clamp(MOMENT, LOOK_UP).min(wait_max),
        };
        if self.is_full() {
            // There is no room on the disk: events wait in the channel.
            std::thread::sleep(wait_max);
            return Ok(());
        }
        let had_none = inputs.waiting == 0;
        let mut next = events.recv_timeout(wait).ok();
        while let Some(event) = next {
            self.take(event)?;
            next = if self.is_full() { None } else { events.try_recv().ok() };
        }
        if had_none && self.committer.waiting() > 0 {
            self.ticks.waits_from(self.now());
        }
        Ok(())
    }

    pub(super) fn take(&mut self, event: Event) -> Result<(), EngineError> {
        match event {
            Event::Discovered(message) => self.take_discovered(message)?,
            Event::Ended(group) => self.take_group(group),
            Event::LogChecked => {
                let now = self.set.context.clock.time();
                self.committer.store_mut().log_compared = Some(now);
            }
            Event::Failed(error) => return Err(error),
            Event::Order(ordered) => self.carry_out(ordered)?,
            Event::Checkpoint(reply) => self.checkpoints.push(reply),
            Event::Asked { changes, reply } => {
                self.committer.know_all_roots();
                self.committer.take_changes(changes);
                self.checkpoints.push(reply);
            }
            Event::Forget { root, reply } => self.forget_root(root, &reply)?,
            Event::Compact(reply) => self.compaction.ask(reply),
        }
        Ok(())
    }

    fn take_discovered(&mut self, message: Message) -> Result<(), EngineError> {
        match message {
            Message::Found { changes, counts, pass } => {
                drop(pass);
                self.run.tally.add(counts);
                self.take_found(changes)?;
            }
            Message::Touched { changes, since, pass } => {
                drop(pass);
                self.take_touched(changes, since)?;
            }
            Message::Scanned(report) => {
                for (rule, count) in report.filtered {
                    *self.run.statistics.progress.filtered.entry(rule).or_default() += count;
                }
            }
            Message::ScansEnded => {
                self.scanning = false;
                self.set.context.doubts_rules.store(false, Ordering::Relaxed);
                self.committer.set_all_listed();
                if self.run.statistics.state == ProcessingState::Scanning {
                    self.run.statistics.state = self.working();
                }
            }
            Message::Unlisted { resource, why, lost } => self.unlisted(resource, why, lost),
            Message::WatchEnded => self.following = false,
            Message::Commit(reply) => self.checkpoints.push(reply),
            Message::Failed(error) => return Err(error),
        }
        Ok(())
    }

    pub(super) fn take_group(&mut self, mut group: OutcomeGroup) {
        self.note_breakers(&mut group);
        self.touched.note_group(&group);
        let complete = self.dispatch.ended(&group);
        self.run.note_group(&group, complete);
        let failed = |change: &FileEvent| matches!(change, FileEvent::Ended(e) if matches!(e.end, AttemptOutcome::Recorded { failure: Some(_), .. }));
        if self.set.plan.fails_fast && group.outcomes.iter().any(|outcome| failed(&outcome.change)) {
            self.end(AttemptEnd::Stopped(StopCause::FailFast));
        }
        self.committer.take_group(group);
    }

    pub(super) fn is_full(&self) -> bool {
        self.committer.waiting() >= WAITING_MAX || self.committer.waiting_bytes() >= WAITING_BYTES_MAX
    }

    /// Claims pending files, plans batches of them and hands them to the workers, unless something holds it back.
    fn claim(&mut self) -> Result<(), EngineError> {
        if !self.may_claim()? {
            return Ok(());
        }
        let now = self.set.context.clock.time();
        let (reader, roots) = (&self.committer.store().reader, &self.set.plan.own);
        self.dispatch.claim(reader, roots, now, self.run.pressure.percent)?;
        if !self.scanning && self.dispatch.outstanding() == 0 && self.committer.waiting() == 0 {
            self.dispatch.claim_suspect(reader, roots, now)?;
        }
        Ok(())
    }

    pub(super) fn claimable(&self) -> u64 {
        self.dispatch.claimable(&self.committer.store().reader, &self.set.plan.own)
    }

    /// Checks the machine and the workers now and then, and publishes the figures, also while nothing is committed,
    /// since that is when they are needed most.
    fn look_around(&mut self) -> Result<(), EngineError> {
        let now = self.now();
        if self.last_look.is_some_and(|last| now.saturating_duration_since(last) < LOOK_AROUND) {
            return Ok(());
        }
        self.last_look = Some(now);
        self.committer.store().state.held().check()?;
        self.reclaim_overdue(now)?;
        self.share_rests(now);
        self.look_at_machine();
        self.check_watch_state()?;
        let slow = self.set.context.slots.slow_files(&self.set.context.roots, now);
        let in_hand = self.set.context.slots.in_hand();
        for ((worker, slow_file), held) in self.run.statistics.workers.iter_mut().zip(slow).zip(in_hand) {
            worker.slow_file = slow_file;
            (worker.batch, worker.in_hand) = held.map_or((None, 0), |(batch, files)| (Some(batch), files));
        }
        // With changes under way the counts would not add up until they are committed.
        if self.committer.waiting() == 0 {
            self.publish();
        } else {
            let state = self.run.statistics.state;
            self.run.publish_state(self.set.shown, state, now);
        }
        Ok(())
    }

    /// Returns what the run does when nothing holds it back.
    pub(super) fn working(&self) -> ProcessingState {
        match self.scanning {
            true => ProcessingState::Scanning,
            false if self.set.plan.scan == ScanScope::Nothing => ProcessingState::Watching,
            false => ProcessingState::Processing,
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.set.context.clock.now()
    }

    pub(super) fn config(&self) -> &BatchConfig {
        &self.set.context.config
    }
}
