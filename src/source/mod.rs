//! Where files come from, and how they are read.
//!
//! Constraints:
//! - A folder is listed as a whole, sorted by name, so that it can be merged with the ledger in one
//!   pass and what is missing shows.
//! - Memory: a name costs itself and 8 bytes while its folder is visited. Waiting sub-folders are
//!   kept as such names, not as paths, so neither a million files nor a million folders in one
//!   folder hurt. Metadata is asked for only while a listing is consumed.
//! - Nothing but regular files is ever opened for reading, and no link below a root is ever followed,
//!   not even one that takes a folder's place during the scan: the kernel resolves paths below a root
//!   without links (`openat2`), or this room does so component by component. Links on the way to a
//!   root are the user's own and are followed. Mount points are crossed.
//! - What is left out is counted under the rule that left it out, and [`TreeSource::explain`] finds
//!   the rule by the same code. An `.outlastignore` that can't be understood makes its folder
//!   unreadable: what it meant to leave out is not guessed.
//! - Between two reads of a thread at most the folder is kept open, and what is read from it counts only where it
//!   is the version that was expected: what took the place of a root or a folder is never read as it.

mod filter;
mod read;
#[cfg(test)]
mod tests;
mod walk;
pub mod watch;

use std::borrow::Cow;
use std::ops::ControlFlow;

use crate::model::{FileKey, Fingerprint, FolderKey, Root};

pub use filter::{FilterError, Filters};
pub use read::ahead::Ahead;
pub use read::{Content, ReadError};
pub use walk::TreeSource;
pub use walk::names::Names;
pub(crate) use walk::thread_clock::{Moment, Sampler, Spent};
pub use walk::verdict::Verdict;

/// Files that exist somewhere: a tree on disk ([`TreeSource`]), or anything of a user's own.
pub trait Source: Send + Sync {
    /// Visits every folder under `root` once, on up to `threads` threads, each with a visitor of
    /// its own, until all is visited or a visitor breaks off. One that waits for a disk or a network may take more
    /// threads than that, as [`TreeSource`] does, but for `threads` of 1.
    ///
    /// # Errors
    /// Where the root itself can't be listed: the error is the system's own, so that its class shows,
    /// and the caller names the root. A folder below that can't is reported to the visitor.
    ///
    /// # Panics
    /// Where a visitor did, once all threads have ended.
    fn scan(
        &self,
        root: &Root,
        threads: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> std::io::Result<ScanReport>;

    /// Visits every folder at and below `from` as [`Source::scan`] does: what rules say in the folders
    /// above holds. Where `from` is gone, or no folder any more, nothing is visited but
    /// [`FolderVisitor::unreadable`] told `NotFound`; where a rule cuts it, [`FolderVisitor::cut`] is told.
    ///
    /// # Errors
    /// Where the root itself can't be opened, as with a scan; `Unsupported` for a source that can't
    /// begin below its root.
    ///
    /// # Panics
    /// Where a visitor did, once all threads have ended.
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

    /// What these names are now in one folder, in the same order: those that a scan would list among
    /// the folder's files. None where the folder is gone or a rule cuts it.
    ///
    /// # Errors
    /// Where the root or a folder on the way can't be opened, or an `.outlastignore` can't be read:
    /// nothing is known then. `Unsupported` for a source that can't look at single files.
    fn look(
        &self,
        root: &Root,
        folder: &FolderKey,
        names: &[Box<[u8]>],
    ) -> std::io::Result<Vec<Listed<'static>>> {
        let _ = (root, folder, names);
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// Reads one file into `buffer`, replacing what is in it, and says which version was read: the
    /// fingerprint is the same before and after reading.
    ///
    /// # Errors
    /// The file is gone, is no regular file any more, kept changing, is longer than `size_max` bytes, whatever size is
    /// told of it, or can't be read.
    fn read(
        &self,
        root: &Root,
        key: &FileKey,
        size_max: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Content, ReadError>;

    /// Reads a file that is expected at this version: [`Source::read`], but what the calling thread has kept open
    /// since its last read may be used where it leads to the very version.
    ///
    /// # Errors
    /// As there.
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

    /// Has a file brought into memory that the calling thread reads soon, and does not wait for it.
    fn ahead(&self, root: &Root, key: &FileKey) -> Ahead {
        let _ = (root, key);
        Ahead::Unable
    }

    /// The calling thread reads nothing for now: what it has kept open is closed, so that the file system can be
    /// unmounted, and what it knows of rules is looked up anew.
    fn rest(&self) {}

    /// What tells the folder of a root from another one at the same path: while it stays the same, a file
    /// that is not found is gone. Otherwise the root was renamed, replaced or unmounted.
    ///
    /// # Errors
    /// Where there is no such folder.
    fn root_mark(&self, root: &Root) -> std::io::Result<u128>;

    /// Lists a root's own folder to its end, and visits nothing: whether a scan can begin again that failed there.
    ///
    /// # Errors
    /// As [`Source::scan`].
    fn list_root(&self, root: &Root) -> std::io::Result<()> {
        let _ = root;
        Ok(())
    }

    /// Where a root leads: its path without links, for one that is a folder on disk. Another one than before is
    /// another tree, and what it shows is what the root holds. Else the path itself.
    ///
    /// # Errors
    /// Where there is no such folder.
    fn root_target(&self, root: &Root) -> std::io::Result<std::path::PathBuf> {
        Ok(root.path.clone())
    }

    /// Whether a file that no listing shows still exists, or may: filters can hide it.
    fn exists(&self, root: &Root, key: &FileKey) -> bool;

    /// Whether a rule leaves a file out that exists: asked of files that are known, and that no listing shows.
    fn is_hidden(&self, root: &Root, key: &FileKey) -> bool {
        let _ = root;
        !self.accepts(&key.relative_path())
    }

    /// Files are known in this folder that rules leave out by now. Where it tells what changes, it is to tell of it when
    /// these are deleted.
    fn watch_hidden(&self, root: &Root, folder: &FolderKey) {
        let _ = (root, folder);
    }

    /// Whether the filters let a file with this relative path in, as far as the path alone tells.
    fn accepts(&self, relative: &[u8]) -> bool;

    /// The filters as text: when it changes, what is pending is looked at again.
    fn filters(&self) -> String;
}

/// Takes folders as a scan finds them; one for each scanning thread.
pub trait FolderVisitor: Send {
    /// A folder was listed.
    fn folder(&mut self, folder: Folder<'_>) -> ControlFlow<()>;

    /// A folder can't be listed: what the ledger holds below it stays as it is. `NotFound` where it
    /// went after its parent was listed.
    fn unreadable(&mut self, folder: &FolderKey, error: &std::io::Error) -> ControlFlow<()>;

    /// A rule cuts this folder: files that are known below it may be gone.
    fn cut(&mut self, folder: &FolderKey) -> ControlFlow<()> {
        let _ = folder;
        ControlFlow::Continue(())
    }
}

/// A listed folder.
pub struct Folder<'a> {
    /// The folder.
    pub key: FolderKey,
    /// Entries that are no folders and whose names the filters let in, ascending by name, each name once.
    pub files: &'a mut dyn Iterator<Item = Listed<'a>>,
    /// Names of the sub-folders that will be visited or that filters cut, ascending: all that exist.
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
