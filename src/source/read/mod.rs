//! Reads one version of a file, whole, without being led out of the tree.

pub(super) mod ahead;
pub(super) mod digest;
pub(super) mod dir_cache;
pub(super) mod open;

use std::io;
use std::os::fd::OwnedFd;
use std::time::SystemTime;

use rustix::buffer::{SpareCapacity, spare_capacity};
use rustix::io::{Errno, retry_on_intr};

use super::SkipReason;
use crate::model::{ErrorClass, FileKey, Fingerprint, Resource, Root, Timestamp, memory};
use open::EntryKind;

/// The result of reading one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// The version read: the same before and after reading.
    pub fingerprint: Fingerprint,
    /// Bytes read. Some file systems report another size (procfs, FUSE with direct I/O): the content counts.
    pub size: u64,
    /// A later write could leave the fingerprint unchanged, so the next scan must compare the content.
    pub racy: bool,
}

/// Why a file was not read. The path is left to the caller, whose records hold it beside the message.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no file of this name any more: nothing, or a folder in its place.
    #[error("gone since it was found")]
    Gone,
    /// It was replaced by something that is never opened.
    #[error("a {} has taken its place, which is never opened; put a regular file there", .0.as_str())]
    NotAFile(SkipReason),
    /// It changed during each attempt.
    #[error("changed during each of {ATTEMPTS} attempts to read it; it is tried again later")]
    Unstable,
    /// Larger than allowed.
    #[error("{size} bytes are more than one file may have; raise the memory limit to process it")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// Longer than its file system reported, and than was allowed.
    #[error(
        "more than {read} bytes long, although its file system tells fewer; raise the memory limit to process it"
    )]
    Longer {
        /// Bytes read; there were more.
        read: u64,
    },
    /// Opening or reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ReadError {
    /// Returns the class of the file's failure; `None` if the file didn't fail but is gone, or is to be skipped as
    /// something that is never opened.
    pub fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Gone | Self::NotAFile(_) => None,
            Self::Unstable => Some(ErrorClass::Unstable),
            Self::TooLarge { .. } | Self::Longer { .. } => Some(ErrorClass::TooLarge),
            Self::Io(error) => Some(ErrorClass::of_io(error)),
        }
    }
}

impl ReadError {
    /// Returns the exhausted resource, if the file itself is not at fault.
    pub fn short_of(&self) -> Option<Resource> {
        match self {
            Self::Io(error) => Resource::of_io(error),
            Self::Gone | Self::NotAFile(_) | Self::Unstable | Self::TooLarge { .. } | Self::Longer { .. } => {
                None
            }
        }
    }
}

impl From<Errno> for ReadError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR => Self::Gone,
            _ => Self::Io(errno.into()),
        }
    }
}

/// Consecutive attempts at a file that changes while it is read.
const ATTEMPTS: usize = 4;

/// A file larger than this is also checked before it is read: it may be another version by now.
const LOOK_FIRST_BYTES: u64 = 64 << 10;

/// Kernels stamp files with the time of the last clock tick, up to 10 ms ago, and coarse file systems (exFAT) round
/// that to 10 ms.
const RACY_WINDOW_NS: i64 = 20_000_000;

/// The window where times are kept in whole seconds (ext3, small ext4 inodes) or two (FAT).
const RACY_WINDOW_COARSE_NS: i64 = 2_000_000_000 + RACY_WINDOW_NS;

/// Reads a file into `buffer`.
pub(super) fn read(
    root: &Root,
    key: &FileKey,
    size_max: u64,
    buffer: &mut Vec<u8>,
) -> Result<Content, ReadError> {
    for number in 0..ATTEMPTS {
        // A second length mismatch means the file is not being written: its file system reports no true length.
        let length = if number == 0 { Length::Known } else { Length::Any };
        if let Some(content) = attempt(root, key, |fd| read_open(fd, (size_max, length), buffer))? {
            return Ok(content);
        }
    }
    buffer.clear();
    Err(ReadError::Unstable)
}

/// Reads a file that is expected at this version, from the folder of the last one if that is still open. If it is
/// another version by now, it is read again.
pub(super) fn read_expected(
    root: &Root,
    key: &FileKey,
    expected: &Fingerprint,
    size_max: u64,
    buffer: &mut Vec<u8>,
) -> Result<Content, ReadError> {
    let fd = dir_cache::file(root, key);
    let is_worth_it = |fd: &OwnedFd| {
        expected.size <= LOOK_FIRST_BYTES
            || rustix::fs::fstat(fd).is_ok_and(|stat| open::fingerprint(&stat) == *expected)
    };
    let limits = (size_max, Length::Known);
    // Positioned reads take nothing out of a pipe or terminal that replaced the file: they fail.
    if expected.size <= size_max
        && let Some(fd) = fd.filter(is_worth_it)
        && let Ok(Some(content)) =
            read_version(|rest, at| rustix::io::pread(&fd, rest, at), &fd, expected, limits, buffer)
    {
        return Ok(content);
    }
    read(root, key, size_max, buffer)
}

/// Makes one attempt; `None` if the file changed meanwhile.
fn attempt<T>(
    root: &Root,
    key: &FileKey,
    read: impl FnOnce(&OwnedFd) -> Result<Option<T>, ReadError>,
) -> Result<Option<T>, ReadError> {
    match open::file(root, key) {
        Ok(fd) => read(&fd),
        Err(errno @ (Errno::LOOP | Errno::NXIO | Errno::NODEV)) => Err(refused(root, key, errno)),
        Err(errno) => Err(errno.into()),
    }
}

/// Reads an open file; `None` if it changed meanwhile.
///
/// Its type and size must be known before it is read.
fn read_open(
    fd: &OwnedFd,
    limits: (u64, Length),
    buffer: &mut Vec<u8>,
) -> Result<Option<Content>, ReadError> {
    let fingerprint = version_of(fd)?;
    if fingerprint.size > limits.0 {
        return Err(ReadError::TooLarge { size: fingerprint.size });
    }
    // Files without positioned reads, as on some mounts, can be read sequentially.
    read_version(|rest, _| rustix::io::read(fd, rest), fd, &fingerprint, limits, buffer)
}

/// The length a file may have.
/// Returns the version of an open file, if it is one that is read.
fn version_of(fd: &OwnedFd) -> Result<Fingerprint, ReadError> {
    let stat = rustix::fs::fstat(fd)?;
    match EntryKind::of_stat(&stat) {
        EntryKind::File => Ok(open::fingerprint(&stat)),
        EntryKind::Folder => Err(ReadError::Gone),
        EntryKind::Other(reason) => Err(ReadError::NotAFile(reason)),
        EntryKind::Unknown => Err(ReadError::NotAFile(SkipReason::NoMetadata)),
    }
}

/// Returns whether an open file still is at this version.
fn is_at(fd: &OwnedFd, version: &Fingerprint) -> Result<bool, Errno> {
    let stat = rustix::fs::fstat(fd)?;
    Ok(EntryKind::of_stat(&stat) == EntryKind::File && open::fingerprint(&stat) == *version)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    /// The length its file system reports.
    Known,
    /// Any length.
    Any,
}

/// Reads an open file to its end; `None` if it is not this version of it, or not all the time.
///
/// The `fstat` after the read proves that the version is still the requested one.
fn read_version(
    read: impl Fn(SpareCapacity<'_, u8>, u64) -> Result<usize, Errno>,
    fd: &OwnedFd,
    version: &Fingerprint,
    (size_max, length): (u64, Length),
    buffer: &mut Vec<u8>,
) -> Result<Option<Content>, ReadError> {
    let read_at = Timestamp::from_system_time(SystemTime::now());
    let reported = usize::try_from(version.size).map_err(|_| ReadError::TooLarge { size: version.size })?;
    buffer.clear();
    // With room for one more byte, a read that stops at the reported length has reached the end.
    reserve(buffer, reported.saturating_add(1))?;
    while buffer.len() as u64 <= size_max {
        if buffer.len() == buffer.capacity() {
            let left = usize::try_from(size_max - buffer.len() as u64).unwrap_or(usize::MAX);
            reserve(buffer, left.min(buffer.len()).saturating_add(1))?;
        }
        let at = buffer.len() as u64;
        let is_end = retry_on_intr(|| read(spare_capacity(buffer), at))? == 0 || buffer.len() == reported;
        if is_end {
            break;
        }
    }
    if !is_at(fd, version)? || (length == Length::Known && buffer.len() != reported) {
        return Ok(None);
    }
    let size = buffer.len() as u64;
    let racy = version.is_racy(read_at, racy_window_ns(version));
    if size > size_max {
        return Err(ReadError::Longer { read: size_max });
    }
    Ok(Some(Content { fingerprint: *version, size, racy }))
}

fn reserve(buffer: &mut Vec<u8>, more: usize) -> Result<(), ReadError> {
    memory::try_reserve(buffer, more).map_err(|_| ReadError::Io(io::Error::from(Errno::NOMEM)))
}

fn racy_window_ns(fingerprint: &Fingerprint) -> i64 {
    let changed = fingerprint.mtime.max(fingerprint.ctime);
    if changed.0 % 1_000_000_000 == 0 { RACY_WINDOW_COARSE_NS } else { RACY_WINDOW_NS }
}

/// Returns why the kernel refused to open a path as a file, by checking what is there.
fn refused(root: &Root, key: &FileKey, errno: Errno) -> ReadError {
    match open::kind_of(root, key) {
        Ok(EntryKind::Other(reason)) => ReadError::NotAFile(reason),
        Ok(EntryKind::Folder) => ReadError::Gone,
        // A regular file at this path is behind a link, or has only just come back.
        Ok(EntryKind::File | EntryKind::Unknown) if errno == Errno::LOOP => ReadError::Gone,
        Ok(_) => ReadError::Io(errno.into()),
        Err(errno) => errno.into(),
    }
}
