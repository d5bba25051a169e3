//! State folder, ledger and record log as one; the only room that opens them to write.
//!
//! The durable state as a whole: state folder, ledger and record log, opened so that they agree.

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
use crate::model::{ConfigError, FileKey, LogPosition, RecordCursor, RootId, RootTable, Timestamp};
use crate::sink::RecordLog;

/// The record folder of a state, in the state folder, where none is named.
pub(crate) const RECORDS: &str = "records";
/// How the names of the state's own parts begin.
const OWN_PARTS: [&str; 11] = [
    "db",
    "witness",
    "lock",
    "state.",
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
    /// What the system told of the log's files before they were opened.
    pub(crate) log_files: Option<String>,
    /// When they were compared with their checksums.
    pub(crate) log_compared: Option<Timestamp>,
}

/// A state for reading, while a run writes it or after. A [`Store`]'s keeps the state locked as long as one is around,
/// even after the store was dropped: let it go before waiting for anybody.
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
    /// Tells the state's cursors from those of others; none where it has not got one yet.
    pub id: Option<String>,
    /// Where each of them led when it was looked at last.
    pub(crate) targets: BTreeMap<RootId, PathBuf>,
    /// The job that goes on, as it began, where that may not be written down yet.
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

    /// Opens the state in `folder`; where there is none, none is made.
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

    /// Closes the ledger and the log, also where others read them; the lock is kept.
    pub(crate) fn close(self) -> StateFolder {
        self.ledger.close();
        self.state
    }

    /// Closes the state of a start that failed, and removes it where it was made for that.
    pub(crate) fn discard(self) {
        let is_new = !self.ledger.may_have_committed();
        let state = self.close();
        if is_new {
            state.discard_if_made();
        }
    }

    /// Opens the ledger and the log of a state again. The ledger may still be checked beside what follows; nothing is
    /// written until it is. Where that fails, the state is given back, locked.
    pub(crate) fn open(state: StateFolder) -> Result<Self, Box<(StateFolder, EngineError)>> {
        let opened = || -> Result<_, EngineError> {
            state.held().check()?;
            let mut ledger = Ledger::open_to_read(&state)?;
            let now = Timestamp::from_system_time(SystemTime::now());
            let files = log_check::files_of(&state, &ledger);
            let compared = files.as_ref().and_then(|files| log_check::compared_at(&state, files, now));
            let first = ledger.log_start().segment;
            let records = state.records();
            // Where nothing is left to wait for, the log need not be looked at.
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

    /// Changes what the state says of itself, where that is a change, durably.
    ///
    /// # Errors
    /// The ledger is damaged, or the state can't be written.
    pub(crate) fn describe(&mut self, change: impl FnOnce(&mut StateInfo)) -> Result<(), EngineError> {
        let Self { state, ledger, .. } = self;
        Ok(state.update_behind(change, || ledger.settle())?)
    }

    /// Leaves a note for the next run where the log was compared, and is as it was before.
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

    /// A view for reading. It keeps the lock as the store does.
    pub fn view(&self) -> StoreView {
        StoreView::of(&self.state, &self.ledger)
    }

    /// The state folder's path.
    pub fn path(&self) -> &Path {
        self.state.path()
    }
}

/// The record folder must be none of the state's own parts.
fn check_apart(folder: &Path, records: &Path) -> Result<(), ConfigError> {
    let (folder, records) = (real(folder), real(&folder.join(records)));
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

/// The path without links, as far as it exists.
pub(crate) fn real(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

impl StoreView {
    /// Opens the state in `folder` for reading. Nothing in it changes, and it is not locked after that. What a crash
    /// has left in the record log stays: only a run cuts it off.
    ///
    /// # Errors
    /// There is no state; or it is in use, damaged, or of another format.
    pub fn open(folder: &Path) -> Result<Self, EngineError> {
        let asked = AskedState::open(folder)?;
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

    /// The same while a job goes on of which it is not written down yet that it has begun.
    pub(crate) fn during(self, begun: Option<Job>) -> Self {
        Self { begun, ..self }
    }

    /// The jobs that are remembered, oldest first.
    pub(crate) fn known_jobs(&self) -> Result<Vec<Job>, LedgerError> {
        let mut jobs = self.reader.jobs()?;
        if let Some(begun) = self.begun.as_ref().filter(|begun| !jobs.iter().any(|job| job.id == begun.id)) {
            interrupt_stale(&mut jobs);
            jobs.push(begun.clone());
        }
        Ok(jobs)
    }

    /// A place in its record log, as a consumer keeps it.
    pub fn cursor_at(&self, position: LogPosition) -> RecordCursor {
        RecordCursor { position, state: self.id.clone() }
    }

    /// The folders that hold the state: no scan enters them.
    pub fn own_folders(&self) -> Vec<PathBuf> {
        vec![self.state.clone(), self.records.clone()]
    }
}

/// Makes jobs of a process that was killed interrupted ones, and returns these.
pub(crate) fn interrupt_stale(jobs: &mut [Job]) -> Vec<Job> {
    let stale = jobs.iter_mut().filter(|job| job.end == JobEnd::Running);
    let interrupted = stale.map(|job| {
        job.end = JobEnd::Interrupted;
        job.clone()
    });
    interrupted.collect()
}
