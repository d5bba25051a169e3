//! Reads a file for its digest alone, in pieces: its size does not matter.

use std::os::fd::OwnedFd;
use std::time::SystemTime;

use rustix::io::retry_on_intr;

use super::{ATTEMPTS, Content, ReadError, attempt, dir_cache, is_at, racy_window_ns, version_of};
use crate::model::{FileKey, Fingerprint, Root, Timestamp};

/// Bytes that are read at once: the hash needs no more for its full speed.
const PIECE: usize = 128 << 10;

/// Reads a file to its end. Returns which version was read, and its digest.
pub(crate) fn digest(root: &Root, key: &FileKey) -> Result<(Content, [u8; 32]), ReadError> {
    for _ in 0..ATTEMPTS {
        if let Some(read) = attempt(root, key, digest_open)? {
            return Ok(read);
        }
    }
    Err(ReadError::Unstable)
}

/// Returns whether the file at a path is at this version.
pub(crate) fn is_file_at(root: &Root, key: &FileKey, version: &Fingerprint) -> bool {
    dir_cache::file(root, key).is_some_and(|fd| is_at(&fd, version).unwrap_or(false))
}

/// Reads an open file; `None` if it changed meanwhile.
fn digest_open(fd: &OwnedFd) -> Result<Option<(Content, [u8; 32])>, ReadError> {
    let fingerprint = version_of(fd)?;
    let read_at = Timestamp::from_system_time(SystemTime::now());
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE.min(usize::try_from(fingerprint.size).unwrap_or(PIECE).max(4096))];
    loop {
        let read = retry_on_intr(|| rustix::io::read(fd, &mut piece[..]))?;
        if read == 0 {
            break;
        }
        hasher.update(piece.get(..read).unwrap_or_default());
    }
    if !is_at(fd, &fingerprint)? {
        return Ok(None);
    }
    let racy = fingerprint.is_racy(read_at, racy_window_ns(&fingerprint));
    Ok(Some((Content { fingerprint, size: hasher.count(), racy }, hasher.finalize().into())))
}
