//! Opens and reads files, without being led out of the tree.
//!
//! Reading one version of a file, whole.

pub(super) mod ahead;
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

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// The version: the same before and after reading.
    pub fingerprint: Fingerprint,
    /// Bytes that were read. Some file systems tell another size (procfs, FUSE with direct I/O): the content counts.
    pub size: u64,
    /// A later write could leave the fingerprint as it is: the next scan must compare the content.
    pub racy: bool,
}

/// Why a file was not read. The path is left to the caller, whose records have it beside the message.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no file of this name any more: nothing, or a folder in its place.
    #[error("gone since it was found")]
    Gone,
    /// Something that is never opened has taken its place.
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
    /// Longer than its file system told, and than was allowed.
    #[error(
        "more than {read} bytes long, although its file system tells fewer; raise the memory limit to process it"
    )]
    Longer {
        /// Bytes that were read, and there were more.
        read: u64,
    },
    /// Opening or reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ReadError {
    /// The class of the file's failure; none where the file didn't fail but is gone, or is to be
    /// skipped as something that is never opened.
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
    /// What was short, where the file itself is not at fault.
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

/// Attempts in a row at a file that changes while it is read.
const ATTEMPTS: usize = 4;

/// A file of more than this is looked at before it is read, too: it may be another version by now.
const LOOK_FIRST_BYTES: u64 = 64 << 10;

/// Kernels stamp files with the time of the last clock tick, up to 10 ms ago, and coarse file
/// systems (exFAT) round that to 10 ms.
const RACY_WINDOW_NS: i64 = 20_000_000;

/// Where times are kept in whole seconds (ext3, small ext4 inodes) or two (FAT).
const RACY_WINDOW_COARSE_NS: i64 = 2_000_000_000 + RACY_WINDOW_NS;

/// Reads a file into `buffer`.
pub(super) fn read(
    root: &Root,
    key: &FileKey,
    size_max: u64,
    buffer: &mut Vec<u8>,
) -> Result<Content, ReadError> {
    for number in 0..ATTEMPTS {
        // One that is not as long as is told, again, is no file that is being written: its file system tells no length.
        let length = if number == 0 { Length::Told } else { Length::Any };
        if let Some(content) = attempt(root, key, size_max, length, buffer)? {
            return Ok(content);
        }
    }
    buffer.clear();
    Err(ReadError::Unstable)
}

/// Reads a file that is expected at this version, from the folder of the last one where that is still open. Where it
/// is another one by now, it is read anew.
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
    let limits = (size_max, Length::Told);
    // To read at a place takes nothing out of a pipe or a terminal that stands there by now: it fails.
    if expected.size <= size_max
        && let Some(fd) = fd.filter(is_worth_it)
        && let Ok(Some(content)) =
            read_version(|rest, at| rustix::io::pread(&fd, rest, at), &fd, expected, limits, buffer)
    {
        return Ok(content);
    }
    read(root, key, size_max, buffer)
}

/// One attempt; none where the file changed meanwhile.
fn attempt(
    root: &Root,
    key: &FileKey,
    size_max: u64,
    length: Length,
    buffer: &mut Vec<u8>,
) -> Result<Option<Content>, ReadError> {
    match open::file(root, key) {
        Ok(fd) => read_open(&fd, (size_max, length), buffer),
        Err(errno @ (Errno::LOOP | Errno::NXIO | Errno::NODEV)) => Err(refused(root, key, errno)),
        Err(errno) => Err(errno.into()),
    }
}

/// Reads an open file; none where it changed meanwhile.
///
/// What it is has to be known before it is read: its size, and that it is a file.
fn read_open(
    fd: &OwnedFd,
    limits: (u64, Length),
    buffer: &mut Vec<u8>,
) -> Result<Option<Content>, ReadError> {
    let stat = rustix::fs::fstat(fd)?;
    match EntryKind::of_stat(&stat) {
        EntryKind::File => (),
        EntryKind::Folder => return Err(ReadError::Gone),
        EntryKind::Other(reason) => return Err(ReadError::NotAFile(reason)),
        EntryKind::Unknown => return Err(ReadError::NotAFile(SkipReason::NoMetadata)),
    }
    let fingerprint = open::fingerprint(&stat);
    if fingerprint.size > limits.0 {
        return Err(ReadError::TooLarge { size: fingerprint.size });
    }
    // What can't be read at a place, as some mounts have it, can be read on.
    read_version(|rest, _| rustix::io::read(fd, rest), fd, &fingerprint, limits, buffer)
}

/// Which length a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    /// What its file system tells.
    Told,
    /// Any.
    Any,
}

/// Reads an open file to its end; none where it is not this version of it, or not all the time.
///
/// The `fstat` behind the read proves that the version is still the one that was to be read.
fn read_version(
    read: impl Fn(SpareCapacity<'_, u8>, u64) -> Result<usize, Errno>,
    fd: &OwnedFd,
    version: &Fingerprint,
    (size_max, length): (u64, Length),
    buffer: &mut Vec<u8>,
) -> Result<Option<Content>, ReadError> {
    let read_at = Timestamp::from_system_time(SystemTime::now());
    let told = usize::try_from(version.size).map_err(|_| ReadError::TooLarge { size: version.size })?;
    buffer.clear();
    // A read with room for one byte more that ends where the file was told to end has met its end.
    reserve(buffer, told.saturating_add(1))?;
    while buffer.len() as u64 <= size_max {
        if buffer.len() == buffer.capacity() {
            let left = usize::try_from(size_max - buffer.len() as u64).unwrap_or(usize::MAX);
            reserve(buffer, left.min(buffer.len()).saturating_add(1))?;
        }
        let at = buffer.len() as u64;
        let is_end = retry_on_intr(|| read(spare_capacity(buffer), at))? == 0 || buffer.len() == told;
        if is_end {
            break;
        }
    }
    let after = rustix::fs::fstat(fd)?;
    let is_same = EntryKind::of_stat(&after) == EntryKind::File && open::fingerprint(&after) == *version;
    if !is_same || (length == Length::Told && buffer.len() != told) {
        return Ok(None);
    }
    let (size, racy) = (buffer.len() as u64, version.is_racy(read_at, racy_window_ns(version)));
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

/// Why a file couldn't be opened that the kernel says is none: looks at what stands there.
fn refused(root: &Root, key: &FileKey, errno: Errno) -> ReadError {
    match open::kind_of(root, key) {
        Ok(EntryKind::Other(reason)) => ReadError::NotAFile(reason),
        Ok(EntryKind::Folder) => ReadError::Gone,
        // A regular file at this path is behind a link, or has only now come back.
        Ok(EntryKind::File | EntryKind::Unknown) if errno == Errno::LOOP => ReadError::Gone,
        Ok(_) => ReadError::Io(errno.into()),
        Err(errno) => errno.into(),
    }
}
