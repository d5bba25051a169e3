//! Folders that have to be listed again.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::stop::Stop;
use crate::model::{FolderKey, RootId};

/// Delay before a folder that could not be listed is tried again.
pub(super) const AGAIN: Duration = Duration::from_secs(5);
/// The same for an error that may well stay: no permission.
const AGAIN_LATER: Duration = Duration::from_secs(60);
/// Folders that could not be listed and are kept by name, at most.
const UNLISTED_MAX: usize = 1_024;
/// Folders queued at most; more of them collapse into their root's own.
const FOLDERS_MAX: usize = 16_384;

/// Queue of folders to list again, each once. It outlives attempts: what is not listed stays.
#[derive(Debug, Default)]
pub(crate) struct RelistQueue {
    due: Mutex<Due>,
    added: Condvar,
    /// Folders that could not be listed when last tried, with the time and the reason.
    unlisted: Mutex<BTreeMap<FolderKey, (Instant, String)>>,
}

/// When each folder may be listed.
type Due = BTreeMap<FolderKey, Instant>;

impl RelistQueue {
    /// Queues a folder to be listed again, not before `at`. A folder below a queued one is covered by that.
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

    /// Records that a folder could not be listed, and queues it again after a delay: a short one where the error may
    /// pass.
    pub(crate) fn not_listed(&self, folder: FolderKey, why: String, may_pass: bool) {
        let now = Instant::now();
        let mut unlisted = lock(&self.unlisted);
        if unlisted.len() < UNLISTED_MAX || unlisted.contains_key(&folder) {
            unlisted.insert(folder.clone(), (now, why));
        }
        drop(unlisted);
        self.add(folder, now + if may_pass { AGAIN } else { AGAIN_LATER });
    }

    /// Records that all at and below a folder was listed since `begun`, except for what was added meanwhile.
    pub(crate) fn listed(&self, folder: &FolderKey, begun: Instant) {
        let is_below = |key: &FolderKey| key.as_bytes().starts_with(folder.as_bytes());
        lock(&self.unlisted).retain(|key, (at, _)| *at >= begun || !is_below(key));
    }

    /// Returns the folders that can't be listed, with the reasons.
    pub(crate) fn unlisted(&self) -> Vec<(FolderKey, String)> {
        lock(&self.unlisted).iter().map(|(folder, (_, why))| (folder.clone(), why.clone())).collect()
    }

    /// Wakes waiting threads to check whether they should end.
    pub(crate) fn wake(&self) {
        let _due = self.lock();
        self.added.notify_all();
    }

    /// Returns the number of queued folders.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Takes up to `max` folders that are due; waits up to `wait` for the first.
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
        lock(&self.due)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a folder and all below it.
fn below<'d>(due: &'d Due, folder: &'d FolderKey) -> impl Iterator<Item = (&'d FolderKey, &'d Instant)> {
    due.range(folder..).take_while(|(key, _)| key.as_bytes().starts_with(folder.as_bytes()))
}

/// Replaces all queued folders of a root by the root's own, due with the earliest of them.
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

    fn taken(folders: &RelistQueue, max: usize) -> Vec<String> {
        let taken = folders.take(Duration::ZERO, max, &Stop::default());
        taken.iter().map(|folder| String::from_utf8(folder.relative_path()).unwrap()).collect()
    }

    #[test]
    fn a_folder_is_listed_with_the_one_above_unless_that_has_to_wait() {
        let folders = RelistQueue::default();
        let now = Instant::now();
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
    fn what_could_not_be_listed_is_known_and_due_again_until_it_was_listed() {
        let folders = RelistQueue::default();
        let begun = Instant::now();
        let known = |folders: &RelistQueue| folders.unlisted().len();
        for path in ["a", "a/b", "c"] {
            folders.not_listed(folder(path), format!("{path} hides"), true);
        }
        assert_eq!((known(&folders), taken(&folders, 10)), (3, vec![]), "not at once");
        assert!(folders.waiting() > 0);
        folders.listed(&folder("a"), begun);
        assert_eq!(known(&folders), 3, "a scan that came upon it does not make it listed");
        folders.listed(&folder("a"), Instant::now());
        assert_eq!(folders.unlisted(), [(folder("c"), "c hides".to_owned())]);
        folders.listed(&folder(""), Instant::now());
        assert_eq!(known(&folders), 0);
        (0..2 * UNLISTED_MAX).for_each(|n| folders.not_listed(folder(&format!("{n}")), String::new(), false));
        assert_eq!(known(&folders), UNLISTED_MAX);
    }

    #[test]
    fn several_due_folders_are_taken_together_and_the_rest_stays() {
        let folders = RelistQueue::default();
        let now = Instant::now();
        for path in ["a", "b", "c"] {
            folders.add(folder(path), now);
        }
        assert_eq!(taken(&folders, 2), ["a", "b"]);
        assert_eq!(taken(&folders, 2), ["c"]);
    }

    #[test]
    fn a_burst_of_folders_is_noted_at_once_and_comes_down_to_the_root() {
        let folders = RelistQueue::default();
        let now = Instant::now();
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
        // Checking each waiting folder would take minutes.
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        assert_eq!(folders.waiting(), 2);
        assert_eq!(taken(&folders, 1), [""], "when the first of them is due");
        assert_eq!(folders.take(Duration::ZERO, 9, &Stop::default()), [other]);
    }
}
