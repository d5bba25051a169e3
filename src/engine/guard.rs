//! Whether a root is still the folder that it was: a file system that went away looks like a tree whose files
//! were all deleted.

use std::collections::BTreeMap;
use std::fmt;

use super::change::Ground;
use super::committer::Committer;
use super::error::EngineError;
use super::store::Store;
use crate::ledger::{LedgerError, LedgerReader, StateFolder};
use crate::model::{FileKey, FolderKey, Root, RootId};
use crate::source::Source;

/// Known files that are looked for in a folder that is another one than before.
const SAMPLE_FILES: usize = 256;

/// A root that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LostRoot {
    pub root: Root,
    pub why: String,
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

    /// What is wrong with a root that is not the folder that it was.
    pub(crate) fn lost(&self, source: &dyn Source, root: &Root) -> Option<LostRoot> {
        let why = match source.root_mark(root) {
            Ok(now) if self.0.get(&root.id).is_none_or(|mark| *mark == now) => return None,
            Ok(_) => "was renamed, replaced or unmounted".to_owned(),
            Err(error) => format!("was renamed, replaced or unmounted: {error}"),
        };
        Some(LostRoot { root: root.clone(), why })
    }

    /// Whether a root that went away is there again.
    pub(crate) fn is_back(
        &self,
        reader: &LedgerReader,
        source: &dyn Source,
        root: &Root,
        accept_empty: bool,
    ) -> Result<bool, LedgerError> {
        let Ok(mark) = source.root_mark(root) else { return Ok(false) };
        let is_same = self.0.get(&root.id).is_none_or(|before| *before == mark) || accept_empty;
        Ok(is_same || holds_known_files(reader, source, root)?)
    }

    /// Looks at each root. The first that is not what it was is told; where all are, the state remembers them.
    pub(crate) fn check(
        &mut self,
        store: &mut Store,
        source: &dyn Source,
        roots: &[(Root, Ground)],
        accept_empty: bool,
    ) -> Result<Option<LostRoot>, EngineError> {
        let marks = match self.compared(&store.reader, source, roots, accept_empty)? {
            Ok(marks) => marks,
            Err(lost) => return Ok(Some(lost)),
        };
        marks.remember(store)?;
        *self = marks;
        Ok(None)
    }

    /// Takes a root that is back for what it is now.
    pub(crate) fn accept(
        mut self,
        store: &mut Store,
        source: &dyn Source,
        root: &Root,
    ) -> Result<(), EngineError> {
        if let Ok(mark) = source.root_mark(root) {
            self.0.insert(root.id, mark);
        }
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

    /// The marks as they are now, or the first root that is not what it was. One that is another folder than before
    /// is taken for the same one if there is anything that is known of it, or nothing is known.
    pub(crate) fn compared(
        &self,
        reader: &LedgerReader,
        source: &dyn Source,
        roots: &[(Root, Ground)],
        accept_empty: bool,
    ) -> Result<Result<Self, LostRoot>, LedgerError> {
        let mut marks = self.clone();
        for (root, _) in roots {
            let mark = match source.root_mark(root) {
                Ok(mark) => mark,
                Err(error) => {
                    let why = format!("can't be looked at: {error}");
                    return Ok(Err(LostRoot { root: root.clone(), why }));
                }
            };
            if !self.is_back(reader, source, root, accept_empty)? {
                return Ok(Err(LostRoot { root: root.clone(), why: NOTHING_KNOWN.to_owned() }));
            }
            marks.0.insert(root.id, mark);
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
    source: &'a dyn Source,
    marks: &'a RootMarks,
    roots: &'a [(Root, Ground)],
}

impl<'a> RootGuard<'a> {
    /// Holds the roots against these marks.
    pub(crate) fn new(source: &'a dyn Source, marks: &'a RootMarks, roots: &'a [(Root, Ground)]) -> Self {
        Self { source, marks, roots }
    }

    /// The first root that is not the folder that it was.
    pub(crate) fn lost(&self) -> Option<LostRoot> {
        self.roots.iter().find_map(|(root, _)| self.look(root))
    }

    fn look(&self, root: &Root) -> Option<LostRoot> {
        self.marks.lost(self.source, root)
    }

    /// Before files are taken for gone: their roots must be what they were, and the files still not there, as a mount
    /// may have come and gone since. What says otherwise is forgotten, and stays as it was. Tells the
    /// first root that is lost.
    pub(crate) fn check_gone(&self, committer: &mut Committer<'_>) -> Option<LostRoot> {
        let mut first = None;
        for (root, _) in self.roots {
            if !committer.has_gone(root.id) {
                continue;
            }
            if let Some(lost) = self.look(root) {
                committer.forget_gone(root.id);
                first.get_or_insert(lost);
            } else {
                committer.forget_found_again(root.id, |key| self.source.exists(root, key));
            }
        }
        first
    }
}

/// Whether any file is there that the ledger knows of a root, or it knows none.
fn holds_known_files(reader: &LedgerReader, source: &dyn Source, root: &Root) -> Result<bool, LedgerError> {
    let mut scan = reader.scan();
    let prefix = FolderKey::root(root.id);
    scan.seek(prefix.as_bytes())?;
    let mut looked_for = 0;
    while looked_for < SAMPLE_FILES
        && let Some((key, _)) = scan.peek()?
        && key.starts_with(prefix.as_bytes())
    {
        looked_for += 1;
        if FileKey::from_bytes(key).is_some_and(|key| source.exists(root, &key)) {
            return Ok(true);
        }
        scan.advance();
    }
    Ok(looked_for == 0)
}
