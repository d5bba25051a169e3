//! The lock of a state folder: who holds it, and whether the folder is still the one that it was taken for.
//!
//! The lock is on the file `lock`. People remove that file, and version control cleans whole folders away: a lock
//! counts only while the file that is locked is the one at its path. The database has a lock of its own, which sled
//! takes: it excludes a second process also where the lock file is gone.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::state::{DB, STATE, refused};
use super::{LedgerError, disk};
use crate::model::{durable, failpoint};

pub(super) const LOCK: &str = "lock";
/// A lock that was given back can outlive that for a moment: in a child of the process that held it, which was
/// forked just then and has not begun its own program yet.
const LOCK_WAIT: Duration = Duration::from_millis(100);
/// How long closing waits for what others still read.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// The right to use a state folder, for as long as a clone of it is around.
#[derive(Debug, Clone)]
pub struct HeldState {
    path: PathBuf,
    lock: Arc<File>,
    /// Whether the lock file was not there before.
    is_new: bool,
}

impl HeldState {
    /// Locks a state folder that is there.
    pub(super) fn take(path: &Path) -> Result<Self, LedgerError> {
        let lock_path = path.join(LOCK);
        failpoint::hit("state.lock").map_err(LedgerError::io(path))?;
        let begun = Instant::now();
        loop {
            let (file, is_new) = open_lock(&lock_path).map_err(|error| refused(path, error))?;
            lock_for_us(&file, path, &lock_path, begun)?;
            // Whoever held it before may have removed it, as a start does that fails.
            if durable::is_at(&file, &lock_path).map_err(LedgerError::io(&lock_path))? {
                return Ok(Self { path: path.to_owned(), lock: Arc::new(file), is_new });
            }
            if begun.elapsed() > LOCK_WAIT * 10 {
                return Err(LedgerError::LockGone { path: lock_path });
            }
        }
    }

    /// The folder's absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the lock file, where taking the lock has made it.
    pub(super) fn remove_if_new(&self) {
        if self.is_new && self.check().is_ok() {
            let _ = std::fs::remove_file(self.path.join(LOCK));
        }
    }

    /// Whether the folder at the path is still the one that is locked: nothing may be written by path otherwise.
    ///
    /// # Errors
    /// [`LedgerError::Gone`] and [`LedgerError::LockGone`] where it is not.
    pub fn check(&self) -> Result<(), LedgerError> {
        let lock_path = self.path.join(LOCK);
        // What can't be looked at now is no proof.
        if durable::is_at(&self.lock, &lock_path).unwrap_or(true) {
            return Ok(());
        }
        match disk::is_there(&self.path.join(STATE)) {
            true => Err(LedgerError::LockGone { path: lock_path }),
            false => Err(LedgerError::Gone { path: self.path.clone() }),
        }
    }

    /// Locks the database, where there is one, against every process that has it open.
    pub(super) fn lock_database(&self) -> Result<Option<File>, LedgerError> {
        let data = self.path.join(DB).join("db");
        let file = match File::options().read(true).write(true).open(&data) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(LedgerError::io(&data))?,
        };
        lock_for_us(&file, &self.path, &data, Instant::now())?;
        Ok(Some(file))
    }
}

/// Opens the lock file; tells whether it was made for that.
fn open_lock(path: &Path) -> io::Result<(File, bool)> {
    match File::options().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let opened = File::options().write(true).create(true).truncate(false).open(path);
            Ok((opened?, false))
        }
        made => Ok((made?, true)),
    }
}

/// Locks a file of the state in `folder`, unless somebody else holds its lock.
fn lock_for_us(file: &File, folder: &Path, path: &Path, begun: Instant) -> Result<(), LedgerError> {
    loop {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) if begun.elapsed() < LOCK_WAIT => std::thread::sleep(LOCK_WAIT / 20),
            Err(Errno::WOULDBLOCK) => return Err(LedgerError::InUse { path: folder.to_path_buf() }),
            Err(errno) => return Err(LedgerError::io(path)(durable::lock_error(folder, errno))),
        }
    }
}

/// Waits until sled's own threads, and walks that are under way, have let go of its lock on the database.
pub(super) fn await_unlocked(data: &File) {
    let begun = Instant::now();
    while begun.elapsed() < CLOSE_WAIT {
        match rustix::fs::flock(data, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => std::thread::sleep(Duration::from_millis(1)),
            _ => break,
        }
    }
    let _ = rustix::fs::flock(data, FlockOperation::Unlock);
}
