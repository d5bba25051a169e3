//! Outcomes of files, and the groups in which they are handed over.

use std::time::Duration;

use crate::engine::lifecycle::transition::{AttemptOutcome, FileEvent};
use crate::model::failure::{FileError, Resource};
use crate::model::key::FileKey;
use crate::source::Content;

/// One file's outcome. `line` is the length of its record's line in the group.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub key: FileKey,
    pub change: FileEvent,
    pub line: usize,
    /// The missing resource, if the file failed through no fault of its own.
    pub short_of: Option<Resource>,
}

/// Outcomes of one batch, with their record lines concatenated.
#[derive(Debug, Default)]
pub(crate) struct OutcomeGroup {
    pub batch_id: u64,
    pub worker: usize,
    pub outcomes: Vec<Outcome>,
    pub lines: Vec<u8>,
    pub bytes: u64,
    pub busy: Duration,
    /// Why the processor can't work now, if it said so.
    pub processor_away: Option<String>,
}

/// The result of one attempt at a file.
pub(super) enum Attempt {
    Plain(AttemptOutcome),
    Unchanged(Content),
    Processed(ReadFile),
    Failed { read: Option<ReadFile>, error: FileError, short_of: Option<Resource> },
}

impl Outcome {
    /// Creates the outcome for another change of a file, which has no line.
    pub(crate) fn of_news((key, change): (FileKey, FileEvent)) -> Self {
        Self { key, change, line: 0, short_of: None }
    }
}

impl Attempt {
    /// Logs it.
    pub(super) fn log(&self) {
        match self {
            Self::Failed { error, .. } => {
                tracing::debug!(class = %error.class, error = error.message, "failed");
            }
            Self::Processed(read) => tracing::trace!(bytes = read.content.size, "processed"),
            Self::Unchanged(_) => tracing::trace!("the same content as before"),
            Self::Plain(end) => tracing::trace!(?end, "left"),
        }
    }
}

/// The version that was read.
pub(super) struct ReadFile {
    pub content: Content,
    pub hash: blake3::Hash,
}

/// Outcomes that a worker hands over together: mostly those of a whole task. With 64 at a time, a first run over
/// small files took 2 % longer, as the coordinator was woken more often.
pub(super) const GROUP_FILES_MAX: usize = 256;

pub(crate) const GROUP_BYTES_MAX: usize = 256 << 10;
