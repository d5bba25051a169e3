//! Scans, explanations and reads of real trees.

mod below;
mod explain;
mod ignored;
mod read;
mod walk;

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::model::RootId;

/// A scratch tree.
pub(super) struct Tree(tempfile::TempDir);

impl Tree {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Creates a tree with files at these paths.
    pub(super) fn with(paths: &[&str]) -> Self {
        let tree = Self::new();
        for path in paths {
            tree.write(path, b"{}");
        }
        tree
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn at(&self, relative: impl AsRef<[u8]>) -> PathBuf {
        self.path().join(std::ffi::OsStr::from_bytes(relative.as_ref()))
    }

    pub(super) fn write(&self, relative: impl AsRef<[u8]>, content: &[u8]) {
        let path = self.at(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(super) fn root(&self) -> Root {
        Root { id: RootId(1), name: "tree".to_owned(), path: self.path().to_owned() }
    }

    pub(super) fn key(&self, relative: &str) -> FileKey {
        FileKey::from_relative_path(RootId(1), relative.as_bytes()).unwrap()
    }
}

/// An entry to put into a random tree.
#[derive(Debug, Clone)]
pub(super) enum Plant {
    File(Vec<&'static str>),
    Link(Vec<&'static str>),
    Ignore(Vec<&'static str>, Vec<&'static str>),
}

pub(super) fn plants() -> impl Strategy<Value = Vec<Plant>> {
    let name = || prop::sample::select(vec!["a", "b", "c.json", "d.json", ".e", "build"]);
    let path = move |least| prop::collection::vec(name(), least..4);
    let pattern =
        prop::sample::select(vec!["a", "!a", "*.json", "!c.json", "b/", "/c.json", "a/b", "**/d.json", "!*"]);
    let plant = prop_oneof![
        6 => path(1).prop_map(Plant::File),
        1 => path(1).prop_map(Plant::Link),
        2 => (path(0), prop::collection::vec(pattern, 1..4)).prop_map(|(at, lines)| Plant::Ignore(at, lines)),
    ];
    prop::collection::vec(plant, 0..25)
}

/// Creates the entry, if nothing is in its way.
pub(super) fn plant(tree: &Tree, plant: &Plant) {
    let (path, content) = match plant {
        Plant::File(path) => (path.join("/"), String::new()),
        Plant::Link(path) => (path.join("/"), String::new()),
        Plant::Ignore(path, lines) => {
            ([path.as_slice(), &[".outlastignore"]].concat().join("/"), lines.join("\n"))
        }
    };
    let path = tree.at(path);
    if path.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_err()) || path.exists() {
        return;
    }
    match plant {
        Plant::Link(_) => symlink(tree.path(), path).unwrap_or_default(),
        _ => std::fs::write(path, content).unwrap(),
    }
}

/// Collects every path in the tree, without following links.
pub(super) fn all_paths(folder: &Path, prefix: &[u8], all: &mut Vec<(Vec<u8>, bool)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = [prefix, entry.file_name().as_bytes()].concat();
        let is_folder = entry.file_type().unwrap().is_dir();
        all.push((path.clone(), is_folder));
        if is_folder {
            all_paths(&entry.path(), &[path.as_slice(), b"/"].concat(), all);
        }
    }
}

pub(super) fn source(include: &[&str], exclude: &[&str]) -> TreeSource {
    let owned = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect::<Vec<_>>();
    TreeSource::new(Filters::new(&owned(include), &owned(exclude)).unwrap(), Vec::new())
}

/// What a scan reported, all threads together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Visited folders and the names of their sub-folders, in visiting order.
    pub(super) folders: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    /// Each entry's kind; a path reported repeatedly is in the list as often.
    pub(super) files: BTreeMap<Vec<u8>, Vec<ListedKind>>,
    pub(super) unreadable: Vec<Vec<u8>>,
}

impl Seen {
    /// Returns the paths of regular files.
    pub(super) fn paths(&self) -> Vec<String> {
        let is_file = |kinds: &[ListedKind]| matches!(kinds, [ListedKind::File(_)]);
        let files = self.files.iter().filter(|(_, kinds)| is_file(kinds));
        files.map(|(path, _)| path.escape_ascii().to_string()).collect()
    }
}

struct Recorder(Arc<Mutex<Seen>>);

impl FolderVisitor for Recorder {
    fn folder(&mut self, folder: Folder<'_>) -> ControlFlow<()> {
        let files: Vec<_> = folder.files.collect();
        assert!(files.windows(2).all(|pair| pair[0].name < pair[1].name), "ascending, each name once");
        let mut seen = self.0.lock().unwrap();
        let names = folder.folders.iter().map(<[u8]>::to_vec).collect();
        seen.folders.push((folder.key.relative_path(), names));
        for file in files {
            let path = folder.key.file(&file.name).relative_path();
            seen.files.entry(path).or_default().push(file.kind);
        }
        ControlFlow::Continue(())
    }

    fn unreadable(&mut self, folder: &FolderKey, _: &io::Error) -> ControlFlow<()> {
        self.0.lock().unwrap().unreadable.push(folder.relative_path());
        ControlFlow::Continue(())
    }
}

/// Collects what a walk reported to its visitors.
pub(super) fn gather(
    walk: impl FnOnce(&(dyn Fn() -> Box<dyn FolderVisitor> + Sync)) -> io::Result<ScanReport>,
) -> io::Result<(Seen, ScanReport)> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let report = walk(&|| Box::new(Recorder(Arc::clone(&seen))))?;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(report.folders, seen.folders.len() as u64);
    Ok((seen, report))
}

pub(super) fn scan(source: &TreeSource, root: &Root, threads: usize) -> io::Result<(Seen, ScanReport)> {
    gather(|visitors| source.scan(root, threads, visitors))
}

pub(super) fn scan_below(source: &TreeSource, root: &Root, from: &[u8]) -> io::Result<(Seen, ScanReport)> {
    let from = FolderKey::from_relative_path(root.id, from).unwrap();
    gather(|visitors| source.scan_below(root, &from, 2, visitors))
}
