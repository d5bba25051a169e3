//! Descends from a root to one entry by the rules of a scan, without visiting anything else.

use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;

use super::list::{Scope, look_at};
use super::verdict::Verdict;
use crate::source::filter::ignored::IgnoreChain;
use crate::source::filter::{EntryPath, ExclusionRule};
use crate::source::read::open::{self, EntryKind};
use crate::source::{Listed, ListedKind};

/// A folder below a root, and the rules that apply in it. An `Err` of its methods is the verdict that a scan would
/// have reached on the path.
pub(super) struct Descent<'a> {
    root: BorrowedFd<'a>,
    scope: Scope<'a>,
    /// The open folder, unless it is the root.
    opened: Option<OwnedFd>,
    entry: EntryPath,
}

impl<'a> Descent<'a> {
    /// Starts at the root, which is open.
    pub(super) fn new(root: BorrowedFd<'a>, scope: Scope<'a>) -> Self {
        Self { root, scope, opened: None, entry: EntryPath::in_folder(b"") }
    }

    /// Descends each component of a path relative to the current folder; an empty path stays.
    pub(super) fn enter_all(&mut self, relative: &[u8]) -> Result<(), Verdict> {
        let components = relative.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
        for name in components {
            self.read_ignore_file()?;
            self.kind_of(name, false)?;
            self.enter()?;
        }
        Ok(())
    }

    /// Adds the rules of the folder's own ignore file. Required before any of its entries is checked.
    pub(super) fn read_ignore_file(&mut self) -> Result<(), Verdict> {
        let folder = self.opened.as_ref().map_or(self.root, |fd| fd.as_fd());
        let relative = self.entry.folder();
        let unreadable = |error| Verdict::Unreadable { at: relative.to_vec(), error };
        self.scope.read_ignore_file(folder, relative).map_err(unreadable)
    }

    /// Returns the ignore files of the folders above, without the folder's own, for a walk that starts here.
    pub(super) fn into_ignored_above(self) -> Option<Arc<IgnoreChain>> {
        self.scope.ignored
    }

    /// Makes one entry of the folder the current one and returns its kind, unless a rule excludes it. Before the
    /// last component, anything but a folder ends the descent.
    fn kind_of(&mut self, name: &[u8], is_last: bool) -> Result<EntryKind, Verdict> {
        self.entry.set(name);
        let at = || self.entry.path().to_vec();
        let kind = match open::stat_in(self.folder(), name) {
            Ok(stat) => EntryKind::of_stat(&stat),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => return Err(Verdict::Missing),
            Err(errno) if !is_last => return Err(Verdict::Unreadable { at: at(), error: errno.into() }),
            Err(_) => EntryKind::Unknown,
        };
        let is_folder = kind == EntryKind::Folder;
        if !is_last && !is_folder {
            return Err(in_the_way(kind, at()));
        }
        match self.cut(is_folder) {
            Some(cut) => Err(Verdict::LeftOut { rule: cut.in_full(), at: at() }),
            None => Ok(kind),
        }
    }

    /// Enters the current entry.
    fn enter(&mut self) -> Result<(), Verdict> {
        let opened = open::folder_below(self.root, self.entry.path());
        let unreadable =
            |error: Errno| Verdict::Unreadable { at: self.entry.path().to_vec(), error: error.into() };
        self.opened = Some(opened.map_err(unreadable)?);
        self.entry.enter();
        Ok(())
    }

    fn folder(&self) -> BorrowedFd<'_> {
        self.opened.as_ref().map_or(self.root, |fd| fd.as_fd())
    }

    /// Returns the rule that excludes the current entry.
    fn cut(&self, is_folder: bool) -> Option<ExclusionRule<'_>> {
        let by_command_line = self.scope.cut(self.folder(), &self.entry, is_folder);
        by_command_line.or_else(|| self.scope.cut_by_ignore_file(&self.entry, is_folder))
    }

    /// Returns the verdict of a scan on the last entry of a path. The folder's ignore file must have been read.
    pub(super) fn verdict(mut self, name: &[u8]) -> Result<Verdict, Verdict> {
        let verdict = self.verdict_on(name)?;
        if let Verdict::Folder = verdict {
            self.enter()?;
            self.read_ignore_file()?;
        }
        Ok(verdict)
    }

    /// Returns the same without entering a folder, so that others of its names can follow.
    pub(super) fn verdict_on(&mut self, name: &[u8]) -> Result<Verdict, Verdict> {
        if self.kind_of(name, true)? == EntryKind::Folder {
            return Ok(Verdict::Folder);
        }
        Ok(match look_at(self.folder(), name) {
            ListedKind::File(fingerprint) => Verdict::Accepted(fingerprint),
            ListedKind::Skipped(reason) => Verdict::Skipped { reason, at: self.entry.path().to_vec() },
            ListedKind::Vanished => Verdict::Missing,
        })
    }

    /// Returns an entry as a scan lists it among the folder's files. The ignore file must have been read. `None` if
    /// a rule excludes the entry, it is a folder, or it doesn't exist.
    pub(super) fn listed(&mut self, name: &[u8]) -> Option<Listed<'static>> {
        self.entry.set(name);
        if self.cut(false).is_some() {
            return None;
        }
        let kind = look_at(self.folder(), name);
        (kind != ListedKind::Vanished).then(|| Listed { name: Cow::Owned(name.to_vec()), kind })
    }
}

/// Returns the verdict on what is behind a non-directory.
fn in_the_way(kind: EntryKind, at: Vec<u8>) -> Verdict {
    match kind {
        EntryKind::Other(reason) => Verdict::Skipped { reason, at },
        _ => Verdict::Missing,
    }
}
