//! The watch on real trees, followed by a mirror that relies on the watch events alone.

mod account;
mod changes;
mod limits;
mod pending;
mod roots;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;
use crate::source::tests::{Seen, Tree, scan, scan_below, source};
use crate::source::{ListedKind, Source, TreeSource};

/// Long enough for a busy machine; nothing that works waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a consumer of the watch events knows of a root.
struct Mirror {
    source: TreeSource,
    watch: Arc<Watch>,
    root: Root,
    files: BTreeMap<Vec<u8>, ListedKind>,
}

impl Mirror {
    /// Scans the tree with a watch that lets half-written files wait for as long as a test takes.
    fn of(tree: &Tree, source: TreeSource) -> Self {
        let settle = Duration::from_secs(60);
        Self::with(tree, source, Watch::new(WatchSettings { poll: false, settle }))
    }

    fn with(tree: &Tree, source: TreeSource, watch: Watch) -> Self {
        let root = Root { path: tree.path().canonicalize().unwrap(), ..tree.root() };
        let watch = Arc::new(watch);
        watch.add_root(&root);
        let source = source.with_watch(Arc::clone(&watch));
        let mut mirror = Self { source, watch, root, files: BTreeMap::new() };
        mirror.scan_again(b"");
        mirror
    }

    fn scan_again(&mut self, from: &[u8]) {
        if let Ok((seen, _)) = scan_below(&self.source, &self.root, from) {
            self.put(from, seen);
        }
    }

    /// Replaces what is known at and below a folder.
    fn put(&mut self, from: &[u8], seen: Seen) {
        let is_at = |path: &[u8]| {
            from.is_empty() || path.strip_prefix(from).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
        };
        self.files.retain(|path, _| !is_at(path));
        self.files.extend(seen.files.into_iter().map(|(path, mut kinds)| (path, kinds.remove(0))));
    }

    fn apply(&mut self, news: &WatchEvents) {
        let id = self.root.id;
        for touched in news.folders.iter().filter(|touched| touched.root == id) {
            self.scan_again(&touched.folder.relative_path());
        }
        for touched in news.names.iter().filter(|touched| touched.root == id) {
            let names = [touched.name.clone()];
            let Ok(listed) = self.source.look(&self.root, &touched.folder, &names) else { continue };
            let path = touched.folder.file(&touched.name).relative_path();
            match listed.into_iter().next() {
                Some(listed) => self.files.insert(path, listed.kind),
                None => self.files.remove(&path),
            };
        }
    }

    /// Takes changes until `done`; returns them, names and folders by their paths.
    #[track_caller]
    fn until(&mut self, mut done: impl FnMut(&Self) -> bool) -> Reported {
        let mut reported = Reported::default();
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < deadline, "not seen: {:?}; reported {reported:?}", self.difference());
            let news = self.watch.take(Duration::from_millis(20), 1000);
            self.apply(&news);
            reported.add(&news);
        }
        reported
    }

    /// Takes changes until everything in the tree is known, and nothing else.
    #[track_caller]
    fn catch_up(&mut self) -> Reported {
        self.until(|mirror| mirror.files == mirror.actual())
    }

    fn actual(&self) -> BTreeMap<Vec<u8>, ListedKind> {
        let plain = TreeSource::new(self.source.filters().clone(), self.source.state.clone());
        let seen = scan(&plain, &self.root, 1).map(|(seen, _)| seen).unwrap_or_default();
        seen.files.into_iter().map(|(path, mut kinds)| (path, kinds.remove(0))).collect()
    }

    fn difference(&self) -> Vec<String> {
        let actual = self.actual();
        let paths: BTreeSet<_> = self.files.keys().chain(actual.keys()).collect();
        let differs = |path: &&Vec<u8>| self.files.get(*path) != actual.get(*path);
        paths.into_iter().filter(differs).map(|path| path.escape_ascii().to_string()).collect()
    }

    /// Scans what is not watched.
    fn poll(&mut self) {
        for folder in unwatched(&self.watch) {
            self.scan_again(folder.as_bytes());
        }
    }

    /// Takes what is there, and what the events so far still lead to: a file that is created now is reported after
    /// all of them.
    #[track_caller]
    fn rest(&mut self, tree: &Tree) -> Reported {
        tree.write("the-last", b"");
        let mut reported = self.until(|mirror| mirror.files.contains_key(&b"the-last"[..]));
        std::fs::remove_file(tree.at("the-last")).unwrap();
        reported.merge(self.until(|mirror| !mirror.files.contains_key(&b"the-last"[..])));
        reported.names.retain(|name| name != "the-last");
        reported
    }
}

/// What was reported, in order of arrival.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reported {
    names: Vec<String>,
    folders: Vec<String>,
}

impl Reported {
    fn add(&mut self, news: &WatchEvents) {
        let shown = |path: Vec<u8>| path.escape_ascii().to_string();
        let name = |touched: &TouchedName| shown(touched.folder.file(&touched.name).relative_path());
        self.names.extend(news.names.iter().map(name));
        self.folders.extend(news.folders.iter().map(|touched| shown(touched.folder.relative_path())));
    }

    fn merge(&mut self, other: Self) {
        self.names.extend(other.names);
        self.folders.extend(other.folders);
    }
}

fn armed(watch: &Watch) -> u64 {
    watch.status().armed_folders
}

fn armed_paths(watch: &Watch) -> Vec<Vec<u8>> {
    let state = watch.shared.lock();
    let all = state.roots.iter().flat_map(Served::iter);
    let armed = all.filter(|(_, standing)| **standing == Standing::Armed);
    let mut paths: Vec<_> = armed.map(|(folder, _)| folder.relative_path()).collect();
    paths.sort();
    paths
}

fn move_to(tree: &Tree, from: &str, to: &str) {
    std::fs::rename(tree.at(from), tree.at(to)).unwrap();
}

/// Returns the paths of the folders that have to be polled.
fn unwatched(watch: &Watch) -> Vec<String> {
    watch.unwatched().iter().map(|(_, folder)| String::from_utf8(folder.relative_path()).unwrap()).collect()
}
