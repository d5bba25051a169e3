//! The errors of an export.

use std::io;
use std::path::{Path, PathBuf};

/// Failure of an export. The file's name then still has its previous content, if any.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// No file can have this name.
    #[error("{}: {what}", path.display())]
    Target {
        /// The name.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// The operating system refused.
    #[error("{}: can't be written: {source}; {remedy}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What to do.
        remedy: &'static str,
        /// Its error.
        source: io::Error,
    },
    /// The format has no room for a record.
    #[error("{path} of root {root}: its record is too large for Parquet; export it with --format ndjson")]
    TooLarge {
        /// Name of the root.
        root: String,
        /// Path of the record.
        path: String,
    },
    /// It was stopped before its end.
    #[error("{}: not written, since it was interrupted; what was there before stays", path.display())]
    Interrupted {
        /// The file.
        path: PathBuf,
    },
    /// The encoder failed: a bug of this program.
    #[error("the table can't be encoded: {0}; report it, and export with --format ndjson meanwhile")]
    Encode(String),
}

impl ExportError {
    /// Error for a name that no file may have.
    pub fn target(path: &Path, what: &'static str) -> Self {
        Self::Target { path: path.to_owned(), what }
    }

    /// Error for a failed write of `path`, with the fitting remedy.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| {
            let remedy = match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "free some space there, or name a file elsewhere"
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "allow writing in its folder, or name a file elsewhere"
                }
                io::ErrorKind::FileTooLarge => {
                    "raise the limit on the size of files (`ulimit -f`), or name a file elsewhere"
                }
                _ => "name a file elsewhere, or try again",
            };
            Self::Write { path, remedy, source }
        }
    }
}
