//! An independent look at a tree: what a complete ingestion must know of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::Value;

/// A file that is to be ingested.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) size: u64,
    /// blake3, hex.
    pub(crate) digest: String,
    /// How many JSON values it holds; none where it is no JSON.
    pub(crate) values: Option<u64>,
}

/// Which versions each path ever had: digest and time.
pub(crate) type History = BTreeMap<Vec<u8>, BTreeSet<(String, i64)>>;

/// The files below a root that the default filters let in, by relative path.
pub(crate) fn walk(root: &Path) -> BTreeMap<Vec<u8>, Found> {
    list(root).into_iter().map(|path| (path.clone(), look_at(&root.join(OsStr::from_bytes(&path))))).collect()
}

/// Their relative paths alone.
pub(crate) fn list(root: &Path) -> BTreeSet<Vec<u8>> {
    let (mut folders, mut files) = (vec![Vec::new()], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(OsStr::from_bytes(&folder))).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            let mut path = folder.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend(entry.file_name().into_vec());
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && is_wanted(&path) {
                files.insert(path);
            }
        }
    }
    files
}

/// What tells one version of a file from another: digest and time.
pub(crate) fn version(path: &Path) -> (String, i64) {
    let metadata = path.metadata().unwrap();
    let digest = blake3::hash(&std::fs::read(path).unwrap()).to_hex().to_string();
    (digest, metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec())
}

fn is_wanted(path: &[u8]) -> bool {
    [".ast.json", ".syntax.json", "_ast.json"].iter().any(|end| path.ends_with(end.as_bytes()))
}

fn look_at(path: &Path) -> Found {
    let bytes = std::fs::read(path).unwrap();
    let (digest, _) = version(path);
    Found {
        size: bytes.len() as u64,
        digest,
        values: serde_json::from_slice(&bytes).ok().map(|value| count(&value)),
    }
}

fn count(value: &Value) -> u64 {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}
