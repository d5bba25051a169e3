//! A state that is asked while nobody holds it: nothing in its folder changes.
//!
//! sled writes when it opens a database, so what it opens is a copy, in a folder of its own for temporary files. Whoever
//! wants to write waits until the copy is made: 20 ms for 1,000,000 files.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, RwLock};

use super::reader::Committed;
use super::state::{self, DB, STATE, WITNESS};
use super::store::Store;
use super::verify::{Loaded, Verified};
use super::witness::Witness;
use super::{LedgerError, LedgerReader, StateInfo, copy, held, kept, state_file};

/// A state as it was at one moment. It is not locked: what its record folder holds may go on meanwhile.
pub struct AskedState {
    path: PathBuf,
    info: StateInfo,
    reader: LedgerReader,
}

impl AskedState {
    /// Reads the state in a folder, and checks all of its ledger.
    ///
    /// # Errors
    /// As [`StateFolder::open`](super::StateFolder::open) and [`Ledger::open`](super::Ledger::open), and where there is
    /// no room for a copy of the ledger.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let path = state::absolute(path)?;
        match Self::try_open(&path) {
            // A read that failed within sled, or damage: that is still there when it is looked at again.
            Err(LedgerError::Damaged { .. }) => Self::try_open(&path),
            opened => opened,
        }
    }

    fn try_open(path: &Path) -> Result<Self, LedgerError> {
        state::check_folder(path)?;
        if !state::has_traces(path)? {
            return Err(LedgerError::NoState { path: path.to_owned() });
        }
        let lock = held::lock_to_read(path)?;
        if !state::has_state(path)? {
            return Err(LedgerError::NoState { path: path.to_owned() });
        }
        let info = state_file::read(&path.join(STATE))?;
        state::check_no_repair(path)?;
        let witness = Witness::read(&path.join(WITNESS))?;
        let copied = Temporary::copy_of(&kept::place_of(path)?)?;
        drop(lock);
        let store = Store::open(&copied.folder.join(DB), path.join(DB), None)?;
        let Verified { store, loaded, .. } = Verified::of(store.of_copy(copied), &witness)?;
        let Loaded { tick, counts, log_start, .. } = loaded;
        let committed = Committed::of(&tick, &counts, log_start);
        let reader = LedgerReader {
            store: Arc::new(store),
            committed: Arc::new(RwLock::new(committed)),
            only_committed: true,
        };
        Ok(Self { path: path.to_owned(), info, reader })
    }

    /// The folder's absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The record folder's absolute path.
    pub fn records(&self) -> PathBuf {
        self.path.join(&self.info.records)
    }

    /// What the state says of itself.
    pub fn info(&self) -> &StateInfo {
        &self.info
    }

    /// The ledger.
    pub fn reader(&self) -> LedgerReader {
        self.reader.clone()
    }
}

/// A copy of a database, until it is dropped.
#[derive(Debug)]
pub(super) struct Temporary {
    folder: PathBuf,
}

impl Temporary {
    /// Copies a database to the folder for temporary files, or to memory where that can't be.
    fn copy_of(database: &Path) -> Result<Self, LedgerError> {
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
        copy::folder(database, &made.folder.join(DB))?;
        copy::join(&made.folder.join(DB))?;
        Ok(made)
    }

    /// Whether sled opens files in it after it was opened itself: it has them for large pages only.
    pub(super) fn is_needed(&self) -> bool {
        fs::read_dir(self.folder.join(DB).join("blobs")).map_or(true, |mut blobs| blobs.next().is_some())
    }

    /// Makes a folder that nobody else can look into.
    fn make(place: &Path) -> Result<Self, LedgerError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let name = format!("outlast-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let folder = place.join(name);
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok(Self { folder }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(LedgerError::io(&folder)(error)),
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
