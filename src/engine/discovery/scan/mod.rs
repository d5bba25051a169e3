//! The scan of a run's roots, on threads of its own.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::merge::{LedgerMerge, Purpose};
use super::message::{Message, Reports};
use super::relist::RelistQueue;
use crate::engine::error::{EngineError, RootError};
use crate::engine::lifecycle::transition::RunScope;
use crate::engine::resources::semaphore::Semaphore;
use crate::engine::stop::Stop;
use crate::ledger::LedgerReader;
use crate::model::{FolderKey, Root};
use crate::source::{FolderVisitor, Source};

/// Messages of the scan that may wait for the coordinator.
pub(super) const SCAN_EVENTS: usize = 64;

/// Listing folders is cheap next to processing: few threads keep many workers fed, and where listing waits, the source
/// adds some. One alone would stay alone.
pub(crate) fn scan_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).clamp(2, 4)
}

/// A scan of all roots, one after the other. `reader` is `None` where there is no state yet.
pub(crate) struct ScanPlan {
    pub reader: Option<LedgerReader>,
    pub roots: Vec<(Root, RunScope)>,
    /// Only what is at and below this folder, of the one root.
    pub below: Option<FolderKey>,
    pub source: Arc<dyn Source>,
    /// Where a process that stays records what could not be listed.
    pub unlisted: Option<Arc<RelistQueue>>,
    pub halt: Stop,
}

impl ScanPlan {
    pub(crate) fn run(&self, send: &Reports) {
        let semaphore = Semaphore::new(SCAN_EVENTS);
        for (root, scope) in &self.roots {
            if self.halt.is_requested() {
                break;
            }
            let known = self.known(root);
            let visitors = || -> Box<dyn FolderVisitor> {
                let source = Arc::clone(&self.source);
                let halt = self.halt.clone();
                let purpose = if self.below.is_some() { Purpose::Part } else { Purpose::Job };
                let mut merge = LedgerMerge::new(
                    purpose,
                    known,
                    *scope,
                    root.clone(),
                    source,
                    halt,
                    (send.clone(), semaphore.clone()),
                );
                merge.unlisted.clone_from(&self.unlisted);
                Box::new(merge)
            };
            let begun = Instant::now();
            let scanned = match &self.below {
                Some(folder) => self.source.scan_below(root, folder, scan_threads(), &visitors),
                None => self.source.scan(root, scan_threads(), &visitors),
            };
            match scanned {
                Ok(report) => {
                    send.send(Message::Scanned(report));
                }
                Err(error) => root_unreadable(root, error, visitors().as_mut(), send),
            }
            if let Some(unlisted) = self.unlisted.as_ref().filter(|_| !self.halt.is_requested()) {
                unlisted.listed(&self.below.clone().unwrap_or_else(|| FolderKey::root(root.id)), begun);
            }
        }
        send.send(Message::ScansEnded);
    }

    /// Returns what is known of a root's files. All that the ledger will hold of a root unknown to it comes from this
    /// very scan, which sees each file once: there is nothing to merge with.
    pub(super) fn known(&self, root: &Root) -> Option<&LedgerReader> {
        self.reader.as_ref().filter(|reader| reader.counts(root.id).files() > 0)
    }
}

/// Handles a root that can't be listed, as any unreadable folder; one that must not be listed ends the run.
pub(crate) fn root_unreadable(
    root: &Root,
    error: io::Error,
    visitor: &mut dyn FolderVisitor,
    send: &Reports,
) {
    if error.kind() == io::ErrorKind::InvalidInput && error.raw_os_error().is_none() {
        send.send(Message::Failed(EngineError::root(&root.path, RootError::Unlistable(error))));
        return;
    }
    // The scan of this root is over, whatever the visitor says.
    let _ = visitor.unreadable(&FolderKey::root(root.id), &error);
}

#[cfg(test)]
pub(crate) mod tests;
