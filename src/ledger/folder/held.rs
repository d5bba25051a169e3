//! The lock of a state folder: which process holds it, and whether the folder is still the one that was locked.
//!
//! The lock is on the file `lock`. People remove that file, and version control cleans up whole folders: a lock
//! counts only while the locked file is the one at its path. The database has a lock of its own, which sled takes: it
//! excludes a second process also where the lock file is gone.
//!
//! A lock can be lost while the process goes on: a server gives a machine up that it can't reach. So each tick begins with
//! a proof that the lock is still this process's own. It takes three calls into the kernel.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::{Errno, retry_on_intr};

use super::{disk, refused};
use crate::ledger::error::LedgerError;
use crate::ledger::names::{DB, LOCK, STATE};
use crate::model::{durable, failpoint};

/// A released lock can persist for a moment: in a child of the process that held it, forked just then and not yet
/// running its own program.
const LOCK_WAIT: Duration = Duration::from_millis(100);
/// The same for the database, which this process itself may have had open: until sled's own threads, and walks under
/// way, have released it.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// How long a start waits for readers of the state: each takes milliseconds.
const READERS_WAIT: Duration = Duration::from_secs(30);
/// Whether this process has opened a database.
static HAS_OPENED: AtomicBool = AtomicBool::new(false);

/// The right to use a state folder, while a clone of it exists.
#[derive(Debug, Clone)]
pub struct HeldState {
    path: PathBuf,
    lock: Arc<Lock>,
    /// Whether the lock file was created by this.
    is_new: bool,
}

impl HeldState {
    /// Locks an existing state folder.
    pub(crate) fn take(path: &Path) -> Result<Self, LedgerError> {
        let lock_path = path.join(LOCK);
        failpoint::hit("state.lock").map_err(LedgerError::io(path))?;
        let begun = Instant::now();
        loop {
            let (file, is_new) = open_lock(&lock_path).map_err(|error| refused(path, error))?;
            if let Err(error) = lock_for_us(&file, path, &lock_path, begun + LOCK_WAIT) {
                // Without locks, no other process has it.
                if is_new && !matches!(error, LedgerError::InUse { .. } | LedgerError::BeingRead { .. }) {
                    let _ = std::fs::remove_file(&lock_path);
                }
                return Err(error);
            }
            // The previous owner may have removed it, as a failed start does.
            if durable::is_at(&file, &lock_path).map_err(LedgerError::io(&lock_path))? {
                let lock = Arc::new(Lock::new(file, lock_path)?);
                return Ok(Self { path: path.to_owned(), lock, is_new });
            }
            if begun.elapsed() > READERS_WAIT + LOCK_WAIT * 10 {
                return Err(LedgerError::LockGone { path: lock_path });
            }
        }
    }

    /// Returns the folder's absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the locked file.
    pub(super) fn lock_file(&self) -> &File {
        &self.lock.file
    }

    /// Removes the lock file, if taking the lock has created it.
    pub(super) fn remove_if_new(&self) {
        if self.is_new && self.check().is_ok() {
            let _ = std::fs::remove_file(self.path.join(LOCK));
        }
    }

    /// Checks that the folder at the path is still the locked one, and still locked by this process: otherwise nothing
    /// may be written by path.
    ///
    /// # Errors
    /// [`LedgerError::Gone`], [`LedgerError::LockGone`] and [`LedgerError::LockLost`] where it is not.
    pub fn check(&self) -> Result<(), LedgerError> {
        let path = || self.lock.path.clone();
        // A path that can't be checked now is no proof.
        if durable::is_named(self.lock.id, &self.lock.path).unwrap_or(true) {
            return if self.lock.is_held() { Ok(()) } else { Err(LedgerError::LockLost { path: path() }) };
        }
        if disk::is_there(&self.path.join(STATE))? {
            Err(LedgerError::LockGone { path: path() })
        } else {
            Err(LedgerError::Gone { path: self.path.clone() })
        }
    }

    /// Replaces a file of the state that nothing else depends on.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        self.check()?;
        disk::replace(&self.path.join(name), bytes)
    }

    /// Records that a lock on a database may be this process's own for a moment.
    pub(crate) fn note_opened() {
        HAS_OPENED.store(true, Ordering::Relaxed);
    }

    /// Locks an existing database against every process that has it open.
    pub(crate) fn lock_database(&self) -> Result<Option<File>, LedgerError> {
        let data = self.path.join(DB).join("db");
        let file = match File::options().read(true).write(true).open(&data) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(LedgerError::io(&data))?,
        };
        let wait = if HAS_OPENED.load(Ordering::Relaxed) { CLOSE_WAIT } else { LOCK_WAIT };
        lock_for_us(&file, &self.path, &data, Instant::now() + wait)?;
        Ok(Some(file))
    }
}

/// The locked file.
#[derive(Debug)]
struct Lock {
    file: File,
    path: PathBuf,
    /// Its device and inode.
    id: (u64, u64),
    /// What the kernel lists of it, with its locks; `None` where it lists none.
    listed: Option<File>,
}

impl Lock {
    fn new(file: File, path: PathBuf) -> Result<Self, LedgerError> {
        let id = durable::id_of(&file).map_err(LedgerError::io(&path))?;
        let listed = File::open(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok();
        let listed = listed.filter(lists_lock);
        Ok(Self { file, path, id, listed })
    }

    /// Returns whether this process still holds its lock: the kernel lists it, and a file system of several machines,
    /// which may know better, grants it again.
    fn is_held(&self) -> bool {
        if !self.listed.as_ref().is_none_or(lists_lock) {
            return false;
        }
        let again = retry_on_intr(|| rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive));
        again.is_ok()
    }
}

/// Returns whether the kernel's description of an open file has a lock.
fn lists_lock(described: &File) -> bool {
    let mut text = [0; 512];
    let read = described.read_at(&mut text, 0).unwrap_or(0);
    text[..read].windows(5).any(|word| word == b"FLOCK")
}

/// Opens the lock file; returns whether that created it.
fn open_lock(path: &Path) -> io::Result<(File, bool)> {
    match File::options().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let opened = File::options().write(true).create(true).truncate(false).open(path);
            Ok((opened?, false))
        }
        made => Ok((made?, true)),
    }
}

/// Locks a file of the state in `folder`, unless another process holds its lock.
fn lock_for_us(file: &File, folder: &Path, path: &Path, until: Instant) -> Result<(), LedgerError> {
    let begun = Instant::now();
    loop {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) => {
                let is_read = is_only_read(file);
                let path = folder.to_path_buf();
                let until = if is_read { begun + READERS_WAIT } else { until };
                if Instant::now() >= until {
                    return Err(if is_read {
                        LedgerError::BeingRead { path }
                    } else {
                        LedgerError::InUse { path }
                    });
                }
                std::thread::sleep(LOCK_WAIT / 20);
            }
            Err(errno) => return Err(LedgerError::io(path)(durable::lock_error(folder, errno))),
        }
    }
}

/// Returns whether the holders of this file's lock only read the state.
fn is_only_read(file: &File) -> bool {
    let is_shared = rustix::fs::flock(file, FlockOperation::NonBlockingLockShared).is_ok();
    is_shared && rustix::fs::flock(file, FlockOperation::Unlock).is_ok()
}

/// Locks a state for reading: no other process writes it meanwhile. Returns `None` without lock file or lock support:
/// a process that uses the state all the same would have answered by itself.
pub(crate) fn lock_to_read(folder: &Path) -> Result<Option<File>, LedgerError> {
    let path = folder.join(LOCK);
    let file = match File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(LedgerError::io(&path))?,
    };
    let begun = Instant::now();
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => return Ok(Some(file)),
            Err(Errno::WOULDBLOCK) if begun.elapsed() < LOCK_WAIT => std::thread::sleep(LOCK_WAIT / 20),
            Err(Errno::WOULDBLOCK) => return Err(LedgerError::InUse { path: folder.to_path_buf() }),
            Err(_) => return Ok(None),
        }
    }
}
