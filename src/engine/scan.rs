//! The scan of a run's roots, on threads of its own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::change::Ground;
use super::error::EngineError;
use super::event::Event;
use super::gate::Gate;
use super::intake::{Intake, Purpose};
use super::stop::Stop;
use crate::ledger::LedgerReader;
use crate::model::{FolderKey, Resource, Root};
use crate::source::{FolderVisitor, Source};

/// Messages of the scan that may wait for the coordinator.
const SCAN_EVENTS: usize = 64;

/// Listing folders is cheap next to processing: few threads keep many workers fed, and where listing waits, the source
/// adds some. One alone would stay alone.
pub(crate) fn scan_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).clamp(2, 4)
}

/// A scan of all roots, one after the other. `reader` is none where there is no state yet.
pub(crate) struct ScanPlan {
    pub reader: Option<LedgerReader>,
    pub roots: Vec<(Root, Ground)>,
    /// Only what is at and below this folder, of the one root.
    pub below: Option<FolderKey>,
    pub source: Arc<dyn Source>,
    pub halt: Stop,
}

impl ScanPlan {
    pub(crate) fn run(&self, send: &SyncSender<Event>) {
        let gate = Gate::new(SCAN_EVENTS);
        for (root, ground) in &self.roots {
            if self.halt.is_requested() {
                break;
            }
            // All that the ledger will hold of a root that it knows nothing of comes from this very scan, which
            // sees each file once: there is nothing to merge with.
            let known = self.reader.as_ref().filter(|reader| reader.counts(root.id).files() > 0);
            let visitors = || -> Box<dyn FolderVisitor> {
                let (source, halt) = (Arc::clone(&self.source), self.halt.clone());
                let purpose = if self.below.is_some() { Purpose::Part } else { Purpose::Job };
                Box::new(Intake::new(
                    purpose,
                    known,
                    *ground,
                    root.clone(),
                    source,
                    halt,
                    (send.clone(), gate.clone()),
                ))
            };
            let scanned = match &self.below {
                Some(folder) => self.source.scan_below(root, folder, scan_threads(), &visitors),
                None => self.source.scan(root, scan_threads(), &visitors),
            };
            let event = match scanned {
                Ok(report) => Event::Scanned(report),
                Err(error) => not_listed(root, error),
            };
            let _ = send.send(event);
        }
        let _ = send.send(Event::ScansEnded);
    }
}

/// A root that was there when the run began: it may come back.
pub(crate) fn not_listed(root: &Root, error: io::Error) -> Event {
    let what = format!("{}: can't be listed", root.path.display());
    let went_away = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    match Resource::of_io(&error).or(went_away.then_some(Resource::Files)) {
        Some(resource) => Event::Unlisted { resource, why: format!("{what}: {error}") },
        None => Event::Failed(EngineError::io(format!("{what}; make it readable, or leave it out"))(error)),
    }
}

#[cfg(test)]
pub(crate) mod tests;
