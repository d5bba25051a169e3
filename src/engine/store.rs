//! The durable state as a whole: state folder, ledger and record log, opened so that they agree.

use std::path::{Path, PathBuf};

use super::error::EngineError;
use super::stop::Stop;
use crate::ledger::{Ledger, LedgerReader, LogRange, StateFolder};
use crate::model::{Root, RootId, RootTable};
use crate::sink::{self, RecordLog, SinkError};

/// An open state: the one writer of all that is durable. Holds the state's lock.
pub struct Store {
    pub(crate) state: StateFolder,
    pub(crate) ledger: Ledger,
    pub(crate) reader: LedgerReader,
    pub(crate) log: RecordLog,
}

/// A state for reading, while a run writes it or after. The state stays locked as long as one is around,
/// even after its [`Store`] was dropped: let it go before waiting for anybody.
#[derive(Clone)]
pub struct StoreView {
    /// The ledger.
    pub reader: LedgerReader,
    /// The state folder.
    pub state: PathBuf,
    /// The record folder.
    pub records: PathBuf,
    /// The roots of the state.
    pub roots: RootTable,
}

impl Store {
    /// Opens the state in `folder`, or makes one. `records` is the record folder; relative to the
    /// state folder where it isn't absolute.
    ///
    /// # Errors
    /// The state is in use, damaged, of another format or record folder, or can't be written; or the
    /// record folder of a new state holds records already.
    pub fn create(folder: &Path, records: &Path) -> Result<Self, EngineError> {
        Self::from_state(StateFolder::create(folder, records)?)
    }

    /// Opens the state in `folder`.
    ///
    /// # Errors
    /// There is none; or as [`Store::create`].
    pub fn open(folder: &Path) -> Result<Self, EngineError> {
        Self::from_state(StateFolder::open(folder)?)
    }

    fn from_state(state: StateFolder) -> Result<Self, EngineError> {
        let ledger = Ledger::open(&state)?;
        let log = RecordLog::open(&state.records(), ledger.cursor().log)?;
        Ok(Self { reader: ledger.reader(), state, ledger, log })
    }

    /// A view for reading. It keeps the lock as the store does.
    pub fn view(&self) -> StoreView {
        let root = |info: &crate::ledger::RootInfo| Root {
            id: RootId(info.id),
            name: info.name.clone(),
            path: info.path.clone(),
        };
        StoreView {
            reader: self.reader.clone(),
            state: self.path().to_owned(),
            records: self.state.records(),
            roots: RootTable::new(self.state.info().roots.iter().map(root).collect()),
        }
    }

    /// The state folder's path.
    pub fn path(&self) -> &Path {
        self.state.path()
    }
}

impl StoreView {
    /// The folders that hold the state: no scan enters them.
    pub fn own_folders(&self) -> Vec<PathBuf> {
        vec![self.state.clone(), self.records.clone()]
    }
}

/// Compares committed ranges of the record log with their checksums.
///
/// # Errors
/// [`SinkError::Damaged`] where one differs.
pub(crate) fn check_log(records: &Path, ranges: &[LogRange], stop: &Stop) -> Result<(), EngineError> {
    for range in ranges {
        if stop.is_requested() {
            return Ok(());
        }
        if !sink::check_range(records, range.segment, range.from, range.to, range.crc32)? {
            let what = format!(
                "bytes {} to {} of record file {} changed after they were committed",
                range.from, range.to, range.segment
            );
            return Err(SinkError::Damaged { path: records.to_owned(), what }.into());
        }
    }
    Ok(())
}
