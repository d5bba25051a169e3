use std::sync::mpsc::sync_channel;

use super::*;
use crate::engine::lifecycle::counts::ScanCounts;
use crate::model::{FileKey, LogPosition, Resource, RootId};
use crate::source::{Content, ReadError, ScanReport};

/// A source that scans only parts, by a function.
pub(crate) struct PartSource<F>(pub F);

impl<F> Source for PartSource<F>
where
    F: Fn(&FolderKey, &mut dyn FolderVisitor) -> io::Result<ScanReport> + Send + Sync,
{
    fn scan(
        &self,
        root: &Root,
        threads: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> io::Result<ScanReport> {
        self.scan_below(root, &FolderKey::root(root.id), threads, visitors)
    }

    fn scan_below(
        &self,
        _: &Root,
        from: &FolderKey,
        _: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> io::Result<ScanReport> {
        (self.0)(from, visitors().as_mut())
    }

    fn read(&self, _: &Root, _: &FileKey, _: u64, _: &mut Vec<u8>) -> Result<Content, ReadError> {
        Err(ReadError::Gone)
    }

    fn root_mark(&self, _: &Root) -> io::Result<u128> {
        Ok(1)
    }

    fn exists(&self, _: &Root, _: &FileKey) -> bool {
        false
    }

    fn accepts(&self, _: &[u8]) -> bool {
        true
    }

    fn filters(&self) -> String {
        String::new()
    }
}

pub(crate) fn root(id: u32) -> Root {
    Root { id: RootId(id), name: format!("r{id}"), path: format!("/r{id}").into() }
}

pub(crate) fn scope() -> RunScope {
    RunScope {
        epoch: 1,
        run_start: LogPosition::START,
        reported_before: LogPosition::START,
        quarantine: true,
    }
}

#[test]
fn folders_that_a_scan_of_all_or_of_a_part_cannot_list_are_told_and_counted() {
    let fails = |from: &FolderKey, visitor: &mut dyn FolderVisitor| {
        let denied = from.child(b"denied");
        let busy = from.child(b"busy");
        let _ = visitor.unreadable(&denied, &io::ErrorKind::PermissionDenied.into());
        let _ = visitor.unreadable(&busy, &io::Error::from(rustix::io::Errno::MFILE));
        Ok(ScanReport::default())
    };
    for below in [None, Some(FolderKey::root(RootId(1)).child(b"part"))] {
        let plan = ScanPlan {
            reader: None,
            roots: vec![(root(1), scope())],
            below: below.clone(),
            source: Arc::new(PartSource(fails)),
            unlisted: None,
            halt: Stop::default(),
        };
        let (send, events) = sync_channel(16);
        plan.run(&Reports::to(&send));
        drop(send);
        let mut counted = ScanCounts::default();
        let mut unlisted = Vec::new();
        for event in events {
            match event {
                Message::Found { counts, .. } => counted = counts,
                Message::Unlisted { resource, .. } => unlisted.push(resource),
                _ => {}
            }
        }
        assert_eq!(counted, ScanCounts { unreadable_folders: 2, ..ScanCounts::default() }, "{below:?}");
        assert_eq!(unlisted, [Resource::Descriptors], "{below:?}");
    }
}

#[test]
fn a_root_that_cannot_be_listed_is_told_and_counted_whatever_the_reason() {
    use rustix::io::Errno;
    let files = Some(Resource::Files);
    let none = None;
    for (errno, short_of) in [
        (Errno::IO, files),
        (Errno::STALE, files),
        (Errno::NOTCONN, files),
        (Errno::TIMEDOUT, files),
        (Errno::NOENT, files),
        (Errno::NOTDIR, files),
        (Errno::MFILE, Some(Resource::Descriptors)),
        (Errno::NFILE, Some(Resource::Descriptors)),
        (Errno::NOMEM, Some(Resource::Memory)),
        (Errno::ACCESS, none),
        (Errno::PERM, none),
        (Errno::LOOP, none),
        (Errno::NAMETOOLONG, none),
        (Errno::INVAL, none),
    ] {
        let unlisted = Arc::new(RelistQueue::default());
        let plan = ScanPlan {
            reader: None,
            roots: vec![(root(1), scope()), (root(2), scope())],
            below: None,
            source: Arc::new(PartSource(move |_: &FolderKey, _: &mut dyn FolderVisitor| Err(errno.into()))),
            unlisted: Some(Arc::clone(&unlisted)),
            halt: Stop::default(),
        };
        let (send, events) = sync_channel(16);
        plan.run(&Reports::to(&send));
        drop(send);
        let mut folders = 0;
        let mut lost = Vec::new();
        for event in events {
            match event {
                Message::Found { changes, counts, .. } => {
                    assert!(changes.is_empty(), "{errno:?}");
                    folders += counts.unreadable_folders;
                }
                Message::Unlisted { resource, why, lost: root } => {
                    assert_eq!(
                        (Some(resource), root.as_ref().unwrap().unlisted),
                        (short_of, true),
                        "{errno:?}"
                    );
                    assert!(why.starts_with(root.unwrap().root.path.to_str().unwrap()), "{why}");
                    lost.push(why);
                }
                Message::Failed(error) => panic!("{errno:?} ends the run: {error}"),
                _ => {}
            }
        }
        assert_eq!((folders, lost.len()), (2, if short_of.is_some() { 2 } else { 0 }), "{errno:?}");
        let known = unlisted.unlisted();
        assert_eq!(known.len(), 2, "a process that stays tells both: {known:?}");
        assert!(known[0].1.starts_with("/r1: can't be listed: "), "{known:?}");
    }
}
