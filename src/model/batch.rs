//! Files on their way to the workers.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::language_of;
use super::{BatchPriority, Digest, FileKey, Fingerprint};

/// A file that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredFile {
    /// Root and relative path.
    pub key: FileKey,
    /// Size and times as last seen.
    pub fingerprint: Fingerprint,
    /// Attempts so far at this version.
    pub attempts: u16,
    /// Digest of the content that already has a record by the same processor: the same content is not processed again.
    pub recorded: Option<Digest>,
}

impl DiscoveredFile {
    /// Reads the metadata of the file at `path`, outside any state.
    ///
    /// # Errors
    /// If the path can't be made absolute, has `..` in it, or there is no file.
    pub fn at(path: impl AsRef<Path>) -> std::io::Result<Self> {
        let path = path.as_ref();
        let absolute = std::path::absolute(path)?;
        let key = FileKey::from_absolute_path(&absolute).ok_or_else(|| {
            std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                format!("{}: not the plain path of a file", path.display()),
            )
        })?;
        let metadata = std::fs::metadata(&absolute)?;
        Ok(Self { key, fingerprint: Fingerprint::from_metadata(&metadata), attempts: 0, recorded: None })
    }

    /// Returns the language that the name tells, as the extension of the source: `py` for `a.py` and for
    /// `a.py.ast.json`, `None` for `a.ast.json`. Compare it without regard to case, as rules and strategies do.
    pub fn language(&self) -> Option<&str> {
        std::str::from_utf8(language_of(self.key.name())?).ok()
    }
}

/// Files that one worker takes at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileBatch {
    /// Number of the batch within the run, from 1.
    pub batch_id: u64,
    /// The files, in the order they are processed.
    pub files: Vec<DiscoveredFile>,
    /// Sum of the files' sizes, in bytes.
    pub total_size: u64,
    /// What the cost model expects one worker to need.
    pub estimated_processing_time: Duration,
    /// How soon its files are wanted: all have this class.
    pub priority: BatchPriority,
    /// When it was planned.
    pub created_at: SystemTime,
}

#[cfg(test)]
impl FileBatch {
    /// Creates a batch that no planner has made.
    pub(crate) fn unplanned(batch_id: u64, files: impl Iterator<Item = DiscoveredFile>) -> Self {
        Self {
            batch_id,
            files: files.collect(),
            total_size: 0,
            estimated_processing_time: Duration::ZERO,
            priority: BatchPriority::Normal,
            created_at: SystemTime::UNIX_EPOCH,
        }
    }
}
