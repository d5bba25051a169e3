//! Going down from a root to one entry by the rules of a scan, without visiting anything else.

use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;

use super::list::{Scope, look_at};
use super::verdict::Verdict;
use crate::source::filter::ignored::IgnoreChain;
use crate::source::filter::{Cut, EntryPath};
use crate::source::read::open::{self, EntryKind};
use crate::source::{Listed, ListedKind};

/// A folder below a root, and the rules that apply in it. An `Err` of its methods is the verdict
/// that a scan would have reached on the way.
pub(super) struct Descent<'a> {
    root: BorrowedFd<'a>,
    scope: Scope<'a>,
    /// The folder, where it is not the root.
    opened: Option<OwnedFd>,
    entry: EntryPath,
}

impl<'a> Descent<'a> {
    /// At the root, which is open.
    pub(super) fn new(root: BorrowedFd<'a>, scope: Scope<'a>) -> Self {
        Self { root, scope, opened: None, entry: EntryPath::in_folder(b"") }
    }

    /// Goes down each component of a path relative to where it is; empty stays.
    pub(super) fn enter_all(&mut self, relative: &[u8]) -> Result<(), Verdict> {
        let components = relative.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
        for name in components {
            self.read_ignore_file()?;
            self.kind_of(name, false)?;
            self.enter()?;
        }
        Ok(())
    }

    /// Adds the rules of the folder's own ignore file; due before anything in it is looked at.
    pub(super) fn read_ignore_file(&mut self) -> Result<(), Verdict> {
        let folder = self.opened.as_ref().map_or(self.root, |fd| fd.as_fd());
        let relative = self.entry.folder();
        let unreadable = |error| Verdict::Unreadable { at: relative.to_vec(), error };
        self.scope.read_ignore_file(folder, relative).map_err(unreadable)
    }

    /// The ignore files of the folders above, for a walk that begins here: not the folder's own.
    pub(super) fn into_ignored_above(self) -> Option<Arc<IgnoreChain>> {
        self.scope.ignored
    }

    /// Takes one entry of the folder in hand and says what no rule leaves out. On the way to
    /// another one, anything but a folder ends it.
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

    /// Enters the entry in hand.
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

    /// The rule that leaves the entry in hand out.
    fn cut(&self, is_folder: bool) -> Option<Cut<'_>> {
        let by_command_line = self.scope.cut(self.folder(), &self.entry, is_folder);
        by_command_line.or_else(|| self.scope.cut_by_ignore_file(&self.entry, is_folder))
    }

    /// What a scan makes of the last entry of a path, the folder's ignore file being read.
    pub(super) fn verdict(mut self, name: &[u8]) -> Result<Verdict, Verdict> {
        if self.kind_of(name, true)? == EntryKind::Folder {
            self.enter()?;
            self.read_ignore_file()?;
            return Ok(Verdict::Folder);
        }
        Ok(match look_at(self.folder(), name) {
            ListedKind::File(fingerprint) => Verdict::Accepted(fingerprint),
            ListedKind::Skipped(reason) => Verdict::Skipped { reason, at: self.entry.path().to_vec() },
            ListedKind::Vanished => Verdict::Missing,
        })
    }

    /// An entry as a scan lists it among the folder's files, whose ignore file was read. None where
    /// a rule leaves it out, it is a folder, or nothing.
    pub(super) fn listed(&mut self, name: &[u8]) -> Option<Listed<'static>> {
        self.entry.set(name);
        if self.cut(false).is_some() {
            return None;
        }
        let kind = look_at(self.folder(), name);
        (kind != ListedKind::Vanished).then(|| Listed { name: Cow::Owned(name.to_vec()), kind })
    }
}

/// What is behind something that is no folder.
fn in_the_way(kind: EntryKind, at: Vec<u8>) -> Verdict {
    match kind {
        EntryKind::Other(reason) => Verdict::Skipped { reason, at },
        _ => Verdict::Missing,
    }
}
