//! Keys of files and folders, in the order of the tree.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Number of a root within one state folder. Number 0 is the root of the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RootId(pub u32);

impl RootId {
    /// The file system's own root `/`, for files given by an absolute path.
    pub const FILE_SYSTEM: Self = Self(0);
}

/// A folder that is ingested: its number, its name in the records and its absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Number within the state.
    pub id: RootId,
    /// Name in the records; unique within the state.
    pub name: String,
    /// Absolute path of the folder.
    pub path: PathBuf,
}

/// All roots of one run, looked up by number.
#[derive(Debug, Clone, Default)]
pub struct RootTable {
    roots: Vec<Root>,
}

impl RootTable {
    /// Creates a table of these roots, and of the file system's own root `/` as number 0 if they don't hold one.
    pub fn new(mut roots: Vec<Root>) -> Self {
        if !roots.iter().any(|root| root.id == RootId::FILE_SYSTEM) {
            roots.push(Root { id: RootId::FILE_SYSTEM, name: "/".to_owned(), path: PathBuf::from("/") });
        }
        roots.sort_by_key(|root| root.id);
        Self { roots }
    }

    /// Returns the root with this number, if the table holds it.
    pub fn get(&self, id: RootId) -> Option<&Root> {
        let at = self.roots.binary_search_by_key(&id, |root| root.id).ok()?;
        self.roots.get(at)
    }

    /// Returns the absolute path of a file, if its root is known here.
    pub fn path_of(&self, key: &FileKey) -> Option<PathBuf> {
        let root = self.get(key.root())?;
        Some(root.path.join(OsStr::from_bytes(&key.relative_path())))
    }

    /// Returns all roots but the file system's own.
    pub fn iter(&self) -> impl Iterator<Item = &Root> {
        self.roots.iter().filter(|root| root.id != RootId::FILE_SYSTEM)
    }
}

const ROOT_LEN: usize = 4;
/// Length that nearly all files' keys stay below: they are built without an allocation.
const SHORT_LEN: usize = 256;

/// Key of a folder: the number of its root (4 bytes, big endian), then each component of the
/// relative path followed by a zero byte. The root itself has the number alone.
///
/// All keys below a folder begin with the folder's key, and only those do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderKey(Box<[u8]>);

impl FolderKey {
    /// Returns the key of the root folder itself.
    pub fn root(root: RootId) -> Self {
        Self(Box::new(root.0.to_be_bytes()))
    }

    /// Returns its root.
    pub fn root_id(&self) -> RootId {
        RootId(self.0.first_chunk::<ROOT_LEN>().map_or(0, |id| u32::from_be_bytes(*id)))
    }

    /// Returns the key of a path relative to a root, `/` between components; empty for the root itself. `None` if it
    /// is absolute, or has an empty component, `.`, `..` or a zero byte.
    pub fn from_relative_path(root: RootId, path: &[u8]) -> Option<Self> {
        let mut bytes = Vec::with_capacity(ROOT_LEN + path.len() + 1);
        bytes.extend_from_slice(&root.0.to_be_bytes());
        if !path.is_empty() {
            for component in path.split(|&byte| byte == b'/') {
                if !is_component(component) {
                    return None;
                }
                bytes.extend_from_slice(component);
                bytes.push(0);
            }
        }
        Some(Self(bytes.into()))
    }

    /// Returns the key of a folder in this one. `name` is one component, without `/` and zero bytes.
    #[must_use]
    pub fn child(&self, name: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len() + name.len() + 1);
        bytes.extend_from_slice(&self.0);
        bytes.extend_from_slice(name);
        bytes.push(0);
        Self(bytes.into())
    }

    /// Returns the key of a file in this folder. `name` is one component, without `/` and zero bytes.
    pub fn file(&self, name: &[u8]) -> FileKey {
        let folder = self.0.len();
        let len = self.0.len() + 1 + name.len();
        let mut short = [0; SHORT_LEN];
        let mut long = Vec::new();
        let bytes = match short.get_mut(..len) {
            Some(bytes) => bytes,
            None => {
                long.resize(len, 0);
                &mut long[..]
            }
        };
        bytes[..folder].copy_from_slice(&self.0);
        bytes[folder + 1..].copy_from_slice(name);
        FileKey((&*bytes).into())
    }

    /// Returns the prefix of all keys of the files directly in this folder.
    pub fn files_prefix(&self) -> Vec<u8> {
        let mut bytes = self.0.to_vec();
        bytes.push(0);
        bytes
    }

    /// Returns the encoded key, the prefix of all keys below this folder.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the path relative to the root, with `/` between components; empty for the root itself.
    pub fn relative_path(&self) -> Vec<u8> {
        slashed(&self.0[ROOT_LEN..])
    }

    /// Returns the folders above this one, from the innermost to the root.
    pub fn above(&self) -> impl Iterator<Item = Self> {
        let ends = (ROOT_LEN..self.0.len()).rev();
        let is_end = |&end: &usize| end == ROOT_LEN || self.0[end - 1] == 0;
        ends.filter(is_end).map(|end| Self(self.0[..end].into()))
    }
}

impl fmt::Debug for FolderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.relative_path();
        write!(f, "{}:{}/", root_of(&self.0).0, path.escape_ascii())
    }
}

/// Key of a file: its folder's key, a zero byte, the file's name.
///
/// Keys sort as the tree is walked: the files of a folder by name, then its sub-folders by name,
/// so one folder's files always stand together. A clone shares the bytes.
///
/// ```
/// use outlast::{FileKey, RootId};
///
/// let key = FileKey::from_relative_path(RootId(1), b"src/a.ast.json").unwrap();
/// assert_eq!(key.as_bytes(), b"\0\0\0\x01src\0\0a.ast.json");
/// assert_eq!(key.relative_path(), b"src/a.ast.json");
/// assert_eq!(key.name(), b"a.ast.json");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey(Arc<[u8]>);

impl FileKey {
    /// Returns the key of a path relative to a root, `/` between components. `None` if the path is empty, absolute,
    /// or has an empty component, `.`, `..` or a zero byte.
    pub fn from_relative_path(root: RootId, path: &[u8]) -> Option<Self> {
        let (folder, name) = match path.iter().rposition(|&byte| byte == b'/') {
            Some(0) => return None,
            Some(at) => (&path[..at], &path[at + 1..]),
            None => (&b""[..], path),
        };
        let key = FolderKey::from_relative_path(root, folder)?;
        is_component(name).then(|| key.file(name))
    }

    /// Returns the key of an absolute path, below the root of the file system.
    pub fn from_absolute_path(path: impl AsRef<Path>) -> Option<Self> {
        let path = path.as_ref();
        let relative = path.strip_prefix("/").ok()?;
        Self::from_relative_path(RootId::FILE_SYSTEM, relative.as_os_str().as_bytes())
    }

    /// Parses encoded bytes. `None` if they are not an encoded file key.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let path = bytes.get(ROOT_LEN..)?;
        let at = name_start(path)?;
        (is_folder(&path[..at - 1]) && at < path.len()).then(|| Self(bytes.into()))
    }

    /// Returns the root that the file was found under.
    pub fn root(&self) -> RootId {
        root_of(&self.0)
    }

    /// Returns the file's name, without its folder.
    pub fn name(&self) -> &[u8] {
        name_of(&self.0)
    }

    /// Returns the folder that the file is in.
    pub fn folder(&self) -> FolderKey {
        FolderKey(self.folder_bytes().into())
    }

    /// Returns the encoded key of the folder that the file is in.
    pub(crate) fn folder_bytes(&self) -> &[u8] {
        &self.0[..self.0.len() - self.name().len() - 1]
    }

    /// Returns the path relative to the root, with `/` between components.
    pub fn relative_path(&self) -> Vec<u8> {
        relative_path_of(&self.0)
    }

    /// Returns the encoded key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.root().0, self.relative_path().escape_ascii())
    }
}

/// Returns the name in an encoded key of a file.
pub(crate) fn name_of(key: &[u8]) -> &[u8] {
    let path = key.get(ROOT_LEN..).unwrap_or_default();
    &path[name_start(path).unwrap_or(0)..]
}

/// Returns the path in an encoded key of a file, with `/` between components.
pub(crate) fn relative_path_of(key: &[u8]) -> Vec<u8> {
    let name = name_of(key);
    let folder = key.get(ROOT_LEN..key.len().saturating_sub(name.len() + 1)).unwrap_or_default();
    let mut path = Vec::with_capacity(key.len());
    path.extend(folder.iter().map(|&b| if b == 0 { b'/' } else { b }));
    path.extend_from_slice(name);
    path
}

/// Returns the length of the common prefix of two keys or names.
pub(crate) fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    let alike = |(a, b): &(&[u8], &[u8])| a == b;
    let whole = a.chunks_exact(8).zip(b.chunks_exact(8)).take_while(alike).count() * 8;
    whole + a[whole..].iter().zip(&b[whole..]).take_while(|(a, b)| a == b).count()
}

/// Returns whether these are components, none empty, that each end in a zero byte. Reads all bytes without a branch,
/// which is faster: each claimed file is checked here.
fn is_folder(components: &[u8]) -> bool {
    let [first, .., last] = components else { return components.is_empty() };
    let pairs = components.iter().zip(&components[1..]);
    *first != 0 && *last == 0 && !pairs.fold(false, |empty, (&a, &b)| empty | ((a | b) == 0))
}

fn is_component(name: &[u8]) -> bool {
    !name.is_empty() && name != b"." && name != b".." && !name.contains(&0) && !name.contains(&b'/')
}

/// Returns where the name begins in an encoded path: after the last zero byte.
fn name_start(path: &[u8]) -> Option<usize> {
    path.iter().rposition(|&byte| byte == 0).map(|at| at + 1)
}

pub(crate) fn root_of(bytes: &[u8]) -> RootId {
    bytes.first_chunk::<ROOT_LEN>().map_or(RootId::FILE_SYSTEM, |b| RootId(u32::from_be_bytes(*b)))
}

/// Replaces the zero byte that ends each component by a `/` between them.
fn slashed(components: &[u8]) -> Vec<u8> {
    let inner = components.strip_suffix(&[0]).unwrap_or(components);
    inner.iter().map(|&b| if b == 0 { b'/' } else { b }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folders_files_stand_together_and_before_its_sub_folders() {
        let mut paths = ["a/z", "a-b/y", "a/b/c", "a/b0", "a", "a.x", "b"];
        paths.sort_by_key(|path| FileKey::from_relative_path(RootId(7), path.as_bytes()));
        assert_eq!(paths, ["a", "a.x", "b", "a/b0", "a/z", "a/b/c", "a-b/y"]);
    }

    #[test]
    fn odd_names_survive_the_round_trip() {
        for path in [&b"x"[..], b"-a/_b/.c", b"new\nline/q\"uote", b"bad\xff\xfe/\x01"] {
            let key = FileKey::from_relative_path(RootId(3), path).unwrap();
            assert_eq!(key.relative_path(), path);
            assert_eq!(FileKey::from_bytes(key.as_bytes()), Some(key.clone()));
            assert_eq!(key.folder().file(key.name()), key);
            assert!(key.as_bytes().starts_with(key.folder().as_bytes()));
            let folder =
                FolderKey::root(RootId(3)).child(b"x").child(path.split(|&b| b == b'/').next().unwrap());
            assert_eq!(FolderKey::from_relative_path(RootId(3), &folder.relative_path()), Some(folder));
        }
    }

    #[test]
    fn the_folders_above_one_are_those_whose_keys_it_begins_with() {
        let key = |path: &[u8]| FolderKey::from_relative_path(RootId(256), path).unwrap();
        let above = |path: &[u8]| key(path).above().collect::<Vec<_>>();
        assert_eq!(above(b"a/bc/d"), [key(b"a/bc"), key(b"a"), key(b"")]);
        assert_eq!(above(b"a"), [key(b"")]);
        assert_eq!(above(b""), []);
    }

    #[test]
    fn what_is_no_relative_path_is_refused() {
        for path in ["", "/a", "a/", "a//b", "./a", "a/../b", "..", "a\0b"] {
            assert_eq!(FileKey::from_relative_path(RootId(1), path.as_bytes()), None, "{path:?}");
            let folder = FolderKey::from_relative_path(RootId(1), path.as_bytes());
            assert_eq!(folder, path.is_empty().then(|| FolderKey::root(RootId(1))), "{path:?}");
        }
        for bytes in [&b""[..], b"\0\0\0\x01", b"\0\0\0\x01\0", b"\0\0\0\x01a\0b", b"\0\0\0\x01\0\0b"] {
            assert_eq!(FileKey::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
