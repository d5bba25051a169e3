//! From what the watcher tells to changes: threads `watch` and `rescan` of an attempt.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::change::Ground;
use crate::engine::error::EngineError;
use crate::engine::event::Event;
use crate::engine::gate::Gate;
use crate::engine::intake::{Intake, Purpose};
use crate::engine::scan::{not_listed, scan_threads};
use crate::engine::stop::Stop;
use crate::ledger::LedgerReader;
use crate::model::{FolderKey, Root, RootId};
use crate::source::watch::{TouchedName, Watch};
use crate::source::{FolderVisitor, Source};

/// Messages of news that may wait for the coordinator.
const NEWS_EVENTS: usize = 16;
/// Names that are taken from the watcher together.
const NAMES_MAX: usize = 1024;
/// How long a thread waits at most before it looks whether it should end.
const LOOK_UP: Duration = Duration::from_millis(200);
/// Pause before a folder is listed again that could not be.
const AGAIN: Duration = Duration::from_secs(5);
/// A poll may take this share of the time: one in so many.
const POLL_SHARE: u32 = 20;

/// Folders that have to be listed again, each once. They outlive the attempts: what is not listed stays.
#[derive(Debug, Default)]
pub(crate) struct TouchedFolders {
    due: Mutex<BTreeMap<FolderKey, Instant>>,
    added: Condvar,
}

impl TouchedFolders {
    /// Has a folder listed again, not before `at`. What lies below another one is left to that.
    pub(crate) fn add(&self, folder: FolderKey, at: Instant) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let is_below = |above: &FolderKey| folder.as_bytes().starts_with(above.as_bytes());
        if due.iter().any(|(above, due)| *due <= at && is_below(above)) {
            return;
        }
        due.retain(|below, due| *due < at || !below.as_bytes().starts_with(folder.as_bytes()));
        due.entry(folder).and_modify(|due| *due = at.min(*due)).or_insert(at);
        self.added.notify_one();
    }

    /// Has whoever waits look whether it should end.
    pub(crate) fn wake(&self) {
        let _due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        self.added.notify_all();
    }

    /// Number of folders that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes one that is due; waits for it for a while.
    fn take(&self, wait: Duration, halt: &Stop) -> Option<FolderKey> {
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |due: &BTreeMap<FolderKey, Instant>| {
            let now = Instant::now();
            due.iter().find(|(_, at)| **at <= now).map(|(folder, _)| folder.clone())
        };
        let none = |due: &mut BTreeMap<FolderKey, Instant>| is_due(due).is_none() && !halt.is_requested();
        let (mut due, _) =
            self.added.wait_timeout_while(due, wait, none).unwrap_or_else(PoisonError::into_inner);
        let folder = is_due(&due)?;
        due.remove(&folder);
        Some(folder)
    }
}

/// What an attempt needs to follow the watcher.
#[derive(Clone)]
pub(crate) struct NewsPlan {
    pub reader: LedgerReader,
    pub roots: Vec<(Root, Ground)>,
    pub source: Arc<dyn Source>,
    pub watch: Arc<Watch>,
    pub folders: Arc<TouchedFolders>,
    /// Time between two polls of what can't be watched.
    pub poll_interval: Duration,
    pub halt: Stop,
}

impl NewsPlan {
    /// Thread `watch`: looks at touched names until the attempt ends. What was taken is told before.
    pub(crate) fn follow(&self, send: &SyncSender<Event>) {
        let gate = Gate::new(NEWS_EVENTS);
        while !self.halt.is_requested() {
            let news = self.watch.take(LOOK_UP, NAMES_MAX);
            let now = Instant::now();
            for touched in news.folders {
                self.folders.add(touched.folder, now);
            }
            if let Err(error) = self.look(news.names, send, &gate) {
                let _ = send.send(Event::Failed(error));
                break;
            }
        }
        let _ = send.send(Event::WatchEnded);
    }

    fn look(
        &self,
        mut names: Vec<TouchedName>,
        send: &SyncSender<Event>,
        gate: &Gate,
    ) -> Result<(), EngineError> {
        names.sort_by(|a, b| (&a.folder, &a.name).cmp(&(&b.folder, &b.name)));
        for group in names.chunk_by(|a, b| a.folder == b.folder) {
            let Some(first) = group.first() else { continue };
            // A root that is not served now is scanned when it is again.
            let Some((root, ground)) = self.served(first.root) else { continue };
            let mut wanted: Vec<Box<[u8]>> = group.iter().map(|touched| touched.name.clone()).collect();
            wanted.dedup();
            match self.source.look(root, &first.folder, &wanted) {
                Ok(there) => {
                    let since = group.iter().map(|touched| touched.since).min();
                    let mut intake = self.intake(root, *ground, send, gate);
                    intake.since = since;
                    intake.look_again(&self.reader, &first.folder, &wanted, there)?;
                }
                Err(error) => {
                    tracing::debug!(%error, root = %root.name, "a folder can't be looked at: again later");
                    self.folders.add(first.folder.clone(), Instant::now() + AGAIN);
                }
            }
        }
        Ok(())
    }

    /// Thread `rescan`: lists touched folders, and polls those that can't be watched, until the attempt ends.
    pub(crate) fn rescan(&self, send: &SyncSender<Event>) {
        let gate = Gate::new(NEWS_EVENTS);
        let mut next_poll = Instant::now() + self.poll_interval;
        while !self.halt.is_requested() {
            if let Some(folder) = self.folders.take(LOOK_UP, &self.halt) {
                self.rescan_one(folder, send, &gate);
                continue;
            }
            if Instant::now() < next_poll {
                continue;
            }
            let begun = Instant::now();
            for (_, folder) in self.watch.unwatched() {
                self.rescan_one(folder, send, &gate);
            }
            next_poll = Instant::now() + self.poll_interval.max(begun.elapsed() * POLL_SHARE);
        }
    }

    fn rescan_one(&self, folder: FolderKey, send: &SyncSender<Event>, gate: &Gate) {
        let Some((root, ground)) = self.served(folder.root_id()) else { return };
        self.commit_first(send);
        let unlisted = Arc::new(AtomicBool::new(false));
        let visitors = || -> Box<dyn FolderVisitor> {
            let mut intake = self.intake(root, *ground, send, gate);
            intake.unlisted = Arc::clone(&unlisted);
            Box::new(intake)
        };
        let scanned = self.source.scan_below(root, &folder, scan_threads(), &visitors);
        let is_whole = scanned.is_ok() && !unlisted.load(Ordering::Relaxed);
        if let Err(error) = scanned {
            let _ = send.send(not_listed(root, error));
        }
        if self.halt.is_requested() {
            self.folders.add(folder, Instant::now());
        } else if !is_whole {
            self.folders.add(folder, Instant::now() + AGAIN);
        }
    }

    /// Has committed what is finished: a file whose outcome only waits for the tick is not in the ledger, and a
    /// folder that is gone would leave it behind.
    fn commit_first(&self, send: &SyncSender<Event>) {
        let (reply, committed) = sync_channel(1);
        if send.send(Event::Checkpoint(reply)).is_err() {
            return;
        }
        while !self.halt.is_requested() && committed.recv_timeout(LOOK_UP) == Err(RecvTimeoutError::Timeout) {
        }
    }

    fn served(&self, id: RootId) -> Option<&(Root, Ground)> {
        self.roots.iter().find(|(root, _)| root.id == id)
    }

    fn intake(&self, root: &Root, ground: Ground, send: &SyncSender<Event>, gate: &Gate) -> Intake {
        let (source, halt) = (Arc::clone(&self.source), self.halt.clone());
        Intake::new(
            Purpose::News,
            Some(&self.reader),
            ground,
            root.clone(),
            source,
            halt,
            (send.clone(), gate.clone()),
        )
    }
}
