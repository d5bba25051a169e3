//! The errors of the record log.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::{Resource, with_remedy};

/// Failure of the record log. None may be retried: after a failed write or sync the log is not used again.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its error.
        source: io::Error,
    },
    /// The log does not hold what the ledger says was committed.
    #[error("{}: {what}; run `outlast repair`", path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A segment is missing. A reader of a log that is compacted meanwhile asks again where it begins.
    #[error(
        "{}: the record file is missing (if its disk is not mounted, mount it); run `outlast repair`",
        path.display()
    )]
    Missing {
        /// The segment.
        path: PathBuf,
    },
    /// Another process writes to the folder.
    #[error("{}: another run writes its records here; choose another folder with --out", path.display())]
    InUse {
        /// The record folder.
        path: PathBuf,
    },
    /// A path, or one above it, is not a directory.
    #[error("{}: not a folder; name a folder with --out", path.display())]
    NoFolder {
        /// The path that is not a directory.
        path: PathBuf,
    },
    /// The file being written was deleted, replaced or cut by another process.
    #[error(
        "{}: was deleted, replaced or cut while it was written; put it back if you can, and run `outlast repair`",
        path.display()
    )]
    Lost {
        /// The segment.
        path: PathBuf,
    },
    /// A write or a sync failed before.
    #[error("{}: an earlier write failed, so nothing more is written; start again", path.display())]
    Poisoned {
        /// The segment.
        path: PathBuf,
    },
}

impl SinkError {
    /// Returns what was short, where it may come back. What was committed before is whole: open the log again then.
    pub fn short_of(&self) -> Option<Resource> {
        match self {
            Self::Io { source, .. } => Resource::of_state_io(source),
            _ => None,
        }
    }

    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source: with_remedy(source) }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}
