//! The embedded store: the only room that names sled, with the copies of its folder.
//!
//! What sled 0.34.7 does, and what follows here:
//!
//! * `flush()` hands data to the device without waiting for its cache: an `fdatasync` of the file
//!   `db` follows it. Pages above 128 KiB go to files under `blobs/` that sled never syncs: they are
//!   synced before.
//! * It writes a snapshot of its page table while it opens, and at no other time. Killed meanwhile, it
//!   leaves `snap.*.generating` behind and later takes that for the newest snapshot: it is removed
//!   before opening. The log that the snapshot was made from is still there.
//! * It panics on some damaged files: each call runs under [`quietly`].
//! * It keeps to its cache's size only where pages are touched often: each of the cache's 256 parts evicts only once
//!   64 accesses have accumulated. A walk touches a page just once, and so most of the database stayed in memory, 56
//!   bytes a file: [`Walk`] touches each page some more times.
//! * Its file lock outlives it for a moment, until its own threads release it: the next opening waits for that.

pub(super) mod copy;
pub(super) mod kept;
pub(super) mod overlay;
pub(super) mod temporary;
pub(super) mod threads;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use sled::Transactional;
use sled::transaction::TransactionError;

use super::error::LedgerError;
use super::folder::disk;
use super::names::DB;
use crate::ledger::folder::held::HeldState;
use crate::model::failpoint;
use crate::model::panic_guard::quietly;
use overlay::{Before, Layout};
use temporary::Temporary;

/// A key or a value, shared with the page it came from.
pub(super) type Bytes = sled::IVec;
/// Key and value.
pub(super) type Pair = (Bytes, Bytes);
/// Changes of a tree: a value for each key, `None` to remove it.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Bytes>>;

/// Each of the cache's parts keeps the page touched last, and with 32 MiB one or two more: a run with no change in
/// 1,000,000 files took 65 MB then and 57 with this, in one folder 98 and 78, at the same CPU time.
const CACHE_BYTES: u64 = 8 << 20;
/// When opening a larger database, sled's threads read so many segment heads that one core is too few: with 70 MB it
/// took twice as long.
const SMALL_BYTES: u64 = 8 << 20;
/// A page holds 12 to 17 pairs: with these touches, a page is mostly touched often enough to evict the one before it
/// in its part. No change in 1,000,000 files takes 67 MB so, 72 with one touch less, and 65 to 69 with more.
const TOUCHES: usize = 3;

/// The trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tree {
    /// Blocks of entries.
    Files,
    /// Blocks that hold pending entries, by class.
    Ready,
    /// Everything else.
    Meta,
}

struct Trees {
    db: sled::Db,
    files: sled::Tree,
    ready: sled::Tree,
    meta: sled::Tree,
}

/// The open database.
pub(crate) struct Database {
    folder: PathBuf,
    /// `None` once it is closed, whatever other threads still hold of it.
    trees: RwLock<Option<Trees>>,
    data: File,
    /// Held for reading while reads must be consistent.
    layout: RwLock<Layout>,
    /// `None` for a copy.
    held: Option<HeldState>,
    _copied: Option<Temporary>,
}

impl Database {
    /// Creates a database in a state folder that has none.
    pub(super) fn create(held: &HeldState) -> Result<Self, LedgerError> {
        let folder = held.path().join(DB);
        failpoint::hit("db.create").map_err(LedgerError::io(&folder))?;
        fs::create_dir(&folder).map_err(LedgerError::io(&folder))?;
        Self::open_in(&folder, folder.clone(), Some(held))
    }

    /// Opens what [`Database::create`] made, or a copy of it: `at` is its place, `folder` the path named in errors.
    pub(super) fn open(at: &Path, folder: PathBuf, held: Option<&HeldState>) -> Result<Self, LedgerError> {
        remove_unfinished_snapshots(at)?;
        Self::open_in(at, folder, held)
    }

    fn open_in(at: &Path, folder: PathBuf, held: Option<&HeldState>) -> Result<Self, LedgerError> {
        threads::check().map_err(|error| LedgerError::NoThreads { path: folder.clone(), error })?;
        HeldState::note_opened();
        let open = || {
            failpoint::hit("db.open")?;
            let config = sled::Config::new().path(at).cache_capacity(CACHE_BYTES).flush_every_ms(None);
            let db = config.open()?;
            let [files, ready, meta] = ["files", "ready", "meta"].map(|name| db.open_tree(name));
            Ok(Trees { files: files?, ready: ready?, meta: meta?, db })
        };
        let is_small = fs::metadata(at.join("db")).is_ok_and(|found| found.len() <= SMALL_BYTES);
        let open = || on_store(&folder, open);
        let trees = if is_small { threads::started_on_one_core(open)? } else { open()? };
        failpoint::hit("db.opened").map_err(LedgerError::io(&folder))?;
        let data_path = at.join("db");
        let data = File::open(&data_path).map_err(LedgerError::io(&data_path))?;
        let layout = RwLock::default();
        Ok(Self { folder, trees: RwLock::new(Some(trees)), data, layout, held: held.cloned(), _copied: None })
    }

    /// Closes it, also for existing readers: they find it closed from now on.
    pub(super) fn close(&self) {
        let trees = self.trees.write().unwrap_or_else(PoisonError::into_inner).take();
        if trees.is_some() {
            // What is not on disk by now was never reported as committed.
            let _ = quietly(|| drop(trees));
        }
    }

    /// Returns the lock on the state folder; `None` for a copy.
    pub(super) fn held(&self) -> Option<&HeldState> {
        self.held.as_ref()
    }

    /// Marks the store as open in a copy, which is removed as soon as it may be.
    pub(super) fn of_copy(mut self, copied: Temporary) -> Self {
        self._copied = copied.is_needed().then_some(copied);
        self
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the files themselves durable, after [`Database::create`].
    pub(super) fn sync_names(&self) -> Result<(), LedgerError> {
        let conf = self.folder.join("conf");
        failpoint::hit("db.sync-names").map_err(LedgerError::io(&conf))?;
        File::open(&conf).and_then(|file| file.sync_all()).map_err(LedgerError::io(&conf))?;
        disk::sync_folder(&self.folder.join("blobs"))?;
        disk::sync_folder(&self.folder)?;
        disk::sync_parent(&self.folder)
    }

    /// Holds off transactions, and returns what is visible.
    pub(super) fn layout(&self) -> RwLockReadGuard<'_, Layout> {
        self.layout.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the latest transaction as committed: from now on all readers see it.
    pub(super) fn settle(&self) {
        let mut layout = self.layout.write().unwrap_or_else(PoisonError::into_inner);
        layout.number += 1;
        layout.before = None;
    }

    /// Returns the value of a key.
    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Bytes>, LedgerError> {
        self.on(tree, |tree| tree.get(key))
    }

    /// Returns the last pair whose key is not above the bound.
    pub(super) fn last_below(&self, tree: Tree, bound: Bound<&[u8]>) -> Result<Option<Pair>, LedgerError> {
        self.on(tree, |tree| tree.range::<&[u8], _>((Bound::Unbounded, bound)).next_back().transpose())
    }

    /// Returns the last block whose key is not above the bound, as it is committed.
    pub(super) fn committed_below(&self, bound: Bound<&[u8]>) -> Result<Option<Pair>, LedgerError> {
        let layout = self.layout();
        match &layout.before {
            Some(before) => overlay::last_below(self, &before.files, bound),
            None => self.last_below(Tree::Files, bound),
        }
    }

    /// Returns all pairs from a bound on.
    pub(super) fn walk(&self, tree: Tree, from: Bound<&[u8]>) -> Result<Walk, LedgerError> {
        let (tree, iter) =
            self.on(tree, |tree| Ok((tree.clone(), tree.range::<&[u8], _>((from, Bound::Unbounded)))))?;
        Ok(Walk { folder: self.folder.clone(), tree, iter, goes_on: false })
    }

    /// Returns all pairs whose key begins with `prefix`.
    pub(super) fn walk_prefix(&self, tree: Tree, prefix: &[u8]) -> Result<Walk, LedgerError> {
        let (tree, iter) = self.on(tree, |tree| Ok((tree.clone(), tree.scan_prefix(prefix))))?;
        Ok(Walk { folder: self.folder.clone(), tree, iter, goes_on: false })
    }

    /// Applies all changes or none, and returns when they are durable. Until [`Database::settle`] readers of what is
    /// committed see the trees as before: `before` is what `files` replaces.
    pub(super) fn apply(
        &self,
        (files, before): (Changes, Changes),
        ready: Changes,
        meta: Changes,
    ) -> Result<(), LedgerError> {
        let mut before = Before { files: before, meta: Changes::new() };
        for key in meta.keys() {
            before.meta.insert(key.clone(), self.get(Tree::Meta, key)?);
        }
        let [files, ready, meta] = [files, ready, meta].map(batch_of);
        let mut layout = self.layout.write().unwrap_or_else(PoisonError::into_inner);
        layout.number += 1;
        layout.before = Some(Arc::new(before));
        let apply = |trees: &Trees| {
            failpoint::hit("db.apply")?;
            // sled runs the closure again after a conflict: it applies what was prepared and nothing else.
            let outcome =
                (&trees.files, &trees.ready, &trees.meta).transaction(|(in_files, in_ready, in_meta)| {
                    in_files.apply_batch(&files)?;
                    in_ready.apply_batch(&ready)?;
                    in_meta.apply_batch(&meta)?;
                    Ok(())
                });
            outcome.map_err(|error| match error {
                TransactionError::Abort(()) => sled::Error::ReportableBug("aborted".to_owned()),
                TransactionError::Storage(error) => error,
            })
        };
        threads::started_on_one_core(|| self.on_trees(apply))?;
        drop(layout);
        self.sync()
    }

    fn sync(&self) -> Result<(), LedgerError> {
        self.on_trees(|trees| {
            failpoint::hit("db.flush")?;
            trees.db.flush()
        })?;
        sync_blobs(&self.folder.join("blobs"))?;
        failpoint::hit("db.sync")
            .and_then(|()| self.data.sync_data())
            .and_then(|()| failpoint::hit("db.synced"))
            .map_err(LedgerError::io(&self.folder))?;
        disk::check_in_place(&self.data, &self.folder.join("db"))
    }

    fn on<T>(&self, tree: Tree, f: impl FnOnce(&sled::Tree) -> sled::Result<T>) -> Result<T, LedgerError> {
        self.on_trees(|trees| match tree {
            Tree::Files => f(&trees.files),
            Tree::Ready => f(&trees.ready),
            Tree::Meta => f(&trees.meta),
        })
    }

    fn on_trees<T>(&self, f: impl FnOnce(&Trees) -> sled::Result<T>) -> Result<T, LedgerError> {
        let trees = self.trees.read().unwrap_or_else(PoisonError::into_inner);
        let trees = trees.as_ref().ok_or(LedgerError::Closed)?;
        on_store(&self.folder, || f(trees))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.close();
    }
}

/// Pairs in the order of their keys.
pub(super) struct Walk {
    folder: PathBuf,
    tree: sled::Tree,
    iter: sled::Iter,
    /// Whether it has returned a pair: one alone is no walk.
    goes_on: bool,
}

impl Walk {
    /// Returns the next pair; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Pair>, LedgerError> {
        self.step(sled::Iter::next)
    }

    /// Returns the next pair from the other end.
    pub(super) fn next_back(&mut self) -> Result<Option<Pair>, LedgerError> {
        self.step(sled::Iter::next_back)
    }

    fn step(
        &mut self,
        step: impl FnOnce(&mut sled::Iter) -> Option<sled::Result<Pair>>,
    ) -> Result<Option<Pair>, LedgerError> {
        let Self { folder, tree, iter, goes_on } = self;
        let touches = if std::mem::replace(goes_on, true) { TOUCHES } else { 0 };
        on_store(folder, || touched(tree, step(iter), touches))
    }

    /// Calls `f` with each pair; an error of `f` is damage.
    pub(super) fn check_each(
        mut self,
        mut f: impl FnMut(&[u8], &[u8]) -> Result<(), &'static str>,
    ) -> Result<(), LedgerError> {
        while let Some((key, value)) = self.next()? {
            f(&key, &value).map_err(|what| LedgerError::damaged(&self.folder, what))?;
        }
        Ok(())
    }
}

/// Touches the page of a pair often enough to evict the pages before it.
fn touched(
    tree: &sled::Tree,
    pair: Option<sled::Result<Pair>>,
    touches: usize,
) -> sled::Result<Option<Pair>> {
    let pair = pair.transpose()?;
    if let Some((key, _)) = &pair {
        for _ in 0..touches {
            tree.contains_key(key)?;
        }
    }
    Ok(pair)
}

fn batch_of(changes: Changes) -> sled::Batch {
    let mut batch = sled::Batch::default();
    for (key, value) in changes {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    batch
}

fn on_store<T>(folder: &Path, f: impl FnOnce() -> sled::Result<T>) -> Result<T, LedgerError> {
    match quietly(f) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(error))) if error.to_string().contains("acquire lock") => {
            Err(LedgerError::InUse { path: folder.parent().unwrap_or(folder).to_path_buf() })
        }
        Ok(Err(sled::Error::Io(error))) if is_of_the_disk(&error) => Err(LedgerError::io(folder)(error)),
        Ok(Err(error)) => Err(LedgerError::damaged(folder, format!("the database can't be read ({error})"))),
        Err(panic) if let Some(kind) = kind_of(&panic) => {
            Err(LedgerError::io(folder)(io::Error::new(kind, panic)))
        }
        Err(panic) => Err(LedgerError::damaged(folder, format!("the database can't be read ({panic})"))),
    }
}

/// Returns the kind of a panic caused by want of space or memory: sled shows the error that it did not expect.
fn kind_of(panic: &str) -> Option<io::ErrorKind> {
    let tells = |texts: &[&str]| texts.iter().any(|text| panic.contains(text));
    if tells(&["FileTooLarge", "File too large"]) {
        return Some(io::ErrorKind::FileTooLarge);
    }
    // Allocations report a lack of memory by a null pointer.
    if tells(&["converting zero into", "OutOfMemory", "Cannot allocate memory"]) {
        return Some(io::ErrorKind::OutOfMemory);
    }
    tells(&["StorageFull", "QuotaExceeded", "No space left", "quota exceeded"])
        .then_some(io::ErrorKind::StorageFull)
}

/// Returns whether the file system itself refused. Reading at an impossible place is damage.
fn is_of_the_disk(error: &io::Error) -> bool {
    // By kind alone: sled drops the system's number when it copies an error.
    !matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotFound
            | io::ErrorKind::Other
    )
}

fn remove_unfinished_snapshots(folder: &Path) -> Result<(), LedgerError> {
    for entry in fs::read_dir(folder).map_err(LedgerError::io(folder))? {
        let path = entry.map_err(LedgerError::io(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "generating") {
            disk::remove(&path)?;
        }
    }
    Ok(())
}

fn sync_blobs(folder: &Path) -> Result<(), LedgerError> {
    let mut any = false;
    failpoint::hit("db.sync-blobs").map_err(LedgerError::io(folder))?;
    for entry in fs::read_dir(folder).map_err(LedgerError::io(folder))? {
        let path = entry.map_err(LedgerError::io(folder))?.path();
        match File::open(&path).and_then(|file| file.sync_all()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            synced => synced.map_err(LedgerError::io(&path))?,
        }
        any = true;
    }
    if any { disk::sync_folder(folder) } else { Ok(()) }
}
