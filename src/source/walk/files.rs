//! The files of one listed folder, with their metadata.
//!
//! Some metadata is requested ahead of the consumer. While the scan waits for its file system, helpers request more
//! in parallel: one folder of 100,000 files must not wait 100,000 times. Nor must it keep one core busy and leave
//! the others idle.

use std::borrow::Cow;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::thread;

use super::list::{IndexedKind, look_at};
use super::names::Names;
use super::pace::Stride;
use super::stack::Stack;
use crate::source::read::open::EntryKind;
use crate::source::{Listed, ListedKind};

/// Entries of an open folder with their metadata.
pub(super) struct Files<'a, 'p> {
    entries: Entries<'a>,
    next: usize,
    /// Metadata fetched so far, in memory that is kept from folder to folder, and how much of it is consumed.
    ready: &'a mut Vec<IndexedKind>,
    gone: usize,
    stride: &'a mut Stride<'p>,
    stack: &'a Stack,
}

#[derive(Clone, Copy)]
struct Entries<'a> {
    folder: BorrowedFd<'a>,
    names: &'a Names,
}

impl<'a, 'p> Files<'a, 'p> {
    pub(super) fn new(
        folder: BorrowedFd<'a>,
        (names, ready): (&'a Names, &'a mut Vec<IndexedKind>),
        stride: &'a mut Stride<'p>,
        stack: &'a Stack,
    ) -> Self {
        ready.clear();
        Self { entries: Entries { folder, names }, next: 0, ready, gone: 0, stride, stack }
    }

    fn look_ahead(&mut self) {
        self.ready.clear();
        self.gone = 0;
        let (helpers, len) = self.stride.pace.help_with(self.entries.names.len() - self.next, self.next);
        let mut portion = || {
            let end = (self.next + len).min(self.entries.names.len());
            std::mem::replace(&mut self.next, end)..end
        };
        let first = portion();
        let others: Vec<_> = (0..helpers.threads).map(|_| portion()).collect();
        if others.is_empty() {
            self.look_at(first);
        } else {
            self.look_with_helpers(first, others);
        }
    }

    /// Fetches a part's metadata in this thread, which measures it.
    fn look_at(&mut self, part: Range<usize>) {
        let begun = self.stride.begin();
        self.entries.look_at(part, self.ready);
        self.stride.end(begun, || self.stack.has_more());
    }

    /// Fetches the first part in this thread and each other one in its own thread, or here if that can't be
    /// started. This is rare, so it is a separate function: sharing a stack frame with it made each metadata call a
    /// twentieth slower.
    #[cold]
    #[inline(never)]
    fn look_with_helpers(&mut self, first: Range<usize>, others: Vec<Range<usize>>) {
        let entries = self.entries;
        thread::scope(|scope| {
            let start = |part: Range<usize>| {
                let helper = thread::Builder::new().name("walk-helper".to_owned());
                let again = part.clone();
                let look = move || {
                    let mut looked = Vec::new();
                    entries.look_at(part, &mut looked);
                    looked
                };
                (helper.spawn_scoped(scope, look).ok(), again)
            };
            let helpers: Vec<_> = others.into_iter().map(start).collect();
            self.look_at(first);
            for (helper, part) in helpers {
                match helper.and_then(|helper| helper.join().ok()) {
                    Some(looked) => self.ready.extend(looked),
                    None => entries.look_at(part, self.ready),
                }
            }
        });
    }
}

impl Entries<'_> {
    fn look_at(self, part: Range<usize>, all: &mut Vec<IndexedKind>) {
        let look = |index| {
            let (tag, name) = self.names.get(index)?;
            let kind = match EntryKind::of_tag(tag) {
                EntryKind::Other(reason) => ListedKind::Skipped(reason),
                _ => look_at(self.folder, name),
            };
            Some((index, kind))
        };
        all.reserve(part.len());
        all.extend(part.filter_map(look));
    }
}

impl<'a> Iterator for Files<'a, '_> {
    type Item = Listed<'a>;

    fn next(&mut self) -> Option<Listed<'a>> {
        if self.gone == self.ready.len() && self.next < self.entries.names.len() {
            self.look_ahead();
        }
        let (index, kind) = self.ready.get(self.gone)?;
        self.gone += 1;
        let name = Cow::Borrowed(self.entries.names.name(*index)?);
        Some(Listed { name, kind: kind.clone() })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.ready.len() - self.gone + self.entries.names.len().saturating_sub(self.next);
        (left, Some(left))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;
    use std::time::Duration;

    use super::super::list::{Lister, Scope, StateFolders};
    use super::super::pace::Pace;
    use super::super::stack::Job;
    use super::super::thread_clock::ThreadTimes;
    use super::*;
    use crate::model::{FolderKey, RootId};
    use crate::source::filter::Filters;

    /// Enough files for helpers to share, and for helpers to come more than once.
    const FILES: usize = 12_000;

    #[test]
    fn a_folder_is_told_in_order_and_once_also_with_helpers() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..FILES {
            fs::write(folder.path().join(format!("{number:05}")), vec![b'x'; number % 300]).unwrap();
        }
        let fd = fs::File::open(folder.path()).unwrap();
        let filters = Filters::default();
        let state = StateFolders::default();
        let mut lister = Lister::new();
        lister.list(fd.as_fd(), b"", &mut Scope::new(&filters, &state, None)).unwrap();
        let stack = Stack::new(Job { key: FolderKey::root(RootId(1)), ignored: None });
        let waiting = ThreadTimes { total: Duration::from_secs(1), waiting: Duration::from_secs(1) };
        for waits in [false, true] {
            let pace = Pace::new(2);
            if waits {
                pace.note(waiting, || false);
                assert_eq!(pace.help_with(200, 0).0.threads, 3);
            }
            assert!(pace.help_with(FILES / 2, FILES / 2).0.threads > 0);
            let mut stride = Stride::new(&pace);
            let files = Files::new(fd.as_fd(), (&lister.files, &mut lister.looked), &mut stride, &stack);
            assert_eq!(files.size_hint(), (FILES, Some(FILES)));
            let seen: Vec<_> = files.collect();
            assert_eq!(seen.len(), FILES);
            for (number, listed) in seen.iter().enumerate() {
                let size = match &listed.kind {
                    ListedKind::File(fingerprint) => fingerprint.size,
                    other => panic!("{other:?}"),
                };
                let expected = (number % 300) as u64;
                assert_eq!((&*listed.name, size), (format!("{number:05}").as_bytes(), expected));
            }
        }
    }
}
