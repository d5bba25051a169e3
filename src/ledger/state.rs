//! The state folder: who may use it, and what it says of itself.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;

use super::state_file::{self, StateInfo};
use super::{Ledger, LedgerError, disk};
use crate::model::failpoint;

pub(super) const DB: &str = "db";
pub(super) const WITNESS: &str = "witness";
pub(super) const REPAIRING: &str = "repairing";
pub(super) const IN_HAND: &str = "in-hand";
const LOCK: &str = "lock";
/// A lock that was given back can outlive that for a moment: in a child of the process that held it, which was
/// forked just then and has not begun its own program yet.
const LOCK_WAIT: Duration = Duration::from_millis(100);
const STATE: &str = "state.json";
const IGNORE: (&str, &str) = (".gitignore", "*\n");
const CACHE_TAG: (&str, &str) = (
    "CACHEDIR.TAG",
    "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a state of outlast. See https://bford.info/cachedir/\n",
);
/// What a folder may hold where no state was made yet, or was made halfway.
const UNFINISHED: [&str; 6] = [LOCK, IGNORE.0, CACHE_TAG.0, "state.tmp", "witness.tmp", IN_HAND];

/// A state folder, locked for this process until it and the ledger in it are dropped.
#[derive(Debug)]
pub struct StateFolder {
    path: PathBuf,
    info: StateInfo,
    lock: Arc<File>,
    for_repair: bool,
}

impl StateFolder {
    /// Opens the state, or makes one where there is none.
    ///
    /// `records` is the record folder: absolute, or relative to the state folder.
    ///
    /// # Errors
    /// [`LedgerError::OtherRecords`] where the state names another record folder, and whatever keeps
    /// the state from being opened.
    pub fn create(path: &Path, records: &Path) -> Result<Self, LedgerError> {
        let path = absolute(path)?;
        make_folder(&path)?;
        check_foreign(&path, records)?;
        let lock = take_lock(&path)?;
        if !has_state(&path)? {
            initialise(&path, &lock, records)?;
        }
        let state = Self::read(path, lock)?;
        let wanted = state.path.join(records);
        if real(&wanted) != real(&state.records()) {
            return Err(LedgerError::OtherRecords { found: state.records(), path: state.path, wanted });
        }
        Ok(state)
    }

    /// Opens a state that is there.
    ///
    /// # Errors
    /// [`LedgerError::NoState`] where there is none, and whatever keeps it from being opened.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let path = absolute(path)?;
        if !has_traces(&path) {
            return Err(LedgerError::NoState { path });
        }
        let lock = take_lock(&path)?;
        if !has_state(&path)? {
            return Err(LedgerError::NoState { path });
        }
        Self::read(path, lock)
    }

    /// Opens a state whatever is wrong with it, to repair it with [`Ledger::rebuild`].
    ///
    /// What `state.json` says is kept where it is sound. Otherwise the state begins anew, without
    /// roots, with this record folder. On disk nothing changes before [`StateFolder::begin_repair`].
    ///
    /// # Errors
    /// Where there is neither a state nor a record to make one of, or the folder is in use, is of another
    /// format, or can't be written.
    pub fn open_for_repair(path: &Path, records: &Path) -> Result<Self, LedgerError> {
        let path = absolute(path)?;
        let stored = stored_records(&path, records);
        if !has_traces(&path) && check_no_records(&path.join(&stored)).is_ok() {
            return Err(LedgerError::NoState { path });
        }
        make_folder(&path)?;
        let lock = take_lock(&path)?;
        let info = match state_file::read(&path.join(STATE)) {
            Err(LedgerError::Damaged { .. }) => StateInfo::new(stored),
            read => read?,
        };
        Ok(Self { path, info, lock, for_repair: true })
    }

    fn read(path: PathBuf, lock: Arc<File>) -> Result<Self, LedgerError> {
        let info = state_file::read(&path.join(STATE))?;
        let state = Self { path, info, lock, for_repair: false };
        state.check_no_repair()?;
        Ok(state)
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

    /// Changes what the state says of itself, durably and as a whole.
    ///
    /// # Errors
    /// Where the folder can't be written; nothing is changed then.
    pub fn update(&mut self, f: impl FnOnce(&mut StateInfo)) -> Result<(), LedgerError> {
        let mut info = self.info.clone();
        f(&mut info);
        if info != self.info {
            state_file::write(&self.path.join(STATE), &info)?;
            self.info = info;
        }
        Ok(())
    }

    pub(super) fn lock(&self) -> Arc<File> {
        Arc::clone(&self.lock)
    }

    pub(super) fn check_no_repair(&self) -> Result<(), LedgerError> {
        match self.for_repair || self.is_in_repair() {
            true => Err(LedgerError::damaged(&self.path, "a repair has not ended")),
            false => Ok(()),
        }
    }

    /// Whether a repair was begun and has not ended.
    pub fn is_in_repair(&self) -> bool {
        disk::is_there(&self.path.join(REPAIRING))
    }

    /// Writes `state.json` anew where it is damaged.
    pub(super) fn mend_description(&self) -> Result<(), LedgerError> {
        let path = self.path.join(STATE);
        match state_file::read(&path) {
            Err(LedgerError::Damaged { .. }) => {
                write_marks(&self.path)?;
                state_file::write(&path, &self.info)
            }
            read => read.map(drop),
        }
    }
}

fn has_traces(path: &Path) -> bool {
    [STATE, WITNESS, DB, REPAIRING].iter().any(|name| disk::is_there(&path.join(name)))
}

/// Whether the folder holds a state. One that lost its `state.json` is damaged; one whose making was
/// cut short does not count.
fn has_state(path: &Path) -> Result<bool, LedgerError> {
    if disk::is_there(&path.join(STATE)) {
        return Ok(true);
    }
    let witness = path.join(WITNESS);
    let lost = match fs::metadata(&witness) {
        Ok(found) => found.len() > 0,
        // The witness is made before the database.
        Err(_) => disk::is_there(&path.join(DB)),
    };
    if lost || disk::is_there(&path.join(REPAIRING)) {
        return Err(LedgerError::damaged(&path.join(STATE), "the file is gone"));
    }
    Ok(false)
}

/// Makes a state. `state.json` comes last: without it, the next attempt starts over.
fn initialise(path: &Path, lock: &Arc<File>, records: &Path) -> Result<(), LedgerError> {
    check_no_records(&path.join(records))?;
    for name in [DB, WITNESS, IN_HAND] {
        disk::remove(&path.join(name))?;
    }
    disk::sync_folder(path)?;
    write_marks(path)?;
    Ledger::create_in(path, Arc::clone(lock), 0)?;
    state_file::write(&path.join(STATE), &StateInfo::new(stored_records(path, records)))
}

/// Refuses a folder that holds something else.
fn check_foreign(path: &Path, records: &Path) -> Result<(), LedgerError> {
    if has_traces(path) {
        return Ok(());
    }
    let folder = path.join(records);
    let in_state = folder.strip_prefix(path).ok().and_then(|inner| inner.components().next());
    for entry in fs::read_dir(path).map_err(LedgerError::io(path))? {
        let name = entry.map_err(LedgerError::io(path))?.file_name();
        let ours = UNFINISHED.iter().any(|known| name == *known);
        if !ours && in_state != Some(Component::Normal(&name)) {
            return Err(LedgerError::Foreign { path: path.to_path_buf() });
        }
    }
    Ok(())
}

/// Refuses records that some lost state wrote: an empty ledger would take them for the leftovers of a
/// crash, and they would be cut off.
fn check_no_records(folder: &Path) -> Result<(), LedgerError> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let is_record = name.starts_with(b"records-") && name.ends_with(b".ndjson");
        if is_record && entry.metadata().is_ok_and(|found| found.len() > 0) {
            return Err(LedgerError::damaged(
                folder,
                "there are records, whose state is gone or lies elsewhere (if elsewhere, choose another folder with --out)",
            ));
        }
    }
    Ok(())
}

fn write_marks(path: &Path) -> Result<(), LedgerError> {
    for (name, text) in [IGNORE, CACHE_TAG] {
        let file = path.join(name);
        failpoint::hit("state.marks").map_err(LedgerError::io(&file))?;
        fs::write(&file, text).map_err(LedgerError::io(&file))?;
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<(), LedgerError> {
    if path.is_dir() {
        return Ok(());
    }
    failpoint::hit("state.folder").map_err(LedgerError::io(path))?;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| refused(path, error))?;
    disk::sync_parent(path)
}

fn take_lock(path: &Path) -> Result<Arc<File>, LedgerError> {
    failpoint::hit("state.lock").map_err(LedgerError::io(path))?;
    let file = File::options().create(true).truncate(false).write(true).open(path.join(LOCK));
    let file = file.map_err(|error| refused(path, error))?;
    let begun = Instant::now();
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Arc::new(file)),
            Err(rustix::io::Errno::WOULDBLOCK) if begun.elapsed() < LOCK_WAIT => {
                std::thread::sleep(LOCK_WAIT / 20);
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(LedgerError::InUse { path: path.to_path_buf() });
            }
            Err(error) => return Err(LedgerError::io(path)(error.into())),
        }
    }
}

fn refused(path: &Path, error: io::Error) -> LedgerError {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            LedgerError::ReadOnly { path: path.to_path_buf() }
        }
        _ => LedgerError::io(path)(error),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, LedgerError> {
    std::path::absolute(path).map_err(LedgerError::io(path))
}

/// The record folder as it is kept: relative where it lies in the state, so that both move together.
fn stored_records(path: &Path, records: &Path) -> PathBuf {
    let full = path.join(records);
    full.strip_prefix(path).map(Path::to_path_buf).unwrap_or(full)
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), path.strip_prefix(ancestor)) {
            return real.join(rest);
        }
    }
    path.to_path_buf()
}
