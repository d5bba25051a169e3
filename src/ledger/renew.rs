//! What follows a sync that failed.
//!
//! The system may count pages as clean then that never reached the disk: they are read as if they were there, until a
//! power cut. So the state is noted as *unsynced*, and whatever opens it next writes all of it again before anything is
//! believed. The note only has to outlive the process: where the machine goes, so does what was read in vain.
//! The same is done where the note may be missing: where the database has a tick whose line the witness lacks.

use std::fs::{self, File};
use std::path::Path;

use super::held::HeldState;
use super::state::{DB, STATE, UNSYNCED, WITNESS};
use super::{LedgerError, disk};
use crate::model::durable;

/// Notes that something of this state could not be written or synced.
pub(super) fn note(held: &HeldState) {
    let path = held.path().join(UNSYNCED);
    if held.check().is_ok()
        && let Err(error) = File::create(&path)
    {
        tracing::warn!(path = %path.display(), %error, "that the state has to be written again can't be noted");
    }
}

/// Writes everything again that a failed sync was for, where one is noted.
pub(super) fn write_noted(held: &HeldState) -> Result<(), LedgerError> {
    if disk::is_there(&held.path().join(UNSYNCED))? { write_all(held) } else { Ok(()) }
}

/// Writes the state again, all but the record log: opening it cuts it back to what is durable.
pub(super) fn write_all(held: &HeldState) -> Result<(), LedgerError> {
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
    disk::remove(&held.path().join(UNSYNCED))?;
    disk::sync_folder(held.path())
}

fn write_file(path: &Path) -> Result<(), LedgerError> {
    let again = || {
        let file = File::options().read(true).write(true).open(path)?;
        durable::write_again(&file, 0, file.metadata()?.len())
    };
    disk::absent_is_fine(again()).map_err(LedgerError::io(path))
}

/// Small files get another inode, and so their folder another name to sync.
fn replace_file(path: &Path) -> Result<(), LedgerError> {
    match fs::read(path) {
        Ok(bytes) => disk::replace(path, &bytes),
        Err(error) => disk::absent_is_fine(Err(error)).map_err(LedgerError::io(path)),
    }
}
