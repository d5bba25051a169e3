//! What an event means for the served roots.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RemoveKind, RenameMode};

use super::Shared;
use super::folders::{Reason, Served, Standing};
use super::pending::{Pending, Touch};
use super::rules::Rules;
use crate::model::{FolderKey, RootId};

/// An event at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathEvent {
    FolderCame,
    FolderWent,
    /// A file or folder was renamed to it.
    Came,
    /// A file is gone, or an entry of unknown type.
    Went,
    /// A watched folder itself was renamed; its parent's event, if any, reports the same.
    Moved,
    /// A file was closed by a writer.
    Closed,
    Written,
    Metadata,
}

impl PathEvent {
    /// Returns `None` for events that are not reported. Reading a tree causes one event per file, so those have to
    /// be cheap.
    fn of(event: &notify::Event) -> Option<Self> {
        Some(match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => Self::Closed,
            EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => return None,
            EventKind::Create(CreateKind::Folder) => Self::FolderCame,
            EventKind::Remove(RemoveKind::Folder) => Self::FolderWent,
            EventKind::Modify(ModifyKind::Name(RenameMode::From)) if event.tracker().is_none() => Self::Moved,
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Self::Went,
            EventKind::Modify(ModifyKind::Name(_)) => Self::Came,
            EventKind::Modify(ModifyKind::Metadata(_)) => Self::Metadata,
            EventKind::Create(_) | EventKind::Modify(_) | EventKind::Any | EventKind::Other => Self::Written,
        })
    }

    fn touch(self) -> Touch {
        match self {
            Self::Came | Self::Went | Self::Closed => Touch::Complete,
            Self::Metadata => Touch::Metadata,
            Self::FolderCame | Self::FolderWent | Self::Moved | Self::Written => Touch::Written,
        }
    }
}

/// Receives the events of one watcher. It does no I/O: the watcher's thread has to keep up with the kernel's queue.
pub(super) struct Handler {
    pub(super) shared: Arc<Shared>,
    /// Which watcher it belongs to: one that was abandoned still has events.
    pub(super) generation: u64,
}

impl notify::EventHandler for Handler {
    fn handle_event(&mut self, event: notify::Result<notify::Event>) {
        let Some(event) = event.ok().filter(|event| !event.need_rescan()) else { return self.lose() };
        let (Some(path_event), Some(path)) = (PathEvent::of(&event), event.paths.first()) else {
            self.shared.ignored.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let now = Instant::now();
        let mut state = self.shared.lock();
        if state.generation == self.generation {
            state.note(path, path_event, now);
            self.shared.wake_for(&mut state, now);
        }
    }
}

impl Handler {
    fn lose(&self) {
        let now = Instant::now();
        let mut state = self.shared.lock();
        if state.generation == self.generation {
            state.overflows += 1;
            state.lose(now);
            self.shared.wake_for(&mut state, now);
        }
    }
}

/// The watcher's thread has ended. Unless that was requested, no more events arrive.
impl Drop for Handler {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut state = self.shared.lock();
        if state.generation == self.generation {
            state.lose(now);
            self.shared.wake_for(&mut state, now);
        }
    }
}

/// State shared by the watcher's thread, the walks and the consumer of watch events.
#[derive(Debug)]
pub(super) struct State {
    pub(super) generation: u64,
    pub(super) rules: Arc<Rules>,
    pub(super) roots: Vec<Served>,
    pub(super) pending: Pending,
    /// Paths whose watch may have outlived the folder that was there.
    pub(super) stale: Vec<PathBuf>,
    /// When to replace a watcher that lost events.
    pub(super) renew_at: Option<Instant>,
    /// Until when the consumer sleeps.
    pub(super) asleep_until: Option<Instant>,
    pub(super) woken: bool,
    /// Whether to report the removal of files whose names the filters refuse.
    pub(super) tells_hidden: bool,
    pub(super) events: u64,
    pub(super) overflows: u64,
}

impl State {
    /// Records lost events: neither the files nor the watches are known any more.
    pub(super) fn lose(&mut self, now: Instant) {
        self.renew_at = self.renew_at.or(Some(now));
        self.touch_roots();
    }

    /// Marks every root for a scan.
    pub(super) fn touch_roots(&mut self) {
        for served in &self.roots {
            self.pending.folder(served.id, FolderKey::root(served.id));
        }
    }

    /// Records that no folder is watched any more.
    pub(super) fn disarm_all(&mut self, reason: &Reason) {
        self.roots.iter_mut().for_each(|served| served.disarm_all(reason));
    }

    pub(super) fn served(&mut self, root: RootId) -> Option<&mut Served> {
        self.roots.iter_mut().find(|served| served.id == root)
    }

    /// Returns whether a walk armed what is at this path, for any root.
    pub(super) fn is_armed(&self, path: &Path) -> bool {
        self.roots.iter().any(|served| {
            let relative = served.relative(path.as_os_str().as_bytes());
            let folder = relative.and_then(|relative| FolderKey::from_relative_path(served.id, relative));
            folder.is_some_and(|folder| served.is_armed(&folder))
        })
    }

    /// Records an event for each root that it belongs to.
    pub(super) fn note(&mut self, path: &Path, path_event: PathEvent, now: Instant) {
        self.events += 1;
        let path = path.as_os_str().as_bytes();
        if self.rules.state.iter().any(|state| state.as_os_str().as_bytes() == path) {
            return;
        }
        let tells_hidden = self.tells_hidden;
        let Self { roots, pending, stale, rules, .. } = self;
        for served in roots {
            let Some(relative) = served.relative(path) else { continue };
            let mut note = Note { served, pending, stale, rules, tells_hidden, now };
            match relative {
                b"" => note.root(path_event),
                _ => note.entry(relative, path_event),
            }
        }
    }
}

/// One event for one root.
struct Note<'a> {
    served: &'a mut Served,
    pending: &'a mut Pending,
    stale: &'a mut Vec<PathBuf>,
    rules: &'a Rules,
    tells_hidden: bool,
    now: Instant,
}

impl Note<'_> {
    fn root(&mut self, path_event: PathEvent) {
        let folder = FolderKey::root(self.served.id);
        match path_event {
            PathEvent::FolderWent | PathEvent::Went | PathEvent::Moved => self.went(folder),
            _ => self.appeared_again(folder),
        }
    }

    fn entry(&mut self, relative: &[u8], path_event: PathEvent) {
        let (parent, name) = match relative.iter().rposition(|&byte| byte == b'/') {
            Some(at) => (&relative[..at], &relative[at + 1..]),
            None => (&b""[..], relative),
        };
        let Some(parent) = FolderKey::from_relative_path(self.served.id, parent) else { return };
        let folder = parent.child(name);
        if self.served.get(&folder).is_some() {
            match path_event {
                PathEvent::Metadata => return self.appeared_again(folder),
                // None of these happens to a folder: there is a file by now, or there may be.
                PathEvent::Closed | PathEvent::Written | PathEvent::Came => self.went(folder.clone()),
                _ => return self.went(folder),
            }
        }
        if self.served.get(&parent).is_none() {
            // Rules exclude the folder, or no walk has reached it yet: one will.
            return;
        }
        match path_event {
            PathEvent::Moved => {}
            PathEvent::FolderCame | PathEvent::FolderWent => {
                if self.rules.lets_in(relative, true) {
                    self.pending.folder(self.served.id, folder);
                }
            }
            _ => {
                let unsure = matches!(path_event, PathEvent::Came | PathEvent::Metadata);
                let may_be_folder = unsure && self.rules.lets_in(relative, true);
                let is_gone = self.tells_hidden && path_event == PathEvent::Went;
                if may_be_folder || is_gone || self.rules.concerns(relative) {
                    self.pending.name(parent.file(name), path_event.touch(), may_be_folder, self.now);
                }
            }
        }
    }

    /// Handles a visited folder that is gone, or was replaced by another.
    fn went(&mut self, folder: FolderKey) {
        self.stale.append(&mut self.served.remove_below(&folder));
        self.pending.folder(self.served.id, folder);
    }

    /// Handles a folder whose own metadata changed: one that was unreadable may be readable now.
    fn appeared_again(&mut self, folder: FolderKey) {
        if matches!(self.served.get(&folder), Some(Standing::Unwatched(_))) {
            self.pending.folder(self.served.id, folder);
        }
    }
}
