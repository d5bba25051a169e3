//! What others ask of a running engine: the control socket, HTTP, a schedule, a program.
//!
//! What needs the state is done by the run's own thread, its only writer, between two rounds of its loop.
//! The rest is a wish, which that thread looks at in each round.

use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::EngineError;
use super::event::Event;
use super::results::CheckpointData;
use super::run::Engine;
use crate::model::{BatchConfig, Cursor};

/// How long an order waits for a run that is between two attempts.
const ATTEMPT_WAIT: Duration = Duration::from_secs(5);
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
    /// Go on with so many workers, until the configuration is read again.
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
        path: Option<OsString>,
        /// Whether a schedule asks for it.
        scheduled: bool,
    },
    /// Serve another root as well, also after a restart.
    Add {
        /// Its folder, absolute, which may be no UTF-8.
        root: OsString,
        /// Jobs of higher priority come first; 0 is usual.
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

    fn want_config(&self, config: BatchConfig) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(config));
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
            Order::Workers { count } => {
                let config = self.config().ok_or_else(no_run)?;
                self.configure(BatchConfig { worker_count: count, ..(*config).clone() })?;
                Ok(OrderDone::told(format!(
                    "going on with {count} workers, until the configuration is read again"
                )))
            }
            Order::Configure { config } => self.configure(*config),
            Order::Checkpoint => self.checkpoint_now(),
            Order::Reload => Err(EngineError::Job(
                "this process has read no configuration that it could read again".to_owned(),
            )),
            other => self.hand_on(other),
        }
    }

    /// Of whatever job runs; between two of them it waits.
    fn checkpoint_now(&self) -> Result<OrderDone, EngineError> {
        let until = Instant::now() + ATTEMPT_WAIT;
        loop {
            let job = self.statistics().progress.job;
            match self.checkpoint(job) {
                Ok(CheckpointData { cursor, .. }) => {
                    let what = format!("committed: tick {}, records end at {}", cursor.tick, cursor.log);
                    return Ok(OrderDone { what, job: Some(job), cursor: Some(cursor) });
                }
                Err(error) if self.view().is_none() || Instant::now() >= until => return Err(error),
                Err(_) => std::thread::sleep(LOOK_UP),
            }
        }
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
        self.wishes().want_config(config);
        Ok(OrderDone::told("going on with the new configuration"))
    }

    /// Asks the run's own thread.
    fn hand_on(&self, order: Order) -> Result<OrderDone, EngineError> {
        let until = Instant::now() + ATTEMPT_WAIT;
        loop {
            let (reply, answer) = sync_channel(1);
            let ordered = Ordered { order: order.clone(), reply };
            if self.events().is_some_and(|send| send.send(Event::Order(ordered)).is_ok()) {
                match answer.recv_timeout(ATTEMPT_WAIT) {
                    Ok(done) => return done,
                    Err(RecvTimeoutError::Timeout) => return Err(no_run()),
                    // The attempt has ended without looking at it; another one may follow.
                    Err(RecvTimeoutError::Disconnected) => {}
                }
            }
            if Instant::now() >= until {
                return Err(no_run());
            }
            std::thread::sleep(LOOK_UP);
        }
    }
}

fn no_run() -> EngineError {
    EngineError::Job("no run takes orders just now: it has not begun, waits, or ends; ask again".to_owned())
}
