//! The database as it was before sled opened it.
//!
//! sled takes a read that fails while it opens a database for the end of its log, and then persists that: it zeroes
//! what it has not read, truncates the file, replaces its snapshot. So a copy is made first. It is removed once all
//! that was opened agrees with the witness; if it does not, or opening fails, the copy takes the database's place,
//! and only what a second check of it confirms counts as damage.
//!
//! | in the state folder | is |
//! |---|---|
//! | `db.before/db` | the copy; a large one in two halves, see `ledger/database/copy.rs` |
//! | `db.before/boot` | written when the copy is complete: the boot of the machine that it was made in |
//! | `db.before/failed` | what opening has made of the database, while the copy is put back |
//! | `db.gone` | a copy that is being removed |
//!
//! A process that was killed meanwhile leaves a complete copy behind, which the next start puts back. Nothing is
//! synced until then: what a power cut leaves of a copy proves nothing, and that of another boot is removed. An
//! incomplete one is removed, too; sled had not begun.
//!
//! The whole is copied and not only what sled 0.34 may rewrite, as that needs no proof of what sled does.
//! File systems with reflinks share the blocks.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::{fs, io};

use super::copy;
use crate::ledger::error::LedgerError;
use crate::ledger::folder::disk;
use crate::ledger::names::{BEFORE, DB, GONE};
use crate::model::{Resource, failpoint};

const BOOT: &str = "boot";
const FAILED: &str = "failed";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The copy of a database that is open.
#[derive(Debug)]
pub(crate) struct Kept {
    state: PathBuf,
}

/// Opens the database of a state with `open`, which gets its folder, and keeps a copy until the result is known to be
/// right. If opening fails, the database is as it was. [`recover`] must be called before.
///
/// # Errors
/// As [`Kept::put_back`] for the error of `open`.
pub(crate) fn open_kept<T>(
    state: &Path,
    open: impl FnOnce(&Path) -> Result<T, LedgerError>,
    look_again: impl FnOnce(&Path) -> Result<(), LedgerError>,
) -> Result<(T, Kept), LedgerError> {
    make_copy(state)?;
    mark_complete(state)?;
    let kept = Kept { state: state.to_owned() };
    match open(&state.join(DB)) {
        Ok(opened) => Ok((opened, kept)),
        Err(error) => Err(kept.put_back(error, look_again)),
    }
}

impl Kept {
    /// Removes the copy: what was opened is right.
    pub(crate) fn discard(self) -> Result<Removal, LedgerError> {
        discard(&self.state)
    }

    /// Replaces a database that is wrong, and closed, by the copy. Returns the error to report: damage only where
    /// `look_again` confirms it on another copy.
    pub(crate) fn put_back(
        self,
        error: LedgerError,
        look_again: impl FnOnce(&Path) -> Result<(), LedgerError>,
    ) -> LedgerError {
        let state = &self.state;
        if let Err(failed) = put_back(state) {
            tracing::error!(%error, "opening the ledger failed");
            return failed;
        }
        let LedgerError::Damaged { what, .. } = error else { return error };
        let looked = make_copy(state).and_then(|()| {
            let copy = state.join(BEFORE).join(DB);
            let again = copy::join(&copy).and_then(|()| look_again(&copy));
            discard(state)?;
            Ok(again)
        });
        match looked {
            Ok(Ok(())) => misread(&state.join(DB), &what),
            Ok(Err(again)) | Err(again) => again,
        }
    }
}

/// Returns the error for a fault that a second check did not confirm.
fn misread(folder: &Path, found: &str) -> LedgerError {
    let what = format!("a read failed, or gave what is not there ({found}); nothing was changed: try again");
    LedgerError::io(folder)(io::Error::other(what))
}

/// Returns where the database of a state is as committed: the copy, if a process died while it opened the database.
pub(crate) fn place_of(state: &Path) -> Result<PathBuf, LedgerError> {
    let of = if is_due_back(state)? { state.join(BEFORE) } else { state.to_owned() };
    check_there(&of.join(DB))?;
    Ok(of.join(DB))
}

fn check_there(database: &Path) -> Result<(), LedgerError> {
    if disk::is_there(&database.join("db"))? {
        Ok(())
    } else {
        Err(LedgerError::damaged(database, "the database is gone"))
    }
}

/// Removes the copy, whatever it is worth.
pub(crate) fn forget(state: &Path) -> Result<(), LedgerError> {
    if disk::is_there(&state.join(BEFORE))? {
        discard(state).map(drop)
    } else {
        disk::remove(&state.join(GONE))
    }
}

/// Puts back what a process left that died while it opened the database.
pub(crate) fn recover(state: &Path) -> Result<(), LedgerError> {
    if is_due_back(state)? {
        tracing::warn!(state = %state.display(), "a process died while it opened the ledger, which is put back as it was");
        put_back(state)
    } else {
        forget(state)
    }
}

/// Returns whether the copy, and not the database, is what was committed.
fn is_due_back(state: &Path) -> Result<bool, LedgerError> {
    let before = state.join(BEFORE);
    if !disk::is_there(&before.join(DB))? {
        return Ok(false);
    }
    // The database is removed only once the copy is durable.
    if !disk::is_there(&state.join(DB))? {
        return Ok(true);
    }
    let made_in = disk::read_if_there(&before.join(BOOT))?;
    Ok(!made_in.is_empty() && made_in == disk::read_if_there(Path::new(BOOT_ID))?)
}

fn make_copy(state: &Path) -> Result<(), LedgerError> {
    check_there(&state.join(DB))?;
    let before = state.join(BEFORE);
    let made = failpoint::hit("kept.create").and_then(|()| fs::create_dir(&before));
    made.map_err(LedgerError::io(&before))?;
    copy::folder(&state.join(DB), &before.join(DB), copy::CopyForm::Halves).map_err(|error| {
        // What is left of it means nothing.
        let _ = discard(state);
        without_room(error)
    })
}

fn without_room(error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Io { path, error } if Resource::of_state_io(&error) == Some(Resource::Disk) => {
            let what =
                format!("{error}; a state is opened only where there is room for a copy of its ledger");
            LedgerError::Io { path, error: io::Error::new(error.kind(), what) }
        }
        error => error,
    }
}

fn mark_complete(state: &Path) -> Result<(), LedgerError> {
    let mark = state.join(BEFORE).join(BOOT);
    let boot = disk::read_if_there(Path::new(BOOT_ID))?;
    let marked = failpoint::hit("kept.mark").and_then(|()| fs::write(&mark, boot));
    marked.map_err(|error| {
        let _ = discard(state);
        without_room(LedgerError::io(&mark)(error))
    })
}

/// Moves the copy to the database's place, durably.
fn put_back(state: &Path) -> Result<(), LedgerError> {
    let db = state.join(DB);
    let before = state.join(BEFORE);
    let copy = before.join(DB);
    copy::join(&copy)?;
    copy::sync(&copy)?;
    disk::remove(&copy::front_of(&copy))?;
    copy::sync(&copy)?;
    disk::sync_folder(&before)?;
    disk::set_aside(&db, &before.join(FAILED))?;
    let renamed = failpoint::hit("kept.rename").and_then(|()| fs::rename(&copy, &db));
    renamed.map_err(LedgerError::io(&copy))?;
    disk::sync_folder(state)?;
    discard(state).map(drop)
}

/// Removes the copy: its name at one instant, its bytes after that.
fn discard(state: &Path) -> Result<Removal, LedgerError> {
    let before = state.join(BEFORE);
    let gone = state.join(GONE);
    disk::remove(&gone)?;
    let renamed = failpoint::hit("kept.discard").and_then(|()| fs::rename(&before, &gone));
    renamed.map_err(LedgerError::io(&before))?;
    Ok(Removal::begin(gone))
}

/// Removal of a folder in the background: it takes 5 to 10 ms. It has ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Removal(Option<JoinHandle<()>>);

impl Removal {
    fn begin(folder: PathBuf) -> Self {
        let remove = {
            let folder = folder.clone();
            // Where it fails, the next start tries again.
            move || drop(fs::remove_dir_all(folder))
        };
        let thread = std::thread::Builder::new().name("remove-copy".to_owned()).spawn(remove);
        if thread.is_err() {
            let _ = fs::remove_dir_all(folder);
        }
        Self(thread.ok())
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        let _ = self.0.take().map(JoinHandle::join);
    }
}
