//! Settings that are read again while the process runs: when SIGHUP comes, when somebody asks for it, and when
//! a file that they come from changes, appears or goes.
//!
//! What is wrong is told in full, and everything stays as it was: never a part of a new configuration.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use signal_hook::consts::SIGHUP;

use super::settings::{Changed, Layers, Setting, Settings, SettingsError, Takes};
use super::supervisor;
use super::ticker::Ticking;
use crate::engine::{Engine, Order};
use crate::model::BatchConfig;
use crate::service::settings::values::Value;

/// How soon a signal is heard.
const LOOK_UP: Duration = Duration::from_millis(250);
/// The files are looked at each time that so many of these have passed.
const LOOK_AT_FILES: u32 = 4;
const STAYS: &str = "the configuration stays as it was";

/// What becomes of a change that holds from the next job on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextJob {
    /// The process does a single job: the change is for another process.
    Elsewhere,
    /// The process does more jobs: the engine is told.
    Here,
}

/// What takes changes over besides the engine, such as the log.
type Apply = dyn Fn(&Settings) + Send + Sync;
/// What takes a token over, and tells whether it is another one.
type ChangeToken = dyn Fn(&str) -> bool + Send + Sync;

/// The settings of a process, and how they are read again.
pub struct Reload {
    layers: Layers,
    engine: Arc<Engine>,
    next_job: NextJob,
    /// What a single run has from its command line alone.
    reprocess: bool,
    change_processor: bool,
    present: Mutex<Present>,
    appliers: Vec<Box<Apply>>,
    /// Where clients have to show one.
    change_token: OnceLock<Box<ChangeToken>>,
    /// The files as they were when the settings were read.
    marks: Marks,
}

struct Present {
    settings: Settings,
    /// What the engine was given last.
    asked: BatchConfig,
}

/// The reload thread can't be started, or SIGHUP can't be heard.
#[derive(Debug, thiserror::Error)]
#[error("the configuration can't be read again when it changes: {0}")]
pub struct ReloadError(#[from] std::io::Error);

impl Reload {
    /// For settings that were just read from these layers, and the configuration that the engine was given by them.
    pub fn new(
        layers: Layers,
        settings: Settings,
        asked: BatchConfig,
        engine: Arc<Engine>,
        next_job: NextJob,
    ) -> Self {
        let marks = Marks::of(&layers.places());
        let BatchConfig { reprocess, change_processor, .. } = asked;
        let present = Mutex::new(Present { settings, asked });
        let (appliers, change_token) = (Vec::new(), OnceLock::new());
        Self { layers, engine, next_job, reprocess, change_processor, present, appliers, change_token, marks }
    }

    /// From now on the token is read from its file again, too, and goes here.
    pub fn changing_token(&self, change: impl Fn(&str) -> bool + Send + Sync + 'static) {
        let _ = self.change_token.set(Box::new(change));
    }

    /// The same, with something that takes changes over as well. It is called with each new configuration that
    /// is sound, and does nothing for what is as it was.
    #[must_use]
    pub fn applying(mut self, apply: impl Fn(&Settings) + Send + Sync + 'static) -> Self {
        self.appliers.push(Box::new(apply));
        self
    }

    /// Reads the settings again and takes over what can be. Tells on one line what changed, and what holds only
    /// later.
    ///
    /// # Errors
    /// Everything that is wrong, a line each. Nothing is taken over.
    pub fn read_again(&self) -> Result<String, String> {
        let _told = supervisor::reloading();
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self.layers.load().map_err(|wrong| format!("{wrong}\n{STAYS}"))?;
        let changes = present.settings.changes_to(&next);
        let taken = present.settings.taking(&next, |setting| self.is_taken(setting.takes));
        let token = self.token(&taken).map_err(|wrong| format!("{wrong}\n{STAYS}"))?;
        let put_back = self.configure(&mut present, &taken).map_err(|wrong| format!("{wrong}\n{STAYS}"))?;
        self.appliers.iter().for_each(|apply| apply(&taken));
        let news = taken.passed_over().iter().filter(|one| !present.settings.passed_over().contains(one));
        news.for_each(|file| tracing::warn!("{file}"));
        present.settings = taken;
        drop(present);
        let mut told = self.told(&changes, put_back);
        if let (Some(token), Some(change)) = (token, self.change_token.get()) {
            let is = if change(&token) { "another one" } else { "the same" };
            told += &format!("; the token was read again and is {is}");
        }
        Ok(told)
    }

    /// The token that its file holds by now. What is no file, such as a pipe, was read at the start, once.
    fn token(&self, settings: &Settings) -> Result<Option<String>, SettingsError> {
        let path = settings.get("token-file").map(|one| &one.value);
        let is_no_file = |path: &Path| fs::metadata(path).is_ok_and(|found| !found.is_file());
        match path {
            Some(Value::Path(path)) if is_no_file(path) => Ok(None),
            Some(Value::Path(_)) if self.change_token.get().is_some() => settings.token(),
            _ => Ok(None),
        }
    }

    fn is_taken(&self, takes: Takes) -> bool {
        match takes {
            Takes::AtOnce => true,
            Takes::NextJob => self.next_job == NextJob::Here,
            Takes::Restart => false,
        }
    }

    /// Has the engine go on with another configuration, where it is another one. Somebody may have asked for another
    /// number of workers meanwhile: tells what is put back.
    fn configure(&self, present: &mut Present, taken: &Settings) -> Result<Option<Changed>, String> {
        let Self { reprocess, change_processor, .. } = *self;
        let wanted = BatchConfig { reprocess, change_processor, ..taken.batch() };
        // Between two attempts none is shown; what was asked for last is what it goes on with.
        let running = self.engine.config().map_or_else(|| present.asked.clone(), |config| (*config).clone());
        if wanted == running && wanted == present.asked {
            return Ok(None);
        }
        let order = Order::Configure { config: Box::new(wanted.clone()) };
        self.engine.order(order).map_err(|error| error.to_string())?;
        let workers = taken.get("workers").filter(|_| wanted.worker_count != running.worker_count);
        present.asked = wanted;
        Ok(workers.map(|one| Changed {
            key: &one.setting.key,
            from: Value::Count(running.worker_count as u64),
            to: one.value.clone(),
            origin: one.origin.clone(),
        }))
    }

    fn told(&self, changes: &[(&'static Setting, Changed)], put_back: Option<Changed>) -> String {
        let later = |takes| match (takes, self.next_job) {
            (Takes::AtOnce, _) => "",
            (Takes::NextJob, NextJob::Here) => ": holds with the next job",
            (Takes::NextJob, NextJob::Elsewhere) => ": holds from the next run on",
            (Takes::Restart, _) => ": needs a restart",
        };
        let line = |(setting, changed): &(&Setting, Changed)| format!("{changed}{}", later(setting.takes));
        let mut parts: Vec<String> = changes.iter().map(line).collect();
        let is_told = |back: &Changed| changes.iter().any(|(_, one)| one.key == back.key);
        parts.extend(put_back.filter(|back| !is_told(back)).map(|back| back.to_string()));
        if parts.is_empty() { "the configuration is as it was".to_owned() } else { parts.join("; ") }
    }
}

/// Reads the settings again on SIGHUP, which does not end the process any more, and when a file changes, on a
/// thread named `reload`, until dropped.
#[derive(Debug)]
pub struct Reloading {
    _thread: Ticking,
}

impl Reloading {
    /// Starts to listen and to look.
    ///
    /// # Errors
    /// Where the system refuses the thread or the handler.
    pub fn start(reload: Arc<Reload>) -> Result<Self, ReloadError> {
        let hung_up = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGHUP, Arc::clone(&hung_up))?;
        let mut watched = Watched { read: reload.marks.clone(), moving: None };
        let mut round = 0_u32;
        let thread = Ticking::start("reload", LOOK_UP, move || {
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

fn log_outcome(outcome: Result<String, String>) {
    match outcome {
        Ok(what) => tracing::info!("the configuration was read again: {what}"),
        Err(wrong) => {
            wrong.lines().for_each(|line| tracing::error!("the configuration is not taken over: {line}"));
        }
    }
}

/// What tells one version of each file from another; nothing where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marks(BTreeMap<PathBuf, Option<[i64; 5]>>);

impl Marks {
    fn of(places: &[PathBuf]) -> Self {
        let mark = |path: &Path| {
            let found = fs::metadata(path).ok()?;
            let (inode, size) = (found.ino().cast_signed(), found.size().cast_signed());
            Some([found.dev().cast_signed(), inode, size, found.mtime(), found.mtime_nsec()])
        };
        Self(places.iter().map(|path| (path.clone(), mark(path))).collect())
    }
}

/// Files that are looked at again and again.
struct Watched {
    read: Marks,
    /// As they were at the last look, where that is not as they were read.
    moving: Option<Marks>,
}

impl Watched {
    /// Whether they are others than those that were read, and stood still since the last look: one that is being
    /// written is not read.
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
