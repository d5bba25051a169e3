//! Where files come from, and how they are read.
//!
//! Constraints: a folder is listed as a whole, sorted by name, so that it can be merged with the
//! ledger in one pass and what is missing shows; listings are compact (about 5 bytes a file beside
//! its name), and metadata is asked for only while a listing is consumed. Nothing but regular files
//! is ever opened. What is left out is counted under the rule that left it out.

mod filter;
mod read;
mod walk;

use std::ops::ControlFlow;

use crate::model::{FileKey, Fingerprint, FolderKey, Root};

pub use filter::{FilterError, Filters, Verdict};
pub use read::{Content, ReadError};
pub use walk::TreeSource;

/// Files that exist somewhere: a tree on disk ([`TreeSource`]), or anything of a user's own.
pub trait Source: Send + Sync {
    /// Visits every folder under `root` once, on up to `threads` threads, each with a visitor of
    /// its own, until all is visited or a visitor breaks off.
    ///
    /// # Errors
    /// Where the root itself can't be listed. A folder below that can't is reported to the visitor.
    fn scan(
        &self,
        root: &Root,
        threads: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> std::io::Result<ScanReport>;

    /// Reads one file into `buffer`, replacing what is in it, and says which version was read: the
    /// fingerprint is the same before and after reading.
    ///
    /// # Errors
    /// The file is gone, is no regular file any more, kept changing, is larger than `size_max` bytes, or can't be read.
    fn read(&self, root: &Root, key: &FileKey, size_max: u64, buffer: &mut Vec<u8>) -> Result<Content, ReadError>;
}

/// Takes folders as a scan finds them; one for each scanning thread.
pub trait FolderVisitor: Send {
    /// A folder was listed.
    fn folder(&mut self, folder: Folder<'_>) -> ControlFlow<()>;

    /// A folder can't be listed: what the ledger holds below it stays as it is.
    fn unreadable(&mut self, folder: &FolderKey, error: &std::io::Error) -> ControlFlow<()>;
}

/// A listed folder.
pub struct Folder<'a> {
    /// The folder.
    pub key: FolderKey,
    /// Entries that are no folders and whose names the filters let in, ascending by name, each name once.
    pub files: &'a mut dyn Iterator<Item = Listed>,
    /// Names of the sub-folders that will be visited or that filters cut, ascending: all that exist.
    pub folders: &'a [Box<[u8]>],
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: Box<[u8]>,
    /// What it is.
    pub kind: ListedKind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedKind {
    /// A regular file.
    File(Fingerprint),
    /// Something that is never opened.
    Skipped(SkipReason),
    /// It was gone when its metadata was asked for.
    Vanished,
}

/// Why an entry with a matching name is never opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A block or character device.
    Device,
    /// Its metadata can't be read.
    NoMetadata,
}

impl SkipReason {
    /// The name in summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Symlink => "symlink",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
            Self::Device => "device",
            Self::NoMetadata => "no-metadata",
        }
    }
}

/// What a scan left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Folders that were listed.
    pub folders: u64,
    /// Entries that a rule left out, by rule. A folder that is cut counts once.
    pub filtered: std::collections::BTreeMap<String, u64>,
}
