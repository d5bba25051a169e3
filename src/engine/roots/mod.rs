//! A root is a path as given, made absolute, its links not followed; where it leads may change. This room says what a
//! root is, and whether it is still there.
//!
//! A root is identified by its path and has the path's last component as its name, unless it was given one. What the path leads to, its
//! *target*, is looked up for each attempt; another target is a change of the tree (`engine/roots/identity.rs`).

pub(super) mod file_list;
pub(super) mod identity;
mod nested;
pub(super) mod probe;
pub(super) mod registry;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{EngineError, Refusal, RootError};
use super::stats::lossy;
use crate::ledger::{Ledger, RootInfo, StateFolder};
use crate::model::{Resource, Root, RootId, RootName};
use crate::source::{Filters, Source, TreeSource};
use nested::Nesting;
pub(crate) use nested::warn_of_nested;
use probe::FsProbe;

/// Roots that a state remembers at most: `state.json` is written as a whole.
pub(crate) const ROOTS_MAX: usize = 4096;
/// Links that are followed on the way to a root; the system's limit is the same.
const LINKS_MAX: usize = 40;

/// A root as a caller gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenRoot {
    /// As [`root_path`] returns it.
    pub path: PathBuf,
    /// Where it leads, without links, as far as that exists.
    pub target: PathBuf,
    /// The name that its records are to have; else that of the state, or the last component of its path.
    pub name: Option<RootName>,
}

impl GivenRoot {
    /// Creates one that the state knows.
    pub(crate) fn known(path: PathBuf) -> Self {
        Self { target: path.clone(), path, name: None }
    }
}

/// Gives roots the names that are meant for their paths.
pub(crate) fn name_all(roots: &mut [GivenRoot], names: &BTreeMap<PathBuf, RootName>) {
    for root in roots {
        root.name = names.get(&root.path).cloned();
    }
}

/// Returns the path of a root, absolute. No link is followed, except for one followed by `..`: what that means is up
/// to the system. A relative path begins at `$PWD`, where that leads to the current folder, so that `.` in a folder
/// that was entered by a link is that link.
pub fn root_path(given: impl AsRef<Path>) -> PathBuf {
    let given = given.as_ref();
    let whole = if given.is_absolute() { given.to_owned() } else { current_folder().join(given) };
    let components: Vec<Component<'_>> = whole.components().collect();
    let Some(last) = components.iter().rposition(|part| *part == Component::ParentDir) else {
        return components.iter().collect();
    };
    let (above, rest) = components.split_at(last + 1);
    let above: PathBuf = above.iter().collect();
    let rest: PathBuf = rest.iter().collect();
    let plain = without_parents(&above);
    match above.canonicalize() {
        Ok(real) if !is_same_folder(&plain, &above) => real.join(rest),
        _ => plain.join(rest),
    }
}

/// Removes the components that `..` cancels.
fn without_parents(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

/// Returns the current folder as the user's shell names it, if that is right.
fn current_folder() -> PathBuf {
    let is_plain =
        |path: &PathBuf| path.is_absolute() && !path.components().any(|part| part == Component::ParentDir);
    let named = std::env::var_os("PWD").map(PathBuf::from).filter(is_plain);
    named
        .filter(|named| is_same_folder(named, Path::new(".")))
        .or_else(|| std::env::current_dir().ok())
        .unwrap_or_else(|| PathBuf::from("."))
}

fn is_same_folder(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| path.metadata().ok().map(|found| (found.dev(), found.ino()));
    id(one).is_some_and(|found| id(other) == Some(found))
}

/// Returns the folders to ingest, each path once; at least one.
pub(crate) fn resolve_roots(given: &[PathBuf]) -> Result<Vec<GivenRoot>, EngineError> {
    if given.is_empty() {
        return Err(Refusal::NoRoot.into());
    }
    let mut roots: Vec<GivenRoot> = Vec::new();
    for given in given {
        let path = root_path(given);
        let target = path.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if path.is_symlink() => {
                EngineError::root(given, RootError::DanglingLink)
            }
            std::io::ErrorKind::NotFound => EngineError::root(given, RootError::NotFound),
            _ => cannot_look(given, error),
        })?;
        if !target.metadata().map_err(|error| cannot_look(given, error))?.is_dir() {
            return Err(EngineError::root(given, RootError::NotAFolder));
        }
        if !roots.iter().any(|root| root.path == path) {
            roots.push(GivenRoot { path, target, name: None });
        }
    }
    Ok(roots)
}

/// Where its file system fails, or nothing more can be opened, the root may well exist.
fn cannot_look(given: &Path, error: std::io::Error) -> EngineError {
    let resource = Resource::of_io(&error);
    let error = EngineError::root(given, RootError::Unreadable(error));
    match resource {
        Some(resource) => EngineError::Unavailable { resource, what: error.to_string() },
        None => error,
    }
}

/// Why a root can't be served now.
pub(crate) struct NotThere {
    pub root: GivenRoot,
    pub error: EngineError,
    /// It exists, but is not a directory.
    pub is_file: bool,
}

/// The same for one root whose file system may hang.
pub(crate) fn resolve_root(fs_probe: &FsProbe, given: &Path) -> Result<Vec<GivenRoot>, Box<NotThere>> {
    let given = given.to_owned();
    let path = given.clone();
    let look = move |_: &dyn Source| {
        resolve_roots(std::slice::from_ref(&path)).map_err(|error| {
            let path = root_path(&path);
            let is_file = matches!(&error, EngineError::Root { reason: RootError::NotAFolder, .. });
            Box::new(NotThere {
                root: GivenRoot { target: leads_to(&path), path, name: None },
                error,
                is_file,
            })
        })
    };
    fs_probe.ask(&given, look).unwrap_or_else(|error| {
        let root = GivenRoot::known(without_parents(&current_folder().join(&given)));
        let error = EngineError::root(&given, error);
        Err(Box::new(NotThere { root, error, is_file: false }))
    })
}

/// Returns where a dangling path would lead: links are followed as far as they go.
fn leads_to(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let real = resolved(&path);
        match real.read_link() {
            Ok(link) => path = real.parent().unwrap_or(&real).join(link),
            Err(_) => return real,
        }
    }
    path
}

/// Returns the path with its existing links resolved.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| Some((above.canonicalize().ok()?, above)));
    let joined = there.and_then(|(real, above)| Some(real.join(path.strip_prefix(above).ok()?)));
    joined.map_or_else(|| path.to_owned(), |joined| joined.components().collect())
}

/// Returns the innermost root that contains a path, by its path or by where it leads, and the path relative to it.
pub(crate) fn root_above<R: Clone + Borrow<Root>>(
    places: &[(R, PathBuf)],
    path: &Path,
) -> Option<(R, PathBuf)> {
    let below = |(root, target): &(R, PathBuf)| {
        let root: &Root = root.borrow();
        let at = [&root.path, target].into_iter().filter(|at| !at.as_os_str().is_empty());
        at.filter(|at| path.starts_with(at)).max_by_key(|at| at.as_os_str().len()).cloned()
    };
    let lies_in = places.iter().filter_map(|place| Some((place.0.clone(), below(place)?)));
    let (root, at) = lies_in.max_by_key(|(_, at)| at.as_os_str().len())?;
    Some((root, path.strip_prefix(at).ok()?.to_owned()))
}

/// Returns the roots; of those that lead to the same folder only one: the one that the state knows, else the first.
pub(crate) fn each_once<'r>(infos: &[RootInfo], roots: &'r [GivenRoot]) -> Vec<&'r GivenRoot> {
    let is_known = |root: &GivenRoot| infos.iter().any(|info| info.path == root.path);
    let comes_first = |other: usize, root: usize| {
        let other_is_known = is_known(&roots[other]);
        let root_is_known = is_known(&roots[root]);
        !root_is_known && (other_is_known || other < root)
    };
    let stands_for = |root: usize| {
        (0..roots.len()).find(|&other| {
            other != root && roots[other].target == roots[root].target && comes_first(other, root)
        })
    };
    let mut once = Vec::new();
    for (at, root) in roots.iter().enumerate() {
        match stands_for(at) {
            Some(other) => tracing::warn!(
                "{} leads to the same folder as {}: it is ingested once, as that",
                root.path.display(),
                roots[other].path.display()
            ),
            None => once.push(root),
        }
    }
    once
}

/// Returns the index of a root in what the state remembers: known, known by where it leads, rebuilt without its path,
/// or new. `used` is the highest number of a removed root that jobs still name.
///
/// # Errors
/// The state has as many roots as it can, or the root has another name than the wanted one, or another root has that:
/// the name of a root never changes, as records refer to it.
pub(crate) fn find_or_add(
    infos: &mut Vec<RootInfo>,
    root: &GivenRoot,
    processor: &str,
    used: u32,
) -> Result<usize, EngineError> {
    if let Some(at) = infos.iter().position(|info| info.path == root.path) {
        check_name(&infos[at].name, root)?;
        return Ok(at);
    }
    // Earlier versions kept where a root led, not the given path. Its name stays: records refer to it.
    let is_of_earlier_version =
        |info: &RootInfo| info.target.as_os_str().is_empty() && info.path == root.target;
    if let Some(at) = infos.iter().position(is_of_earlier_version) {
        check_name(&infos[at].name, root)?;
        let former = std::mem::replace(&mut infos[at].path, root.path.clone());
        tracing::info!(
            "{} is the root {} from now on, which was kept as {}",
            root.path.display(),
            infos[at].name,
            former.display()
        );
        infos[at].target = former;
        return Ok(at);
    }
    for name in names_before(root) {
        let lost = |info: &RootInfo| info.name == name && info.path.as_os_str().is_empty();
        if let Some(at) = infos.iter().position(lost) {
            infos[at].path = root.path.clone();
            infos[at].target = root.target.clone();
            return Ok(at);
        }
    }
    if infos.len() >= ROOTS_MAX {
        return Err(EngineError::root(&root.path, RootError::TooMany { roots_max: ROOTS_MAX }));
    }
    let id = infos.iter().map(|info| info.id).max().unwrap_or(0).max(used) + 1;
    let name = match &root.name {
        Some(name) => free_wanted(infos, root, name)?,
        None => free_name(infos, &root.path),
    };
    let info = RootInfo::new(id, name, &root.path, processor);
    infos.push(RootInfo { target: root.target.clone(), ..info });
    Ok(infos.len() - 1)
}

/// Returns the names that a root may have in a state that lost its path.
fn names_before(root: &GivenRoot) -> Vec<String> {
    match &root.name {
        Some(name) => vec![name.to_string()],
        None => {
            let names = [&root.path, &root.target].map(|path| [name_with_hash(path), name_of(path)]);
            names.into_iter().flatten().collect()
        }
    }
}

/// Refuses another name than the one that a root has.
pub(crate) fn check_name(name: &str, root: &GivenRoot) -> Result<(), EngineError> {
    let Some(wanted) = root.name.as_ref().filter(|wanted| wanted.as_str() != name) else {
        return Ok(());
    };
    let at = root.path.clone();
    let reason = RootError::OtherName { root: at, name: name.to_owned(), wanted: wanted.clone() };
    Err(EngineError::root(&root.path, reason))
}

/// Returns the wanted name, which no other root may have.
fn free_wanted(infos: &[RootInfo], root: &GivenRoot, name: &RootName) -> Result<String, EngineError> {
    let Some(other) = infos.iter().find(|info| info.name == name.as_str()) else {
        return Ok(name.to_string());
    };
    let at = root.path.clone();
    let reason = RootError::NameTaken { root: at, name: name.clone(), other: other.path.clone() };
    Err(EngineError::root(&root.path, reason))
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn name_with_hash(path: &Path) -> String {
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
    format!("{}-{}", name_of(path), &hash[..8])
}

/// Returns the last component; where another root has that name, more of the path.
fn free_name(infos: &[RootInfo], path: &Path) -> String {
    let numbered = (2_u32..).map(|number| format!("{}-{number}", name_with_hash(path)));
    let mut names = [name_of(path), name_with_hash(path)].into_iter().chain(numbered);
    let is_free = |name: &String| !infos.iter().any(|info| info.name == *name);
    names.find(is_free).unwrap_or_default()
}

/// Warns of roots unknown to the state `before` that may be a mistake: known ones that were moved, or ones in known
/// ones that are not ingested with them.
pub(crate) fn warn_of_new(fs_probe: &FsProbe, before: &[RootInfo], chosen: &[RootInfo]) {
    let ids = |infos: &[RootInfo]| infos.iter().map(|info| info.id).collect::<HashSet<_>>();
    let known_ids = ids(before);
    let chosen_ids = ids(chosen);
    let is_new = |info: &&RootInfo| !known_ids.contains(&info.id);
    let is_beside = |known: &&RootInfo| !chosen_ids.contains(&known.id);
    let known = Nesting::of(before.iter().filter(is_beside));
    let new = Nesting::of(chosen.iter().filter(is_new));
    let around_known =
        before.iter().filter(is_beside).filter_map(|known| Some((new.around(known)?.id, known)));
    // The first one of each counts.
    let within: HashMap<_, _> = around_known.rev().collect();
    let mut namesakes: HashMap<_, Vec<_>> = HashMap::new();
    for known in before.iter().filter(|known| !known.path.as_os_str().is_empty()) {
        namesakes.entry(name_of(&known.path)).or_default().push(known);
    }
    for new in chosen.iter().filter(is_new) {
        let namesakes = namesakes.get(&name_of(&new.path)).into_iter().flatten();
        for known in namesakes.filter(|known| is_gone(fs_probe, &known.path)) {
            tracing::warn!(
                "{} is gone, and {} is new and has its name. If it was moved there, end this and give `outlast forget \
                 {1}` and `outlast move-root {0} {1}`: its records stay. If it is no more, `outlast forget {0}` ends \
                 its records",
                known.path.display(),
                new.path.display()
            );
        }
        if let Some(known) = known.around(new).or_else(|| within.get(&new.id).copied()) {
            tracing::warn!(
                "{} and the known root {} share files, which have records under both; `outlast forget {}` ends those \
                 of the latter",
                new.path.display(),
                known.path.display(),
                known.path.display()
            );
        }
    }
}

/// Answer of `outlast move-root`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedRoot {
    /// The root's name in the records, which stays: they refer to it.
    pub name: String,
    /// Its old path.
    #[serde(serialize_with = "lossy")]
    pub from: PathBuf,
    /// Its new path.
    #[serde(serialize_with = "lossy")]
    pub to: PathBuf,
    /// Files that the state knows of it.
    pub files: u64,
    /// Whether the new path has any of some of these files; true if there are none.
    #[serde(default)]
    pub has_known_files: bool,
}

/// Gives a root another path, in a state not in use by a run: its tree was moved, or copied. The next run compares
/// files by content where their metadata differ.
///
/// # Errors
/// There is no state, or it is in use or damaged; it has no root at `from` or of that name, or one at `to`; or `to` is not a
/// directory.
pub fn move_root(
    state: impl AsRef<Path>,
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
) -> Result<MovedRoot, EngineError> {
    let (from, to) = (from.as_ref(), to.as_ref());
    let mut state = StateFolder::open(state.as_ref())?;
    let old = root_path(from);
    let given = resolve_roots(&[to.to_owned()])?;
    let new = given.first().ok_or_else(|| EngineError::root(to, RootError::NotFound))?;
    let infos = &state.info().roots;
    let is_at = |info: &&RootInfo| info.path == old;
    let leads_to = |info: &&RootInfo| info.target() == old && !info.path.as_os_str().is_empty();
    let has_name = |info: &&RootInfo| from.as_os_str() == info.name.as_str();
    let found = infos.iter().find(is_at).or_else(|| infos.iter().find(leads_to));
    let found = found.or_else(|| infos.iter().find(has_name));
    let info = found.ok_or_else(|| EngineError::root(from, RootError::Unknown))?;
    if let Some(other) = infos.iter().find(|other| other.path == new.path) {
        let is_same = other.id == info.id;
        let occupied = || RootError::Occupied { root: new.path.clone() };
        return Err(EngineError::root(to, if is_same { RootError::SamePlace } else { occupied() }));
    }
    let id = info.id;
    let name = info.name.clone();
    let from = info.path.clone();
    // A damaged ledger is reported before anything is changed.
    let reader = Ledger::open(&state)?.reader();
    let files = reader.counts(RootId(id)).files();
    let root = Root { path: new.path.clone(), ..info.root() };
    let known = identity::known_files(&reader, &root)?;
    let tree = TreeSource::new(Filters::default(), Vec::new());
    let has_known_files = known.is_empty() || known.iter().any(|key| tree.exists(&root, key));
    drop(reader);
    // The mark of the old folder stays: the next run looks for known files in the new one, which may not be mounted.
    state.update(|state| {
        for info in state.roots.iter_mut().filter(|info| info.id == id) {
            info.path = new.path.clone();
            info.target = new.target.clone();
        }
    })?;
    Ok(MovedRoot { name, from, to: new.path.clone(), files, has_known_files })
}

/// Returns whether nothing is at a path; an unreadable one is not gone.
fn is_gone(fs_probe: &FsProbe, path: &Path) -> bool {
    let at = path.to_owned();
    let look = move |_: &dyn Source| matches!(at.metadata(), Err(error) if error.kind() == std::io::ErrorKind::NotFound);
    fs_probe.ask(path, look).unwrap_or(false)
}
