//! A look at the files that a list names, in place of a scan: each name is judged by the rules of a scan, and what the
//! list does not name is left as it is.

use super::merge::{LedgerMerge, Purpose};
use super::message::{Message, Reports};
use super::scan::{SCAN_EVENTS, ScanPlan, root_unreadable};
use crate::engine::error::EngineError;
use crate::engine::job_plan::Listing;
use crate::engine::resources::semaphore::Semaphore;
use crate::ledger::LedgerReader;
use crate::model::{FileKey, FolderKey, Root, RootId};
use crate::source::list::ListError;
use crate::source::{FolderVisitor, LeftOutCounts, ScanReport, Verdict};

/// Names of one folder that are looked at together.
const NAMES_MAX: usize = 1024;
/// Paths that are not there and are each named in the log.
const SHOWN_MAX: u64 = 10;

/// A look at the files of a list.
pub(crate) struct ListedPlan {
    /// The same for a scan.
    pub scan: ScanPlan,
    pub listing: Listing,
}

/// Names of one folder.
struct Group {
    folder: FolderKey,
    names: Vec<Box<[u8]>>,
}

/// The look at one root.
struct Look<'a> {
    root: &'a Root,
    merge: LedgerMerge,
    known: Option<&'a LedgerReader>,
    /// The last folder that could not be looked at.
    unreadable: Option<FolderKey>,
    seen: Seen,
}

/// What no file comes of, and the log or the summary tells.
#[derive(Default)]
struct Seen {
    left_out: LeftOutCounts,
    missing: u64,
    folders: u64,
}

impl ListedPlan {
    pub(crate) fn run(&self, send: &Reports) {
        let semaphore = Semaphore::new(SCAN_EVENTS);
        let mut look: Option<Look<'_>> = None;
        let looked = self.each_group(|group| {
            let root = group.folder.root_id();
            if look.as_ref().is_none_or(|look| look.root.id != root) {
                look.take().into_iter().for_each(|look| look.end(send));
                look = self.begin(root, send, &semaphore);
            }
            look.as_mut().map_or(Ok(()), |look| look.look(&group, send))
        });
        look.into_iter().for_each(|look| look.end(send));
        if let Err(error) = looked {
            send.send(Message::Failed(error));
        }
        let roots = self.listing.files.keys().roots;
        if roots > 0 {
            tracing::warn!(entries = roots, "the list names a root itself: no folder is walked for a list");
        }
        send.send(Message::ScansEnded);
    }

    /// Calls `act` with the names of each folder, in order.
    fn each_group(&self, mut act: impl FnMut(Group) -> Result<(), EngineError>) -> Result<(), EngineError> {
        let cannot_read = |error| EngineError::from(ListError::Sort(error));
        let mut keys = self.listing.files.keys().iter().map_err(cannot_read)?;
        let mut group: Option<Group> = None;
        while !self.scan.halt.is_requested()
            && let Some(listed) = keys.next().map_err(cannot_read)?
        {
            let Some(key) = self.listing.key(&listed) else { continue };
            let folder = key.folder();
            let is_next = |group: &mut Group| group.folder != folder || group.names.len() >= NAMES_MAX;
            group.take_if(is_next).map_or(Ok(()), &mut act)?;
            let names = &mut group.get_or_insert_with(|| Group { folder, names: Vec::new() }).names;
            names.push(key.name().into());
        }
        group.map_or(Ok(()), act)
    }

    fn begin(&self, root: RootId, send: &Reports, semaphore: &Semaphore) -> Option<Look<'_>> {
        let (root, scope) = self.scan.roots.iter().find(|(known, _)| known.id == root)?;
        let known = self.scan.known(root);
        let merge = LedgerMerge::new(
            Purpose::Listed,
            known,
            *scope,
            root.clone(),
            self.scan.source.clone(),
            self.scan.halt.clone(),
            (send.clone(), semaphore.clone()),
        );
        Some(Look { root, merge, known, unreadable: None, seen: Seen::default() })
    }
}

impl Look<'_> {
    fn look(&mut self, group: &Group, send: &Reports) -> Result<(), EngineError> {
        let Group { folder, names } = group;
        let keys: Vec<FileKey> = names.iter().map(|name| folder.file(name)).collect();
        let entries = match self.known {
            Some(reader) => reader.lookup(&keys)?,
            None => vec![None; keys.len()],
        };
        let verdicts = match self.merge.verdicts(folder, names) {
            Ok(verdicts) => verdicts,
            Err(Verdict::Unreadable { at, error }) if error.kind() != std::io::ErrorKind::NotFound => {
                self.note_unreadable(&at, error, send);
                return Ok(());
            }
            Err(Verdict::LeftOut { rule, at }) => {
                let same = || Verdict::LeftOut { rule: rule.clone(), at: at.clone() };
                names.iter().map(|_| same()).collect()
            }
            Err(Verdict::Skipped { reason, at }) => {
                names.iter().map(|_| Verdict::Skipped { reason, at: at.clone() }).collect()
            }
            // What is below something that is gone, or that is no folder.
            Err(_) => names.iter().map(|_| Verdict::Missing).collect(),
        };
        for ((key, verdict), entry) in keys.iter().zip(verdicts).zip(entries) {
            self.seen.note(self.root, key, &verdict, entry.is_some());
            self.merge.note_named(folder, key, verdict, entry);
        }
        self.merge.pass_on();
        Ok(())
    }

    /// Reports a folder once, however many names are below it.
    fn note_unreadable(&mut self, at: &[u8], error: std::io::Error, send: &Reports) {
        let Some(folder) = FolderKey::from_relative_path(self.root.id, at) else { return };
        if self.unreadable.as_ref() == Some(&folder) {
            return;
        }
        if at.is_empty() {
            root_unreadable(self.root, error, &mut self.merge, send);
        } else {
            // The other folders are looked at all the same.
            let _ = self.merge.unreadable(&folder, &error);
        }
        self.unreadable = Some(folder);
    }

    fn end(self, send: &Reports) {
        let Seen { left_out, missing, folders } = self.seen;
        let root = &self.root.name;
        if missing > SHOWN_MAX {
            tracing::warn!(%root, files = missing, "the list names more files that are not there: these in all");
        }
        if folders > 0 {
            tracing::warn!(%root, folders, "the list names folders, which are not walked: name the files in them");
        }
        drop(self.merge);
        send.send(Message::Scanned(ScanReport { folders: 0, filtered: left_out.into_rules() }));
    }
}

impl Seen {
    fn note(&mut self, root: &Root, key: &FileKey, verdict: &Verdict, is_known: bool) {
        match verdict {
            Verdict::LeftOut { rule, .. } => self.left_out.add(rule.clone(), 1),
            Verdict::Folder if !is_known => self.folders += 1,
            Verdict::Missing | Verdict::Outside if !is_known => {
                self.missing += 1;
                if self.missing <= SHOWN_MAX {
                    let path = String::from_utf8_lossy(&key.relative_path()).into_owned();
                    tracing::warn!(
                        root = %root.name, file = %path,
                        "the list names a file that is not there; its paths are relative to the root"
                    );
                }
            }
            _ => {}
        }
    }
}
