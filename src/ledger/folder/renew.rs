//! Recovery from a failed sync.
//!
//! After it, the system may count pages as clean that never reached the disk: they are read as if they were there,
//! until a power cut. So that is noted, and whatever opens the state next writes all of it again before anything is
//! believed. The note only has to outlive the process: a power cut loses the clean pages as well. The same is done
//! where the note may be missing: where the database has a tick whose line the witness lacks.
//!
//! The note is a byte in the lock file that was never written: it takes neither a name nor a block, and so fits on a
//! full disk. Where not even that is possible, this process remembers it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::disk;
use super::held::HeldState;
use crate::ledger::error::LedgerError;
use crate::ledger::names::{DB, STATE, WITNESS};
use crate::model::{durable, failpoint};

/// States that must be written again, but have no note of it.
static REMEMBERED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn remembered() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that something of this state could not be written or synced.
pub(crate) fn note(held: &HeldState) {
    if held.check().is_ok()
        && let Err(error) = failpoint::hit("unsynced.note").and_then(|()| held.lock_file().set_len(1))
    {
        tracing::warn!(state = %held.path().display(), %error, "that the state has to be written again can't be noted");
        remembered().insert(held.path().to_owned());
    }
}

/// Writes everything again that a failed sync was for, if one is noted.
pub(crate) fn write_noted(held: &HeldState) -> Result<(), LedgerError> {
    let noted = held.lock_file().metadata().map_err(LedgerError::io(held.path()))?.len() > 0;
    if noted || remembered().contains(held.path()) { write_all(held) } else { Ok(()) }
}

/// Writes the state again, all but the record log: opening it cuts it back to what is durable.
pub(crate) fn write_all(held: &HeldState) -> Result<(), LedgerError> {
    held.check()?;
    let in_use = held.lock_database()?;
    let db = held.path().join(DB);
    for name in ["db", "conf"] {
        write_file(&db.join(name))?;
    }
    let blobs = db.join("blobs");
    if blobs.is_dir() {
        for entry in fs::read_dir(&blobs).map_err(LedgerError::io(&blobs))? {
            write_file(&entry.map_err(LedgerError::io(&blobs))?.path())?;
        }
        disk::sync_folder(&blobs)?;
    }
    disk::sync_folder(&db)?;
    for name in [WITNESS, STATE] {
        replace_file(&held.path().join(name))?;
    }
    drop(in_use);
    disk::sync_folder(held.path())?;
    held.lock_file().set_len(0).map_err(LedgerError::io(held.path()))?;
    remembered().remove(held.path());
    Ok(())
}

fn write_file(path: &Path) -> Result<(), LedgerError> {
    let again = || {
        let file = File::options().read(true).write(true).open(path)?;
        durable::write_again(&file, 0, file.metadata()?.len())
    };
    disk::absent_is_fine(again()).map_err(LedgerError::io(path))
}

/// Small files get another inode, so their folder has another name to sync.
fn replace_file(path: &Path) -> Result<(), LedgerError> {
    match fs::read(path) {
        Ok(bytes) => disk::replace(path, &bytes),
        Err(error) => disk::absent_is_fine(Err(error)).map_err(LedgerError::io(path)),
    }
}
