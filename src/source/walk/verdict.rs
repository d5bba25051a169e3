//! The verdict of a scan on one path.

use std::{fmt, io};

use super::list::shown;
use crate::model::Fingerprint;
use crate::source::SkipReason;

/// The verdict of a scan on one path. `at` is the relative path of the entry that decided: the path itself, or a
/// folder leading to it.
#[derive(Debug)]
pub enum Verdict {
    /// A file that is ingested.
    Accepted(Fingerprint),
    /// A folder that is visited.
    Folder,
    /// A rule excludes it.
    LeftOut {
        /// The rule, as in summaries; with the folder of the `.outlastignore` that holds it.
        rule: String,
        /// What it was applied to.
        at: Vec<u8>,
    },
    /// It is, or is behind, something that is never opened.
    Skipped {
        /// Why.
        reason: SkipReason,
        /// What is not opened.
        at: Vec<u8>,
    },
    /// There is nothing at this path.
    Missing,
    /// Not a path below a root: it is absolute, or has an empty component, `.`, `..` or a zero byte.
    Outside,
    /// A folder on the path can't be opened, or its `.outlastignore` can't be read.
    Unreadable {
        /// The folder.
        at: Vec<u8>,
        /// What went wrong.
        error: io::Error,
    },
}

/// One line, for display.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(_) => f.write_str("ingested"),
            Self::Folder => f.write_str("a folder that is visited"),
            Self::LeftOut { rule, at } => write!(f, "left out by {rule} at {}", shown(at)),
            Self::Skipped { reason, at } => {
                write!(f, "skipped: {} is never opened ({})", shown(at), reason.as_str())
            }
            Self::Missing => f.write_str("not there"),
            Self::Outside => f.write_str("not below a root"),
            Self::Unreadable { at, error } if at.is_empty() => write!(f, "unreadable: its root: {error}"),
            Self::Unreadable { at, error } => write!(f, "unreadable: {}: {error}", shown(at)),
        }
    }
}
