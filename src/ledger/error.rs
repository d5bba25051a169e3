//! The errors of the durable state.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::{Resource, Shard, with_remedy};

/// Why the state can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no state in the folder.
    #[error("{}: no state here; `outlast run` makes one", path.display())]
    NoState {
        /// The state folder.
        path: PathBuf,
    },
    /// There is no state of a shard in the folder.
    #[error("{}: no shards here; `outlast run --shard 0/64 --state {}/{{shard}}` makes one", path.display(), path.display())]
    NoShards {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds other things, and no state.
    #[error("{}: not a state folder, and not empty; choose another folder with --state", path.display())]
    Foreign {
        /// The state folder.
        path: PathBuf,
    },
    /// A path, or one above it, is not a directory.
    #[error("{}: not a folder; name a folder with --state", path.display())]
    NoFolder {
        /// The path that is not a directory.
        path: PathBuf,
    },
    /// The folder of an open state was removed or replaced.
    #[error(
        "{}: the state folder was removed or replaced while it was in use; nothing more is written: start again",
        path.display()
    )]
    Gone {
        /// The state folder.
        path: PathBuf,
    },
    /// The lock file of an open state was removed or replaced: another process may use the state by now.
    #[error(
        "{}: the lock file was removed or replaced while the state was in use; nothing more is written: start again",
        path.display()
    )]
    LockGone {
        /// The lock file.
        path: PathBuf,
    },
    /// The lock of an open state was lost, as by a server that gave this machine up.
    #[error(
        "{}: the lock was lost while the state was in use, and another process may have it by now; nothing more is \
         written: start again", path.display()
    )]
    LockLost {
        /// The lock file.
        path: PathBuf,
    },
    /// The locks of the file system don't exclude other machines.
    #[error(
        "{}: two machines could work on this shard at once: {why}; or add --unsafe-locks, if no other machine ever uses \
         this state", path.display()
    )]
    LocksLocal {
        /// The state folder.
        path: PathBuf,
        /// Why, with the remedy.
        why: String,
    },
    /// Another process holds the state.
    #[error("{}: the state is in use by another process; stop it, or choose another folder with --state", path.display())]
    InUse {
        /// The state folder.
        path: PathBuf,
    },
    /// Other processes read the state all the time.
    #[error("{}: the state is being read without a pause by others (`outlast status` and the like); ask less often", path.display())]
    BeingRead {
        /// The state folder.
        path: PathBuf,
    },
    /// The folder can't be written.
    #[error("{}: the state folder can't be written; make it writable, or choose another folder with --state", path.display())]
    ReadOnly {
        /// The state folder.
        path: PathBuf,
    },
    /// The state was made with another record folder.
    #[error(
        "{}: the records of this state go to {}, not to {}; leave --out away, or choose another folder with --state",
        path.display(), found.display(), wanted.display()
    )]
    OtherRecords {
        /// The state folder.
        path: PathBuf,
        /// The record folder that the state names.
        found: PathBuf,
        /// The record folder that was asked for.
        wanted: PathBuf,
    },
    /// The state has the files of another shard.
    #[error(
        "{}: the state is {} for its life, and the run {}; {}, or choose another folder with --state, in which all begins anew",
        path.display(), of_shard(*found), of_shard(*wanted), with_shard(*found)
    )]
    OtherShard {
        /// The state folder.
        path: PathBuf,
        /// The shard of the state; `None` for all files.
        found: Option<Shard>,
        /// The shard that was asked for.
        wanted: Option<Shard>,
    },
    /// The state was written by a version with another format.
    #[error(
        "{}: the state has format {found}, and this version reads format {supported}; use the version of outlast that wrote it, or choose another folder with --state",
        path.display()
    )]
    OtherFormat {
        /// The state folder.
        path: PathBuf,
        /// Format of the state.
        found: u32,
        /// Format that this version reads and writes.
        supported: u32,
    },
    /// Something in the state is not as it was committed.
    #[error("{}: {what}; run `outlast repair`", path.display())]
    Damaged {
        /// The file or folder that is damaged.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The file system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder in question.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A file of an open state was removed or replaced.
    #[error(
        "{}: was removed or replaced while it was in use; put it back if you can, and run `outlast repair`",
        path.display()
    )]
    Lost {
        /// The file.
        path: PathBuf,
    },
    /// The threads that the database needs can't be started.
    #[error(
        "{}: its threads can't be started: {error}; raise the limit (`ulimit -u`, the control group's `pids.max`, or \
         `ulimit -v`)",
        path.display()
    )]
    NoThreads {
        /// The database.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// The state was closed during a read.
    #[error("the state was closed while it was read; ask again")]
    Closed,
    /// An earlier commit failed: what is on disk is not known until the state is opened again.
    #[error("an earlier commit failed; open the state again")]
    Poisoned,
    /// A commit that breaks the rules of the ledger. Nothing was changed.
    #[error("not to be committed: {0}")]
    Invalid(&'static str),
}

impl LedgerError {
    /// Returns what was short, where it may come back. What was committed before is whole: open the state again then.
    pub fn short_of(&self) -> Option<Resource> {
        match self {
            Self::Io { error, .. } => Resource::of_state_io(error),
            Self::NoThreads { .. } => Some(Resource::Memory),
            _ => None,
        }
    }

    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Io { path: path.to_path_buf(), error: with_remedy(error) }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_path_buf(), what: what.into() }
    }
}

fn of_shard(shard: Option<Shard>) -> String {
    shard.map_or_else(|| "of all files".to_owned(), |shard| format!("of shard {shard}"))
}

fn with_shard(shard: Option<Shard>) -> String {
    shard.map_or_else(|| "leave --shard away".to_owned(), |shard| format!("use --shard {shard}"))
}
