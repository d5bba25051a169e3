//! Settings that are read again while the process runs: when SIGHUP comes, when a command asks for it, and when
//! a file that they come from changes, appears or goes.
//!
//! All problems are reported, and nothing is applied: never a part of a new configuration.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use signal_hook::consts::SIGHUP;

use super::control_handle::NotReloaded;
use super::settings::{AppliesWhen, Changed, Layers, Origin, Settings, SettingsError, Value};
use super::systemd;
use super::ticker::Ticker;
use crate::engine::{Command, Engine, EngineError};
use crate::model::BatchConfig;

/// How soon a signal is noticed.
const LOOK_UP: Duration = Duration::from_millis(250);
/// The files are checked each time that so many of these have passed.
const LOOK_AT_FILES: u32 = 4;

/// Where a change goes that takes effect with the next job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextJob {
    /// The process runs a single job: the change is for another process.
    Elsewhere,
    /// The process runs more jobs: the change goes to the engine.
    Here,
}

/// Applies changes outside the engine, such as to the log.
type Apply = dyn Fn(&Settings) + Send + Sync;
/// Opens a log file again.
type Reopen = dyn Fn() + Send + Sync;
/// Replaces the token, and returns whether it differs.
type ChangeToken = dyn Fn(&str) -> bool + Send + Sync;

/// The settings of a process, and how they are reloaded.
pub struct Reload {
    layers: Layers,
    engine: Arc<Engine>,
    next_job: NextJob,
    present: Mutex<Present>,
    reopen: Option<Box<Reopen>>,
    appliers: Vec<Box<Apply>>,
    /// Set if clients must present a token.
    change_token: OnceLock<Box<ChangeToken>>,
    /// The files as of the last reading of the settings.
    marks: Marks,
}

struct Present {
    settings: Settings,
    /// The configuration last passed to the engine, with what a single run gets from its command line only.
    asked: BatchConfig,
}

/// The reload thread can't be started, or no handler for SIGHUP can be installed.
#[derive(Debug, thiserror::Error)]
#[error("the configuration can't be read again when it changes: {0}")]
pub struct ReloadError(#[from] std::io::Error);

impl Reload {
    /// Creates the reloader for settings just read from these layers, and the configuration passed to the engine.
    pub fn new(
        layers: Layers,
        settings: Settings,
        asked: BatchConfig,
        engine: Arc<Engine>,
        next_job: NextJob,
    ) -> Self {
        let marks = Marks::of(&layers.places());
        let present = Mutex::new(Present { settings, asked });
        let change_token = OnceLock::new();
        Self { layers, engine, next_job, present, reopen: None, appliers: Vec::new(), change_token, marks }
    }

    /// Makes reloads read the token from its file as well, and pass it to `change`.
    pub fn changing_token(&self, change: impl Fn(&str) -> bool + Send + Sync + 'static) {
        let _ = self.change_token.set(Box::new(change));
    }

    /// Sets a function that opens a log file again. Each reload begins with it, whether or not the settings are valid.
    #[must_use]
    pub fn reopening(mut self, reopen: impl Fn() + Send + Sync + 'static) -> Self {
        self.reopen = Some(Box::new(reopen));
        self
    }

    /// Adds a function that applies changes. It is called with each valid new configuration, and ignores values that
    /// have not changed.
    #[must_use]
    pub fn applying(mut self, apply: impl Fn(&Settings) + Send + Sync + 'static) -> Self {
        self.appliers.push(Box::new(apply));
        self
    }

    /// Reloads the settings and applies what can be. Returns one line: what changed, and what only takes effect
    /// later.
    ///
    /// # Errors
    /// All problems, a line each. Nothing is applied.
    pub fn read_again(&self) -> Result<String, NotReloaded> {
        if let Some(reopen) = &self.reopen {
            reopen();
        }
        let _told = systemd::reloading();
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self.layers.load()?;
        let changes = present.settings.changes_to(&next);
        let taken = present.settings.taking(&next, |takes| self.is_taken(takes));
        let token = self.token(&taken)?;
        let put_back = self.configure(&mut present, &taken)?;
        self.appliers.iter().for_each(|apply| apply(&taken));
        let news = taken.warnings().iter().filter(|one| !present.settings.warnings().contains(one));
        news.for_each(|warning| tracing::warn!("{warning}"));
        present.settings = taken;
        drop(present);
        let mut answer = self.reported(&changes, put_back);
        if let (Some(token), Some(change)) = (token, self.change_token.get()) {
            let is = if change(&token) { "another one" } else { "the same" };
            answer += &format!("; the token was read again and is {is}");
        }
        Ok(answer)
    }

    /// Returns the current token of its file. What is not a regular file, such as a pipe, was read once at the start.
    fn token(&self, settings: &Settings) -> Result<Option<String>, SettingsError> {
        let is_no_file = |path: &Path| fs::metadata(path).is_ok_and(|found| !found.is_file());
        let is_fixed = self.change_token.get().is_none()
            || settings.fields().token_file.as_ref().is_some_and(|file| is_no_file(&file.value));
        if is_fixed { Ok(None) } else { settings.token() }
    }

    fn is_taken(&self, takes: AppliesWhen) -> bool {
        match takes {
            AppliesWhen::AtOnce => true,
            AppliesWhen::NextJob => self.next_job == NextJob::Here,
            AppliesWhen::Restart => false,
        }
    }

    /// Passes a configuration to the engine if it differs. The number of workers may have been changed by a command
    /// meanwhile: returns what is reset.
    fn configure(&self, present: &mut Present, taken: &Settings) -> Result<Option<Changed>, EngineError> {
        let BatchConfig { reprocess, change_processor, .. } = present.asked;
        let wanted = BatchConfig { reprocess, change_processor, ..taken.fields().batch.clone() };
        // Between two attempts the engine shows none; it goes on with the one last passed to it.
        let running = self.engine.config().map_or_else(|| present.asked.clone(), |config| (*config).clone());
        if wanted == running && wanted == present.asked {
            return Ok(None);
        }
        let order = Command::Configure { config: Box::new(wanted.clone()) };
        self.engine.order(order)?;
        let from = running.worker_count;
        let to = wanted.worker_count;
        present.asked = wanted;
        Ok((from != to).then(|| Changed {
            key: "workers",
            takes: AppliesWhen::AtOnce,
            from: Value::Count(from as u64),
            to: Value::Count(to as u64),
            origin: taken.fields().workers.as_ref().map_or(Origin::Default, |set| set.origin.clone()),
        }))
    }

    fn reported(&self, changes: &[Changed], put_back: Option<Changed>) -> String {
        let later = |takes| match (takes, self.next_job) {
            (AppliesWhen::AtOnce, _) => "",
            (AppliesWhen::NextJob, NextJob::Here) => ": holds with the next job",
            (AppliesWhen::NextJob, NextJob::Elsewhere) => ": holds from the next run on",
            (AppliesWhen::Restart, _) => ": needs a restart",
        };
        let line = |changed: &Changed| format!("{changed}{}", later(changed.takes));
        let mut parts: Vec<String> = changes.iter().map(line).collect();
        let is_told = |back: &Changed| changes.iter().any(|one| one.key == back.key);
        parts.extend(put_back.filter(|back| !is_told(back)).map(|back| back.to_string()));
        if parts.is_empty() { "the configuration is as it was".to_owned() } else { parts.join("; ") }
    }
}

/// The thread `reload`: reloads the settings on SIGHUP, which no longer ends the process, and when a file changes,
/// until dropped.
#[derive(Debug)]
pub struct Reloading {
    _thread: Ticker,
}

impl Reloading {
    /// Starts to listen and to poll.
    ///
    /// # Errors
    /// The system refuses the thread or the handler.
    pub fn start(reload: Arc<Reload>) -> Result<Self, ReloadError> {
        let hung_up = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGHUP, Arc::clone(&hung_up))?;
        let mut watched = Watched { read: reload.marks.clone(), moving: None };
        let mut round = 0_u32;
        let thread = Ticker::start("reload", LOOK_UP, move || {
            round = round.wrapping_add(1);
            let changed = round.is_multiple_of(LOOK_AT_FILES)
                && watched.has_changed(Marks::of(&reload.layers.places()));
            if hung_up.swap(false, Ordering::Relaxed) || changed {
                log_outcome(reload.read_again());
            }
            LOOK_UP
        })?;
        Ok(Self { _thread: thread })
    }
}

fn log_outcome(outcome: Result<String, NotReloaded>) {
    match outcome {
        Ok(what) => tracing::info!("the configuration was read again: {what}"),
        Err(wrong) => {
            wrong
                .to_string()
                .lines()
                .for_each(|line| tracing::error!("the configuration is not taken over: {line}"));
        }
    }
}

/// The version of each file; `None` if the file does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marks(BTreeMap<PathBuf, Option<[i64; 5]>>);

impl Marks {
    fn of(places: &[PathBuf]) -> Self {
        let mark = |path: &Path| {
            let found = fs::metadata(path).ok()?;
            let inode = found.ino().cast_signed();
            let size = found.size().cast_signed();
            Some([found.dev().cast_signed(), inode, size, found.mtime(), found.mtime_nsec()])
        };
        Self(places.iter().map(|path| (path.clone(), mark(path))).collect())
    }
}

/// The polled files.
struct Watched {
    read: Marks,
    /// Their versions at the last check, if they differ from those that were read.
    moving: Option<Marks>,
}

impl Watched {
    /// Returns whether the files differ from those that were read, and are unchanged since the last check: a file is
    /// not read while it is being written.
    fn has_changed(&mut self, now: Marks) -> bool {
        if now == self.read {
            self.moving = None;
            return false;
        }
        if self.moving.as_ref() != Some(&now) {
            self.moving = Some(now);
            return false;
        }
        self.moving = None;
        self.read = now;
        true
    }
}

#[cfg(test)]
mod tests;
