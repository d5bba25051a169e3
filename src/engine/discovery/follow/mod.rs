//! Turns watch events into changes: threads `watch` and `rescan` of an attempt.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::merge::{LedgerMerge, Purpose};
use super::message::{Message, Reports};
use super::relist::{AGAIN, RelistQueue};
use super::scan::{root_unreadable, scan_threads};
use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition::RunScope;
use crate::engine::resources::semaphore::Semaphore;
use crate::engine::stop::Stop;
use crate::ledger::LedgerReader;
use crate::model::{FolderKey, Root, RootId};
use crate::source::watch::{TouchedName, Watch};
use crate::source::{FolderVisitor, Source};

/// Messages with changes that may wait for the coordinator.
const NEWS_EVENTS: usize = 16;
/// Names that are taken from the watcher at once.
const NAMES_MAX: usize = 1024;
/// Touched folders that are taken at once: one commit serves all of them.
const FOLDERS_TAKEN: usize = 256;
/// How long a thread waits at most before it checks whether to end.
const LOOK_UP: Duration = Duration::from_millis(200);
/// A poll may take this share of the time: one in so many.
const POLL_SHARE: u32 = 20;

/// What an attempt needs to follow the watcher.
#[derive(Clone)]
pub(crate) struct WatchFollower {
    pub reader: LedgerReader,
    pub roots: Vec<(Root, RunScope)>,
    pub source: Arc<dyn Source>,
    pub watch: Arc<Watch>,
    pub folders: Arc<RelistQueue>,
    /// Time between two polls of what can't be watched.
    pub poll_interval: Duration,
    pub halt: Stop,
}

impl WatchFollower {
    /// Thread `watch`: checks touched names until the attempt ends. All that was taken is reported before.
    pub(crate) fn follow(&self, send: &Reports) {
        let semaphore = Semaphore::new(NEWS_EVENTS);
        while !self.halt.is_requested() {
            let news = self.watch.take(LOOK_UP, NAMES_MAX);
            let now = Instant::now();
            for touched in news.folders {
                self.folders.add(touched.folder, now);
            }
            if let Err(error) = self.look(news.names, send, &semaphore) {
                send.send(Message::Failed(error));
                break;
            }
        }
        send.send(Message::WatchEnded);
    }

    fn look(
        &self,
        mut names: Vec<TouchedName>,
        send: &Reports,
        semaphore: &Semaphore,
    ) -> Result<(), EngineError> {
        names.sort_by(|a, b| (&a.folder, &a.name).cmp(&(&b.folder, &b.name)));
        for group in names.chunk_by(|a, b| a.folder == b.folder) {
            let Some(first) = group.first() else { continue };
            // A root that is not served now is scanned when it is served again.
            let Some((root, scope)) = self.served(first.root) else { continue };
            let mut wanted: Vec<Box<[u8]>> = group.iter().map(|touched| touched.name.clone()).collect();
            wanted.dedup();
            match self.source.look(root, &first.folder, &wanted) {
                Ok(there) => {
                    let since = group.iter().map(|touched| touched.since).min();
                    let mut merge = self.merge(root, *scope, send, semaphore);
                    merge.since = since;
                    merge.look_again(&self.reader, &first.folder, &wanted, there)?;
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
    pub(crate) fn rescan(&self, send: &Reports) {
        let semaphore = Semaphore::new(NEWS_EVENTS);
        let mut next_poll = Instant::now() + self.poll_interval;
        while !self.halt.is_requested() {
            self.rescan_touched(LOOK_UP, send, &semaphore);
            if Instant::now() < next_poll {
                continue;
            }
            let begun = Instant::now();
            self.poll(send, &semaphore);
            next_poll = Instant::now() + self.poll_interval.max(begun.elapsed() * POLL_SHARE);
        }
    }

    /// Lists what can't be watched. What it does not reach, or can't list, is left to the next poll.
    fn poll(&self, send: &Reports, semaphore: &Semaphore) {
        let unwatched = self.watch.unwatched();
        if unwatched.is_empty() {
            return;
        }
        self.commit_first(send);
        for (_, folder) in unwatched {
            if self.halt.is_requested() {
                return;
            }
            self.rescan_one(&folder, send, semaphore);
            // A poll may take long, and touched folders must not wait for all of it.
            self.rescan_touched(Duration::ZERO, send, semaphore);
        }
    }

    /// Lists some of the touched folders that are due; waits for them for a while.
    fn rescan_touched(&self, wait: Duration, send: &Reports, semaphore: &Semaphore) {
        let taken = self.folders.take(wait, FOLDERS_TAKEN, &self.halt);
        if taken.is_empty() {
            return;
        }
        self.commit_first(send);
        for folder in taken {
            if !self.halt.is_requested() {
                self.rescan_one(&folder, send, semaphore);
            }
            if self.halt.is_requested() {
                self.folders.add(folder, Instant::now());
            }
        }
    }

    /// Lists a folder and all below it. Folders that can't be listed are queued to be listed again.
    fn rescan_one(&self, folder: &FolderKey, send: &Reports, semaphore: &Semaphore) {
        // A root that is not served now is scanned when it is served again.
        let Some((root, scope)) = self.served(folder.root_id()) else { return };
        let visitors = || -> Box<dyn FolderVisitor> {
            let mut merge = self.merge(root, *scope, send, semaphore);
            merge.unlisted = Some(Arc::clone(&self.folders));
            Box::new(merge)
        };
        let begun = Instant::now();
        if let Err(error) = self.source.scan_below(root, folder, scan_threads(), &visitors) {
            root_unreadable(root, error, visitors().as_mut(), send);
        }
        if !self.halt.is_requested() {
            self.folders.listed(folder, begun);
        }
    }

    /// Makes the coordinator commit what is finished: a file whose outcome only waits for the tick is not in the
    /// ledger, and would be missed where its folder is gone.
    fn commit_first(&self, send: &Reports) {
        let (reply, committed) = sync_channel(1);
        if !send.send(Message::Commit(reply)) {
            return;
        }
        while !self.halt.is_requested() && committed.recv_timeout(LOOK_UP) == Err(RecvTimeoutError::Timeout) {
        }
    }

    fn served(&self, id: RootId) -> Option<&(Root, RunScope)> {
        self.roots.iter().find(|(root, _)| root.id == id)
    }

    fn merge(&self, root: &Root, scope: RunScope, send: &Reports, semaphore: &Semaphore) -> LedgerMerge {
        LedgerMerge::new(
            Purpose::News,
            Some(&self.reader),
            scope,
            root.clone(),
            Arc::clone(&self.source),
            self.halt.clone(),
            (send.clone(), semaphore.clone()),
        )
    }
}

#[cfg(test)]
mod tests;
