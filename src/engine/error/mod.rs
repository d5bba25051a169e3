//! The errors that end a run before its time.

mod reasons;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use crate::ledger::LedgerError;
use crate::model::{ConfigError, ConsumerName, Resource};
use crate::sink::SinkError;
use crate::sink::export::ExportError;
use crate::source::list::ListError;
use reasons::{known_jobs, of_consumer};

pub use reasons::{CheckpointError, CursorError, CursorReason, InspectError, ProbeError, Refusal, RootError};

/// What limits the number of threads.
const THREAD_LIMITS: &str = "`ulimit -u`, the control group's `pids.max`, or `ulimit -v`";

/// Failure of a run as a whole. A single file's failure is never one: it becomes a record.
///
/// What went wrong is in the variants and in the reasons that they hold; the text is for people.
///
/// ```
/// use outlast::engine::{EngineError, RootError};
/// use outlast::{AstProcessor, BatchConfig, Engine, RunOptions};
///
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// let engine = Engine::new(AstProcessor::default());
/// match engine.run("asts", &BatchConfig::default(), &RunOptions::new("state")) {
///     Err(EngineError::Root { path, reason: RootError::NotFound }) => {
///         println!("{} is not mounted yet", path.display());
/// #       return Ok(());
///     }
///     Err(error) => return Err(error.into()),
///     Ok(done) => println!("{} files", done.progress.ok),
/// }
/// # Err("there is no such folder")?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The record log.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A file of records.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A setting is outside its limits.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A resource of the run was missing for as long as it waits. Everything committed stays.
    #[error("{what}; work is kept: run again when it is there")]
    Unavailable {
        /// What is missing.
        resource: Resource,
        /// In what way, and where.
        what: String,
    },
    /// A processor is bringing the process down.
    #[error("{}: the processor brought the process down; work is kept: run again", path.display())]
    Crashed {
        /// The file that was being processed.
        path: PathBuf,
    },
    /// A glob that can't be read.
    #[error(transparent)]
    Filter(#[from] crate::source::FilterError),
    /// A root that can't be ingested or served, or is not one.
    #[error("{}: {reason}", path.display())]
    Root {
        /// The path as given.
        path: PathBuf,
        /// What is wrong.
        reason: RootError,
    },
    /// A list of files that can't be used.
    #[error(transparent)]
    List(#[from] ListError),
    /// A file that can't be inspected.
    #[error("{}: {reason}", path.display())]
    Inspect {
        /// The path as given.
        path: PathBuf,
        /// What is wrong.
        reason: InspectError,
    },
    /// A root's files were processed by another processor than this one.
    #[error("{}: its files are processed by {found}, and this is {wanted}, which would process all of them again; \
             use another state, or give `--change-processor` once", path.display())]
    OtherProcessor {
        /// The root.
        path: PathBuf,
        /// The processor's identity in the state.
        found: String,
        /// The current one's.
        wanted: String,
    },
    /// The state knows no job with this number.
    #[error("{}: knows no job {job_id}{}", state.display(), known_jobs(*known))]
    UnknownJob {
        /// The job.
        job_id: u64,
        /// The first and the last one that it knows, if it knows any.
        known: Option<(u64, u64)>,
        /// The state directory.
        state: PathBuf,
    },
    /// The engine does not run this job.
    #[error("job {job_id} is not running")]
    NotRunning {
        /// The job.
        job_id: u64,
    },
    /// A state can't go on from a checkpoint.
    #[error("{}: {reason}", state.display())]
    Checkpoint {
        /// The state directory.
        state: PathBuf,
        /// Why.
        reason: CheckpointError,
    },
    /// The configuration that the state keeps of a job is of another version.
    #[error(
        "{}: the configuration of job {job_id} can't be read: {source}; run again with this version", state.display()
    )]
    JobConfig {
        /// The state directory.
        state: PathBuf,
        /// The job.
        job_id: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The engine runs a job already.
    #[error("this engine runs a job already; make another engine")]
    Busy,
    /// No run takes commands now; it may later.
    #[error("no run takes orders just now: it has not begun, waits, or ends; ask again")]
    NoRun,
    /// A command or a question that does not fit this run or state.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The log no longer has what comes after a cursor: the reader starts over with the current records.
    #[error(
        "{}{error}; start over: take the latest record of each path with `outlast records --cursor`, in place of all that \
             was read before, and go on from the cursor that it prints", of_consumer(consumer.as_ref())
    )]
    CursorGone {
        /// The consumer whose cursor it is, if the state keeps it.
        consumer: Option<ConsumerName>,
        /// The cursor, and what became of it.
        error: CursorError,
    },
    /// A thread of the engine panicked: a fault of the engine, of a source or of a strategy, not of a file.
    #[error("the engine's thread {0} panicked; what was committed stays: run again, and report it")]
    Panicked(&'static str),
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Its error.
        source: io::Error,
    },
}

impl EngineError {
    /// Returns whether what was asked for does not fit this run or state: it fails again until it is asked otherwise,
    /// or until the run has changed.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Root { .. }
                | Self::UnknownJob { .. }
                | Self::NotRunning { .. }
                | Self::Checkpoint { .. }
                | Self::JobConfig { .. }
                | Self::Inspect { .. }
                | Self::List(ListError::Entry { .. })
                | Self::Busy
                | Self::NoRun
                | Self::Refused(_)
        )
    }

    /// Returns whether the state failed, so that nothing more is written until it is opened again.
    pub(crate) fn is_of_the_state(&self) -> bool {
        matches!(self, Self::Ledger(_) | Self::Sink(_))
    }

    /// Returns the resource that the state was short of, where it may come back.
    pub(crate) fn short_of(&self) -> Option<Resource> {
        match self {
            Self::Ledger(error) => error.short_of(),
            Self::Sink(error) => error.short_of(),
            _ => None,
        }
    }

    /// Converts to an error that is tried again later, where that helps.
    pub(crate) fn or_unavailable(self) -> Self {
        match self.short_of() {
            Some(resource) => Self::Unavailable { resource, what: self.to_string() },
            None => self,
        }
    }

    pub(crate) fn root(path: &Path, reason: impl Into<RootError>) -> Self {
        Self::Root { path: path.to_owned(), reason: reason.into() }
    }

    /// Error for threads that can't be started: a limit, like memory, that other processes may free again.
    pub(crate) fn no_threads(what: &str) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Unavailable {
            resource: Resource::Memory,
            what: format!("{what} can't be started: {error}; raise the limit ({THREAD_LIMITS})"),
        }
    }

    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
