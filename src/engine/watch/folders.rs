//! Folders that have to be listed again.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::stop::Stop;
use crate::model::{FolderKey, RootId};

/// Folders that wait at most; more of them collapse into their root's own.
const FOLDERS_MAX: usize = 16_384;

/// Folders that have to be listed again, each once. They outlive the attempts: what is not listed stays.
#[derive(Debug, Default)]
pub(crate) struct TouchedFolders {
    due: Mutex<Due>,
    added: Condvar,
}

/// When each of them may be listed.
type Due = BTreeMap<FolderKey, Instant>;

impl TouchedFolders {
    /// Has a folder listed again, not before `at`. What lies below another one is left to that.
    pub(crate) fn add(&self, folder: FolderKey, at: Instant) {
        let mut due = self.lock();
        let is_sooner = |above: &FolderKey| due.get(above).is_some_and(|due| *due <= at);
        if is_sooner(&folder) || folder.above().any(|above| is_sooner(&above)) {
            return;
        }
        let later = below(&due, &folder).filter(|(_, due)| **due >= at);
        for folder in later.map(|(folder, _)| folder.clone()).collect::<Vec<_>>() {
            due.remove(&folder);
        }
        let root = folder.root_id();
        due.insert(folder, at);
        if due.len() > FOLDERS_MAX {
            collapse(&mut due, root);
        }
        self.added.notify_one();
    }

    /// Has whoever waits look whether it should end.
    pub(crate) fn wake(&self) {
        let _due = self.lock();
        self.added.notify_all();
    }

    /// Number of folders that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Takes up to `max` that are due; waits for the first for a while.
    pub(super) fn take(&self, wait: Duration, max: usize, halt: &Stop) -> Vec<FolderKey> {
        let none = |due: &mut Due| {
            let now = Instant::now();
            !halt.is_requested() && !due.values().any(|at| *at <= now)
        };
        let waited = self.added.wait_timeout_while(self.lock(), wait, none);
        let (mut due, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let those = due.iter().filter(|(_, at)| **at <= now).map(|(folder, _)| folder);
        let those: Vec<_> = those.take(max).cloned().collect();
        for folder in &those {
            due.remove(folder);
        }
        those
    }

    fn lock(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A folder and all below it.
fn below<'d>(due: &'d Due, folder: &'d FolderKey) -> impl Iterator<Item = (&'d FolderKey, &'d Instant)> {
    due.range(folder..).take_while(|(key, _)| key.as_bytes().starts_with(folder.as_bytes()))
}

/// Leaves all that waits below a root to the root's own folder, when the first of it is due.
fn collapse(due: &mut Due, root: RootId) {
    let root = FolderKey::root(root);
    if let Some(first) = below(due, &root).map(|(_, at)| *at).min() {
        due.retain(|folder, _| folder.root_id() != root.root_id());
        due.insert(root, first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &str) -> FolderKey {
        FolderKey::from_relative_path(RootId(1), path.as_bytes()).unwrap()
    }

    fn taken(folders: &TouchedFolders, max: usize) -> Vec<String> {
        let taken = folders.take(Duration::ZERO, max, &Stop::default());
        taken.iter().map(|folder| String::from_utf8(folder.relative_path()).unwrap()).collect()
    }

    #[test]
    fn a_folder_is_listed_with_the_one_above_unless_that_has_to_wait() {
        let (folders, now) = (TouchedFolders::default(), Instant::now());
        let later = now + Duration::from_secs(60);
        for path in ["a/b/c", "a/b", "a/b/d", "a/bc", "a/b"] {
            folders.add(folder(path), now);
        }
        assert_eq!(folders.waiting(), 2);
        folders.add(folder("a"), later);
        folders.add(folder("a/x"), later);
        assert_eq!(folders.waiting(), 3, "`a` waits, with all that is not due before");
        assert_eq!(taken(&folders, 10), ["a/b", "a/bc"]);
        assert_eq!(taken(&folders, 10), [""; 0]);
        folders.add(folder("a"), now);
        assert_eq!(taken(&folders, 10), ["a"]);
        assert_eq!(folders.waiting(), 0);
    }

    #[test]
    fn several_due_folders_are_taken_together_and_the_rest_stays() {
        let (folders, now) = (TouchedFolders::default(), Instant::now());
        for path in ["a", "b", "c"] {
            folders.add(folder(path), now);
        }
        assert_eq!(taken(&folders, 2), ["a", "b"]);
        assert_eq!(taken(&folders, 2), ["c"]);
    }

    #[test]
    fn a_burst_of_folders_is_noted_at_once_and_comes_down_to_the_root() {
        let (folders, now) = (TouchedFolders::default(), Instant::now());
        let other = FolderKey::root(RootId(2)).child(b"other");
        folders.add(other.clone(), now);
        for number in 0..FOLDERS_MAX - 1 {
            folders.add(folder(&format!("deep/{number}")), now + Duration::from_secs(60));
        }
        assert_eq!(folders.waiting(), FOLDERS_MAX);
        let begun = Instant::now();
        for number in 0..200_000 {
            folders.add(folder(&format!("deep/n{number}")), now);
        }
        // A look at each that waits would take minutes.
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        assert_eq!(folders.waiting(), 2);
        assert_eq!(taken(&folders, 1), [""], "when the first of them is due");
        assert_eq!(folders.take(Duration::ZERO, 9, &Stop::default()), [other]);
    }
}
