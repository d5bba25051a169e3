//! The tree on disk as a source: lists folders by the rules of the filters; reads no file.

pub(super) mod descent;
pub(super) mod explain;
pub(super) mod files;
pub(super) mod list;
pub(super) mod names;
pub(super) mod pace;
pub(super) mod stack;
pub(super) mod thread_clock;
pub(super) mod verdict;

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;

use super::filter::hidden;
use super::read::{self, dir_cache};
use super::watch::Watch;
use super::{Content, Filters, Folder, FolderVisitor, Listed, ReadError, ScanReport, Source};
use crate::model::{FileKey, Fingerprint, FolderKey, Root};
use crate::source::read::ahead::{self, Ahead};
use crate::source::read::digest;
use crate::source::read::open::{self, EntryKind};
use descent::Descent;
use files::Files;
use list::{Lister, Scope, StateFolders, list_through};
use pace::{Pace, Stride};
use stack::{Job, Stack, Turn};
use verdict::Verdict;

/// More initial threads than this only wait for each other.
const THREADS_MAX: usize = 256;

/// A tree on disk.
#[derive(Debug)]
pub struct TreeSource {
    pub(super) filters: Filters,
    pub(super) state: Vec<PathBuf>,
    watch: Option<Arc<Watch>>,
}

impl TreeSource {
    /// Creates a source of the files that the filters accept. Folders at the paths in `state` are never entered:
    /// those that hold the state and the records.
    pub fn new(filters: Filters, state: Vec<PathBuf>) -> Self {
        Self { filters, state, watch: None }
    }

    /// Arms each folder before it is listed, so that nothing between the two is lost. From now on, what these
    /// filters exclude, and the state, is not reported.
    #[must_use]
    pub fn with_watch(mut self, watch: Arc<Watch>) -> Self {
        watch.set_rules(self.filters.clone(), &self.state);
        self.watch = Some(watch);
        self
    }

    /// Returns the filters.
    pub fn filters(&self) -> &Filters {
        &self.filters
    }

    /// Opens a root, and finds the folders that are never entered.
    ///
    /// # Errors
    /// The system's own, or `InvalidInput` if the root is one of those folders.
    pub(super) fn open_root(&self, path: &Path) -> io::Result<(OwnedFd, StateFolders)> {
        let fd = open::root_folder(path)?;
        let state = StateFolders::find(&self.state);
        if state.holds(&rustix::fs::fstat(&fd)?) {
            let message = format!("{}: holds the state or the records; choose another root", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok((fd, state))
    }

    fn walk<'a>(&'a self, root: &'a Root, fd: OwnedFd, state: StateFolders, first: Job) -> Walk<'a> {
        Walk {
            filters: &self.filters,
            watch: self.watch.as_deref(),
            state,
            root,
            fd,
            stack: Stack::new(first),
            total: Mutex::new(Total::default()),
        }
    }
}

impl Source for TreeSource {
    fn scan(
        &self,
        root: &Root,
        threads: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> io::Result<ScanReport> {
        let (fd, state) = self.open_root(&root.path)?;
        let first = Job { key: FolderKey::root(root.id), ignored: None };
        self.walk(root, fd, state, first).run_to_report(threads, visitors)
    }

    fn scan_below(
        &self,
        root: &Root,
        from: &FolderKey,
        threads: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> io::Result<ScanReport> {
        let (fd, state) = self.open_root(&root.path)?;
        let mut descent = Descent::new(fd.as_fd(), Scope::new(&self.filters, &state, None));
        let error = match descent.enter_all(&from.relative_path()) {
            Ok(()) => None,
            Err(Verdict::Unreadable { error, .. }) => Some(error),
            Err(verdict) => {
                if let Some(watch) = &self.watch {
                    watch.forget(root.id, from);
                }
                if let Verdict::LeftOut { .. } = verdict {
                    // There is nothing to continue with, whatever the visitor returns.
                    let _ = visitors().cut(from);
                    return Ok(ScanReport::default());
                }
                Some(io::ErrorKind::NotFound.into())
            }
        };
        let ignored = descent.into_ignored_above();
        if let Some(error) = error {
            // There is nothing to continue with, whatever the visitor returns.
            let _ = visitors().unreadable(from, &error);
            return Ok(ScanReport::default());
        }
        let first = Job { key: from.clone(), ignored };
        self.walk(root, fd, state, first).run_to_report(threads, visitors)
    }

    fn look(&self, root: &Root, folder: &FolderKey, names: &[Box<[u8]>]) -> io::Result<Vec<Listed<'static>>> {
        let (fd, state) = self.open_root(&root.path)?;
        let mut descent = Descent::new(fd.as_fd(), Scope::new(&self.filters, &state, None));
        match descent.enter_all(&folder.relative_path()).and_then(|()| descent.read_ignore_file()) {
            Ok(()) => Ok(names.iter().filter_map(|name| descent.listed(name)).collect()),
            Err(Verdict::Unreadable { error, .. }) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Err(_) => Ok(Vec::new()),
        }
    }

    fn verdicts(
        &self,
        root: &Root,
        folder: &FolderKey,
        names: &[Box<[u8]>],
    ) -> Result<Vec<Verdict>, Verdict> {
        self.verdicts_on(&root.path, &folder.relative_path(), names)
    }

    fn read(
        &self,
        root: &Root,
        key: &FileKey,
        size_max: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Content, ReadError> {
        read::read(root, key, size_max, buffer)
    }

    fn read_expected(
        &self,
        root: &Root,
        key: &FileKey,
        expected: &Fingerprint,
        size_max: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Content, ReadError> {
        read::read_expected(root, key, expected, size_max, buffer)
    }

    fn digest(&self, root: &Root, key: &FileKey) -> Result<(Content, [u8; 32]), ReadError> {
        digest::digest(root, key)
    }

    fn is_at(&self, root: &Root, key: &FileKey, version: &Fingerprint) -> bool {
        digest::is_file_at(root, key, version)
    }

    fn ahead(&self, root: &Root, key: &FileKey) -> Ahead {
        ahead::ask(root, key)
    }

    fn rest(&self) {
        dir_cache::close();
        hidden::forget();
    }

    fn is_hidden(&self, root: &Root, key: &FileKey) -> bool {
        hidden::is_hidden(&self.filters, root, key)
    }

    fn watch_hidden(&self, root: &Root, folder: &FolderKey) {
        if let Some(watch) = &self.watch {
            watch.watch_hidden(root, folder);
        }
    }

    fn root_mark(&self, root: &Root) -> io::Result<u128> {
        let stat = rustix::fs::stat(&root.path)?;
        Ok(u128::from(stat.st_dev) << 64 | u128::from(stat.st_ino))
    }

    fn list_root(&self, root: &Root) -> io::Result<()> {
        let (fd, _) = self.open_root(&root.path)?;
        Ok(list_through(fd.as_fd(), b"")?)
    }

    fn root_target(&self, root: &Root) -> io::Result<PathBuf> {
        root.path.canonicalize()
    }

    fn exists(&self, root: &Root, key: &FileKey) -> bool {
        match open::file(root, key) {
            // If it can't be checked, it may well be a file.
            Ok(fd) => {
                rustix::fs::fstat(&fd).map_or(true, |stat| EntryKind::of_stat(&stat) == EntryKind::File)
            }
            // It is a socket or a device, or the device of the file system itself is gone.
            Err(Errno::NXIO | Errno::NODEV) => {
                !matches!(open::kind_of(root, key), Ok(EntryKind::Other(_) | EntryKind::Folder))
            }
            Err(errno) => !matches!(errno, Errno::NOENT | Errno::NOTDIR | Errno::LOOP),
        }
    }

    fn accepts(&self, relative: &[u8]) -> bool {
        self.filters.accepts(relative)
    }

    fn filters(&self) -> String {
        self.filters.signature()
    }
}

/// One scan.
struct Walk<'a> {
    filters: &'a Filters,
    watch: Option<&'a Watch>,
    state: StateFolders,
    root: &'a Root,
    /// The root, opened.
    fd: OwnedFd,
    stack: Stack,
    total: Mutex<Total>,
}

/// The combined results of the threads.
#[derive(Default)]
struct Total {
    folders: u64,
    left_out: list::LeftOutCounts,
    root_error: Option<io::Error>,
}

impl Walk<'_> {
    fn run_to_report(
        self,
        threads: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> io::Result<ScanReport> {
        let threads = threads.clamp(1, THREADS_MAX);
        self.run(threads, &Pace::new(threads), visitors)?;
        self.into_report()
    }

    /// Runs the threads to their end, and starts more while they wait. A thread that can't be started is done
    /// without; a panic continues in the caller once all have ended.
    fn run(
        &self,
        threads: usize,
        pace: &Pace,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> io::Result<()> {
        std::thread::scope(|scope| {
            let mut handles = Vec::with_capacity(threads);
            let mut wanted = threads;
            loop {
                while handles.len() < wanted {
                    let builder = std::thread::Builder::new().name(format!("walk-{}", handles.len() + 1));
                    match builder.spawn_scoped(scope, || {
                        let _at_work = pace.at_work();
                        self.work(pace, visitors().as_mut());
                    }) {
                        Ok(handle) => handles.push(handle),
                        // This thread then does all the work.
                        Err(_) if handles.is_empty() => {
                            let _at_work = pace.at_work();
                            self.work(pace, visitors().as_mut());
                            return Ok(());
                        }
                        Err(_) => {
                            pace.refuse_more(handles.len());
                            break;
                        }
                    }
                }
                let Some(more) = pace.more_than(handles.len()) else { break };
                wanted = more;
            }
            let panics: Vec<_> = handles.into_iter().filter_map(|handle| handle.join().err()).collect();
            match panics.into_iter().next() {
                Some(panic) => std::panic::resume_unwind(panic),
                None => Ok(()),
            }
        })
    }

    fn work(&self, pace: &Pace, visitor: &mut dyn FolderVisitor) {
        let seat = self.stack.seat();
        let mut stride = Stride::new(pace);
        let mut lister = Lister::new();
        let mut folders = 0;
        while let Some((turn, job)) = seat.take() {
            let busy = pace.busy();
            let flow = self.visit(&turn, job, (&mut lister, &mut stride), &mut folders, visitor);
            drop(busy);
            turn.end(flow);
        }
        let mut total = self.total.lock().unwrap_or_else(PoisonError::into_inner);
        total.folders += folders;
        total.left_out.merge(lister.left_out);
    }

    /// Lists one folder, shares its sub-folders with all threads, then passes the folder to the visitor.
    fn visit(
        &self,
        turn: &Turn<'_>,
        job: Job,
        (lister, stride): (&mut Lister, &mut Stride<'_>),
        folders: &mut u64,
        visitor: &mut dyn FolderVisitor,
    ) -> ControlFlow<()> {
        let relative = job.key.relative_path();
        let mut scope = Scope::new(self.filters, &self.state, job.ignored);
        let begun = stride.begin();
        let listed = self.list(&job.key, &relative, &mut scope, lister);
        stride.end(begun, || self.stack.has_more());
        let (opened, names) = match listed {
            Ok((opened, names)) => (opened, Arc::new(names)),
            Err(error) if relative.is_empty() => {
                self.total.lock().unwrap_or_else(PoisonError::into_inner).root_error = Some(error);
                return ControlFlow::Break(());
            }
            Err(error) => return visitor.unreadable(&job.key, &error),
        };
        *folders += 1;
        turn.add(&job.key, scope.ignored, &names);
        let fd = opened.as_ref().unwrap_or(&self.fd);
        let mut files = Files::new(fd.as_fd(), (&lister.files, &mut lister.looked), stride, &self.stack);
        visitor.folder(Folder { key: job.key, files: &mut files, folders: &names })
    }

    /// Opens, arms and lists a folder. The root is already open.
    fn list(
        &self,
        key: &FolderKey,
        relative: &[u8],
        scope: &mut Scope<'_>,
        lister: &mut Lister,
    ) -> io::Result<(Option<OwnedFd>, names::Names)> {
        let opened = match relative {
            b"" => Ok(None),
            _ => open::folder_below(self.fd.as_fd(), relative).map(Some),
        };
        // A folder that can't be opened is recorded as unwatched, so that it is checked again.
        if let Some(watch) = self.watch.filter(|_| !matches!(opened, Err(Errno::NOENT))) {
            watch.arm(self.root, key);
        }
        let opened = opened?;
        let fd = opened.as_ref().unwrap_or(&self.fd);
        let names = lister.list(fd.as_fd(), relative, scope)?;
        Ok((opened, names))
    }

    fn into_report(self) -> io::Result<ScanReport> {
        let total = self.total.into_inner().unwrap_or_else(PoisonError::into_inner);
        match total.root_error {
            Some(error) => Err(error),
            None => Ok(ScanReport { folders: total.folders, filtered: total.left_out.into_rules() }),
        }
    }
}
