//! What others ask of a running engine: the control socket, HTTP, a schedule, a program.
//!
//! What needs the state is done by the run's own thread, its only writer, between two rounds of its loop.
//! The rest is a wish, which that thread looks at in each round.

use std::ffi::OsString;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::engine::Engine;
use crate::engine::coordinator::event::Event;
use crate::engine::error::EngineError;
use crate::model::{BatchConfig, Clock, Cursor, RecordCursor};

/// How long an answer is waited for: a run may be between two attempts, or commit.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
const LOOK_UP: Duration = Duration::from_millis(10);

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "order")]
pub enum Order {
    /// Begin no file until [`Order::Resume`]; what is in hand is finished and committed.
    Pause,
    /// Go on.
    Resume,
    /// Finish the files in hand, commit them, leave the rest pending, and end.
    Stop,
    /// Commit what the workers have handed over.
    Checkpoint,
    /// Go on with so many workers, neither more nor less, until the configuration is read again.
    Workers {
        /// Their number, from 1.
        count: usize,
    },
    /// Go on with another configuration.
    Configure {
        /// All of it.
        config: Box<BatchConfig>,
    },
    /// Read the configuration again; a process does that which has read one.
    Reload,
    /// Scan again: all roots, or what is at and below a path.
    Rescan {
        /// The path, absolute, which may be no UTF-8.
        #[serde(default)]
        path: Option<OsString>,
        /// Whether a schedule asks for it.
        #[serde(default)]
        scheduled: bool,
    },
    /// Serve another root as well, also after a restart.
    Add {
        /// Its folder, absolute, which may be no UTF-8.
        root: OsString,
        /// Jobs of higher priority come first; 0 is usual.
        #[serde(default)]
        priority: i16,
    },
    /// Serve a root no longer. Its records stay.
    Remove {
        /// Its folder, absolute, which may be no UTF-8.
        root: OsString,
    },
    /// End a job that is queued or runs: it scans no further. What it has found is processed still, as of any root
    /// that is served.
    Cancel {
        /// Its number.
        job: u64,
    },
}

/// What an order led to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDone {
    /// For a person, on one line.
    pub what: String,
    /// The job that was queued or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<u64>,
    /// What is committed, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// The same end of the records, as `outlast records --since` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_end: Option<RecordCursor>,
}

impl OrderDone {
    /// Only words.
    pub fn told(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }
}

/// An order on its way to the run's thread, and where its answer goes.
pub(crate) struct Ordered {
    pub order: Order,
    pub reply: SyncSender<Result<OrderDone, EngineError>>,
}

/// What is wanted of the run, until that changes.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    paused: AtomicBool,
    /// The configuration to go on with, from the next attempt on.
    config: Mutex<Option<Arc<BatchConfig>>>,
}

impl Wishes {
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// Whether another configuration waits for the next attempt.
    pub(crate) fn has_config(&self) -> bool {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The configuration that waits.
    pub(crate) fn take_config(&self) -> Option<Arc<BatchConfig>> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Has the next attempt go on with another configuration, made of the one that waits already.
    fn want_config(&self, make: impl FnOnce(Option<&BatchConfig>) -> BatchConfig) {
        let mut waiting = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = Some(Arc::new(make(waiting.as_deref())));
    }
}

impl Engine {
    /// Carries an order out, or hands it to the run and waits for its answer.
    ///
    /// # Errors
    /// No run goes on, or it can't do that now; or the order does not fit the state.
    pub fn order(&self, order: Order) -> Result<OrderDone, EngineError> {
        match order {
            Order::Stop => {
                self.stop().request();
                Ok(OrderDone::told(
                    "stopping: what is in hand is finished and committed, the rest stays pending",
                ))
            }
            Order::Pause => Ok(self.pause(true)),
            Order::Resume => Ok(self.pause(false)),
            Order::Workers { count } => self.workers(count),
            Order::Configure { config } => self.configure(*config),
            Order::Checkpoint => self.checkpoint_now(),
            Order::Reload => Err(EngineError::Job(
                "this process has read no configuration that it could read again".to_owned(),
            )),
            other => self.put(|reply| Event::Order(Ordered { order: other.clone(), reply }))?,
        }
    }

    fn checkpoint_now(&self) -> Result<OrderDone, EngineError> {
        let cursor = self.put(Event::Checkpoint)?;
        let records_end = self.view().ok_or_else(no_run)?.cursor_at(cursor.log);
        let what = format!("committed: tick {}, records end at {records_end}", cursor.tick);
        let job = Some(self.statistics().progress.job);
        Ok(OrderDone { what, job, cursor: Some(cursor), records_end: Some(records_end) })
    }

    fn pause(&self, paused: bool) -> OrderDone {
        let was_paused = self.wishes().paused.swap(paused, Ordering::Relaxed);
        OrderDone::told(match (was_paused, paused) {
            (false, true) => "paused: no file is begun until `resume`",
            (true, false) => "going on",
            (true, true) => "is paused already",
            (false, false) => "was not paused",
        })
    }

    fn configure(&self, config: BatchConfig) -> Result<OrderDone, EngineError> {
        config.check()?;
        self.wishes().want_config(|_| config);
        Ok(OrderDone::told("going on with the new configuration"))
    }

    /// Changes the configuration that a run goes on with, also where that only waits to be taken over.
    fn workers(&self, count: usize) -> Result<OrderDone, EngineError> {
        let present = self.config().ok_or_else(no_run)?;
        let with =
            |config: &BatchConfig| BatchConfig { worker_count: count, workers_max: count, ..config.clone() };
        with(&present).check()?;
        self.wishes().want_config(|waiting| with(waiting.unwrap_or(&present)));
        Ok(OrderDone::told(format!("going on with {count} workers, until the configuration is read again")))
    }

    /// Puts something to the run's own thread, and waits for its answer. `make` makes the message around the way
    /// back; it is sent again where an attempt has ended without looking at it.
    pub(crate) fn put<T>(&self, make: impl Fn(SyncSender<T>) -> Event) -> Result<T, EngineError> {
        let clock = self.clock();
        let until = clock.now() + ANSWER_WAIT;
        loop {
            let (reply, answer) = sync_channel(1);
            if self.events().is_some_and(|send| send_until(&send, make(reply), &clock, until)) {
                match answer_until(&answer, &clock, until) {
                    Ok(done) => return Ok(done),
                    Err(RecvTimeoutError::Timeout) => return Err(no_answer()),
                    Err(RecvTimeoutError::Disconnected) => {}
                }
            }
            if clock.now() >= until || self.view().is_none() {
                return Err(no_run());
            }
            std::thread::sleep(LOOK_UP);
        }
    }
}

/// Whether a message was taken before it was too late.
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

/// What is answered before it is too late.
fn answer_until<T>(answer: &Receiver<T>, clock: &Clock, until: Instant) -> Result<T, RecvTimeoutError> {
    loop {
        match answer.recv_timeout(until.saturating_duration_since(clock.now())) {
            Err(RecvTimeoutError::Timeout) if clock.now() < until => {}
            told => return told,
        }
    }
}

fn no_answer() -> EngineError {
    let what = "the run has not answered in time, as it can't commit now, see `status`; it may still do what was \
                asked for";
    EngineError::Io { what: what.to_owned(), source: io::ErrorKind::TimedOut.into() }
}

fn no_run() -> EngineError {
    EngineError::Job("no run takes orders just now: it has not begun, waits, or ends; ask again".to_owned())
}
