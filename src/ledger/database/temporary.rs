//! Copies of a database for queries, in the folder for temporary files.
//!
//! A copy is in a numbered folder of its user, which is locked while in use. The copy of a killed process is removed
//! by the next one that takes its number.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::copy;
use crate::ledger::error::LedgerError;
use crate::ledger::folder::disk;
use crate::ledger::names::DB;
use crate::model::durable;

/// A copy of a database, until it is dropped.
#[derive(Debug)]
pub(crate) struct Temporary {
    folder: PathBuf,
    _lock: Option<File>,
}

impl Temporary {
    /// Copies a database to the folder for temporary files, or to memory where that can't be.
    pub(crate) fn copy_of(database: &Path) -> Result<Self, LedgerError> {
        let place = std::env::temp_dir();
        let failed = match Self::copy_to(&place, database) {
            Err(LedgerError::Io { path, error }) if !path.starts_with(database) => (path, error),
            copied => return copied,
        };
        if let Ok(copied) = Self::copy_to(Path::new("/dev/shm"), database) {
            return Ok(copied);
        }
        let (path, error) = failed;
        let what = format!(
            "{error}; a state is asked of a copy of its ledger: make room, or name another folder with the variable TMPDIR"
        );
        Err(LedgerError::Io { path, error: io::Error::new(error.kind(), what) })
    }

    fn copy_to(place: &Path, database: &Path) -> Result<Self, LedgerError> {
        let made = Self::make(place)?;
        copy::folder(database, &made.database(), copy::CopyForm::Whole)?;
        // A process that died while it opened the database has left a copy that is in two halves itself.
        copy::join(&made.database())?;
        Ok(made)
    }

    /// Returns the path of the copy.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join(DB)
    }

    /// Returns whether sled opens files in it after it was opened itself: it has them for large pages only.
    pub(super) fn is_needed(&self) -> bool {
        fs::read_dir(self.database().join("blobs")).map_or(true, |mut blobs| blobs.next().is_some())
    }

    /// Creates a folder that no other user can read, and no other process uses.
    fn make(place: &Path) -> Result<Self, LedgerError> {
        let user = rustix::process::geteuid().as_raw();
        for number in 0_u32.. {
            let folder = place.join(format!("outlast-{user}-{number}"));
            let is_new = match DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
                made => made.map(|()| true).map_err(LedgerError::io(&folder))?,
            };
            let made = match locked(&folder, user) {
                Ok(lock) => Self { folder, _lock: Some(lock) },
                // There are no locks, and no other process knows of it.
                Err(error) if is_new && !matches!(Errno::from_io_error(&error), Some(Errno::WOULDBLOCK)) => {
                    Self { folder, _lock: None }
                }
                Err(_) => continue,
            };
            if disk::remove(&made.database()).is_ok() {
                return Ok(made);
            }
        }
        Err(LedgerError::io(place)(io::ErrorKind::AlreadyExists.into()))
    }
}

/// Locks a folder of this user, unless another process has.
fn locked(folder: &Path, user: u32) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(folder, flags, Mode::empty())?);
    if file.metadata()?.uid() != user {
        return Err(Errno::WOULDBLOCK.into());
    }
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    // Otherwise the previous owner has removed it.
    if durable::is_at(&file, folder)? { Ok(file) } else { Err(Errno::WOULDBLOCK.into()) }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_has_left_is_removed_and_what_is_in_use_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let first = Temporary::make(place.path()).unwrap();
        let second = Temporary::make(place.path()).unwrap();
        assert_ne!(first.folder, second.folder);
        fs::create_dir(second.database()).unwrap();
        fs::write(second.database().join("db"), "left").unwrap();
        let left = second.folder.clone();
        // As a kill does: the lock is released, and the folder stays.
        let Temporary { _lock, .. } = &second;
        rustix::fs::flock(_lock.as_ref().unwrap(), FlockOperation::Unlock).unwrap();
        let third = Temporary::make(place.path()).unwrap();
        assert_eq!(third.folder, left);
        assert!(!third.database().exists());
        drop((first, third));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
