//! Lists one open folder.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{RawDir, Stat};
use rustix::io::Errno;
use rustix::path::Arg;

use super::names::{CUT, Names, VISIT};
use crate::model::Shard;
use crate::source::filter::ignored::{IGNORE_FILE, IgnoreChain};
use crate::source::filter::{EntryPath, ExclusionRule, Filters};
use crate::source::read::open::{EntryKind, fingerprint, folder_below, stat_in};
use crate::source::{ListedKind, SkipReason};

/// The buffer size of a getdents call: 300 entries and more, so two calls suffice for nearly all folders.
const DIRENTS_LEN: usize = 32 << 10;
/// Names of one folder for which memory is kept for the next one.
const NAMES_KEPT: usize = 1 << 20;
/// Rules that are counted one by one; further rules share one count.
const RULES_MAX: usize = 1000;

/// The folders that are never entered, as they are on disk now.
#[derive(Debug, Default)]
pub(crate) struct StateFolders(Vec<(Vec<u8>, u64, u64)>);

impl StateFolders {
    /// Looks the folders up; one that doesn't exist can't be entered.
    pub(super) fn find(paths: &[PathBuf]) -> Self {
        let look_up = |path: &PathBuf| {
            let real = path.canonicalize().ok()?;
            let stat = rustix::fs::stat(&real).ok()?;
            let name = real.file_name().map_or(Vec::new(), |name| name.as_bytes().to_vec());
            Some((name, stat.st_dev, stat.st_ino))
        };
        Self(paths.iter().filter_map(look_up).collect())
    }

    /// Returns whether this is one of them.
    pub(super) fn holds(&self, stat: &Stat) -> bool {
        self.0.iter().any(|&(_, dev, ino)| (dev, ino) == (stat.st_dev, stat.st_ino))
    }

    fn holds_entry(&self, folder: BorrowedFd<'_>, name: &[u8]) -> bool {
        self.0.iter().any(|(known, ..)| known == name)
            && stat_in(folder, name).is_ok_and(|stat| self.holds(&stat))
    }
}

/// The rules that apply in one folder.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    filters: &'a Filters,
    state: &'a StateFolders,
    /// The ignore files of this folder and those above.
    pub(super) ignored: Option<Arc<IgnoreChain>>,
}

impl<'a> Scope<'a> {
    /// Creates the rules for a folder, given only what its parents establish.
    pub(super) fn new(
        filters: &'a Filters,
        state: &'a StateFolders,
        above: Option<Arc<IgnoreChain>>,
    ) -> Self {
        Self { filters, state, ignored: above }
    }

    /// Adds the folder's own ignore file, if it has one.
    pub(super) fn read_ignore_file(&mut self, folder: BorrowedFd<'_>, relative: &[u8]) -> io::Result<()> {
        self.ignored = IgnoreChain::with_file_of(self.ignored.take(), folder, relative)?;
        Ok(())
    }

    /// Returns the rule of the command line, or of the state, that excludes an entry of this open folder.
    pub(super) fn cut(
        &self,
        folder: BorrowedFd<'_>,
        entry: &EntryPath,
        is_folder: bool,
    ) -> Option<ExclusionRule<'_>> {
        if is_folder && self.state.holds_entry(folder, entry.name()) {
            return Some(ExclusionRule::State);
        }
        self.filters.cut(entry, is_folder)
    }

    /// Returns the ignore file's rule that excludes an entry.
    pub(super) fn cut_by_ignore_file(&self, entry: &EntryPath, is_folder: bool) -> Option<ExclusionRule<'_>> {
        self.ignored.as_ref()?.cut(entry, is_folder)
    }
}

/// Counts what rules excluded.
#[derive(Debug, Default)]
pub(crate) struct LeftOutCounts {
    shard: Option<(Shard, u64)>,
    include: u64,
    rules: BTreeMap<String, u64>,
}

impl LeftOutCounts {
    fn count(&mut self, cut: ExclusionRule<'_>) {
        match cut {
            ExclusionRule::Shard(own) => self.add_shard(own, 1),
            ExclusionRule::Include => self.include += 1,
            _ => self.add(cut.to_string(), 1),
        }
    }

    fn add_shard(&mut self, own: Shard, entries: u64) {
        self.shard.get_or_insert((own, 0)).1 += entries;
    }

    /// Adds entries under the name of a rule.
    pub(crate) fn add(&mut self, rule: String, entries: u64) {
        let full = self.rules.len() >= RULES_MAX && !self.rules.contains_key(&rule);
        let rule = if full { "other rules".to_owned() } else { rule };
        *self.rules.entry(rule).or_default() += entries;
    }

    /// Adds another thread's counts.
    pub(super) fn merge(&mut self, other: Self) {
        self.include += other.include;
        other.shard.into_iter().for_each(|(own, entries)| self.add_shard(own, entries));
        for (rule, entries) in other.rules {
            self.add(rule, entries);
        }
    }

    /// Returns the counts by the names of the rules.
    pub(crate) fn into_rules(self) -> BTreeMap<String, u64> {
        let mut rules = self.rules;
        rules.extend(self.shard.map(|(own, entries)| (ExclusionRule::Shard(own).to_string(), entries)));
        if self.include > 0 {
            rules.insert(ExclusionRule::Include.to_string(), self.include);
        }
        rules
    }
}

/// Lists folders, one after the other, into memory that it keeps.
#[derive(Debug)]
pub(super) struct Lister {
    dirents: Vec<u8>,
    /// The non-directory entries of the last listed folder that the rules accept.
    pub(super) files: Names,
    /// Storage for their metadata.
    pub(super) looked: Vec<IndexedKind>,
    /// What the rules have excluded so far.
    pub(super) left_out: LeftOutCounts,
}

impl Lister {
    pub(super) fn new() -> Self {
        let (files, looked, left_out) = Default::default();
        Self { dirents: Vec::with_capacity(DIRENTS_LEN), files, looked, left_out }
    }

    /// Lists an open folder, and returns its sub-folders, tagged [`VISIT`] unless they are excluded.
    ///
    /// # Errors
    /// The folder can't be listed, or its ignore file can't be read.
    pub(super) fn list(
        &mut self,
        folder: BorrowedFd<'_>,
        relative: &[u8],
        scope: &mut Scope<'_>,
    ) -> io::Result<Names> {
        let mut entry = EntryPath::in_folder(relative);
        let (mut folders, has_ignore_file) = self.read_entries(folder, scope, &mut entry)?;
        if has_ignore_file {
            scope.read_ignore_file(folder, relative)?;
        }
        if scope.ignored.is_some() {
            self.apply_ignore_files(scope, &mut entry, &mut folders);
        }
        self.files.sort();
        folders.sort();
        folders.shrink();
        Ok(folders)
    }

    /// Collects the names that the globs accept, unsorted. Returns true if there is an ignore file.
    fn read_entries(
        &mut self,
        folder: BorrowedFd<'_>,
        scope: &Scope<'_>,
        entry: &mut EntryPath,
    ) -> io::Result<(Names, bool)> {
        let Self { dirents, files, left_out, .. } = self;
        files.clear(NAMES_KEPT);
        let mut folders = Names::default();
        let mut has_ignore_file = false;
        let mut directory = RawDir::new(folder, dirents.spare_capacity_mut());
        while let Some(next) = directory.next() {
            let dirent = match next {
                Ok(dirent) => dirent,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let name = dirent.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            has_ignore_file |= name == IGNORE_FILE;
            let kind = match EntryKind::of(dirent.file_type()) {
                EntryKind::Unknown => {
                    stat_in(folder, name).map_or(EntryKind::Unknown, |s| EntryKind::of_stat(&s))
                }
                kind => kind,
            };
            entry.set(name);
            let is_folder = kind == EntryKind::Folder;
            let cut = scope.cut(folder, entry, is_folder);
            let pushed = match (is_folder, &cut) {
                (true, _) => folders.push(if cut.is_some() { CUT } else { VISIT }, name),
                (false, None) => files.push(kind.tag(), name),
                (false, Some(_)) => Ok(()),
            };
            pushed.map_err(io::Error::other)?;
            if let Some(cut) = cut {
                left_out.count(cut);
            }
        }
        Ok((folders, has_ignore_file))
    }

    fn apply_ignore_files(&mut self, scope: &Scope<'_>, entry: &mut EntryPath, folders: &mut Names) {
        let Self { files, left_out, .. } = self;
        files.retain(|_, name| {
            entry.set(name);
            let cut = scope.cut_by_ignore_file(entry, false);
            cut.is_none_or(|cut| {
                left_out.count(cut);
                false
            })
        });
        folders.retag(|tag, name| {
            entry.set(name);
            match scope.cut_by_ignore_file(entry, true) {
                Some(cut) if tag == VISIT => {
                    left_out.count(cut);
                    CUT
                }
                _ => tag,
            }
        });
    }
}

/// Lists a folder below an open root to its end, collecting nothing.
pub(super) fn list_through(root: BorrowedFd<'_>, relative: &[u8]) -> Result<(), Errno> {
    let opened = if relative.is_empty() { None } else { Some(folder_below(root, relative)?) };
    let folder = opened.as_ref().map_or(root, |fd| fd.as_fd());
    let mut dirents = Vec::with_capacity(DIRENTS_LEN);
    let mut directory = RawDir::new(folder, dirents.spare_capacity_mut());
    while let Some(next) = directory.next() {
        match next {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Returns the current state of an entry that was not a directory.
pub(super) fn look_at(folder: BorrowedFd<'_>, name: impl Arg + Copy) -> ListedKind {
    match stat_in(folder, name) {
        Ok(stat) => match EntryKind::of_stat(&stat) {
            EntryKind::File => ListedKind::File(fingerprint(&stat)),
            EntryKind::Folder => ListedKind::Vanished,
            EntryKind::Other(reason) => ListedKind::Skipped(reason),
            EntryKind::Unknown => ListedKind::Skipped(SkipReason::NoMetadata),
        },
        Err(Errno::NOENT) => ListedKind::Vanished,
        Err(_) => ListedKind::Skipped(SkipReason::NoMetadata),
    }
}

/// Returns the path of an entry, for messages.
pub(super) fn shown(path: &[u8]) -> std::path::Display<'_> {
    Path::new(std::ffi::OsStr::from_bytes(path)).display()
}

/// An entry's position in the order of names, and its state.
pub(super) type IndexedKind = (usize, ListedKind);
