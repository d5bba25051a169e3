//! A state that is queried while no process holds it: nothing in its folder changes.
//!
//! sled writes when it opens a database, so it opens a copy, in its own folder for temporary files. A process that
//! wants to write waits until the copy is made: 20 ms for 1,000,000 files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use super::database::{Database, kept};
use super::folder::{self, held};
use super::names::{DB, STATE, WITNESS};
use super::reader::Committed;
use super::{LedgerError, LedgerReader};
use crate::ledger::database::temporary::Temporary;
use crate::ledger::folder::state_file::{self, StateInfo};
use crate::ledger::recovery::verify::{Loaded, Opened};
use crate::ledger::recovery::witness::Witness;

/// A state as it was at one moment. It is not locked: its record folder may change meanwhile.
pub struct AskedState {
    path: PathBuf,
    info: StateInfo,
    reader: LedgerReader,
}

impl AskedState {
    /// Reads the state in a folder, and checks all of its ledger.
    ///
    /// # Errors
    /// As [`StateFolder::open`](super::folder::StateFolder::open) and [`Ledger::open`](super::commit::Ledger::open), and
    /// where there is no room for a copy of the ledger.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let path = folder::absolute(path)?;
        match Self::try_open(&path) {
            // A read that failed within sled, or damage: damage is still there at the next attempt.
            Err(LedgerError::Damaged { .. }) => Self::try_open(&path),
            opened => opened,
        }
    }

    fn try_open(path: &Path) -> Result<Self, LedgerError> {
        folder::check_folder(path)?;
        if !folder::has_traces(path)? {
            return Err(LedgerError::NoState { path: path.to_owned() });
        }
        let lock = held::lock_to_read(path)?;
        if !folder::has_state(path)? {
            return Err(LedgerError::NoState { path: path.to_owned() });
        }
        let info = state_file::read(&path.join(STATE))?;
        folder::check_no_repair(path)?;
        let witness = Witness::read(&path.join(WITNESS))?;
        let copied = Temporary::copy_of(&kept::place_of(path)?)?;
        drop(lock);
        let store = Database::open(&copied.database(), path.join(DB), None)?;
        let Opened { store, loaded, .. } = Opened::of(store.of_copy(copied), &witness)?.checked()?;
        let Loaded { tick, rules, pending, counts, log_start, .. } = loaded;
        let committed = Committed::of(&tick, &rules, pending, &counts, log_start);
        let reader = LedgerReader {
            store: Arc::new(store),
            committed: Arc::new(RwLock::new(committed)),
            only_committed: true,
        };
        Ok(Self { path: path.to_owned(), info, reader })
    }

    /// Returns the folder's absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the record folder's absolute path.
    pub fn records(&self) -> PathBuf {
        self.path.join(&self.info.records)
    }

    /// Returns the state's description.
    pub fn info(&self) -> &StateInfo {
        &self.info
    }

    /// Returns a reader of the ledger.
    pub fn reader(&self) -> LedgerReader {
        self.reader.clone()
    }
}
