//! Opens files and folders without being led out of the tree.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::{Errno, retry_on_intr};
use rustix::path::Arg;

use crate::model::{FileKey, Fingerprint, Root, RootId, Timestamp};
use crate::source::SkipReason;

/// Flags for opening a file: never follows a link, never waits for the other end of a pipe, never acquires a
/// terminal.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Flags for opening a folder below the root.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Flags for a folder that is only traversed: permission to list it is not needed.
const STEP: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a root for listing. Links on the path to it are followed: the user named it.
pub(crate) fn root_folder(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))
}

/// Opens a folder below `root`, without following any link on the path. If something else has replaced a folder,
/// the folder is gone: `NOENT`.
pub(crate) fn folder_below(root: BorrowedFd<'_>, relative: &[u8]) -> Result<OwnedFd, Errno> {
    below(root, relative, FOLDER).map_err(|errno| match errno {
        Errno::LOOP | Errno::NOTDIR => Errno::NOENT,
        other => other,
    })
}

/// Opens the file of a key, without following a link on the path from the root to it.
///
/// The usual case is one call with the full path. A link that stops it may be on the path to the root itself, where
/// it is allowed: only then is the root opened first. Nothing is kept between two calls, so a replaced root is
/// noticed at once.
pub(crate) fn file(root: &Root, key: &FileKey) -> Result<OwnedFd, Errno> {
    open_below(root, &key.relative_path(), FILE)
}

/// Opens the folder that contains the file of a key, in the same way.
pub(super) fn folder_of(root: &Root, key: &FileKey) -> Result<OwnedFd, Errno> {
    open_below(root, &key.folder().relative_path(), STEP)
}

/// Opens a file by its name in an open folder.
pub(super) fn file_in(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    retry_on_intr(|| rustix::fs::openat(folder, name, FILE, Mode::empty()))
}

fn open_below(root: &Root, relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let path = full_path(root, relative);
    if root.id == RootId::FILE_SYSTEM {
        // A path given by the user is used as it is: its folders may be links, the file may not.
        return retry_on_intr(|| rustix::fs::open(path.as_slice(), flags, Mode::empty()));
    }
    match openat2(CWD, &path, flags) {
        Err(Errno::LOOP | Errno::NOSYS | Errno::PERM) => {
            let to_root = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let base = retry_on_intr(|| rustix::fs::open(&root.path, to_root, Mode::empty()))?;
            match relative {
                b"" => Ok(base),
                _ => below(base.as_fd(), relative, flags),
            }
        }
        done => done,
    }
}

/// Returns the type of the entry at a key's path, without following the last component.
pub(crate) fn kind_of(root: &Root, key: &FileKey) -> Result<EntryKind, Errno> {
    stat_in(CWD, full_path(root, &key.relative_path()).as_slice()).map(|stat| EntryKind::of_stat(&stat))
}

fn full_path(root: &Root, relative: &[u8]) -> Vec<u8> {
    let root = root.path.as_os_str().as_bytes();
    let mut path = Vec::with_capacity(root.len() + relative.len() + 1);
    path.extend_from_slice(root);
    path.push(b'/');
    path.extend_from_slice(relative);
    path
}

fn below(base: BorrowedFd<'_>, relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    match openat2(base, relative, flags) {
        // Kernels before 5.6 lack the call, and some containers forbid it.
        Err(Errno::NOSYS | Errno::PERM) => step_by_step(base, relative, flags),
        done => done,
    }
}

fn openat2(base: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    retry_on_intr(|| rustix::fs::openat2(base, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS))
}

/// Does what `openat2` does, one component at a time.
fn step_by_step(base: BorrowedFd<'_>, relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut at: Option<OwnedFd> = None;
    let mut rest = relative;
    loop {
        let here = at.as_ref().map_or(base, |fd| fd.as_fd());
        let open =
            |name: &[u8], flags| retry_on_intr(|| rustix::fs::openat(here, name, flags, Mode::empty()));
        let Some(slash) = rest.iter().position(|&byte| byte == b'/') else {
            return open(rest, flags);
        };
        let next = open(&rest[..slash], STEP)?;
        rest = &rest[slash + 1..];
        at = Some(next);
    }
}

/// Returns the metadata of an entry of an open folder, without following links.
pub(crate) fn stat_in(folder: BorrowedFd<'_>, name: impl Arg + Copy) -> Result<Stat, Errno> {
    retry_on_intr(|| rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW))
}

/// Returns the metadata of a path, without following its last component.
pub(crate) fn stat_at(path: &Path) -> Result<Stat, Errno> {
    stat_in(CWD, path.as_os_str().as_bytes())
}

/// Returns whether a path leads to a directory, without following its last component.
pub(crate) fn is_folder(path: &Path) -> bool {
    stat_at(path).is_ok_and(|stat| EntryKind::of_stat(&stat) == EntryKind::Folder)
}

/// Returns the fingerprint in a `stat` result.
pub(crate) fn fingerprint(stat: &Stat) -> Fingerprint {
    let part = |nanoseconds: u64| u32::try_from(nanoseconds).unwrap_or(0);
    Fingerprint {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mtime: Timestamp::from_parts(stat.st_mtime, part(stat.st_mtime_nsec)),
        ctime: Timestamp::from_parts(stat.st_ctime, part(stat.st_ctime_nsec)),
        inode: stat.st_ino,
    }
}

/// The type of an entry, as far as this room distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// Never opened.
    Other(SkipReason),
    /// The listing doesn't say which.
    Unknown,
}

impl EntryKind {
    /// Converts the file type of a listing or a `stat` result.
    pub(crate) fn of(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Other(SkipReason::Symlink),
            FileType::Fifo => Self::Other(SkipReason::Fifo),
            FileType::Socket => Self::Other(SkipReason::Socket),
            FileType::CharacterDevice | FileType::BlockDevice => Self::Other(SkipReason::Device),
            FileType::Unknown => Self::Unknown,
        }
    }

    /// Converts a `stat` result.
    pub(crate) fn of_stat(stat: &Stat) -> Self {
        Self::of(FileType::from_raw_mode(stat.st_mode))
    }

    const CODES: [Self; 7] = [
        Self::File,
        Self::Folder,
        Self::Unknown,
        Self::Other(SkipReason::Symlink),
        Self::Other(SkipReason::Fifo),
        Self::Other(SkipReason::Socket),
        Self::Other(SkipReason::Device),
    ];

    /// Encodes the kind as one byte for a packed listing.
    pub(crate) fn tag(self) -> u8 {
        Self::CODES.iter().position(|&kind| kind == self).map_or(2, |at| at as u8)
    }

    /// Decodes the byte of a packed listing.
    pub(crate) fn of_tag(tag: u8) -> Self {
        Self::CODES.get(usize::from(tag)).copied().unwrap_or(Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_on_the_way_is_followed_with_or_without_openat2() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path();
        std::fs::create_dir_all(path.join("tree/a/b")).unwrap();
        std::fs::create_dir(path.join("outside")).unwrap();
        symlink("../../outside", path.join("tree/a/link")).unwrap();
        std::fs::create_dir(path.join("outside/x")).unwrap();
        let root = root_folder(&path.join("tree")).unwrap();
        for open in [below, step_by_step] {
            open(root.as_fd(), b"a/b", FOLDER).unwrap();
            assert!(open(root.as_fd(), b"a/link", FOLDER).is_err());
            assert!(open(root.as_fd(), b"a/link/x", FOLDER).is_err());
            assert_eq!(open(root.as_fd(), b"a/none/x", FOLDER).unwrap_err(), Errno::NOENT);
        }
    }

    #[test]
    fn a_fingerprint_is_that_of_the_standard_library() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let metadata = file.as_file().metadata().unwrap();
        let stat = rustix::fs::fstat(file.as_file()).unwrap();
        assert_eq!(fingerprint(&stat), Fingerprint::from_metadata(&metadata));
    }

    #[test]
    fn tags_are_each_kinds_own() {
        for kind in EntryKind::CODES {
            assert_eq!(EntryKind::of_tag(kind.tag()), kind);
        }
        assert_eq!(EntryKind::of_tag(99), EntryKind::Unknown);
    }
}
