//! The state folder: which process may use it, what may be in it, and its description.

pub(super) mod disk;
pub(super) mod exclusion;
pub(super) mod held;
pub(super) mod kinds;
pub(super) mod made;
pub(super) mod renew;
pub(super) mod state_file;

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use super::commit::Ledger;
use super::database::kept;
use super::error::LedgerError;
use super::names::{BEFORE, DB, GONE, IN_HAND, LOCK, REPAIRING, STATE, WITNESS};
use crate::ledger::folder::disk::bytes_below;
use crate::model::durable::{self, FileKind};
use crate::model::failpoint;
use held::HeldState;
use made::{Made, is_record};
use state_file::StateInfo;

const IGNORE: (&str, &str) = (".gitignore", "*\n");
/// Written by earlier versions, whose states backups left out, and with them the record log, which nothing replaces.
const CACHE_TAG: (&str, &str) = (
    "CACHEDIR.TAG",
    "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a state of outlast. See https://bford.info/cachedir/\n",
);
/// What a folder may hold where no state was created yet, or only half.
pub(super) const UNFINISHED: [&str; 6] = [LOCK, IGNORE.0, CACHE_TAG.0, "state.tmp", "witness.tmp", IN_HAND];

/// A state folder, locked for this process until it and the ledger in it are dropped.
#[derive(Debug)]
pub struct StateFolder {
    held: HeldState,
    info: StateInfo,
    for_repair: Option<RepairLock>,
    made: Option<Made>,
}

/// The lock of the database that a repair is to set aside; `None` where it is gone.
type RepairLock = Option<File>;

impl StateFolder {
    /// Checks that no process holds the state in this folder now; there may be none.
    ///
    /// # Errors
    /// [`LedgerError::InUse`].
    pub fn check_free(path: &Path) -> Result<(), LedgerError> {
        match held::lock_to_read(path) {
            Err(error @ LedgerError::InUse { .. }) => Err(error),
            // Whatever else is wrong is said by who opens it.
            _ => Ok(()),
        }
    }

    /// Opens the state, or creates one where there is none.
    ///
    /// `records` is the record folder: absolute, or relative to the state folder.
    ///
    /// # Errors
    /// [`LedgerError::OtherRecords`] where the state names another record folder, and whatever keeps the state from
    /// being opened. A folder that was created for it is removed again.
    pub fn create(path: &Path, records: &Path) -> Result<Self, LedgerError> {
        let path = absolute(path)?;
        let made = Made { folders: make_folder(&path)?, ledger: Mutex::default() };
        // Only while no process creates a state in it is it certain whether the folder is another program's.
        let held = match HeldState::take(&path) {
            Err(error) => {
                if matches!(error, LedgerError::ReadOnly { .. }) {
                    check_foreign(&path, records)?;
                }
                durable::remove_made(&made.folders);
                return Err(error);
            }
            Ok(held) => held,
        };
        match has_traces(&path).and_then(|has_traces| Ok(has_traces && has_state(&path)?)) {
            Ok(true) => return Self::read_with(held, records),
            Ok(false) => {}
            Err(error) => {
                // An existing state stays.
                held.remove_if_new();
                durable::remove_made(&made.folders);
                return Err(error);
            }
        }
        let begun = check_foreign(&path, records).and_then(|()| initialise(&held, records));
        match begun {
            Ok((info, ledger)) => {
                let made = Some(Made { ledger: Mutex::new(Some(ledger)), ..made });
                Ok(Self { held, info, for_repair: None, made })
            }
            Err(error) => {
                made.undo(&held, records);
                Err(error)
            }
        }
    }

    fn read_with(held: HeldState, records: &Path) -> Result<Self, LedgerError> {
        let state = Self::read(held)?;
        let wanted = state.path().join(records);
        if real(&wanted) != real(&state.records()) {
            let path = state.path().to_owned();
            return Err(LedgerError::OtherRecords { found: state.records(), path, wanted });
        }
        Ok(state)
    }

    /// Removes what [`StateFolder::create`] has created, if it created the state and nothing was committed since: a
    /// start that fails leaves nothing behind. The ledger and the log must be closed.
    pub fn discard_if_made(self) {
        if let Some(made) = &self.made {
            made.undo(&self.held, &self.info.records);
        }
    }

    /// Opens an existing state.
    ///
    /// # Errors
    /// [`LedgerError::NoState`] where there is none, and whatever keeps it from being opened.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let path = absolute(path)?;
        check_folder(&path)?;
        if !has_traces(&path)? {
            return Err(LedgerError::NoState { path });
        }
        let held = HeldState::take(&path)?;
        if !has_state(&path)? {
            return Err(LedgerError::NoState { path });
        }
        Self::read(held)
    }

    /// Opens a state whatever is wrong with it, to repair it with [`Ledger::rebuild`].
    ///
    /// The content of `state.json` is kept where it is sound. Otherwise the state begins anew, without roots, with
    /// this record folder. On disk nothing changes before [`StateFolder::begin_repair`].
    ///
    /// # Errors
    /// There is neither a state nor a record to make one of, or the folder is in use, is of another format, or can't
    /// be written.
    pub fn open_for_repair(path: &Path, records: &Path) -> Result<Self, LedgerError> {
        let path = absolute(path)?;
        check_folder(&path)?;
        let stored = stored_records(&path, records);
        if !has_traces(&path)? && check_no_records(&path.join(&stored)).is_ok() {
            return Err(LedgerError::NoState { path });
        }
        make_folder(&path)?;
        let held = HeldState::take(&path)?;
        // A process whose lock file was removed still has its database.
        let for_repair = Some(held.lock_database()?);
        let info = match state_file::read(&path.join(STATE)) {
            Err(LedgerError::Damaged { .. }) => StateInfo::new(stored),
            read => read?,
        };
        Ok(Self { held, info, for_repair, made: None })
    }

    fn read(held: HeldState) -> Result<Self, LedgerError> {
        let info = state_file::read(&held.path().join(STATE))?;
        let state = Self { held, info, for_repair: None, made: None };
        state.check_no_repair()?;
        remove_cache_tag(state.path());
        Ok(state)
    }

    /// Returns the description of the state in a folder, as it is on disk now.
    ///
    /// # Errors
    /// It is not there, damaged, or of another format.
    pub(crate) fn read_info(path: &Path) -> Result<StateInfo, LedgerError> {
        state_file::read(&path.join(STATE))
    }

    /// Returns the folder's absolute path.
    pub fn path(&self) -> &Path {
        self.held.path()
    }

    /// Returns the lock on the folder.
    pub fn held(&self) -> &HeldState {
        &self.held
    }

    /// Returns the record folder's absolute path.
    pub fn records(&self) -> PathBuf {
        self.path().join(&self.info.records)
    }

    /// Returns the disk space that opening the ledger takes at most: a copy, and what is written.
    pub fn bytes_to_open(&self) -> u64 {
        bytes_below(&self.path().join(DB)).unwrap_or(0).saturating_mul(2)
    }

    /// Returns the state's description.
    pub fn info(&self) -> &StateInfo {
        &self.info
    }

    /// Changes the state's description, durably and as a whole.
    ///
    /// # Errors
    /// If the folder can't be written; nothing is changed then.
    pub fn update(&mut self, f: impl FnOnce(&mut StateInfo)) -> Result<(), LedgerError> {
        self.update_behind(f, || Ok(()))
    }

    /// The same, after a step that must succeed before anything is written.
    pub(crate) fn update_behind(
        &mut self,
        f: impl FnOnce(&mut StateInfo),
        before: impl FnOnce() -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let mut info = self.info.clone();
        f(&mut info);
        if info != self.info {
            before()?;
            self.held.check()?;
            let written = state_file::write(&self.path().join(STATE), info);
            self.info = written.inspect_err(|_| renew::note(&self.held))?;
        }
        Ok(())
    }

    /// Gives a state an id that has none.
    ///
    /// # Errors
    /// As [`StateFolder::update`].
    pub fn ensure_id(&mut self) -> Result<(), LedgerError> {
        if self.info.id.is_empty() { self.renew_id() } else { Ok(()) }
    }

    /// Gives the state another id: earlier cursors are refused from now on.
    ///
    /// # Errors
    /// As [`StateFolder::update`].
    pub fn renew_id(&mut self) -> Result<(), LedgerError> {
        self.update(|info| info.id = state_file::new_id())
    }

    /// Returns the ledger of a state that was just created, once.
    pub(super) fn take_new(&self) -> Option<Ledger> {
        self.made.as_ref().and_then(Made::take_ledger)
    }

    pub(super) fn check_no_repair(&self) -> Result<(), LedgerError> {
        match self.for_repair {
            Some(_) => Err(in_repair(self.path())),
            None => check_no_repair(self.path()),
        }
    }

    /// Returns whether a repair was begun and has not ended.
    ///
    /// # Errors
    /// If that can't be determined.
    pub fn is_in_repair(&self) -> Result<bool, LedgerError> {
        disk::is_there(&self.path().join(REPAIRING))
    }

    /// Rewrites `state.json` if it is damaged.
    pub(super) fn mend_description(&self) -> Result<(), LedgerError> {
        let path = self.path().join(STATE);
        match state_file::read(&path) {
            Err(LedgerError::Damaged { .. }) => {
                write_mark(self.path())?;
                state_file::write(&path, self.info.clone()).map(drop)
            }
            read => read.map(drop),
        }
    }
}

pub(super) fn check_no_repair(path: &Path) -> Result<(), LedgerError> {
    if disk::is_there(&path.join(REPAIRING))? { Err(in_repair(path)) } else { Ok(()) }
}

fn in_repair(path: &Path) -> LedgerError {
    LedgerError::damaged(path, "a repair has not ended")
}

pub(super) fn has_traces(path: &Path) -> Result<bool, LedgerError> {
    for name in [STATE, WITNESS, DB, REPAIRING] {
        if disk::is_there(&path.join(name))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns whether the folder holds a state. One that lost its `state.json` is damaged; one whose creation was cut
/// short does not count.
pub(super) fn has_state(path: &Path) -> Result<bool, LedgerError> {
    if disk::is_there(&path.join(STATE))? {
        return Ok(true);
    }
    let witness = path.join(WITNESS);
    let lost = match fs::metadata(&witness) {
        Ok(found) => found.len() > 0,
        // The witness is created before the database.
        Err(error) if error.kind() == io::ErrorKind::NotFound => disk::is_there(&path.join(DB))?,
        Err(error) => return Err(LedgerError::io(&witness)(error)),
    };
    if lost || disk::is_there(&path.join(REPAIRING))? {
        return Err(LedgerError::damaged(&path.join(STATE), "the file is gone"));
    }
    Ok(false)
}

/// Creates a state. `state.json` comes last: without it, the next attempt starts over.
fn initialise(held: &HeldState, records: &Path) -> Result<(StateInfo, Ledger), LedgerError> {
    let path = held.path();
    check_no_records(&path.join(records))?;
    remove_unfinished(path)?;
    write_mark(path)?;
    let ledger = Ledger::create_in(held, 0)?;
    let info = state_file::write(&path.join(STATE), StateInfo::new(stored_records(path, records)))?;
    Ok((info, ledger))
}

/// Removes what an earlier attempt left, durably: nothing of it may reappear beside the new state.
fn remove_unfinished(path: &Path) -> Result<(), LedgerError> {
    let names = [DB, WITNESS, IN_HAND, BEFORE, GONE];
    let mut found = names.iter().map(|name| disk::is_there(&path.join(name)));
    if !found.try_fold(false, |any, found| Ok(any | found?))? {
        return Ok(());
    }
    for name in [DB, WITNESS, IN_HAND] {
        disk::remove(&path.join(name))?;
    }
    kept::forget(path)?;
    disk::sync_folder(path)
}

/// Refuses a folder that holds something else.
pub(super) fn check_foreign(path: &Path, records: &Path) -> Result<(), LedgerError> {
    if has_traces(path)? {
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

/// Refuses records of a lost state: an empty ledger would take them for the leftovers of a crash, and they would be
/// cut off.
fn check_no_records(folder: &Path) -> Result<(), LedgerError> {
    let entries = match fs::read_dir(folder) {
        // A path that is not a directory holds no records; the record log refuses it.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(());
        }
        entries => entries.map_err(LedgerError::io(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(LedgerError::io(folder))?;
        if is_record(&entry.file_name()) && entry.metadata().map_err(LedgerError::io(folder))?.len() > 0 {
            return Err(LedgerError::damaged(
                folder,
                "there are records, whose state is gone or lies elsewhere (if elsewhere, choose another folder with --out)",
            ));
        }
    }
    Ok(())
}

fn write_mark(path: &Path) -> Result<(), LedgerError> {
    let file = path.join(IGNORE.0);
    failpoint::hit("state.marks").map_err(LedgerError::io(&file))?;
    kinds::check_one(&file, FileKind::File)?;
    fs::write(&file, IGNORE.1).map_err(LedgerError::io(&file))
}

/// Removes the mark of an earlier version. One with another text is the user's own.
fn remove_cache_tag(path: &Path) {
    let file = path.join(CACHE_TAG.0);
    let is_as_written = |found: fs::Metadata| found.is_file() && found.len() == CACHE_TAG.1.len() as u64;
    if fs::symlink_metadata(&file).is_ok_and(is_as_written)
        && fs::read_to_string(&file).is_ok_and(|text| text == CACHE_TAG.1)
        && let Err(error) = fs::remove_file(&file)
    {
        tracing::warn!(%error, "{} keeps the record log out of backups, and can't be removed", file.display());
    }
}

/// Creates the folder, and all above it; returns those that were created.
fn make_folder(path: &Path) -> Result<Vec<PathBuf>, LedgerError> {
    check_folder(path)?;
    if path.is_dir() {
        return Ok(Vec::new());
    }
    failpoint::hit("state.folder").map_err(LedgerError::io(path))?;
    durable::make_folders(path, 0o700).map_err(|error| refused(path, error))
}

/// Refuses a path that is not a directory, or lies below a file, and a folder in which something else is in place of
/// a part of the state.
pub(super) fn check_folder(path: &Path) -> Result<(), LedgerError> {
    for ancestor in path.ancestors() {
        if disk::is_there(ancestor)? {
            let is_folder = ancestor.is_dir();
            return if is_folder {
                kinds::check(path)
            } else {
                Err(LedgerError::NoFolder { path: ancestor.to_owned() })
            };
        }
    }
    Ok(())
}

pub(super) fn refused(path: &Path, error: io::Error) -> LedgerError {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            LedgerError::ReadOnly { path: path.to_path_buf() }
        }
        _ => LedgerError::io(path)(error),
    }
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, LedgerError> {
    std::path::absolute(path).map_err(LedgerError::io(path))
}

/// Returns the record folder as it is stored: relative where it lies in the state, so that both move together.
fn stored_records(path: &Path, records: &Path) -> PathBuf {
    let full = path.join(records);
    full.strip_prefix(path).map(Path::to_path_buf).unwrap_or(full)
}

/// Returns the path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), path.strip_prefix(ancestor)) {
            return real.join(rest);
        }
    }
    path.to_path_buf()
}
