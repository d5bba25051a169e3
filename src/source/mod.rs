//! Where files come from, and how they are read.
//!
//! Constraints:
//! - A folder is listed as a whole, sorted by name, so that it can be merged with the ledger in one pass and
//!   missing entries show.
//! - Memory: a name costs itself and 8 bytes while its folder is visited. Queued sub-folders are kept as such
//!   names, not as paths, so neither a million files nor a million folders in one folder are a problem. Metadata is
//!   requested only while a listing is consumed.
//! - Only regular files are ever opened for reading, and no link below a root is ever followed, not even one that
//!   replaces a folder during the scan: the kernel resolves paths below a root without links (`openat2`), or this
//!   room does so component by component. Links on the path to a root are the user's own and are followed. Mount
//!   points are crossed.
//! - Excluded entries are counted under the rule that excluded them, and [`TreeSource::explain`] finds the rule by
//!   the same code. An `.outlastignore` that can't be parsed makes its folder unreadable: what it meant to exclude
//!   is not guessed.
//! - At most one folder per thread stays open between two reads, and what is read from it counts only if it is the
//!   expected version: a replaced root or folder is never read as the original.

mod filter;
pub mod list;
mod read;
#[cfg(test)]
mod tests;
mod walk;
#[doc(hidden)]
pub mod watch;

use std::borrow::Cow;
use std::ops::ControlFlow;

use crate::model::{FileKey, Fingerprint, FolderKey, Root};

pub use filter::{FilterError, Filters};
pub use read::ahead::Ahead;
pub use read::{Content, ReadError};
pub use walk::TreeSource;
pub(crate) use walk::list::LeftOutCounts;
pub use walk::names::Names;
pub(crate) use walk::thread_clock::{Moment, Sampler, ThreadTimes};
pub use walk::verdict::Verdict;

/// A place where files exist: a tree on disk ([`TreeSource`]), or a custom implementation.
pub trait Source: Send + Sync {
    /// Visits every folder under `root` once, on up to `threads` threads, each with its own visitor, until
    /// everything is visited or a visitor breaks off. A source that waits for a disk or a network may use more
    /// threads than that, as [`TreeSource`] does, unless `threads` is 1.
    ///
    /// # Errors
    /// The root itself can't be listed: the error is the system's own, so that its class is kept, and the caller
    /// adds the root. A folder below that can't be listed is reported to the visitor.
    ///
    /// # Panics
    /// If a visitor panicked, once all threads have ended.
    fn scan(
        &self,
        root: &Root,
        threads: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> std::io::Result<ScanReport>;

    /// Visits every folder at and below `from` as [`Source::scan`] does; rules of the folders above apply. Where
    /// `from` is gone or not a directory any more, nothing is visited and [`FolderVisitor::unreadable`] gets
    /// `NotFound`; where a rule excludes it, [`FolderVisitor::cut`] is called.
    ///
    /// # Errors
    /// The root itself can't be opened, as with a scan; `Unsupported` for a source that can't start below its root.
    ///
    /// # Panics
    /// If a visitor panicked, once all threads have ended.
    fn scan_below(
        &self,
        root: &Root,
        from: &FolderKey,
        threads: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> std::io::Result<ScanReport> {
        let _ = (root, from, threads, visitors);
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// Returns the current state of these names in one folder, in the same order, for those that a scan would list
    /// among the folder's files. `None` where the folder is gone or a rule excludes it.
    ///
    /// # Errors
    /// The root or a folder on the path can't be opened, or an `.outlastignore` can't be read: nothing is known
    /// then. `Unsupported` for a source that can't check single files.
    fn look(
        &self,
        root: &Root,
        folder: &FolderKey,
        names: &[Box<[u8]>],
    ) -> std::io::Result<Vec<Listed<'static>>> {
        let _ = (root, folder, names);
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// Returns what a scan would make of each of these names in one folder, in the same order.
    ///
    /// # Errors
    /// The folder's own verdict, which all names in it share: a rule excludes it, or it is gone or can't be opened.
    /// For a source that can't check single files, that it is unreadable.
    fn verdicts(
        &self,
        root: &Root,
        folder: &FolderKey,
        names: &[Box<[u8]>],
    ) -> Result<Vec<Verdict>, Verdict> {
        let _ = (root, names);
        let error =
            std::io::Error::new(std::io::ErrorKind::Unsupported, "this source looks at no single files");
        Err(Verdict::Unreadable { at: folder.relative_path(), error })
    }

    /// Reads one file into `buffer`, replacing its contents, and returns which version was read: the fingerprint is
    /// the same before and after reading.
    ///
    /// # Errors
    /// The file is gone, is not a regular file any more, kept changing, is longer than `size_max` bytes whatever
    /// its reported size, or can't be read.
    fn read(
        &self,
        root: &Root,
        key: &FileKey,
        size_max: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Content, ReadError>;

    /// Reads a file that is expected at this version: like [`Source::read`], but may use what the calling thread
    /// has kept open since its last read, if that leads to exactly this version.
    ///
    /// # Errors
    /// As [`Source::read`].
    fn read_expected(
        &self,
        root: &Root,
        key: &FileKey,
        expected: &Fingerprint,
        size_max: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Content, ReadError> {
        let _ = expected;
        self.read(root, key, size_max, buffer)
    }

    /// Reads a file to its end for the BLAKE3 digest of its content alone, and returns which version was read. Its size
    /// does not matter to a source that keeps none of it.
    ///
    /// # Errors
    /// As [`Source::read`].
    fn digest(&self, root: &Root, key: &FileKey) -> Result<(Content, [u8; 32]), ReadError> {
        let mut buffer = Vec::new();
        let content = self.read(root, key, u64::MAX, &mut buffer)?;
        Ok((content, blake3::hash(&buffer).into()))
    }

    /// Returns whether the file still is at this version, as far as the source can tell.
    fn is_at(&self, root: &Root, key: &FileKey, version: &Fingerprint) -> bool {
        let _ = (root, key, version);
        true
    }

    /// Starts reading a file into memory that the calling thread will read soon, without waiting for it.
    fn ahead(&self, root: &Root, key: &FileKey) -> Ahead {
        let _ = (root, key);
        Ahead::Unable
    }

    /// Releases what the calling thread keeps between reads, as it pauses: open folders are closed, so that the
    /// file system can be unmounted, and cached rules are dropped.
    fn rest(&self) {}

    /// Returns a mark that distinguishes the folder of a root from another one at the same path. While it stays the
    /// same, a file that is not found is gone; otherwise the root was renamed, replaced or unmounted.
    ///
    /// # Errors
    /// There is no such folder.
    fn root_mark(&self, root: &Root) -> std::io::Result<u128>;

    /// Lists a root's own folder to its end without visiting anything, to check whether a failed scan can be
    /// restarted.
    ///
    /// # Errors
    /// As [`Source::scan`].
    fn list_root(&self, root: &Root) -> std::io::Result<()> {
        let _ = root;
        Ok(())
    }

    /// Returns where a root leads: its path without links, if it is a folder on disk; otherwise the path itself. A
    /// different target is a different tree, and its contents are what the root holds.
    ///
    /// # Errors
    /// There is no such folder.
    fn root_target(&self, root: &Root) -> std::io::Result<std::path::PathBuf> {
        Ok(root.path.clone())
    }

    /// Returns whether a file that no listing shows exists, or may exist: filters can hide it.
    fn exists(&self, root: &Root, key: &FileKey) -> bool;

    /// Returns whether a rule excludes a file that exists. Called for known files that no listing shows.
    fn is_hidden(&self, root: &Root, key: &FileKey) -> bool {
        let _ = root;
        !self.accepts(&key.relative_path())
    }

    /// Notes that this folder has known files that rules exclude by now. A source that reports changes must report
    /// the deletion of these files.
    fn watch_hidden(&self, root: &Root, folder: &FolderKey) {
        let _ = (root, folder);
    }

    /// Returns whether the filters accept a file with this relative path, judging by the path alone.
    fn accepts(&self, relative: &[u8]) -> bool;

    /// Returns the filters as text: when it changes, pending files are checked again.
    fn filters(&self) -> String;
}

/// Receives folders as a scan finds them; one per scanning thread.
pub trait FolderVisitor: Send {
    /// Handles a listed folder.
    fn folder(&mut self, folder: Folder<'_>) -> ControlFlow<()>;

    /// Handles a folder that can't be listed: the ledger's records below it stay as they are. `NotFound` if it was
    /// removed after its parent was listed.
    fn unreadable(&mut self, folder: &FolderKey, error: &std::io::Error) -> ControlFlow<()>;

    /// Handles a folder that a rule excludes: known files below it may be gone.
    fn cut(&mut self, folder: &FolderKey) -> ControlFlow<()> {
        let _ = folder;
        ControlFlow::Continue(())
    }
}

/// A listed folder.
pub struct Folder<'a> {
    /// The folder.
    pub key: FolderKey,
    /// Entries that are not directories and whose names the filters accept, ascending, each name once.
    pub files: &'a mut dyn Iterator<Item = Listed<'a>>,
    /// Names of all existing sub-folders, whether they will be visited or are excluded, ascending.
    pub folders: &'a Names,
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Its name.
    pub name: Cow<'a, [u8]>,
    /// What it is.
    pub kind: ListedKind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedKind {
    /// A regular file.
    File(Fingerprint),
    /// An entry of a type that is never opened.
    Skipped(SkipReason),
    /// The entry was gone when its metadata was requested.
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
    /// Returns the name used in summaries.
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

/// What a scan covered and excluded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Folders that were listed.
    pub folders: u64,
    /// Excluded entries, by rule. An excluded folder counts once.
    pub filtered: std::collections::BTreeMap<String, u64>,
}
