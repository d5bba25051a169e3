//! Checks whether a rule excludes a file that no listing shows.
//!
//! Files are checked one at a time, mostly in tree order. So each thread briefly caches the rules of the folders on
//! the path: a neighbour costs a comparison, a new folder costs reading its ignore file.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ignored::IgnoreChain;
use super::{EntryPath, Filters};
use crate::model::{FileKey, Root};
use crate::source::read::open;

/// Cached rules expire after this.
const KEPT: Duration = Duration::from_millis(100);

thread_local!(static LAST_PATH: RefCell<Option<CheckedPath>> = const { RefCell::new(None) });

/// The path to the last folder checked.
struct CheckedPath {
    root: PathBuf,
    opened: OwnedFd,
    since: Instant,
    /// The root, and each folder below it.
    levels: Vec<Level>,
}

/// A folder on the path.
struct Level {
    name: Vec<u8>,
    ignored: Option<Arc<IgnoreChain>>,
    /// A rule excludes it, or a folder above it.
    is_cut: bool,
}

/// Returns whether the filters or an ignore file exclude this file. Where that can't be determined, the file is
/// accepted: reading it will show.
pub(crate) fn is_hidden(filters: &Filters, root: &Root, key: &FileKey) -> bool {
    LAST_PATH.with_borrow_mut(|kept| {
        let path = kept.take().filter(|path| path.root == root.path && path.since.elapsed() < KEPT);
        let Ok(mut path) = path.map_or_else(|| CheckedPath::at(root), Ok) else { return false };
        let reported = path.hides(filters, key);
        if reported.is_ok() {
            *kept = Some(path);
        }
        reported.unwrap_or(false)
    })
}

/// Clears the cache.
pub(crate) fn forget() {
    LAST_PATH.with_borrow_mut(|kept| *kept = None);
}

impl CheckedPath {
    fn at(root: &Root) -> io::Result<Self> {
        let opened = open::root_folder(&root.path)?;
        let ignored = IgnoreChain::with_file_of(None, opened.as_fd(), b"")?;
        let top = Level { name: Vec::new(), ignored, is_cut: false };
        Ok(Self { root: root.path.clone(), opened, since: Instant::now(), levels: vec![top] })
    }

    fn hides(&mut self, filters: &Filters, key: &FileKey) -> io::Result<bool> {
        let relative = key.folder().relative_path();
        let names = || relative.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
        let shared = names().zip(&self.levels[1..]).take_while(|(name, level)| **name == *level.name).count();
        self.levels.truncate(1 + shared);
        let mut entry = EntryPath::in_folder(b"");
        for (depth, name) in names().enumerate() {
            entry.set(name);
            if depth >= shared {
                self.enter(filters, &entry)?;
            }
            entry.enter();
        }
        entry.set(key.name());
        Ok(self.levels.last().is_none_or(|level| level.is_cut || is_cut(filters, level, &entry, false)))
    }

    /// Descends one folder.
    fn enter(&mut self, filters: &Filters, entry: &EntryPath) -> io::Result<()> {
        let Some(above) = self.levels.last() else { return Ok(()) };
        let is_cut = above.is_cut || is_cut(filters, above, entry, true);
        let mut ignored = above.ignored.clone();
        if !is_cut {
            let folder = open::folder_below(self.opened.as_fd(), entry.path())?;
            ignored = IgnoreChain::with_file_of(ignored, folder.as_fd(), entry.path())?;
        }
        self.levels.push(Level { name: entry.name().to_vec(), ignored, is_cut });
        Ok(())
    }
}

fn is_cut(filters: &Filters, level: &Level, entry: &EntryPath, is_folder: bool) -> bool {
    let by_ignore_file = || level.ignored.as_ref().and_then(|chain| chain.cut(entry, is_folder)).is_some();
    filters.cut(entry, is_folder).is_some() || by_ignore_file()
}
