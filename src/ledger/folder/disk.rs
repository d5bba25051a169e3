//! Files that exist as a whole or not at all, also after a power cut.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::kinds;
use crate::ledger::error::LedgerError;
use crate::model::durable::{self, FileKind};
use crate::model::failpoint;

/// Replaces `path` by `bytes`: readers, even after a power cut, see the old content or the new.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), LedgerError> {
    let temporary = path.with_extension("tmp");
    let written = failpoint::hit("replace.create").and_then(|()| durable::create_anew(&temporary));
    let written = written.and_then(|mut file| {
        failpoint::write_all("replace.write", &mut file, bytes)?;
        failpoint::hit("replace.sync")?;
        file.sync_all()
    });
    written.map_err(LedgerError::io(&temporary))?;
    failpoint::hit("replace.rename").map_err(LedgerError::io(path))?;
    fs::rename(&temporary, path).map_err(LedgerError::io(path))?;
    sync_parent(path)
}

/// Refuses a file that was removed or replaced since it was opened: synced data is only durable while the file has
/// its name.
pub(crate) fn check_in_place(file: &File, path: &Path) -> Result<(), LedgerError> {
    if durable::is_at(file, path).map_err(LedgerError::io(path))? {
        Ok(())
    } else {
        Err(LedgerError::Lost { path: path.to_path_buf() })
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), LedgerError> {
    failpoint::hit("folder.sync").map_err(LedgerError::io(path))?;
    durable::sync_folder(path).map_err(LedgerError::io(path))
}

/// Makes the name of `path` durable.
pub(crate) fn sync_parent(path: &Path) -> Result<(), LedgerError> {
    path.parent().map_or(Ok(()), sync_folder)
}

/// Returns the content of a file that has to be there.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, LedgerError> {
    fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => LedgerError::damaged(path, "the file is gone"),
        _ => LedgerError::io(path)(error),
    })
}

/// Returns a file's content; empty if it is missing.
pub(crate) fn read_if_there(path: &Path) -> Result<Vec<u8>, LedgerError> {
    kinds::check_one(path, FileKind::File)?;
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(LedgerError::io(path)),
    }
}

/// Removes a file or a folder with all its content, if it exists.
pub(crate) fn remove(path: &Path) -> Result<(), LedgerError> {
    failpoint::hit("remove").map_err(LedgerError::io(path))?;
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    absent_is_fine(removed).map_err(LedgerError::io(path))
}

/// Moves a file or folder, if it exists, over whatever has the new name.
pub(crate) fn set_aside(path: &Path, aside: &Path) -> Result<(), LedgerError> {
    if !is_there(path)? {
        return Ok(());
    }
    remove(aside)?;
    fs::rename(path, aside).map_err(LedgerError::io(path))
}

/// Returns how many bytes the file system of `path` has left for unprivileged users.
///
/// # Errors
/// The system's error, with the path.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let free = rustix::fs::statvfs(path).map(|found| found.f_bavail.saturating_mul(found.f_frsize));
    free.map_err(|errno| {
        let error = io::Error::from(errno);
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    })
}

/// Returns whether a file or folder of this name exists.
///
/// # Errors
/// If that can't be determined: that is no absence.
pub(crate) fn is_there(path: &Path) -> Result<bool, LedgerError> {
    let found = failpoint::hit("look").and_then(|()| path.symlink_metadata());
    match found {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(LedgerError::io(path)(error)),
    }
}

pub(super) fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

pub(crate) fn bytes_below(folder: &Path) -> Result<u64, LedgerError> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).map_err(LedgerError::io(folder))? {
        let entry = entry.map_err(LedgerError::io(folder))?;
        // Files appear and vanish while the writer works.
        match entry.metadata() {
            Ok(found) if found.is_dir() => bytes += bytes_below(&entry.path())?,
            Ok(found) => bytes += found.blocks() * 512,
            Err(_) => {}
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_room_is_told_or_the_path_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_bytes(folder.path()).unwrap() > 0);
        let error = free_bytes(&folder.path().join("gone")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("/gone: "), "{error}");
    }
}
