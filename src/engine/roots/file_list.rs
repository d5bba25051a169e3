//! Files that a caller names for a run, in place of all that is below its roots.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{GivenRoot, resolve_roots, root_above, without_parents};
use crate::engine::error::{EngineError, RootError};
use crate::ledger::RootInfo;
use crate::model::{FileKey, Root, RootId};
use crate::source::list::{EntryError, ListedKeys};

/// Files below the roots of a run, which looks at these and at no others: see
/// [`RunOptions::files`](crate::RunOptions::files). A list of any length takes bounded memory: what is above 16 MiB is
/// in the folder for temporary files. A clone shares it.
///
/// ```
/// use outlast::engine::FileList;
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # std::fs::create_dir("texts")?;
///
/// let files = FileList::read("a.txt\nb/c.txt\n".as_bytes(), &["texts"])?;
/// let refused = FileList::read("../other.txt".as_bytes(), &["texts"]).unwrap_err();
/// assert_eq!(refused.to_string(), "line 1: ../other.txt: lies outside the roots of this run");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct FileList(Arc<Listed>);

#[derive(Debug)]
struct Listed {
    /// The roots, in the order in which the keys count them.
    roots: Vec<GivenRoot>,
    keys: ListedKeys,
}

impl FileList {
    /// Reads a list of paths: one a line, or, if there is a zero byte within its first 64 KiB, each with a zero byte
    /// behind it. A path is absolute, or relative to the root, if there is one root. `.`, `..` and empty components
    /// are resolved by the text alone; a path named twice is one.
    ///
    /// # Errors
    /// A root can't be ingested, the list can't be read or kept, or a path lies outside the roots.
    pub fn read(input: impl Read, roots: &[impl AsRef<Path>]) -> Result<Self, EngineError> {
        let roots: Vec<PathBuf> = roots.iter().map(|root| root.as_ref().to_owned()).collect();
        let roots = resolve_roots(&roots)?;
        let numbered = numbered(&roots);
        let targets = roots.iter().map(|root| root.target.clone());
        let places: Vec<(&Root, PathBuf)> = numbered.iter().zip(targets).collect();
        let keys = ListedKeys::read(input, |entry| place(&places, entry))?;
        Ok(Self(Arc::new(Listed { roots, keys })))
    }

    /// Creates a list that names no file: a run with it does what is pending.
    #[must_use]
    pub fn empty() -> Self {
        Self(Arc::new(Listed { roots: Vec::new(), keys: ListedKeys::default() }))
    }

    /// Returns the files.
    pub(crate) fn keys(&self) -> &ListedKeys {
        &self.0.keys
    }

    /// Returns the number in the state of each root of the list.
    ///
    /// # Errors
    /// One is no root of this run.
    pub(crate) fn ids(&self, infos: &[RootInfo]) -> Result<Vec<RootId>, EngineError> {
        let id_of = |root: &GivenRoot| {
            let found = infos.iter().find(|info| info.path == root.path);
            // Of roots that lead to the same folder, only one is ingested.
            let found = found.or_else(|| infos.iter().find(|info| info.target() == root.target));
            let info = found.ok_or_else(|| EngineError::root(&root.path, RootError::OutsideRoots))?;
            Ok(RootId(info.id))
        };
        self.0.roots.iter().map(id_of).collect()
    }
}

/// Returns the roots as a list's keys number them: those that lead to the same folder have one number.
fn numbered(roots: &[GivenRoot]) -> Vec<Root> {
    let first_of = |root: &GivenRoot| roots.iter().position(|other| other.target == root.target);
    let numbered = |root: &GivenRoot| {
        let number = first_of(root).unwrap_or_default() as u32;
        Root { id: RootId(number), name: String::new(), path: root.path.clone() }
    };
    roots.iter().map(numbered).collect()
}

/// Returns the key of what an entry names below these roots, each with where it leads; `None` for a root itself.
fn place(places: &[(&Root, PathBuf)], entry: &[u8]) -> Result<Option<FileKey>, EntryError> {
    let path = Path::new(std::ffi::OsStr::from_bytes(entry));
    let whole = match places {
        _ if path.is_absolute() => without_parents(path),
        [(root, _)] => without_parents(&root.path.join(path)),
        _ => return Err(EntryError::Ambiguous),
    };
    let (root, relative) = root_above(places, &whole).ok_or(EntryError::Outside)?;
    Ok(FileKey::from_relative_path(root.id, relative.as_os_str().as_bytes()))
}

/// Lists are the same if they were read at once.
impl PartialEq for FileList {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for FileList {}
