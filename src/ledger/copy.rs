//! Copies of the database's folder.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use super::{LedgerError, disk};
use crate::model::failpoint;

/// Bytes that are read and written at a time.
const PART_BYTES: usize = 1 << 20;
/// Files from this size on are copied by two threads.
const LARGE_BYTES: u64 = 8 << 20;

/// Copies a folder with all files and folders in it to where there is nothing. Returns the bytes of the files.
///
/// # Errors
/// Of a read or a write, with its path. What was copied until then stays.
pub(super) fn folder(from: &Path, to: &Path) -> Result<u64, LedgerError> {
    let found = fs::metadata(from).map_err(LedgerError::io(from))?;
    fs::create_dir(to).map_err(LedgerError::io(to))?;
    let mut bytes = 0;
    for entry in fs::read_dir(from).map_err(LedgerError::io(from))? {
        let entry = entry.map_err(LedgerError::io(from))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(LedgerError::io(&from))?;
        if kind.is_dir() {
            bytes += folder(&from, &to)?;
        } else if kind.is_file() {
            bytes += file(&from, &to)?;
        }
    }
    let opened = File::open(to).map_err(LedgerError::io(to))?;
    give(&opened, &found).map_err(LedgerError::io(to))?;
    Ok(bytes)
}

fn file(from: &Path, to: &Path) -> Result<u64, LedgerError> {
    failpoint::hit("copy.read").map_err(LedgerError::io(from))?;
    let source = File::open(from).map_err(LedgerError::io(from))?;
    let found = source.metadata().map_err(LedgerError::io(from))?;
    failpoint::hit("copy.write").map_err(LedgerError::io(to))?;
    let target = File::options().write(true).create_new(true).mode(0o600).open(to);
    let target = target.map_err(LedgerError::io(to))?;
    if rustix::fs::ioctl_ficlone(&target, &source).is_err() {
        let copied = all_bytes(&source, &target, found.len());
        copied.map_err(|(side, error)| LedgerError::io(if side == Side::From { from } else { to })(error))?;
    }
    give(&target, &found).map_err(LedgerError::io(to))?;
    Ok(found.len())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    From,
    To,
}

type Copied = Result<(), (Side, io::Error)>;

fn all_bytes(source: &File, target: &File, length: u64) -> Copied {
    if length < LARGE_BYTES {
        return bytes(source, target, 0..length);
    }
    let middle = length / 2;
    std::thread::scope(|scope| {
        let rear = std::thread::Builder::new().name("copy".to_owned());
        let rear = rear.spawn_scoped(scope, || bytes(source, target, middle..length));
        bytes(source, target, 0..middle)?;
        match rear.map(|thread| thread.join()) {
            Ok(Ok(copied)) => copied,
            _ => bytes(source, target, middle..length),
        }
    })
}

fn bytes(source: &File, target: &File, range: Range<u64>) -> Copied {
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let (mut at, mut buffer) = (range.start, vec![0; length.min(PART_BYTES)]);
    while at < range.end {
        let rest = usize::try_from(range.end - at).unwrap_or(usize::MAX);
        let part = &mut buffer[..rest.min(PART_BYTES)];
        source.read_exact_at(part, at).map_err(|error| (Side::From, error))?;
        target.write_all_at(part, at).map_err(|error| (Side::To, error))?;
        at += part.len() as u64;
    }
    Ok(())
}

/// Gives a copy the mode and, where that is allowed, the owner of its original.
fn give(copy: &File, found: &fs::Metadata) -> io::Result<()> {
    let made = copy.metadata()?;
    if (made.uid(), made.gid()) != (found.uid(), found.gid())
        && let Err(error) = fchown(copy, Some(found.uid()), Some(found.gid()))
    {
        tracing::debug!(%error, "the copy of the ledger has another owner");
    }
    if made.mode() != found.mode() {
        copy.set_permissions(fs::Permissions::from_mode(found.mode() & 0o7777))?;
    }
    Ok(())
}

/// Makes a folder durable, with all files and folders in it.
pub(super) fn sync(folder: &Path) -> Result<(), LedgerError> {
    for entry in fs::read_dir(folder).map_err(LedgerError::io(folder))? {
        let entry = entry.map_err(LedgerError::io(folder))?;
        let path = entry.path();
        if entry.file_type().map_err(LedgerError::io(&path))?.is_dir() {
            sync(&path)?;
        } else {
            let synced = failpoint::hit("copy.sync").and_then(|()| File::open(&path)?.sync_all());
            synced.map_err(LedgerError::io(&path))?;
        }
    }
    disk::sync_folder(folder)
}
