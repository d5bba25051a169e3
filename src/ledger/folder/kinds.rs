//! The expected kinds of the paths of a state.

use std::path::Path;

use crate::ledger::error::LedgerError;
use crate::ledger::names::{BEFORE, DB, IN_HAND, LOCK, LOG_CHECKED, REPAIRING, STATE, WITNESS};
use crate::model::durable::{FileKind, instead_of};

const FILES: [&str; 7] = [LOCK, STATE, WITNESS, REPAIRING, LOG_CHECKED, "db/db", "db/conf"];
const FOLDERS: [&str; 4] = [DB, "db/blobs", IN_HAND, BEFORE];

/// Refuses a state where one of its files or folders is something else, before any of it is opened: a FIFO would
/// block a process for ever, and a device has no end.
pub(super) fn check(state: &Path) -> Result<(), LedgerError> {
    let files = FILES.iter().map(|name| (name, FileKind::File));
    let folders = FOLDERS.iter().map(|name| (name, FileKind::Folder));
    // Parents come first.
    folders.chain(files).try_for_each(|(name, kind)| check_one(&state.join(name), kind))
}

/// The same for one file or folder, if it exists.
pub(crate) fn check_one(path: &Path, kind: FileKind) -> Result<(), LedgerError> {
    match instead_of(kind, path).map_err(LedgerError::io(path))? {
        Some(what) => Err(LedgerError::damaged(path, what)),
        None => Ok(()),
    }
}
