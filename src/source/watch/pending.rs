//! Changes not yet taken: when they are due, and how many are kept.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::model::{FileKey, FolderKey, RootId};

/// How an event affects when a name is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    /// The file is as its writer wants it: closed, renamed to, or gone.
    Complete,
    /// It is being written.
    Written,
    /// Its metadata changed, which neither completes a file nor begins one.
    Metadata,
}

/// A name that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) key: FileKey,
    pub(super) since: Instant,
    /// The event didn't say whether it is a folder.
    pub(super) may_be_folder: bool,
}

#[derive(Debug)]
struct Name {
    /// Its position in the queue.
    slot: Slot,
    complete: bool,
    /// When the completing event arrived, or the last one if none completed it.
    since: Instant,
    may_be_folder: bool,
}

/// When a name is due at the earliest, and a number that separates names of the same moment.
type Slot = (Instant, u64);

/// Names and folders that were touched.
///
/// A completed name is due at once, any other once it has been quiet for a while. Names above the limit collapse
/// into their folder, folders above it into their root.
#[derive(Debug)]
pub(super) struct Pending {
    settle: Duration,
    names_max: usize,
    folders_max: usize,
    names: BTreeMap<FileKey, Name>,
    queue: BTreeMap<Slot, FileKey>,
    /// None of them is below another one.
    folders: BTreeMap<FolderKey, RootId>,
    next: u64,
}

impl Pending {
    pub(super) fn new(settle: Duration, names_max: usize, folders_max: usize) -> Self {
        Self {
            settle,
            names_max,
            folders_max,
            names: BTreeMap::new(),
            queue: BTreeMap::new(),
            folders: BTreeMap::new(),
            next: 0,
        }
    }

    /// Returns the number of pending changes.
    pub(super) fn len(&self) -> usize {
        self.names.len() + self.folders.len()
    }

    /// Records that a name was touched.
    pub(super) fn name(&mut self, key: FileKey, touch: Touch, may_be_folder: bool, now: Instant) {
        let Some(name) = self.names.get_mut(&key) else {
            return self.first_touch(key, touch, may_be_folder, now);
        };
        name.may_be_folder |= may_be_folder;
        match touch {
            Touch::Complete if !name.complete => {
                name.complete = true;
                name.since = now;
                self.queue.remove(&name.slot);
                name.slot = (now, name.slot.1);
                self.queue.insert(name.slot, key);
            }
            Touch::Written => {
                name.complete = false;
                name.since = now;
            }
            Touch::Metadata if !name.complete => name.since = now,
            Touch::Complete | Touch::Metadata => {}
        }
    }

    fn first_touch(&mut self, key: FileKey, touch: Touch, may_be_folder: bool, now: Instant) {
        if self.names.len() >= self.names_max {
            let folder = key.folder();
            self.drop_names(&folder.file(b""), &folder.files_prefix());
            return self.folder(key.root(), folder);
        }
        let complete = touch == Touch::Complete;
        let due = if complete { now } else { now + self.settle };
        self.next += 1;
        let slot = (due, self.next);
        self.queue.insert(slot, key.clone());
        self.names.insert(key, Name { slot, complete, since: now, may_be_folder });
    }

    /// Records that a folder was touched, with everything below it.
    pub(super) fn folder(&mut self, root: RootId, folder: FolderKey) {
        let above = self.folders.range(..=&folder).next_back();
        if above.is_some_and(|(above, _)| folder.as_bytes().starts_with(above.as_bytes())) {
            return;
        }
        self.drop_folders(&folder);
        self.folders.insert(folder, root);
        if self.folders.len() > self.folders_max {
            self.forget(root);
            self.folders.insert(FolderKey::root(root), root);
        }
    }

    /// Drops everything of a root.
    pub(super) fn forget(&mut self, root: RootId) {
        let folder = FolderKey::root(root);
        self.drop_folders(&folder);
        self.drop_names(&folder.file(b""), folder.as_bytes());
    }

    fn drop_folders(&mut self, at: &FolderKey) {
        let below = self.folders.range(at..).map(|(key, _)| key);
        let below: Vec<_> =
            below.take_while(|key| key.as_bytes().starts_with(at.as_bytes())).cloned().collect();
        for key in below {
            self.folders.remove(&key);
        }
    }

    /// Drops the names that begin with a prefix, the first of which is not before `first`.
    fn drop_names(&mut self, first: &FileKey, prefix: &[u8]) {
        let those = self.names.range(first..).map(|(key, _)| key);
        let those: Vec<_> = those.take_while(|key| key.as_bytes().starts_with(prefix)).cloned().collect();
        for key in those {
            if let Some(name) = self.names.remove(&key) {
                self.queue.remove(&name.slot);
            }
        }
    }

    /// Returns when something may be due next.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        if !self.folders.is_empty() {
            return Some(now);
        }
        self.queue.first_key_value().map(|(&(due, _), _)| due)
    }

    /// Takes what is due: folders first, then names by the time they became due.
    pub(super) fn take(&mut self, now: Instant, max: usize) -> (Vec<(RootId, FolderKey)>, Vec<Due>) {
        let mut folders = Vec::new();
        while folders.len() < max
            && let Some((folder, root)) = self.folders.pop_first()
        {
            folders.push((root, folder));
        }
        let mut names = Vec::new();
        while folders.len() + names.len() < max
            && let Some(first) = self.queue.first_entry().filter(|first| first.key().0 <= now)
        {
            let key = first.remove();
            names.extend(self.due(key, now));
        }
        (folders, names)
    }

    /// Takes a name whose slot has come; one that was written meanwhile gets a later slot.
    fn due(&mut self, key: FileKey, now: Instant) -> Option<Due> {
        let name = self.names.get_mut(&key)?;
        let quiet_at = name.since + self.settle;
        if !name.complete && quiet_at > now {
            name.slot = (quiet_at, name.slot.1);
            self.queue.insert(name.slot, key);
            return None;
        }
        let name = self.names.remove(&key)?;
        Some(Due { key, since: name.since, may_be_folder: name.may_be_folder })
    }
}
