//! Checks whether a root is still the folder that it was: a file system that went away looks like a tree whose files
//! were all deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use super::probe::FsProbe;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition::RunScope;
use crate::engine::store::Store;
use crate::ledger::{LedgerError, LedgerReader, RootInfo, StateInfo};
use crate::model::{FileKey, FolderKey, Root, RootId};
use crate::source::Source;

/// Known files that are checked for in a folder other than before.
const SAMPLE_FILES: usize = 256;
/// Files that are checked for in one probe, which has to end in time.
const KEYS_PER_PROBE: usize = 64;

/// A root that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LostRoot {
    pub root: Root,
    pub why: String,
    /// It exists, but could not be listed.
    pub unlisted: bool,
}

impl LostRoot {
    /// Creates one that is not the folder that it was.
    pub(crate) fn new(root: Root, why: String) -> Self {
        Self { root, why, unlisted: false }
    }

    /// Returns what is still wrong with it: one that could not be listed is back when it can be.
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

/// Where a root led when it was probed, and what distinguishes that folder from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub mark: u128,
    pub target: PathBuf,
}

impl Seen {
    fn of(source: &dyn Source, root: &Root) -> io::Result<Self> {
        let target = source.root_target(root)?;
        let mark = source.root_mark(&Root { path: target.clone(), ..root.clone() })?;
        Ok(Self { mark, target })
    }

    fn note_in(self, info: &mut RootInfo) {
        info.mark = format!("{:x}", self.mark);
        info.target = self.target;
    }
}

/// What the state remembers of a root.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    /// `None` where it was never probed.
    mark: Option<u128>,
    target: PathBuf,
}

/// Result of comparing a root with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RootVerdict {
    /// As before.
    Same(Seen),
    /// It leads to another folder, as a link on the way says.
    Leads(Seen),
    /// It is not what it was.
    Lost(String),
}

/// What distinguishes each root from other folders, as far as known. Each probe of a root has a clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct RootIdentities(Arc<BTreeMap<RootId, Known>>);

impl RootIdentities {
    /// Returns the identities that the state remembers.
    pub(crate) fn of(info: &StateInfo) -> Self {
        let known = |info: &RootInfo| {
            (RootId(info.id), Known { mark: parse(&info.mark), target: info.target().to_owned() })
        };
        Self(Arc::new(info.roots.iter().map(known).collect()))
    }

    /// Returns the root as an attempt sees it: by where it leads, so that it is one tree for all of the attempt.
    pub(crate) fn bound(&self, root: &Root) -> Root {
        let target = self.0.get(&root.id).map(|known| known.target.clone());
        Root { path: target.unwrap_or_else(|| root.path.clone()), ..root.clone() }
    }

    /// Compares a root without reading its files.
    pub(crate) fn compare(&self, source: &dyn Source, root: &Root) -> RootVerdict {
        let seen = match Seen::of(source, root) {
            Ok(seen) => seen,
            Err(error) => return RootVerdict::Lost(format!("{WENT}: {error}")),
        };
        let Some(Known { mark: Some(mark), target }) = self.0.get(&root.id) else {
            return RootVerdict::Same(seen);
        };
        match (*mark == seen.mark, *target == seen.target) {
            (true, true) => RootVerdict::Same(seen),
            (true, false) => RootVerdict::Leads(seen),
            (false, true) => RootVerdict::Lost(WENT.to_owned()),
            // A link was changed on purpose; except where it leads to a mount point without its file system.
            (false, false) if is_empty(&seen.target) => RootVerdict::Lost(LEADS_TO_NOTHING.to_owned()),
            (false, false) => RootVerdict::Leads(seen),
        }
    }

    /// Recognises a root that is there, or returns what is wrong with it. One that is another folder than before is
    /// taken for the same if any of these known files is there, or none are known.
    pub(crate) fn recognise(
        &self,
        source: &dyn Source,
        root: &Root,
        known: &[FileKey],
        accept_empty: bool,
    ) -> Result<Seen, String> {
        let why = match self.compare(source, root) {
            RootVerdict::Same(seen) | RootVerdict::Leads(seen) => return Ok(seen),
            RootVerdict::Lost(why) => why,
        };
        let seen = Seen::of(source, root).map_err(|error| format!("can't be looked at: {error}"))?;
        let is_any_known = || known.iter().any(|key| source.exists(root, key));
        if accept_empty || known.is_empty() || is_any_known() {
            return Ok(seen);
        }
        Err(if why == LEADS_TO_NOTHING { why } else { NOTHING_KNOWN.to_owned() })
    }

    /// Checks each root. The first that is not what it was is returned; if all are, the state remembers them. One
    /// that leads elsewhere or is another folder, and is not scanned whole by this job, is remembered as it was: the
    /// next check requests its scan.
    pub(crate) fn check(
        &mut self,
        store: &mut Store,
        fs_probe: &FsProbe,
        roots: &[(Root, RunScope)],
        scans_whole: impl Fn(RootId) -> bool,
        accept_empty: bool,
    ) -> Result<Option<LostRoot>, EngineError> {
        let mut identities = match self.compared(&store.reader, fs_probe, roots, accept_empty)? {
            Ok(identities) => identities,
            Err(lost) => return Ok(Some(lost)),
        };
        identities.keep_unscanned(self, scans_whole);
        identities.remember(store)?;
        *self = identities;
        Ok(None)
    }

    /// Accepts a root that is back, or leads elsewhere, as what it is now.
    pub(crate) fn accept(mut self, store: &mut Store, root: RootId, seen: Seen) -> Result<(), EngineError> {
        self.insert(root, seen);
        self.remember(store)
    }

    /// Keeps what was known of roots that are others by now and not scanned for that.
    fn keep_unscanned(&mut self, before: &Self, scans_whole: impl Fn(RootId) -> bool) {
        for (id, known) in Arc::make_mut(&mut self.0) {
            let is_other = |old: &&Known| old.mark.is_some() && old != &&*known;
            if let Some(old) = before.0.get(id).filter(is_other).filter(|_| !scans_whole(*id)) {
                known.clone_from(old);
            }
        }
    }

    fn insert(&mut self, root: RootId, Seen { mark, target }: Seen) {
        Arc::make_mut(&mut self.0).insert(root, Known { mark: Some(mark), target });
    }

    /// Saves the identities in the state.
    fn remember(&self, store: &mut Store) -> Result<(), EngineError> {
        let identities = &self.0;
        store.describe(|info| {
            for info in &mut info.roots {
                if let Some(Known { mark: Some(mark), target }) = identities.get(&RootId(info.id)) {
                    Seen { mark: *mark, target: target.clone() }.note_in(info);
                }
            }
        })
    }

    /// Returns the current identities, or the first root that is not what it was.
    pub(crate) fn compared(
        &self,
        reader: &LedgerReader,
        fs_probe: &FsProbe,
        roots: &[(Root, RunScope)],
        accept_empty: bool,
    ) -> Result<Result<Self, LostRoot>, LedgerError> {
        let mut identities = self.clone();
        for (root, _) in roots {
            match self.looked(reader, fs_probe, root, accept_empty)? {
                Ok(seen) => identities.insert(root.id, seen),
                Err(why) => return Ok(Err(LostRoot::new(root.clone(), why))),
            }
        }
        Ok(Ok(identities))
    }

    fn looked(
        &self,
        reader: &LedgerReader,
        fs_probe: &FsProbe,
        root: &Root,
        accept_empty: bool,
    ) -> Result<Result<Seen, String>, LedgerError> {
        let identities = self.clone();
        let of = root.clone();
        match fs_probe.ask(&root.path, move |source| identities.compare(source, &of)) {
            Ok(RootVerdict::Same(seen)) => return Ok(Ok(seen)),
            Ok(RootVerdict::Leads(seen)) => {
                tracing::info!("{} leads to {} now", root.path.display(), seen.target.display());
                return Ok(Ok(seen));
            }
            Ok(RootVerdict::Lost(_)) => {}
            Err(error) => return Ok(Err(error.to_string())),
        }
        // Read only now, as most roots are what they were.
        let known = known_files(reader, root)?;
        let identities = self.clone();
        let of = root.clone();
        let look = move |source: &dyn Source| identities.recognise(source, &of, &known, accept_empty);
        Ok(fs_probe.ask(&root.path, look).unwrap_or_else(|error| Err(error.to_string())))
    }
}

/// Records what distinguishes new roots from other folders. One that can't be probed is probed again later.
pub(crate) fn mark_new<'i>(fs_probe: &FsProbe, infos: impl Iterator<Item = &'i mut RootInfo>) {
    for info in infos {
        let root = info.root();
        if let Ok(Ok(seen)) = fs_probe.ask(&info.path, move |source| Seen::of(source, &root)) {
            seen.note_in(info);
        }
    }
}

const WENT: &str = "was renamed, replaced or unmounted";
const LEADS_TO_NOTHING: &str = "leads to another folder than before, and that is empty: is its file system mounted? If \
                                it is to be empty, give `--accept-empty` once";
const NOTHING_KNOWN: &str = "is another folder than before, and holds none of the files that are known of it: is its \
                             file system mounted? If it was emptied on purpose, give `--accept-empty` once; if its tree is elsewhere now, \
                             `outlast move-root`";

fn parse(mark: &str) -> Option<u128> {
    u128::from_str_radix(mark, 16).ok()
}

/// Checks the roots while an attempt goes on.
pub(crate) struct RootMonitor<'a> {
    pub(crate) fs_probe: &'a FsProbe,
    identities: &'a RootIdentities,
    pub(crate) roots: &'a [(Root, RunScope)],
}

impl<'a> RootMonitor<'a> {
    /// Compares the roots with these identities.
    pub(crate) fn new(
        fs_probe: &'a FsProbe,
        identities: &'a RootIdentities,
        roots: &'a [(Root, RunScope)],
    ) -> Self {
        Self { fs_probe, identities, roots }
    }

    /// Returns the same by the root's own path: an attempt sees where it led then, and it may lead elsewhere when it
    /// is back.
    pub(crate) fn as_given(&self, lost: LostRoot) -> LostRoot {
        let given = self.roots.iter().find(|(root, _)| root.id == lost.root.id);
        let root = given.map_or_else(|| lost.root.clone(), |(root, _)| root.clone());
        LostRoot { root, ..lost }
    }

    /// Returns the first root that is not the folder that it was.
    pub(crate) fn lost(&self) -> Option<LostRoot> {
        self.roots.iter().find_map(|(root, _)| self.look(root))
    }

    /// Returns what is wrong with a root, if anything is.
    pub(crate) fn look(&self, root: &Root) -> Option<LostRoot> {
        let identities = self.identities.clone();
        let of = root.clone();
        let why = match self.fs_probe.ask(&root.path, move |source| identities.compare(source, &of)) {
            Ok(RootVerdict::Same(_)) => return None,
            Ok(RootVerdict::Leads(seen)) => format!("leads to {} now", seen.target.display()),
            Ok(RootVerdict::Lost(why)) => why,
            Err(error) => error.to_string(),
        };
        Some(LostRoot::new(root.clone(), why))
    }

    /// Returns those of these files that exist again.
    pub(crate) fn found_again(&self, root: &Root, gone: &[FileKey]) -> Result<BTreeSet<FileKey>, LostRoot> {
        let mut found = BTreeSet::new();
        for keys in gone.chunks(KEYS_PER_PROBE) {
            let mut keys = keys.to_vec();
            let of = root.clone();
            let answer = self.fs_probe.ask(&root.path, move |source| {
                keys.retain(|key| source.exists(&of, key));
                keys
            });
            found.extend(answer.map_err(|error| LostRoot::new(root.clone(), error.to_string()))?);
        }
        Ok(found)
    }
}

/// Returns some of the files that the ledger knows of a root, spread over all of them.
pub(crate) fn known_files(reader: &LedgerReader, root: &Root) -> Result<Vec<FileKey>, LedgerError> {
    reader.sample(FolderKey::root(root.id).as_bytes(), SAMPLE_FILES)
}

/// Returns whether a folder is empty; an unreadable one is not.
fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::super::probe::tests::impatient;
    use super::*;
    use crate::engine::stop::Stop;
    use crate::model::LogPosition;

    #[test]
    fn a_root_that_could_not_be_listed_is_back_where_its_link_leads_to_another_folder() {
        let folder = tempfile::tempdir().unwrap();
        let given = folder.path().join("current");
        std::fs::create_dir(folder.path().join("new")).unwrap();
        std::os::unix::fs::symlink("new", &given).unwrap();
        let at = |path: PathBuf| Root { id: RootId(1), name: "current".to_owned(), path };
        let scope = RunScope {
            epoch: 1,
            run_start: LogPosition::START,
            reported_before: LogPosition::START,
            quarantine: false,
        };
        let roots = [(at(given), scope)];
        let identities = RootIdentities::default();
        let fs_probe = impatient(std::time::Duration::from_secs(1), Stop::default());
        let seen = LostRoot { root: at(folder.path().join("old")), why: String::new(), unlisted: true };
        assert!(seen.still_unlisted(&**fs_probe.source()).is_some());
        let lost = RootMonitor::new(&fs_probe, &identities, &roots).as_given(seen);
        assert_eq!(lost.still_unlisted(&**fs_probe.source()), None);
    }
}
