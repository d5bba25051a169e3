//! Commands to a running engine, and how they reach the run's own thread.

use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::EngineError;
use crate::model::{BatchConfig, Cursor, RecordCursor, RootName};

/// A command to a running engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "order")]
pub enum Command {
    /// Begin no file until [`Command::Resume`]; files in flight are finished and committed.
    Pause,
    /// Resume after a pause.
    Resume,
    /// Finish and commit the files in flight, leave the rest pending, and end.
    Stop,
    /// Commit what the workers have handed over.
    Checkpoint,
    /// Use exactly this number of workers, until the configuration is read again.
    Workers {
        /// The number of workers, from 1.
        count: usize,
    },
    /// Continue with another configuration.
    Configure {
        /// The complete configuration.
        config: Box<BatchConfig>,
    },
    /// Read the configuration again; only a process that has read one can do this.
    Reload,
    /// Scan again: all roots, or what is at and below a path.
    Rescan {
        /// The path, absolute; it need not be UTF-8.
        #[serde(default)]
        path: Option<OsString>,
        /// Whether a schedule asks for it.
        #[serde(default)]
        scheduled: bool,
    },
    /// Serve another root as well, also after a restart.
    Add {
        /// The root's directory, absolute; it need not be UTF-8.
        root: OsString,
        /// The name that its records are to have; else that of the process's settings, or the last component of the
        /// path.
        #[serde(default)]
        name: Option<RootName>,
        /// Jobs of higher priority come first; 0 is usual.
        #[serde(default)]
        priority: i16,
    },
    /// Stop serving a root. Its records stay.
    Remove {
        /// The root's directory, absolute; it need not be UTF-8.
        root: OsString,
        /// The root's name, which counts where no root is at that path.
        #[serde(default)]
        name: Option<String>,
    },
    /// End a queued or running job: it scans no further. What it has found is still processed, as of any served root.
    Cancel {
        /// The job's number.
        job_id: u64,
    },
}

/// The reply to a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandReply {
    /// One line of text for a person.
    pub what: String,
    /// The job that was queued or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<u64>,
    /// The committed position, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// The same end of the records, as `outlast records --since` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_end: Option<RecordCursor>,
}

impl CommandReply {
    /// Creates a reply that has only text.
    pub fn text(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }
}

/// A command on its way to the run's thread, and where its reply goes.
pub(crate) struct CommandRequest {
    pub command: Command,
    pub reply: SyncSender<Result<CommandReply, EngineError>>,
}

/// Requests to the run, in effect until they change.
#[derive(Debug, Default)]
pub(crate) struct ControlFlags {
    paused: AtomicBool,
    /// The configuration to continue with, from the next attempt on.
    config: Mutex<Option<Arc<BatchConfig>>>,
}

impl ControlFlags {
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// Sets whether the run is paused, and returns whether it was before.
    pub(crate) fn pause(&self, paused: bool) -> bool {
        self.paused.swap(paused, Ordering::Relaxed)
    }

    /// Returns whether another configuration waits for the next attempt.
    pub(crate) fn has_config(&self) -> bool {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Takes the configuration that waits.
    pub(crate) fn take_config(&self) -> Option<Arc<BatchConfig>> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Makes the next attempt use another configuration, built from the one that waits already.
    pub(crate) fn want_config(&self, make: impl FnOnce(Option<&BatchConfig>) -> BatchConfig) {
        let mut waiting = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = Some(Arc::new(make(waiting.as_deref())));
    }
}
