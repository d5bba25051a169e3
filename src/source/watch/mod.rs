//! Reports changes below the roots, from `inotify`.
//!
//! Constraints:
//! - A walk arms each folder before it lists it, one watch a folder: what happens in between is listed or reported,
//!   and a folder that no walk reaches needs no watch. A new folder is reported as a folder, since entries put into
//!   it before it was armed cause no event.
//! - Watch events say where to check, never what is there. So an event that arrives twice, late, or under the old
//!   path of a renamed folder does no harm.
//! - The watcher's thread must keep up with the kernel's queue, and reading a tree causes an event per file: its
//!   callback takes one lock, does no I/O, and first drops what is not reported.
//! - Pending changes are bounded: names collapse into their folder, folders into their root.
//! - Which folders are armed is tracked here as the watcher has it: a folder that an event removes is armed again
//!   by the walk that the event leads to. Its old watch, and those below it, are removed first: the same folder may
//!   be armed under its new path already, with the same watch.
//! - After lost events nothing is known of the watches, so another watcher is made, and every root is reported as
//!   changed.

mod backend;
mod device;
mod events;
mod folders;
mod news;
mod pending;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Filters;
use crate::model::{FolderKey, Root, RootId};
use crate::source::read::open::{is_folder, stat_at};
use backend::{MakeWatcher, Refusal, Watcher};
use events::{Handler, State};
use folders::{Reason, Served, Standing};
use pending::Pending;
use rules::Rules;

pub use news::{TouchedFolder, TouchedName, WatchEvents, WatchStatus};

/// Maximum number of pending names; beyond that they collapse into their folders.
const NAMES_MAX: usize = 65_536;
/// Maximum number of pending folders; beyond that they collapse into their root.
const FOLDERS_MAX: usize = 16_384;
/// Delay before retrying to create a watcher.
const RENEW_AFTER: Duration = Duration::from_secs(1);

/// How to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchSettings {
    /// Use no events at all: every root is polled.
    pub poll: bool,
    /// How long a file must be quiet before it is reported, if its writer doesn't close it.
    pub settle: Duration,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self { poll: false, settle: Duration::from_millis(500) }
    }
}

/// Watches the folders that walks visit. See the [module](self).
pub struct Watch {
    shared: Arc<Shared>,
    settings: WatchSettings,
    /// Locked while the watcher is called, which waits for its thread: never lock it within `Shared::state`.
    watcher: Mutex<Option<Watcher>>,
    make: Box<MakeWatcher>,
    /// The kinds of the file systems without events, by device.
    silent: Mutex<HashMap<u64, Option<&'static str>>>,
}

/// State visible to the watcher's thread.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    ignored: AtomicU64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Wakes the consumer if something is due before it would wake by itself.
    fn wake_for(&self, state: &mut State, now: Instant) {
        let due = [state.pending.next_due(now), state.renew_at].into_iter().flatten().min();
        if due.is_some_and(|due| state.asleep_until.is_some_and(|until| due < until)) {
            state.asleep_until = None;
            self.changed.notify_all();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Its thread may have ended before.
        backend::end(&mut lock(&self.watcher));
    }
}

impl Watch {
    /// Starts watching, or only records what is to be polled: everything, as long as no `inotify` instance is
    /// available.
    pub fn new(settings: WatchSettings) -> Self {
        Self::with(settings, Box::new(backend::inotify))
    }

    fn with(settings: WatchSettings, make: Box<MakeWatcher>) -> Self {
        let state = State {
            generation: 0,
            rules: Arc::default(),
            roots: Vec::new(),
            pending: Pending::new(settings.settle, NAMES_MAX, FOLDERS_MAX),
            stale: Vec::new(),
            renew_at: (!settings.poll).then(Instant::now),
            asleep_until: None,
            woken: false,
            tells_hidden: false,
            events: 0,
            overflows: 0,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            ignored: AtomicU64::new(0),
        });
        let watch = Self { shared, settings, watcher: Mutex::default(), make, silent: Mutex::default() };
        watch.mend(&mut lock(&watch.watcher));
        watch
    }

    /// Sets what is not reported: what the filters exclude, and the folders of state and records.
    pub(super) fn set_rules(&self, filters: Filters, state: &[PathBuf]) {
        let state = state.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let mut shared = self.shared.lock();
        shared.rules = Arc::new(Rules { filters, state });
        shared.tells_hidden = false;
    }

    /// Notes that this folder has known files that the filters exclude: it is watched with those above it, and from
    /// now on the removal of files whose names the filters refuse is reported.
    pub(super) fn watch_hidden(&self, root: &Root, folder: &FolderKey) {
        self.shared.lock().tells_hidden = true;
        for folder in std::iter::once(folder.clone()).chain(folder.above()) {
            let is_known =
                |state: &mut State| state.served(root.id).is_some_and(|it| it.get(&folder).is_some());
            if !is_known(&mut self.shared.lock()) {
                self.arm(root, &folder);
            }
        }
    }

    /// Adds a root to watch. Its folders are armed by walks. If it is watched already, nothing changes.
    pub fn add_root(&self, root: &Root) {
        let known = self.shared.lock().served(root.id).map(|served| served.path == root.path);
        match known {
            Some(true) => return,
            Some(false) => self.remove_root(root.id),
            None => {}
        }
        let mut served = Served::new(root);
        if self.settings.poll {
            served.set(FolderKey::root(root.id), Standing::Unwatched(Reason::Asked));
        }
        // Another device may have reused the number of one that is gone.
        lock(&self.silent).clear();
        self.shared.lock().roots.push(served);
    }

    /// Removes a root: its pending changes are dropped.
    pub fn remove_root(&self, root: RootId) {
        let mut state = self.shared.lock();
        let mut armed = state.served(root).map(|served| served.remove_below(&FolderKey::root(root)));
        state.roots.retain(|served| served.id != root);
        state.pending.forget(root);
        state.stale.append(armed.get_or_insert_default());
        drop(state);
        self.wake();
    }

    /// Watches a folder of a served root, which is about to be listed. One that can't be watched is recorded as
    /// such. A late walk may arm a root that is no longer served: then nothing is watched.
    pub fn arm(&self, root: &Root, folder: &FolderKey) {
        if self.settings.poll {
            return;
        }
        let path = Served::new(root).path_of(&folder.relative_path());
        let silent = match stat_at(&path) {
            Ok(stat) => self.silent_kind(stat.st_dev, &path),
            Err(_) => None,
        };
        if let Some(kind) = silent {
            self.set(root.id, folder, Standing::Unwatched(Reason::Silent(kind)));
            return;
        }
        let mut watcher = lock(&self.watcher);
        self.mend(&mut watcher);
        // Recorded before the watch exists: an event that removes the folder again may come first. A root that is
        // removed from here on has its watches removed once this call releases the watcher.
        if !self.set(root.id, folder, Standing::Armed) {
            return;
        }
        match backend::watch(watcher.as_mut(), &path) {
            // A file that replaced the folder can be watched as well.
            Ok(()) if is_folder(&path) => {}
            Ok(()) | Err(Refusal::Gone) => self.forget(root.id, folder),
            Err(Refusal::Because(reason)) => {
                self.set(root.id, folder, Standing::Unwatched(reason));
            }
            Err(Refusal::Dead) => {
                backend::end(&mut watcher);
                let mut state = self.shared.lock();
                state.renew_at = Some(Instant::now() + RENEW_AFTER);
                state.disarm_all(&Reason::Lost);
            }
        }
    }

    /// Forgets a folder that no longer exists, or that no walk reaches.
    pub(super) fn forget(&self, root: RootId, folder: &FolderKey) {
        let mut state = self.shared.lock();
        let armed = state.served(root).map(|served| served.remove_below(folder));
        state.stale.extend(armed.unwrap_or_default());
    }

    /// Records a folder's standing; returns false if its root is not served.
    fn set(&self, root: RootId, folder: &FolderKey, standing: Standing) -> bool {
        let mut state = self.shared.lock();
        let served = state.served(root);
        served.map(|served| served.set(folder.clone(), standing)).is_some()
    }

    fn silent_kind(&self, device: u64, path: &Path) -> Option<&'static str> {
        if let Some(known) = lock(&self.silent).get(&device) {
            return *known;
        }
        let kind = device::silent_kind(path);
        lock(&self.silent).insert(device, kind);
        kind
    }

    /// Removes watches that outlived their folder, and replaces a watcher that lost events.
    fn mend(&self, watcher: &mut Option<Watcher>) {
        let now = Instant::now();
        let mut state = self.shared.lock();
        if state.renew_at.is_some_and(|at| at <= now) {
            return self.renew(watcher, state);
        }
        let stale = std::mem::take(&mut state.stale);
        let stale: Vec<_> = stale.into_iter().filter(|path| !state.is_armed(path)).collect();
        drop(state);
        for path in stale {
            // Nearly always the watcher has removed it by itself.
            backend::unwatch(watcher.as_mut(), &path);
        }
    }

    fn renew(&self, watcher: &mut Option<Watcher>, mut state: MutexGuard<'_, State>) {
        state.renew_at = None;
        state.stale.clear();
        state.disarm_all(&Reason::Lost);
        // Events of the old watcher are ignored from here on, and so are those of a new one that can't be created.
        state.generation += 1;
        let handler = Handler { shared: Arc::clone(&self.shared), generation: state.generation + 1 };
        drop(state);
        backend::end(watcher);
        let made = (self.make)(handler);
        let mut state = self.shared.lock();
        match made {
            Ok(made) => {
                *watcher = Some(made);
                state.generation += 1;
                state.touch_roots();
            }
            Err(error) => {
                state.renew_at = Some(Instant::now() + RENEW_AFTER);
                tracing::debug!(%error, "{}", Reason::NoWatcher);
            }
        }
    }

    /// Waits up to `wait` for a change to be due, and takes up to `max` of them. For one thread.
    pub fn take(&self, wait: Duration, max: usize) -> WatchEvents {
        let until = Instant::now().checked_add(wait);
        loop {
            let now = Instant::now();
            let mut state = self.shared.lock();
            if !state.stale.is_empty() || state.renew_at.is_some_and(|at| at <= now) {
                drop(state);
                self.mend(&mut lock(&self.watcher));
                continue;
            }
            let (folders, names) = state.pending.take(now, max);
            let is_over = until.is_some_and(|until| until <= now);
            if !folders.is_empty() || !names.is_empty() || std::mem::take(&mut state.woken) || is_over {
                let roots = state.roots.iter().map(|served| (served.id, served.path.clone())).collect();
                let rules = Arc::clone(&state.rules);
                drop(state);
                return WatchEvents::of(folders, names, &roots, &rules);
            }
            let wakes = [until, state.pending.next_due(now), state.renew_at].into_iter().flatten().min();
            let sleep = wakes.map_or(Duration::MAX, |at| at.saturating_duration_since(now));
            state.asleep_until = Some(wakes.unwrap_or(now + Duration::from_secs(u32::MAX.into())));
            let waited = self.shared.changed.wait_timeout(state, sleep.min(Duration::from_secs(3600)));
            waited.unwrap_or_else(PoisonError::into_inner).0.asleep_until = None;
        }
    }

    /// Makes [`Watch::take`] return, now or the next time.
    pub fn wake(&self) {
        self.shared.lock().woken = true;
        self.shared.changed.notify_all();
    }

    /// Returns the state of the watch.
    pub fn status(&self) -> WatchStatus {
        let state = self.shared.lock();
        let mut status = WatchStatus {
            waiting: state.pending.len() as u64,
            events: state.events,
            ignored_events: self.shared.ignored.load(Ordering::Relaxed),
            overflows: state.overflows,
            polling: self.settings.poll,
            ..WatchStatus::default()
        };
        for (_, standing) in state.roots.iter().flat_map(Served::iter) {
            match standing {
                Standing::Armed => status.armed_folders += 1,
                Standing::Unwatched(reason) => *status.unwatched.entry(reason.to_string()).or_default() += 1,
            }
        }
        status
    }

    /// Returns the folders that have to be polled, each with everything below it.
    pub fn unwatched(&self) -> Vec<(RootId, FolderKey)> {
        let state = self.shared.lock();
        let of = |served: &Served| served.unwatched().map(|key| (served.id, key.clone())).collect::<Vec<_>>();
        state.roots.iter().flat_map(of).collect()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A panic in another thread leaves nothing inconsistent behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
