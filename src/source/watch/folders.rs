//! Which folders of a root are watched, and why others are not.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::model::{FolderKey, Root, RootId};

/// Whether a folder is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Armed,
    Unwatched(Reason),
}

/// Why a folder is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// Polling was requested.
    Asked,
    /// Its file system, of this kind, has no events.
    Silent(&'static str),
    /// The user's limit of watches is reached.
    Limit,
    /// No watcher is available at the moment.
    NoWatcher,
    /// The watch was lost with a watcher that lost events; the scan that makes up for them sets another one.
    Lost,
    /// The system's error message.
    Refused(Box<str>),
}

impl Reason {
    /// Returns whether it holds for everything below the folder, and stays.
    fn covers(&self) -> bool {
        matches!(self, Self::Asked | Self::Silent(_))
    }
}

/// For display; with a remedy where there is one.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("polling was asked for"),
            Self::Silent(kind) => write!(f, "the file system ({kind}) has no events"),
            Self::Limit => f.write_str("no inotify watches left; raise fs.inotify.max_user_watches"),
            Self::NoWatcher => f.write_str("no inotify instance; raise fs.inotify.max_user_instances"),
            Self::Lost => f.write_str("events were lost, and a scan will watch it again"),
            Self::Refused(error) => f.write_str(error),
        }
    }
}

/// A root and those of its folders that a walk has reached.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) id: RootId,
    pub(super) path: PathBuf,
    folders: BTreeMap<FolderKey, Standing>,
}

impl Served {
    pub(super) fn new(root: &Root) -> Self {
        Self { id: root.id, path: root.path.clone(), folders: BTreeMap::new() }
    }

    /// Returns a path relative to the root; empty for the root itself, `None` for what is not below it.
    pub(super) fn relative<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        let root = self.path.as_os_str().as_bytes();
        let rest = path.strip_prefix(root.strip_suffix(b"/").unwrap_or(root))?;
        match rest {
            b"" => Some(rest),
            _ => rest.strip_prefix(b"/"),
        }
    }

    /// Returns the absolute path of something below the root.
    pub(super) fn path_of(&self, relative: &[u8]) -> PathBuf {
        if relative.is_empty() { self.path.clone() } else { self.path.join(OsStr::from_bytes(relative)) }
    }

    pub(super) fn get(&self, folder: &FolderKey) -> Option<&Standing> {
        self.folders.get(folder)
    }

    pub(super) fn is_armed(&self, folder: &FolderKey) -> bool {
        self.get(folder) == Some(&Standing::Armed)
    }

    /// Records a folder's standing. What holds for a folder above is not recorded again.
    pub(super) fn set(&mut self, folder: FolderKey, standing: Standing) {
        if let Standing::Unwatched(reason) = &standing
            && reason.covers()
            && self.above(&folder).any(|above| above == &standing)
        {
            self.folders.remove(&folder);
            return;
        }
        self.folders.insert(folder, standing);
    }

    /// Returns the known standing of each folder above this one.
    fn above(&self, folder: &FolderKey) -> impl Iterator<Item = &Standing> {
        folder.above().filter_map(|above| self.folders.get(&above))
    }

    /// Removes a folder and everything below it; returns the paths of those that were armed.
    pub(super) fn remove_below(&mut self, folder: &FolderKey) -> Vec<PathBuf> {
        let below = self.folders.range(folder..).map(|(key, _)| key);
        let below: Vec<_> =
            below.take_while(|key| key.as_bytes().starts_with(folder.as_bytes())).cloned().collect();
        let mut armed = Vec::new();
        for key in below {
            if self.folders.remove(&key) == Some(Standing::Armed) {
                armed.push(self.path_of(&key.relative_path()));
            }
        }
        armed
    }

    /// Records that the watcher is gone.
    pub(super) fn disarm_all(&mut self, reason: &Reason) {
        for standing in self.folders.values_mut().filter(|standing| **standing == Standing::Armed) {
            *standing = Standing::Unwatched(reason.clone());
        }
    }

    /// Returns each folder and its standing.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&FolderKey, &Standing)> {
        self.folders.iter()
    }

    /// Returns the folders that are not watched, without those below another of them.
    pub(super) fn unwatched(&self) -> impl Iterator<Item = &FolderKey> {
        let mut last: Option<&FolderKey> = None;
        self.folders.iter().filter_map(move |(key, standing)| {
            let covered = last.is_some_and(|last| key.as_bytes().starts_with(last.as_bytes()));
            if covered || *standing == Standing::Armed {
                return None;
            }
            last = Some(key);
            Some(key)
        })
    }
}
