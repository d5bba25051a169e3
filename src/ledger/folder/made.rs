//! What a start has created where it found no state, removed again if it fails.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::held::HeldState;
use super::{UNFINISHED, check_foreign, disk};
use crate::ledger::commit::Ledger;
use crate::ledger::database::kept;
use crate::ledger::names::{DB, LOCK, STATE, WITNESS};
use crate::model::durable;

/// What a start has created where it found no state.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) folders: Vec<PathBuf>,
    /// The ledger, open until it is taken: closing and reopening it took a third of a run over one file.
    pub(super) ledger: Mutex<Option<Ledger>>,
}

impl Made {
    /// Takes the ledger. A later caller gets `None`, and has to open it.
    pub(super) fn take_ledger(&self) -> Option<Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Removes a state that holds nothing yet.
    pub(super) fn undo(&self, held: &HeldState, records: &Path) {
        drop(self.take_ledger());
        if held.check().is_err() {
            return;
        }
        let path = held.path();
        if check_foreign(path, records).is_err() {
            held.remove_if_new();
            return;
        }
        // At most the log's first segment exists, and it is empty.
        let log = path.join(records);
        for entry in fs::read_dir(&log).into_iter().flatten().flatten() {
            if is_record(&entry.file_name()) && entry.metadata().is_ok_and(|found| found.len() == 0) {
                let _ = fs::remove_file(entry.path());
            }
        }
        if log.starts_with(path) {
            let _ = fs::remove_dir(&log);
        }
        let mut names = [STATE, DB, WITNESS].iter().chain(UNFINISHED.iter().filter(|name| **name != LOCK));
        let copy = kept::forget(path);
        if let Err(error) = copy.and_then(|()| names.try_for_each(|name| disk::remove(&path.join(name)))) {
            tracing::debug!(%error, "a state that was made in vain can't be removed");
            return;
        }
        held.remove_if_new();
        durable::remove_made(&self.folders);
    }
}

pub(super) fn is_record(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"records-") && name.ends_with(b".ndjson")
}
