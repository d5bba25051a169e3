//! Whether a rule leaves a file out that no listing shows.
//!
//! It is asked for one file after the other, mostly in the order of the tree. So each thread keeps for a moment what the
//! rules say of the folders on the way: a neighbour costs a comparison, a new folder what its ignore file costs.

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

/// What is known is not believed for longer.
const KEPT: Duration = Duration::from_millis(100);

thread_local!(static WAY: RefCell<Option<Way>> = const { RefCell::new(None) });

/// The way to the folder that was asked for last.
struct Way {
    root: PathBuf,
    opened: OwnedFd,
    since: Instant,
    /// The root, and each folder below it.
    levels: Vec<Level>,
}

/// A folder on the way.
struct Level {
    name: Vec<u8>,
    ignored: Option<Arc<IgnoreChain>>,
    /// A rule cuts it, or a folder above it.
    is_cut: bool,
}

/// Whether the filters, or an ignore file, leave this file out. What can't be found out is let in: reading it tells.
pub(crate) fn is_hidden(filters: &Filters, root: &Root, key: &FileKey) -> bool {
    WAY.with_borrow_mut(|kept| {
        let way = kept.take().filter(|way| way.root == root.path && way.since.elapsed() < KEPT);
        let Ok(mut way) = way.map_or_else(|| Way::at(root), Ok) else { return false };
        let told = way.hides(filters, key);
        if told.is_ok() {
            *kept = Some(way);
        }
        told.unwrap_or(false)
    })
}

/// Forgets what is known.
pub(crate) fn forget() {
    WAY.with_borrow_mut(|kept| *kept = None);
}

impl Way {
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

    /// Goes one folder down.
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
