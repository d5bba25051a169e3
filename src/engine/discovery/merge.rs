//! Merges each listed folder with what the ledger holds of it.
//!
//! Both sides are sorted alike, so one pass finds what is new, changed, done and gone, with one ledger block in
//! memory. It runs on the scanning threads, and only reads the ledger.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::message::{Message, Reports};
use super::relist::RelistQueue;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::counts::ScanCounts;
use crate::engine::lifecycle::transition::{FileEvent, Reported, RunScope};
use crate::engine::resources::semaphore::Semaphore;
use crate::engine::roots::identity::LostRoot;
use crate::engine::stop::Stop;
use crate::ledger::{Entry, LedgerReader, Scan};
use crate::model::{FileKey, Fingerprint, FolderKey, Resource, Root};
use crate::source::{Folder, FolderVisitor, Listed, ListedKind, SkipReason, Source, Verdict};

/// Changes that are handed over together.
const CHANGES_MAX: usize = 256;
/// Counted entries after which counts are handed over, so that progress shows.
const COUNTED_MAX: u64 = 8192;
/// Time after which changes are handed over, however few: where listing is slow, workers wait for them.
const CHANGES_AGE_MAX: Duration = Duration::from_millis(100);

/// Reasons for names of a list that are no files.
const NOT_THERE: &str = "not-there";
const FOLDER: &str = "folder";

/// The purpose of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// For a job: all that it sees is counted.
    Job,
    /// For a job on the files of a list: these are counted.
    Listed,
    /// For a job on a part of a root: its entries are counted already, and only changes are reported.
    Part,
    /// For touched names and folders: only changes are reported, and the caller retries what can't be listed.
    News,
}

impl Purpose {
    /// Returns whether what the scan sees is counted.
    fn counts(self) -> bool {
        matches!(self, Self::Job | Self::Listed)
    }

    /// Returns whether nothing is to be done for a file with this entry that is seen with this fingerprint. If so, it
    /// is counted here, unless it is already.
    fn settles(self, scope: RunScope, entry: &Entry, seen: &Fingerprint, counts: &mut ScanCounts) -> bool {
        if !self.counts() {
            return scope.is_untouched(entry, seen);
        }
        let is_current = scope.is_current(entry, seen);
        if is_current && scope.counted(entry).is_none() {
            counts.discovered += 1;
            counts.unchanged += 1;
            let failure = entry.record.as_ref().and_then(|record| scope.failure(record));
            counts.failed_earlier += u64::from(failure.is_some());
            counts.unreported += u64::from(failure == Some(Reported::Now));
        }
        is_current
    }
}

/// One scanning thread's visitor.
pub(crate) struct LedgerMerge {
    purpose: Purpose,
    /// None where the ledger knows nothing of the root.
    scan: Option<Scan>,
    scope: RunScope,
    root: Root,
    source: Arc<dyn Source>,
    stop: Stop,
    send: Reports,
    semaphore: Semaphore,
    changes: Vec<(FileKey, FileEvent)>,
    counts: ScanCounts,
    /// The folder of the last file that rules hide.
    hidden_in: Option<Box<[u8]>>,
    /// Whether rules were applied to a file that no listing shows.
    asked_rules: bool,
    /// When something was last handed over.
    handed: Instant,
    /// When the oldest of the handled watch events came; else the time at which changes are reported.
    pub since: Option<Instant>,
    /// Where a process that stays records what could not be listed.
    pub unlisted: Option<Arc<RelistQueue>>,
}

impl LedgerMerge {
    pub(crate) fn new(
        purpose: Purpose,
        reader: Option<&LedgerReader>,
        scope: RunScope,
        root: Root,
        source: Arc<dyn Source>,
        stop: Stop,
        (send, semaphore): (Reports, Semaphore),
    ) -> Self {
        Self {
            purpose,
            scan: reader.map(LedgerReader::scan),
            scope,
            root,
            source,
            stop,
            send,
            semaphore,
            changes: Vec::new(),
            counts: ScanCounts::default(),
            hidden_in: None,
            asked_rules: false,
            handed: Instant::now(),
            since: None,
            unlisted: None,
        }
    }

    fn merge(&mut self, folder: &mut Folder<'_>) -> Result<(), EngineError> {
        let prefix = folder.key.files_prefix();
        self.seek(&prefix)?;
        for listed in &mut *folder.files {
            if !self.pass_settled(&prefix, &listed)? {
                let entry = self.entry_of(&prefix, &listed.name)?;
                self.note(&folder.key, listed, entry);
            }
        }
        while self.take_missing(&prefix)? {}
        self.merge_sub_folders(folder)
    }

    fn seek(&mut self, key: &[u8]) -> Result<(), EngineError> {
        Ok(self.scan.as_mut().map_or(Ok(()), |scan| scan.seek(key))?)
    }

    fn peek(&mut self) -> Result<Option<(&[u8], &Entry)>, EngineError> {
        Ok(self.scan.as_mut().map_or(Ok(None), Scan::peek)?)
    }

    fn advance(&mut self) {
        if let Some(scan) = &mut self.scan {
            scan.advance();
        }
    }

    /// Skips a file that is the ledger's next entry and needs nothing, as nearly all do when little has changed.
    /// Copying the entry out, as [`Self::entry_of`] does, took longer than all of this.
    fn pass_settled(&mut self, prefix: &[u8], listed: &Listed<'_>) -> Result<bool, EngineError> {
        let (Some(scan), ListedKind::File(seen)) = (&mut self.scan, &listed.kind) else { return Ok(false) };
        let Some((key, entry)) = scan.peek()? else { return Ok(false) };
        let name = key.strip_prefix(prefix);
        let passes = name.is_some_and(|name| *name == *listed.name)
            && self.purpose.settles(self.scope, entry, seen, &mut self.counts);
        if passes {
            scan.advance();
        }
        Ok(passes)
    }

    /// Returns the ledger's entry of a listed name. Entries before that name are missing on disk.
    fn entry_of(&mut self, prefix: &[u8], name: &[u8]) -> Result<Option<Entry>, EngineError> {
        loop {
            let Some((key, entry)) = self.peek()? else { return Ok(None) };
            let Some(rest) = key.strip_prefix(prefix) else { return Ok(None) };
            match rest.cmp(name) {
                std::cmp::Ordering::Less => self.take_missing(prefix)?,
                std::cmp::Ordering::Greater => return Ok(None),
                std::cmp::Ordering::Equal => {
                    let entry = *entry;
                    self.advance();
                    return Ok(Some(entry));
                }
            };
        }
    }

    /// Takes the next entry as missing, where it lies below `prefix`.
    fn take_missing(&mut self, prefix: &[u8]) -> Result<bool, EngineError> {
        let Some((key, entry)) = self.peek()? else { return Ok(false) };
        if !key.starts_with(prefix) {
            return Ok(false);
        }
        let key = FileKey::from_bytes(key);
        let entry = *entry;
        self.advance();
        match key {
            Some(key) if self.source.exists(&self.root, &key) => self.not_shown(key, entry),
            Some(key) => self.push(key, FileEvent::Missing(entry)),
            None => {}
        }
        Ok(true)
    }

    /// Handles a file that exists but is not listed. Where rules hide it, its records stay, but nothing is done for
    /// it any more; it may also have been created since.
    fn not_shown(&mut self, key: FileKey, entry: Entry) {
        let is_next = self.hidden_in.as_deref() == Some(key.folder_bytes());
        if !is_next {
            // The current rules count.
            self.source.rest();
        }
        self.asked_rules = true;
        if !self.source.is_hidden(&self.root, &key) {
            return;
        }
        if !is_next {
            self.hidden_in = Some(key.folder_bytes().into());
            self.source.watch_hidden(&self.root, &key.folder());
        }
        if entry.pending {
            self.push(key, FileEvent::Hidden(entry));
        }
    }

    /// Reports ledger entries in sub-folders that no longer exist as missing; in those that rules cut, each file is
    /// checked on disk.
    fn merge_sub_folders(&mut self, folder: &Folder<'_>) -> Result<(), EngineError> {
        let parent = folder.key.as_bytes();
        let mut child = Vec::new();
        while let Some((key, _)) = self.peek()? {
            let Some(rest) = key.strip_prefix(parent) else { break };
            let len = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
            let lets_in = folder.folders.lets_in(&rest[..len]);
            child.clear();
            child.extend_from_slice(&key[..parent.len() + len]);
            // All keys below a folder begin with its own, which ends in a zero byte; the first key after them begins
            // with this.
            child.push(u8::from(lets_in));
            if lets_in {
                self.seek(&child)?;
            } else {
                while self.take_missing(&child)? {}
            }
        }
        Ok(())
    }

    /// Handles a folder that went after its parent was listed, or that rules cut: all below it is checked on disk.
    fn merge_gone(&mut self, folder: &FolderKey) -> Result<(), EngineError> {
        self.seek(folder.as_bytes())?;
        while self.take_missing(folder.as_bytes())? {}
        Ok(())
    }

    fn note(&mut self, folder: &FolderKey, listed: Listed<'_>, entry: Option<Entry>) {
        match listed.kind {
            ListedKind::File(seen) => self.note_file(folder, &listed.name, seen, entry),
            // What can't be checked may well still exist: what is known of it stays.
            ListedKind::Skipped(SkipReason::NoMetadata)
                if entry.is_some_and(|entry| self.scope.counted(&entry).is_some()) => {}
            ListedKind::Skipped(reason) => {
                self.counts.discovered += 1;
                *self.counts.skipped.entry(reason.as_str()).or_default() += 1;
                if reason != SkipReason::NoMetadata {
                    self.missing(folder, &listed.name, entry);
                }
            }
            ListedKind::Vanished => self.missing(folder, &listed.name, entry),
        }
    }

    fn note_file(&mut self, folder: &FolderKey, name: &[u8], seen: Fingerprint, entry: Option<Entry>) {
        let is_news = !self.purpose.counts();
        match entry {
            Some(entry) if self.purpose.settles(self.scope, &entry, &seen, &mut self.counts) => {}
            Some(entry) if !is_news && entry.pending && entry.fingerprint == seen => {}
            _ if is_news => self.push(folder.file(name), FileEvent::Touched(seen)),
            _ => self.push(folder.file(name), FileEvent::Found(seen)),
        }
    }

    fn missing(&mut self, folder: &FolderKey, name: &[u8], entry: Option<Entry>) {
        if let Some(entry) = entry {
            self.push(folder.file(name), FileEvent::Missing(entry));
        }
    }

    fn push(&mut self, key: FileKey, change: FileEvent) {
        self.changes.push((key, change));
        if self.changes.len() >= CHANGES_MAX {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        self.handed = Instant::now();
        let changes = std::mem::take(&mut self.changes);
        let counts = std::mem::take(&mut self.counts);
        if self.purpose.counts() {
            return self.tell_found(changes, counts);
        }
        if !changes.is_empty() {
            let since = self.since.unwrap_or_else(Instant::now);
            self.send.send(Message::Touched { changes, since, permit: self.semaphore.acquire() });
        }
        self.tell_found(
            Vec::new(),
            ScanCounts { unreadable_folders: counts.unreadable_folders, ..ScanCounts::default() },
        );
    }

    fn tell_found(&self, changes: Vec<(FileKey, FileEvent)>, counts: ScanCounts) {
        if !changes.is_empty() || counts != ScanCounts::default() {
            // The receiver is gone only when the run has failed, and then nothing counts any more.
            self.send.send(Message::Found { changes, counts, permit: self.semaphore.acquire() });
        }
    }

    fn go_on(&mut self, result: Result<(), EngineError>) -> ControlFlow<()> {
        if let Err(error) = result {
            self.send.send(Message::Failed(error));
            return ControlFlow::Break(());
        }
        let is_late = !self.changes.is_empty() && self.handed.elapsed() >= CHANGES_AGE_MAX;
        if is_late || self.counts.discovered >= COUNTED_MAX {
            self.hand_over();
        }
        if self.stop.is_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl FolderVisitor for LedgerMerge {
    fn folder(&mut self, mut folder: Folder<'_>) -> ControlFlow<()> {
        let result = self.merge(&mut folder);
        self.go_on(result)
    }

    fn unreadable(&mut self, folder: &FolderKey, error: &std::io::Error) -> ControlFlow<()> {
        use std::io::ErrorKind;
        let is_root = *folder == FolderKey::root(self.root.id);
        let is_gone = error.kind() == ErrorKind::NotFound;
        if is_gone && !is_root {
            let result = self.merge_gone(folder);
            return self.go_on(result);
        }
        let below = || self.root.path.join(OsStr::from_bytes(&folder.relative_path()));
        let path = if is_root { self.root.path.clone() } else { below() };
        // A root that is not there may come back.
        let is_away = is_root && (is_gone || error.kind() == ErrorKind::NotADirectory);
        let short_of = Resource::of_io(error).or(is_away.then_some(Resource::Files));
        let path = path.display();
        let why = format!("can't be listed: {error}");
        if let Some(unlisted) = &self.unlisted {
            unlisted.not_listed(folder.clone(), format!("{path}: {why}"), short_of.is_some());
        }
        if self.purpose == Purpose::News && !is_root {
            tracing::debug!(root = %self.root.name, folder = %path, %error, "can't list a folder");
            return self.go_on(Ok(()));
        }
        // What affects all folders is reported once, by the breaker; what watch events meet, by the watcher's
        // figures.
        if self.purpose != Purpose::News && short_of.is_none_or(|resource| resource == Resource::Files) {
            tracing::warn!(root = %self.root.name, folder = %path, %error, "can't list a folder");
        }
        if let Some(resource) = short_of {
            let shown = format!("{path}: {why}");
            let lost = is_root.then(|| LostRoot { root: self.root.clone(), why, unlisted: true });
            self.send.send(Message::Unlisted { resource, why: shown, lost });
        }
        self.counts.unreadable_folders += u64::from(self.purpose != Purpose::News);
        self.go_on(Ok(()))
    }

    fn cut(&mut self, folder: &FolderKey) -> ControlFlow<()> {
        let result = self.merge_gone(folder);
        self.go_on(result)
    }
}

impl LedgerMerge {
    /// Checks sorted names in one folder instead of listing it: the source has reported what is there.
    pub(crate) fn look_again(
        &mut self,
        reader: &LedgerReader,
        folder: &FolderKey,
        names: &[Box<[u8]>],
        there: Vec<Listed<'_>>,
    ) -> Result<(), EngineError> {
        let mut there = there.into_iter().peekable();
        for name in names {
            let entry = reader.get(&folder.file(name))?;
            match there.next_if(|listed| *listed.name == **name) {
                Some(listed) => self.note(folder, listed, entry),
                None if self.source.exists(&self.root, &folder.file(name)) => {
                    entry.into_iter().for_each(|entry| self.not_shown(folder.file(name), entry));
                }
                // Its outcome may still wait for the tick, and the ledger not know it yet.
                None => self.missing(folder, name, Some(entry.unwrap_or_default())),
            }
        }
        Ok(())
    }
}

/// Names of a list.
impl LedgerMerge {
    /// Returns the verdicts on names of a folder, or that on the folder.
    pub(crate) fn verdicts(&self, folder: &FolderKey, names: &[Box<[u8]>]) -> Result<Vec<Verdict>, Verdict> {
        self.source.verdicts(&self.root, folder, names)
    }

    /// Handles a named file by the verdict on it.
    pub(crate) fn note_named(
        &mut self,
        folder: &FolderKey,
        key: &FileKey,
        verdict: Verdict,
        entry: Option<Entry>,
    ) {
        let kind = match verdict {
            Verdict::Accepted(seen) => ListedKind::File(seen),
            Verdict::Skipped { reason, .. } => ListedKind::Skipped(reason),
            // The verdict may be that on a folder, and says nothing of what is in it then.
            Verdict::LeftOut { .. } => match entry {
                Some(_) if !self.source.exists(&self.root, key) => ListedKind::Vanished,
                Some(entry) if entry.pending => return self.push(key.clone(), FileEvent::Hidden(entry)),
                _ => return,
            },
            // It holds for the folder, and is reported as such.
            Verdict::Unreadable { .. } => return,
            Verdict::Missing | Verdict::Outside if entry.is_none() => return self.skip(NOT_THERE),
            Verdict::Folder if entry.is_none() => return self.skip(FOLDER),
            Verdict::Missing | Verdict::Outside | Verdict::Folder => ListedKind::Vanished,
        };
        self.note(folder, Listed { name: key.name().into(), kind }, entry);
    }

    /// Hands over what waits, if it is much or has waited for long.
    pub(crate) fn pass_on(&mut self) {
        // Whether to go on is up to the reader of the list.
        let _ = self.go_on(Ok(()));
    }

    fn skip(&mut self, reason: &'static str) {
        self.counts.discovered += 1;
        *self.counts.skipped.entry(reason).or_default() += 1;
    }
}

impl Drop for LedgerMerge {
    fn drop(&mut self) {
        self.hand_over();
        if self.asked_rules {
            // Folders kept open would block an unmount.
            self.source.rest();
        }
    }
}
