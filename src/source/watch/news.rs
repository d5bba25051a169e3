//! What the watch reports.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::pending::Due;
use super::rules::Rules;
use crate::model::{FolderKey, RootId};
use crate::source::filter::ignored::IGNORE_FILE;
use crate::source::read::open::is_folder;

/// A changed name in a folder: its current state has to be looked up ([`Source::look`]).
///
/// [`Source::look`]: crate::source::Source::look
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedName {
    /// The root.
    pub root: RootId,
    /// The folder.
    pub folder: FolderKey,
    /// The name.
    pub name: Box<[u8]>,
    /// When the event arrived that made it due.
    pub since: Instant,
}

/// A folder that has to be scanned with everything below it ([`Source::scan_below`]): it is new, replaced, or gone,
/// or its rules changed. The root's own where events were lost, or the root itself moved.
///
/// [`Source::scan_below`]: crate::source::Source::scan_below
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TouchedFolder {
    /// The root.
    pub root: RootId,
    /// The folder.
    pub folder: FolderKey,
}

/// Changes that are due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchEvents {
    /// Names, by folder and name.
    pub names: Vec<TouchedName>,
    /// Folders, ascending.
    pub folders: Vec<TouchedFolder>,
}

impl WatchEvents {
    /// Returns whether there are no changes.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.folders.is_empty()
    }

    /// Separates what events didn't: a name that stands for its folder, or is one.
    pub(super) fn of(
        folders: Vec<(RootId, FolderKey)>,
        names: Vec<Due>,
        roots: &HashMap<RootId, PathBuf>,
        rules: &Rules,
    ) -> Self {
        let mut news = Self::default();
        news.folders.extend(folders.into_iter().map(|(root, folder)| TouchedFolder { root, folder }));
        for Due { key, since, may_be_folder } in names {
            let root = key.root();
            let folder = key.folder();
            let name = key.name();
            let relative = key.relative_path();
            if name == IGNORE_FILE {
                news.folders.push(TouchedFolder { root, folder });
            } else if may_be_folder && stands_for_folder(roots.get(&root), &relative) {
                news.folders.push(TouchedFolder { root, folder: folder.child(name) });
            } else if !may_be_folder || rules.lets_in(&relative, false) {
                news.names.push(TouchedName { root, folder, name: name.into(), since });
            }
        }
        news.folders.sort();
        news.folders.dedup();
        news.names.sort_by(|a, b| (&a.folder, &a.name).cmp(&(&b.folder, &b.name)));
        news
    }
}

/// The state of the watch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchStatus {
    /// Folders that are watched.
    pub armed_folders: u64,
    /// Changed names and folders not yet taken.
    pub waiting: u64,
    /// Events received.
    pub events: u64,
    /// Events that were ignored, nearly all of them for opened files.
    pub ignored_events: u64,
    /// How often events were lost.
    pub overflows: u64,
    /// Folders that are not watched, by reason.
    pub unwatched: BTreeMap<String, u64>,
    /// Whether polling was requested.
    pub polling: bool,
}

/// Returns whether a name stands for a folder now.
fn stands_for_folder(root: Option<&PathBuf>, relative: &[u8]) -> bool {
    root.is_some_and(|root| is_folder(&root.join(OsStr::from_bytes(relative))))
}
