//! Whether a root is still the folder that it was: a file system that went away looks like a tree whose files
//! were all deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::change::Ground;
use super::committer::Committer;
use super::error::EngineError;
use super::lookout::Lookout;
use super::store::Store;
use crate::ledger::{LedgerError, LedgerReader, StateFolder};
use crate::model::{FileKey, FolderKey, Root, RootId};
use crate::source::Source;

/// Known files that are looked for in a folder that is another one than before.
const SAMPLE_FILES: usize = 256;
/// Files that are looked for in one look, which has to end in time.
const KEYS_A_LOOK: usize = 64;

/// A root that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LostRoot {
    pub root: Root,
    pub why: String,
    /// It is there, but could not be listed.
    pub unlisted: bool,
}

impl LostRoot {
    /// One that is not the folder that it was.
    pub(crate) fn new(root: Root, why: String) -> Self {
        Self { root, why, unlisted: false }
    }

    /// What is wrong with it still: one that could not be listed is back when it can be.
    pub(crate) fn still_unlisted(&self, source: &dyn Source) -> Option<String> {
        let error = if self.unlisted { source.list_root(&self.root).err()? } else { return None };
        Some(format!("can't be listed: {error}"))
    }
}

impl fmt::Display for LostRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.root.path.display(), self.why)
    }
}

/// What tells each root from other folders, as far as that is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct RootMarks(BTreeMap<RootId, u128>);

impl RootMarks {
    /// The marks that the state remembers.
    pub(crate) fn of(state: &StateFolder) -> Self {
        let known = |info: &crate::ledger::RootInfo| Some((RootId(info.id), parse(&info.mark)?));
        Self(state.info().roots.iter().filter_map(known).collect())
    }

    /// The mark of a root that is still the folder that it was, or what is wrong with it.
    pub(crate) fn still(&self, source: &dyn Source, root: &Root) -> Result<u128, String> {
        match source.root_mark(root) {
            Ok(now) if self.0.get(&root.id).is_none_or(|mark| *mark == now) => Ok(now),
            Ok(_) => Err("was renamed, replaced or unmounted".to_owned()),
            Err(error) => Err(format!("was renamed, replaced or unmounted: {error}")),
        }
    }

    /// The mark of a root that is there, or what is wrong with it. One that is another folder than before is taken for
    /// the same one if any file is there of these that are known of it, or none are known.
    pub(crate) fn again(
        &self,
        source: &dyn Source,
        root: &Root,
        known: &[FileKey],
        accept_empty: bool,
    ) -> Result<u128, String> {
        let mark = source.root_mark(root).map_err(|error| format!("can't be looked at: {error}"))?;
        let is_same = self.0.get(&root.id).is_none_or(|before| *before == mark) || accept_empty;
        match is_same || known.is_empty() || known.iter().any(|key| source.exists(root, key)) {
            true => Ok(mark),
            false => Err(NOTHING_KNOWN.to_owned()),
        }
    }

    /// Looks at each root. The first that is not what it was is told; where all are, the state remembers them.
    pub(crate) fn check(
        &mut self,
        store: &mut Store,
        lookout: &Lookout,
        roots: &[(Root, Ground)],
        accept_empty: bool,
    ) -> Result<Option<LostRoot>, EngineError> {
        let marks = match self.compared(&store.reader, lookout, roots, accept_empty)? {
            Ok(marks) => marks,
            Err(lost) => return Ok(Some(lost)),
        };
        marks.remember(store)?;
        *self = marks;
        Ok(None)
    }

    /// Takes a root that is back for what it is now.
    pub(crate) fn accept(mut self, store: &mut Store, root: RootId, mark: u128) -> Result<(), EngineError> {
        self.0.insert(root, mark);
        self.remember(store)
    }

    /// Has the state remember them.
    fn remember(&self, store: &mut Store) -> Result<(), EngineError> {
        let marks = &self.0;
        Ok(store.state.update(|info| {
            for info in &mut info.roots {
                if let Some(mark) = marks.get(&RootId(info.id)) {
                    info.mark = format!("{mark:x}");
                }
            }
        })?)
    }

    /// The marks as they are now, or the first root that is not what it was.
    pub(crate) fn compared(
        &self,
        reader: &LedgerReader,
        lookout: &Lookout,
        roots: &[(Root, Ground)],
        accept_empty: bool,
    ) -> Result<Result<Self, LostRoot>, LedgerError> {
        let mut marks = self.clone();
        for (root, _) in roots {
            let (known, before, of) = (known_files(reader, root)?, self.clone(), root.clone());
            let look = move |source: &dyn Source| before.again(source, &of, &known, accept_empty);
            match lookout.ask(&root.path, look).unwrap_or_else(|error| Err(error.to_string())) {
                Ok(mark) => marks.0.insert(root.id, mark),
                Err(why) => return Ok(Err(LostRoot::new(root.clone(), why))),
            };
        }
        Ok(Ok(marks))
    }
}

const NOTHING_KNOWN: &str = "is another folder than before, and holds none of the files that are known of it: is its \
                             file system mounted? If it was emptied on purpose, give `--accept-empty` once";

fn parse(mark: &str) -> Option<u128> {
    u128::from_str_radix(mark, 16).ok()
}

/// Looks at the roots while an attempt goes on.
pub(crate) struct RootGuard<'a> {
    pub(crate) lookout: &'a Lookout,
    marks: &'a RootMarks,
    roots: &'a [(Root, Ground)],
}

impl<'a> RootGuard<'a> {
    /// Holds the roots against these marks.
    pub(crate) fn new(lookout: &'a Lookout, marks: &'a RootMarks, roots: &'a [(Root, Ground)]) -> Self {
        Self { lookout, marks, roots }
    }

    /// The first root that is not the folder that it was.
    pub(crate) fn lost(&self) -> Option<LostRoot> {
        self.roots.iter().find_map(|(root, _)| self.look(root))
    }

    fn look(&self, root: &Root) -> Option<LostRoot> {
        let (marks, of) = (self.marks.clone(), root.clone());
        let told = self.lookout.ask(&root.path, move |source| marks.still(source, &of));
        let why = told.unwrap_or_else(|error| Err(error.to_string())).err()?;
        Some(LostRoot::new(root.clone(), why))
    }

    /// Those of these files that are there again.
    pub(crate) fn found_again(&self, root: &Root, gone: &[FileKey]) -> Result<BTreeSet<FileKey>, LostRoot> {
        let mut found = BTreeSet::new();
        for keys in gone.chunks(KEYS_A_LOOK) {
            let (mut keys, of) = (keys.to_vec(), root.clone());
            let told = self.lookout.ask(&root.path, move |source| {
                keys.retain(|key| source.exists(&of, key));
                keys
            });
            found.extend(told.map_err(|error| LostRoot::new(root.clone(), error.to_string()))?);
        }
        Ok(found)
    }

    /// Before files are taken for gone: their roots must be what they were, and the files still not there, as a mount
    /// may have come and gone since. What says otherwise is forgotten, and stays as it was. Tells the
    /// first root that is lost.
    pub(crate) fn check_gone(&self, committer: &mut Committer<'_>) -> Option<LostRoot> {
        let mut first = None;
        for (root, _) in self.roots {
            let gone = committer.gone_of(root.id);
            if gone.is_empty() {
                continue;
            }
            match self.look(root).map_or_else(|| self.found_again(root, &gone), Err) {
                Ok(found) => committer.forget_gone(root.id, |key| found.contains(key)),
                Err(lost) => {
                    committer.forget_gone(root.id, |_| true);
                    first.get_or_insert(lost);
                }
            }
        }
        first
    }
}

/// Some of the files that the ledger knows of a root.
pub(crate) fn known_files(reader: &LedgerReader, root: &Root) -> Result<Vec<FileKey>, LedgerError> {
    let mut scan = reader.scan();
    let prefix = FolderKey::root(root.id);
    scan.seek(prefix.as_bytes())?;
    let mut known = Vec::new();
    while known.len() < SAMPLE_FILES
        && let Some((key, _)) = scan.peek()?
        && key.starts_with(prefix.as_bytes())
    {
        known.extend(FileKey::from_bytes(key));
        scan.advance();
    }
    Ok(known)
}
