//! What can be asked of a running engine, and how it reaches the run's own thread.

use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::EngineError;
use crate::model::{BatchConfig, Cursor, RecordCursor};

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

    /// Returns whether it was paused before.
    pub(crate) fn pause(&self, paused: bool) -> bool {
        self.paused.swap(paused, Ordering::Relaxed)
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
    pub(crate) fn want_config(&self, make: impl FnOnce(Option<&BatchConfig>) -> BatchConfig) {
        let mut waiting = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = Some(Arc::new(make(waiting.as_deref())));
    }
}
