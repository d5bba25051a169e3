//! Commands to a running engine: from the control socket, HTTP, a schedule, a program.
//!
//! What needs the state is done by the run's own thread, its only writer, between two rounds of its loop. The rest
//! are flags, which that thread checks in each round.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use super::engine::Engine;
use crate::engine::command::{Command, CommandReply, CommandRequest};
use crate::engine::compaction::{self, CompactReport};
use crate::engine::consumers::{ConsumerChange, ConsumerReport};
use crate::engine::coordinator::event::Event;
use crate::engine::edit::forget::{ForgetFilter, ForgetReport};
use crate::engine::edit::retry::{RetryBatch, RetryFilter, RetryReport, broken_off};
use crate::engine::error::{EngineError, Refusal};
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::query::selection::Selection;
use crate::engine::store::StoreView;
use crate::ledger::LedgerError;
use crate::model::{BatchConfig, Clock, FileKey};

/// How long to wait for an answer: a run may be between two attempts, or be committing.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
const LOOK_UP: Duration = Duration::from_millis(10);
/// How long a running process may take to release a root: files in flight are finished first.
const LEAVE_WAIT: Duration = Duration::from_secs(60);
const LEAVE_LOOK_UP: Duration = Duration::from_millis(50);

impl Engine {
    /// Carries an order out, or passes it to the run and waits for its answer.
    ///
    /// # Errors
    /// No run is going on, or it can't do that now; or the order does not fit the state.
    pub fn order(&self, order: Command) -> Result<CommandReply, EngineError> {
        match order {
            Command::Stop => {
                self.stop().request();
                Ok(CommandReply::text(
                    "stopping: files in flight are finished and committed, the rest stays pending",
                ))
            }
            Command::Pause => Ok(self.pause(true)),
            Command::Resume => Ok(self.pause(false)),
            Command::Workers { count } => self.workers(count),
            Command::Configure { config } => self.configure(*config),
            Command::Checkpoint => self.checkpoint_now(),
            Command::Reload => Err(Refusal::NoConfiguration.into()),
            other => self.put(|reply| Event::Command(CommandRequest { command: other.clone(), reply }))?,
        }
    }

    /// Makes failed files due for the current run, and waits until that is committed.
    ///
    /// # Errors
    /// No run is going on, or it ends before all is committed; the glob can't be parsed, or the state not read.
    pub fn retry(&self, filter: &RetryFilter) -> Result<RetryReport, EngineError> {
        let view = self.view().ok_or_else(|| broken_off(0, "due", "the run has ended"))?;
        let roots = self.roots();
        let mut batch = RetryBatch::new(&view, filter);
        batch.report.running = true;
        batch.each_chunk(
            |root| roots.contains(&root),
            |chunk, before| self.commit_asked(&chunk, before, "due"),
        )
    }

    /// Forgets files or a root during a run, and waits until that is committed. A served root is no longer served.
    ///
    /// # Errors
    /// No run is going on, or it ends before all is committed; or it can't continue without the root.
    pub fn forget(&self, filter: &ForgetFilter) -> Result<ForgetReport, EngineError> {
        let view = self.view().ok_or_else(|| broken_off(0, "forgotten", "the run has ended"))?;
        if filter.dry_run {
            return view.forgotten(filter);
        }
        let chosen = view.chosen(filter)?;
        let mut report = ForgetReport::default();
        let Some(root) = chosen.root else {
            self.forget_selected(&view, &chosen.selection, &mut report)?;
            return Ok(report);
        };
        let until = Instant::now() + LEAVE_WAIT;
        // It may find more of the root until it stops serving it.
        while !self.put(|reply| Event::Forget { root: root.id, reply })?? {
            if Instant::now() >= until {
                return Err(broken_off(
                    report.files,
                    "forgotten",
                    "the process has not let go of the root yet",
                ));
            }
            self.forget_selected(&view, &chosen.selection, &mut report)?;
            std::thread::sleep(LEAVE_LOOK_UP);
        }
        self.show_without(root.id);
        report.root = Some(root.name);
        Ok(report)
    }

    fn forget_selected(
        &self,
        view: &StoreView,
        selection: &Selection,
        report: &mut ForgetReport,
    ) -> Result<(), EngineError> {
        view.each_chunk(selection, report, |changes, before| self.commit_asked(&changes, before, "forgotten"))
    }

    /// Hands changes to the run's thread, and waits until they are committed. `before` files `are` so already.
    fn commit_asked(
        &self,
        changes: &[(FileKey, FileEvent)],
        before: u64,
        are: &str,
    ) -> Result<(), EngineError> {
        let committed = self.put(|reply| Event::Asked { changes: changes.to_vec(), reply });
        committed.map(drop).map_err(|error| broken_off(before, are, &error.to_string()))
    }

    /// Changes a consumer of the record log during a run, and waits until that is durable.
    ///
    /// # Errors
    /// No run is going on, or it can't write its state; the cursor is none of this state, [`EngineError::CursorGone`]
    /// if the log no longer has what comes after it; or there are too many consumers.
    pub fn change_consumer(&self, change: &ConsumerChange) -> Result<ConsumerReport, EngineError> {
        let put = self.put(|reply| Event::Consumer { change: change.clone(), reply });
        // A run that ends releases its state soon: the client asks again.
        put.map_err(|error| if self.view().is_none() { LedgerError::Closed.into() } else { error })?
    }

    /// Makes the current run compact its record log, and waits until it has.
    ///
    /// # Errors
    /// No run is going on, it ends before, or it lacks something, such as room on the disk.
    pub fn compact(&self) -> Result<CompactReport, EngineError> {
        self.put_and_wait(Event::Compact, false).map_err(|_| compaction::ended())?
    }

    fn checkpoint_now(&self) -> Result<CommandReply, EngineError> {
        let cursor = self.put(Event::Checkpoint)?;
        let records_end = self.view().ok_or(EngineError::NoRun)?.cursor_at(cursor.log);
        let what = format!("committed: tick {}, records end at {records_end}", cursor.tick);
        let job_id = Some(self.statistics().progress.job_id);
        Ok(CommandReply { what, job_id, cursor: Some(cursor), records_end: Some(records_end) })
    }

    fn pause(&self, paused: bool) -> CommandReply {
        let was_paused = self.control_flags().pause(paused);
        CommandReply::text(match (was_paused, paused) {
            (false, true) => "paused: no file is begun until `resume`",
            (true, false) => "going on",
            (true, true) => "is paused already",
            (false, false) => "was not paused",
        })
    }

    fn configure(&self, config: BatchConfig) -> Result<CommandReply, EngineError> {
        config.check()?;
        self.control_flags().want_config(|_| config);
        Ok(CommandReply::text("going on with the new configuration"))
    }

    /// Changes the configuration that a run continues with, also if that still waits to be applied.
    fn workers(&self, count: usize) -> Result<CommandReply, EngineError> {
        let present = self.config().ok_or(EngineError::NoRun)?;
        let with =
            |config: &BatchConfig| BatchConfig { worker_count: count, workers_max: count, ..config.clone() };
        with(&present).check()?;
        self.control_flags().want_config(|waiting| with(waiting.unwrap_or(&present)));
        Ok(CommandReply::text(format!(
            "going on with {count} workers, until the configuration is read again"
        )))
    }

    /// Sends an event to the run's own thread, and waits for its answer. `make` builds the event around the reply
    /// channel; it is sent again if an attempt has ended without receiving it.
    pub(crate) fn put<T>(&self, make: impl Fn(SyncSender<T>) -> Event) -> Result<T, EngineError> {
        self.put_and_wait(make, true)
    }

    /// Same as [`Engine::put`]; once the event is accepted, the answer may take any time unless it `is_brief`.
    fn put_and_wait<T>(
        &self,
        make: impl Fn(SyncSender<T>) -> Event,
        is_brief: bool,
    ) -> Result<T, EngineError> {
        let clock = self.clock();
        let until = clock.now() + ANSWER_WAIT;
        loop {
            let (reply, answer) = sync_channel(1);
            if self.events().is_some_and(|send| send_until(&send, make(reply), &clock, until)) {
                match answer_until(&answer, &clock, is_brief.then_some(until)) {
                    Ok(done) => return Ok(done),
                    Err(RecvTimeoutError::Timeout) => return Err(no_answer()),
                    Err(RecvTimeoutError::Disconnected) => {}
                }
            }
            if clock.now() >= until || self.view().is_none() {
                return Err(EngineError::NoRun);
            }
            std::thread::sleep(LOOK_UP);
        }
    }
}

/// Sends an event; returns whether it was accepted by the deadline.
fn send_until(send: &SyncSender<Event>, mut event: Event, clock: &Clock, until: Instant) -> bool {
    loop {
        match send.try_send(event) {
            Ok(()) => return true,
            Err(TrySendError::Full(back)) if clock.now() < until => event = back,
            Err(_) => return false,
        }
        std::thread::sleep(LOOK_UP);
    }
}

/// Receives the answer, until the deadline, if there is one.
fn answer_until<T>(
    answer: &Receiver<T>,
    clock: &Clock,
    until: Option<Instant>,
) -> Result<T, RecvTimeoutError> {
    let Some(until) = until else { return answer.recv().map_err(|_| RecvTimeoutError::Disconnected) };
    loop {
        match answer.recv_timeout(until.saturating_duration_since(clock.now())) {
            Err(RecvTimeoutError::Timeout) if clock.now() < until => {}
            reply => return reply,
        }
    }
}

fn no_answer() -> EngineError {
    let what = "the run has not answered in time, as it can't commit now, see `status`; it may still do what was \
                asked for";
    EngineError::Io { what: what.to_owned(), source: io::ErrorKind::TimedOut.into() }
}
