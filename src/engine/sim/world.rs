//! The world of a simulated run: a tree in memory that changes, fails and goes away, and a processor that does what
//! each file says.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustix::io::Errno;

use crate::model::{ErrorClass, FileError, FileKey, Fingerprint, FolderKey, Root, Timestamp};
use crate::process::{BatchAnswers, BatchProcessor, FileContent, Processor, ResultWriter};
use crate::source::{
    Ahead, Content, Folder, FolderVisitor, Listed, ListedKind, Names, ReadError, ScanReport, Source,
};

/// A wait long enough to count as a disk's.
const WAIT: Duration = Duration::from_micros(30);

/// How processing a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    Fine,
    Parse,
    Error,
    Panic,
    /// Fails this many times with an error that may pass, then succeeds.
    Busy(u32),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct File {
    /// Different for each content that ever existed.
    pub version: u64,
    pub behaviour: Behaviour,
}

/// A fault of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// Another, empty folder is in its place.
    Unmounted,
    /// Every call fails with this.
    Failing(Errno),
    /// Reads fail now and then.
    Flaky,
}

#[derive(Debug)]
pub(super) struct State {
    pub files: BTreeMap<String, File>,
    pub trouble: Trouble,
    /// Paths of files that were really removed.
    pub removed: BTreeSet<String>,
    /// Calls of the processor, by version.
    pub calls: BTreeMap<u64, u32>,
    /// Files that were read ahead.
    pub asked: u64,
    /// Calls with several files.
    pub batches: u64,
    versions: u64,
    reads: u64,
    /// Whether each read waits, as if no file were in memory.
    is_cold: bool,
}

/// The world, shared by all its users.
#[derive(Debug, Clone)]
pub(super) struct World(Arc<Mutex<State>>);

impl World {
    pub(super) fn new(is_cold: bool) -> Self {
        let state = State {
            files: BTreeMap::new(),
            trouble: Trouble::None,
            removed: BTreeSet::new(),
            calls: BTreeMap::new(),
            asked: 0,
            batches: 0,
            versions: 0,
            reads: 0,
            is_cold,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    /// Returns what is at a path, as a watcher sees it.
    pub(super) fn look(&self, path: &str) -> Option<Fingerprint> {
        self.files.get(path).filter(|_| self.trouble != Trouble::Unmounted).map(File::fingerprint)
    }

    /// Writes a file with content that is different from all before.
    pub(super) fn write(&mut self, path: String, behaviour: Behaviour) {
        self.versions += 1;
        self.files.insert(path, File { version: self.versions, behaviour });
    }

    pub(super) fn remove(&mut self, path: String) {
        self.files.remove(&path);
        self.removed.insert(path);
    }

    fn check(&self) -> io::Result<()> {
        match self.trouble {
            Trouble::Failing(errno) => Err(errno.into()),
            Trouble::None | Trouble::Unmounted | Trouble::Flaky => Ok(()),
        }
    }

    fn file(&self, key: &FileKey) -> Option<File> {
        let path = String::from_utf8(key.relative_path()).unwrap();
        self.files.get(&path).copied().filter(|_| self.trouble != Trouble::Unmounted)
    }
}

impl File {
    fn content(&self) -> String {
        format!("{}", self.version)
    }

    fn fingerprint(&self) -> Fingerprint {
        let time = Timestamp(i64::try_from(self.version).unwrap() * 1_000_003);
        Fingerprint { size: self.content().len() as u64, mtime: time, ctime: time, inode: self.version }
    }
}

impl Source for World {
    fn scan(
        &self,
        root: &Root,
        _threads: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> io::Result<ScanReport> {
        let (files, trouble) = {
            let state = self.lock();
            // The root itself can be listed more often than what is below.
            if state.trouble == Trouble::Failing(Errno::MFILE) {
                state.check()?;
            }
            let unmounted = state.trouble == Trouble::Unmounted;
            (if unmounted { BTreeMap::new() } else { state.files.clone() }, state.trouble)
        };
        let folders: BTreeSet<&str> = files.keys().filter_map(|path| Some(path.split_once('/')?.0)).collect();
        let mut visitor = visitors();
        let top = FolderKey::root(root.id);
        let list = |folder: Option<&str>| -> Vec<Listed<'_>> {
            let within = files.iter().filter_map(|(path, file)| match (folder, path.split_once('/')) {
                (None, None) => Some((path.as_str(), file)),
                (Some(folder), Some((parent, name))) if parent == folder => Some((name, file)),
                _ => None,
            });
            let listed = |(name, file): (&str, &File)| Listed {
                name: name.as_bytes().to_vec().into(),
                kind: ListedKind::File(file.fingerprint()),
            };
            within.map(listed).collect()
        };
        let names: Names = folders.iter().copied().collect();
        let mut entries = list(None).into_iter();
        let mut flow = visitor.folder(Folder { key: top.clone(), files: &mut entries, folders: &names });
        for folder in folders {
            if flow == ControlFlow::Break(()) {
                break;
            }
            let key = top.child(folder.as_bytes());
            flow = match trouble {
                Trouble::Failing(errno) => visitor.unreadable(&key, &errno.into()),
                _ => {
                    let mut entries = list(Some(folder)).into_iter();
                    visitor.folder(Folder { key, files: &mut entries, folders: &Names::default() })
                }
            };
        }
        Ok(ScanReport::default())
    }

    fn read(
        &self,
        _root: &Root,
        key: &FileKey,
        _size_max: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Content, ReadError> {
        let mut state = self.lock();
        if state.is_cold {
            std::thread::sleep(WAIT);
        }
        state.check()?;
        state.reads += 1;
        if state.trouble == Trouble::Flaky && state.reads.is_multiple_of(7) {
            return Err(Errno::IO.into());
        }
        let file = state.file(key).ok_or(ReadError::Gone)?;
        buffer.clear();
        buffer.extend_from_slice(file.content().as_bytes());
        Ok(Content { fingerprint: file.fingerprint(), size: buffer.len() as u64, racy: false })
    }

    fn ahead(&self, _root: &Root, key: &FileKey) -> Ahead {
        let mut state = self.lock();
        state.asked += 1;
        match state.check() {
            Ok(()) if state.file(key).is_none() => Ahead::Unopened,
            Ok(()) if state.asked.is_multiple_of(3) => Ahead::InMemory,
            Ok(()) => Ahead::Asked,
            Err(_) => Ahead::Unopened,
        }
    }

    fn root_mark(&self, _root: &Root) -> io::Result<u128> {
        match self.lock().trouble {
            Trouble::Unmounted => Ok(2),
            Trouble::Failing(Errno::NOTCONN) => Err(Errno::NOTCONN.into()),
            Trouble::None | Trouble::Failing(_) | Trouble::Flaky => Ok(1),
        }
    }

    fn exists(&self, _root: &Root, key: &FileKey) -> bool {
        let state = self.lock();
        state.check().is_err() || state.file(key).is_some()
    }

    fn accepts(&self, _relative: &[u8]) -> bool {
        true
    }

    fn filters(&self) -> String {
        String::new()
    }
}

impl Processor for World {
    fn identity(&self) -> &str {
        "simulated/1"
    }

    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        let version: u64 = std::str::from_utf8(file.bytes).unwrap().parse().unwrap();
        let (behaviour, calls) = {
            let mut state = self.lock();
            let calls = state.calls.entry(version).or_default();
            *calls += 1;
            let calls = *calls;
            let path = String::from_utf8(file.path.to_vec()).unwrap();
            // It may have been rewritten since it was read.
            (state.files.get(&path).filter(|file| file.version == version).map(|file| file.behaviour), calls)
        };
        match behaviour {
            Some(Behaviour::Parse) => Err(FileError::new(ErrorClass::Parse, "no sense")),
            Some(Behaviour::Error) => Err(FileError::new(ErrorClass::Processor, "no luck")),
            Some(Behaviour::Panic) => std::panic::panic_any("as it was told"),
            Some(Behaviour::Busy(times)) if calls <= times => {
                Err(FileError::new(ErrorClass::Processor, "busy").may_pass())
            }
            Some(Behaviour::Fine | Behaviour::Busy(_)) | None => result.set(&version),
        }
    }
}

/// The world whose processor gets so many files at once. Now and then a call fails as a whole.
pub(super) struct InBatches(pub World, pub usize);

impl BatchProcessor for InBatches {
    fn identity(&self) -> &str {
        self.0.identity()
    }

    fn files_max(&self) -> usize {
        self.1
    }

    fn process_batch(&self, files: &[FileContent<'_>], answers: &mut BatchAnswers) -> Result<(), FileError> {
        let mut fails = false;
        if files.len() > 1 {
            let mut state = self.0.lock();
            state.batches += 1;
            fails = state.batches.is_multiple_of(5);
            if state.batches.is_multiple_of(7) {
                return Err(FileError::new(ErrorClass::Processor, "all of them"));
            }
        }
        for file in &files[usize::from(fails)..] {
            let mut result = ResultWriter::default();
            let ended = self.0.process(file, &mut result);
            answers.push(ended.map(|()| serde_json::from_slice::<u64>(result.as_bytes()).unwrap()));
        }
        Ok(())
    }
}
