//! The only room that opens a state to write: its folder, ledger and record log, so that they agree.

pub(super) mod log_check;
pub(super) mod repair;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::EngineError;
use crate::ledger::{
    AskedState, Entry, Job, JobEnd, LOG_CHECKED, Ledger, LedgerError, LedgerReader, RootInfo, StateFolder,
    StateInfo, Tick,
};
use crate::model::{
    ConfigError, FileKey, LogPosition, Order, PriorityRule, RecordCursor, RootId, RootTable, Shard, Timestamp,
};
use crate::sink::RecordLog;

/// The default record folder, in the state folder.
pub(crate) const RECORDS: &str = "records";
/// Prefixes of the names of the state's own parts.
const OWN_PARTS: [&str; 12] = [
    "db",
    "witness",
    "lock",
    "state.",
    "summary.",
    "ctl.sock",
    "repairing",
    "in-hand",
    LOG_CHECKED,
    ".gitignore",
    "CACHEDIR.TAG",
    ".",
];

/// An open state: the one writer of all that is durable. Holds the state's lock.
pub struct Store {
    pub(crate) state: StateFolder,
    pub(crate) ledger: Ledger,
    pub(crate) reader: LedgerReader,
    pub(crate) log: RecordLog,
    /// What the system reported of the log's files before they were opened.
    pub(crate) log_files: Option<String>,
    /// When they were compared with their checksums.
    pub(crate) log_compared: Option<Timestamp>,
}

/// A state for reading, during a run and after. A view of a [`Store`] keeps the state locked while it exists, even
/// after the store was dropped: drop it before waiting for other threads or processes.
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
    /// Distinguishes the state's cursors from those of others; `None` where it does not have one yet.
    pub id: Option<String>,
    /// Where each root led when last probed.
    pub(crate) targets: BTreeMap<RootId, PathBuf>,
    /// The current job, as it began, where that may not be committed yet.
    pub(crate) begun: Option<Job>,
}

impl Store {
    /// Opens the state in `folder`, or makes one. `records` is the record folder, relative to the state folder
    /// where it isn't absolute; none is the one that the state has, and `records` for a new one.
    ///
    /// # Errors
    /// The state is in use, damaged, of another format or record folder, or can't be written; or the
    /// record folder of a new state holds records already.
    pub fn create(folder: &Path, records: Option<&Path>) -> Result<Self, EngineError> {
        let there = match records {
            Some(_) => None,
            None => match StateFolder::open(folder) {
                Err(LedgerError::NoState { .. }) => None,
                opened => Some(opened?),
            },
        };
        let mut state = match there {
            Some(state) => {
                check_apart(folder, &state.records())?;
                state
            }
            None => {
                let records = records.unwrap_or(Path::new(RECORDS));
                check_apart(folder, records)?;
                StateFolder::create(folder, records)?
            }
        };
        state.ensure_id()?;
        Self::open(state).map_err(|failed| {
            let (state, error) = *failed;
            state.discard_if_made();
            error
        })
    }

    /// Opens the state in `folder`; never creates one.
    ///
    /// # Errors
    /// There is none; or it is in use, damaged, of another format, or can't be written.
    pub(crate) fn existing(folder: &Path) -> Result<Self, EngineError> {
        let mut state = StateFolder::open(folder)?;
        state.ensure_id()?;
        let mut store = Self::open(state).map_err(|failed| failed.1)?;
        store.ledger.settle()?;
        Ok(store)
    }

    /// Closes the ledger and the log, also for readers; the lock is kept.
    pub(crate) fn close(self) -> StateFolder {
        self.ledger.close();
        self.state
    }

    /// Closes the state of a start that failed, and removes it if that start created it.
    pub(crate) fn discard(self) {
        let is_new = !self.ledger.may_have_committed();
        let state = self.close();
        if is_new {
            state.discard_if_made();
        }
    }

    /// Reopens the ledger and the log of a state. The ledger may still be checked in the background; nothing is
    /// written until it is. On failure, the state is given back, locked.
    pub(crate) fn open(state: StateFolder) -> Result<Self, Box<(StateFolder, EngineError)>> {
        let opened = || -> Result<_, EngineError> {
            state.held().check()?;
            let mut ledger = Ledger::open_to_read(&state)?;
            let now = Timestamp::from_system_time(SystemTime::now());
            let files = log_check::files_of(&state, &ledger);
            let compared = files.as_ref().and_then(|files| log_check::compared_at(&state, files, now));
            let first = ledger.log_start().segment;
            let records = state.records();
            // Where nothing is left to wait for, the log need not be checked.
            if ledger.is_checked() || !RecordLog::is_as_committed(&records, first, ledger.cursor().log)? {
                ledger.settle()?;
            }
            let log = RecordLog::open_from(&records, first, ledger.cursor())?;
            Ok((ledger, log, files, compared))
        };
        match opened() {
            Ok((ledger, log, log_files, log_compared)) => {
                Ok(Self { reader: ledger.reader(), state, ledger, log, log_files, log_compared })
            }
            Err(error) => Err(Box::new((state, error))),
        }
    }

    /// Changes the state's description durably, if that is a change.
    ///
    /// # Errors
    /// The ledger is damaged, or the state can't be written.
    pub(crate) fn describe(&mut self, change: impl FnOnce(&mut StateInfo)) -> Result<(), EngineError> {
        let Self { state, ledger, .. } = self;
        Ok(state.update_behind(change, || ledger.settle())?)
    }

    /// Makes the state that of a shard, if it is new.
    ///
    /// # Errors
    /// It is another shard's, or all files'; or it can't be written.
    pub(crate) fn take_shard(&mut self, shard: Option<Shard>) -> Result<(), EngineError> {
        self.state.info().check_shard(self.path(), shard)?;
        self.describe(|info| info.shard = shard).map_err(EngineError::or_unavailable)
    }

    /// Leaves a note for the next run if the log was compared and is unchanged.
    pub(crate) fn note_compared_log(&self) {
        let files = log_check::files_of(&self.state, &self.ledger);
        if let (Some(at), Some(files), Ok(())) = (self.log_compared, files, self.state.held().check())
            && self.log_files.as_ref() == Some(&files)
        {
            log_check::note(&self.state, &files, at);
        }
    }

    /// Begins a tick in the log, if the state is still this process's own.
    pub(crate) fn begin_tick(&mut self) -> Result<LogPosition, EngineError> {
        self.state.held().check()?;
        // The log is written before the ledger.
        self.ledger.settle()?;
        Ok(self.log.begin_tick()?)
    }

    /// Commits a tick that writes no record.
    pub(crate) fn commit_without_lines(
        &mut self,
        changes: &[(FileKey, Option<Entry>)],
        job: Option<&Job>,
    ) -> Result<(), EngineError> {
        self.begin_tick()?;
        let appended = self.log.sync()?;
        self.ledger.commit(Tick { changes, log: appended.end, log_crc: appended.crc, job })?;
        Ok(())
    }

    /// Sorts what is pending for a job that begins now. A state with rules has a format that says so, before it gets
    /// them and until they have gone: what does not know them would sort by none.
    pub(crate) fn sort_pending(
        &mut self,
        order: Order,
        rules: &[PriorityRule],
        now: Timestamp,
    ) -> Result<(), EngineError> {
        if !rules.is_empty() {
            self.describe(|info| info.has_priorities = true)?;
        }
        self.ledger.set_order(order, rules, now)?;
        self.describe(|info| info.has_priorities = !rules.is_empty())
    }

    /// Returns a view for reading. It keeps the lock as the store does.
    pub fn view(&self) -> StoreView {
        StoreView::of(&self.state, &self.ledger)
    }

    /// Returns the state folder's path.
    pub fn path(&self) -> &Path {
        self.state.path()
    }
}

/// Checks that the record folder is none of the state's own parts.
fn check_apart(folder: &Path, records: &Path) -> Result<(), ConfigError> {
    let records = real(&folder.join(records));
    let folder = real(folder);
    let Ok(inside) = records.strip_prefix(&folder) else { return Ok(()) };
    let first = inside.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned());
    let is_part = |first: &String| OWN_PARTS.iter().any(|part| first.starts_with(part));
    match first.filter(|first| !is_part(first)) {
        Some(_) => Ok(()),
        None => Err(ConfigError {
            name: "out",
            value: records.display().to_string(),
            limits: "a folder of its own, not a part of the state",
        }),
    }
}

/// Returns the path without links, as far as it exists.
pub(crate) fn real(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

impl StoreView {
    /// Opens the state in `folder` for reading. Nothing in it changes, and it is not locked afterwards. What a crash
    /// left in the record log stays: only a run cuts it off.
    ///
    /// # Errors
    /// There is no state; or it is in use, damaged, or of another format.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, EngineError> {
        let asked = AskedState::open(folder.as_ref())?;
        Ok(Self::with(asked.reader(), asked.path(), asked.records(), asked.info()))
    }

    pub(crate) fn of(state: &StateFolder, ledger: &Ledger) -> Self {
        Self::with(ledger.committed_reader(), state.path(), state.records(), state.info())
    }

    fn with(reader: LedgerReader, state: &Path, records: PathBuf, info: &StateInfo) -> Self {
        let roots = RootTable::new(info.roots.iter().map(RootInfo::root).collect());
        let id = Some(info.id.clone()).filter(|id| !id.is_empty());
        let targets = info.roots.iter().map(|info| (RootId(info.id), info.target().to_owned())).collect();
        Self { reader, state: state.to_owned(), records, roots, id, targets, begun: None }
    }

    /// Returns the view with a current job whose begin is not committed yet.
    pub(crate) fn during(self, begun: Option<Job>) -> Self {
        Self { begun, ..self }
    }

    /// Returns the remembered jobs, oldest first.
    pub(crate) fn known_jobs(&self) -> Result<Vec<Job>, LedgerError> {
        let mut jobs = self.reader.jobs()?;
        if let Some(begun) = self.begun.as_ref().filter(|begun| !jobs.iter().any(|job| job.id == begun.id)) {
            interrupt_stale(&mut jobs);
            jobs.push(begun.clone());
        }
        Ok(jobs)
    }

    /// Returns a position in its record log, as a consumer keeps it.
    pub fn cursor_at(&self, position: LogPosition) -> RecordCursor {
        RecordCursor { position, state: self.id.clone() }
    }

    /// Returns the folders that hold the state: no scan enters them.
    pub fn own_folders(&self) -> Vec<PathBuf> {
        vec![self.state.clone(), self.records.clone()]
    }
}

/// Marks jobs of a killed process as interrupted, and returns these.
pub(crate) fn interrupt_stale(jobs: &mut [Job]) -> Vec<Job> {
    let stale = jobs.iter_mut().filter(|job| job.end == JobEnd::Running);
    let interrupted = stale.map(|job| {
        job.end = JobEnd::Interrupted;
        job.clone()
    });
    interrupted.collect()
}
