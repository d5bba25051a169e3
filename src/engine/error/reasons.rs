//! Why something was refused, as values to match on. Their text is what a user reads behind a path, or alone.

use std::io;
use std::path::PathBuf;

use crate::model::{ConsumerName, LogPosition, ParseError, RecordCursor, RootName};
use crate::source::{FilterError, ReadError};

/// Why a path is not accepted as a root.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// Nothing is there.
    #[error("no such folder; check the path")]
    NotFound,
    /// A link that leads to nothing.
    #[error("is a link that leads to nothing; check where it leads")]
    DanglingLink,
    /// Something else than a folder.
    #[error("is a file, not a folder; name its folder, and the file with --include")]
    NotAFolder,
    /// The system refuses to open it.
    #[error("can't be opened: {0}")]
    Unreadable(io::Error),
    /// A folder that the source must not list, such as the state's own.
    #[error("{0}")]
    Unlistable(io::Error),
    /// It could not be looked at.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The path lies in no root that is served.
    #[error("lies in none of the roots that are served")]
    OutsideRoots,
    /// The path is no root that is served.
    #[error("is no root that is served")]
    NotServed,
    /// A watching process serves one root at least.
    #[error("is the only root; to end the process, order `stop`")]
    OnlyRoot,
    /// The state has no room for another root.
    #[error(
        "this state knows {roots_max} roots, as many as it can; end those that are no more with `outlast forget \
         ROOT`, or use another state"
    )]
    TooMany {
        /// Roots that a state remembers at most.
        roots_max: usize,
    },
    /// It has another name in its records than the one that it is given.
    #[error(
        "this root is {name} in its records, which stays, and {wanted} here; call it {name} here, too, or end its \
         records with `outlast forget {}`, and it begins anew as {wanted}", root.display()
    )]
    OtherName {
        /// The root.
        root: PathBuf,
        /// Its name in its records.
        name: String,
        /// The name that it was given.
        wanted: RootName,
    },
    /// Another root has the name that it is given.
    #[error(
        "the name {name} is that of the root {0}; choose another, or, if that tree was moved here, give `outlast \
         move-root {0} {1}`: its records stay", other.display(), root.display()
    )]
    NameTaken {
        /// The root.
        root: PathBuf,
        /// The name that it was given.
        name: RootName,
        /// The root that has it.
        other: PathBuf,
    },
    /// The state has no root there.
    #[error("is no root of this state; `outlast status` lists them")]
    Unknown,
    /// The root that is to move is there already.
    #[error("is where this root is already")]
    SamePlace,
    /// The state has another root where one is to move.
    #[error("is a root of this state itself; `outlast forget {}` first", root.display())]
    Occupied {
        /// The root that is there.
        root: PathBuf,
    },
}

/// Why a file system gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It does not answer in time.
    #[error("does not answer: its file system hangs, or its server can't be reached")]
    Overdue,
    /// The source panicked.
    #[error("can't be looked at: the look failed with a panic")]
    Panicked,
}

/// Why a file is not inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Nothing is there, or the system refuses to look.
    #[error("{0}; check the path")]
    Unreachable(io::Error),
    /// A folder.
    #[error("is a folder; name one file in it, or ingest it with `outlast run`")]
    Folder,
    /// A pipe, a socket or a device.
    #[error("is {0}, which is never opened; write its content to a file and name that")]
    Special(&'static str),
    /// A path that no file can have.
    #[error("is no regular file")]
    NoFile,
    /// It went, or was replaced, before it was read.
    #[error(transparent)]
    Replaced(ReadError),
}

/// Why a state can't go on from a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The checkpoint is of another state.
    #[error("was made anew or repaired since the checkpoint; start a new run")]
    OtherState,
    /// The state has not come as far.
    #[error("has reached tick {reached} only, and the checkpoint is at {checkpoint}; it is an older copy")]
    OlderCopy {
        /// The state's last tick.
        reached: u64,
        /// The checkpoint's tick.
        checkpoint: u64,
    },
    /// The state no longer has the roots of the job.
    #[error("has forgotten the roots of job {job_id}; start a new run")]
    RootsForgotten {
        /// The job.
        job_id: u64,
    },
    /// Another processor did the job.
    #[error("job {job_id} was done by {found}, not by {wanted}: resume it with that")]
    OtherProcessor {
        /// The job.
        job_id: u64,
        /// The processor's identity in the state.
        found: String,
        /// The present one's.
        wanted: String,
    },
}

/// A cursor from which no records can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct CursorError {
    /// The cursor.
    pub cursor: RecordCursor,
    /// Why.
    pub reason: CursorReason,
}

/// Why no records can be read from a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CursorReason {
    /// It is of another state than this one.
    OtherState {
        /// Id of the state here; `None` where it does not have one yet.
        state: Option<String>,
    },
    /// The log was compacted behind it.
    Compacted,
    /// It lies behind the end of the log.
    BehindEnd {
        /// The end.
        end: LogPosition,
    },
    /// No record begins there.
    NoRecord,
}

impl CursorError {
    fn text(&self) -> String {
        let Self { cursor, reason } = self;
        let what = match reason {
            CursorReason::OtherState { state } => {
                return format!(
                    "cursor {cursor} is of another state than the one here, {}, which was made anew or repaired since, \
                     or lies elsewhere",
                    state.as_deref().unwrap_or("which has no id yet")
                );
            }
            CursorReason::Compacted => {
                return format!("records behind cursor {cursor} are gone, since the log was compacted");
            }
            CursorReason::BehindEnd { end } => {
                format!("cursor {cursor} lies behind the end of the records, {end}")
            }
            CursorReason::NoRecord => format!("cursor {cursor} is not the start of a record"),
        };
        match cursor.state {
            Some(_) => format!("{what}: was an earlier copy of the state put back?"),
            None => format!("{what}; use a cursor that was printed for this state"),
        }
    }
}

/// A command or a question that does not fit this run or state.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Only a watching process takes this command.
    #[error("this is a single run: only `outlast watch` takes that order")]
    NotWatching,
    /// The process has no configuration that it could read again.
    #[error("this process has read no configuration that it could read again")]
    NoConfiguration,
    /// The run ingests the root that is to be forgotten.
    #[error("the run that goes on ingests this root: forget it when that has ended")]
    RootInUse,
    /// No root is given; to a watching process, none was added before either.
    #[error("no root is given: name a folder as ROOT, or put [root.NAME] with its path in outlast.toml")]
    NoRoot,
    /// The state has no root of this name.
    #[error("{name}: no root of this state; `outlast status` lists them")]
    UnknownRoot {
        /// The name.
        name: String,
    },
    /// The state knows no file at or below this path.
    #[error("{}: no file of this state lies there", path.display())]
    UnknownFile {
        /// The path.
        path: PathBuf,
    },
    /// A glob that can't be parsed.
    #[error("glob \"{}\": {}", .0.glob, .0.reason)]
    Glob(FilterError),
    /// The state has no consumer of this name.
    #[error(
        "there is no consumer {name}{} `outlast status` lists them, and `outlast records --consumer {name} --commit \
         1:0` makes one that begins at the log's start", hint(nearest.as_deref())
    )]
    UnknownConsumer {
        /// The name.
        name: ConsumerName,
        /// The known name that is most like it, if one is.
        nearest: Option<String>,
    },
    /// The state has as many consumers as it can.
    #[error(
        "the state has {consumers_max} consumers, and no more: see `outlast status`, and drop some with `outlast \
         records --consumer NAME --forget`"
    )]
    TooManyConsumers {
        /// Consumers of one state, at most.
        consumers_max: usize,
    },
    /// Too many jobs wait.
    #[error(
        "{waiting} jobs wait, and {waiting_max} may at most: see `outlast jobs`, end some with `outlast ctl cancel`, \
         or ask for a scan of all roots"
    )]
    TooManyJobs {
        /// Jobs that wait.
        waiting: usize,
        /// How many may.
        waiting_max: usize,
    },
    /// The job is the watching itself.
    #[error("job {job_id} is the watching itself; to end it, order `stop`")]
    WatchingJob {
        /// The job.
        job_id: u64,
    },
    /// The job neither waits nor runs.
    #[error("no job {job_id} waits or runs; see `outlast jobs`")]
    EndedJob {
        /// The job.
        job_id: u64,
    },
    /// A cursor that this state never gave out.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// A text that is no position of the log.
    #[error(transparent)]
    Position(#[from] ParseError),
}

/// Asks whether a known name was meant.
fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| ":".to_owned(), |near| format!("; did you mean {near}?"))
}

/// Returns what a state knows instead of a job.
pub(super) fn known_jobs(known: Option<(u64, u64)>) -> String {
    match known {
        None => String::new(),
        Some((first, last)) if first == last => format!("; it knows job {first}: see `outlast jobs`"),
        Some((first, last)) => format!("; it knows jobs {first} to {last}: see `outlast jobs --all`"),
    }
}

/// Returns what stands before a reason that concerns a consumer.
pub(super) fn of_consumer(consumer: Option<&ConsumerName>) -> String {
    consumer.map(|name| format!("consumer {name}: ")).unwrap_or_default()
}
