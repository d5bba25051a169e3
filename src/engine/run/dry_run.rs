//! What a run would do: the same scan and the same merge with the ledger, nothing committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use super::attempt::spawn;
use super::engine::{Engine, RunOptions};
use super::into_roots::IntoRoots;
use crate::engine::coordinator::event::{CHANNEL_EVENTS, Event};
use crate::engine::discovery::listed::ListedPlan;
use crate::engine::discovery::message::{Message, Reports};
use crate::engine::discovery::scan::ScanPlan;
use crate::engine::error::EngineError;
use crate::engine::job_plan::{Listing, reported_before};
use crate::engine::lifecycle::counts::{RunCounts, ScanCounts};
use crate::engine::lifecycle::transition::{FileEvent, RunScope};
use crate::engine::roots::identity::RootIdentities;
use crate::engine::roots::probe::FsProbe;
use crate::engine::roots::{self, registry};
use crate::engine::stats::RepositoryProcessingResult;
use crate::engine::stop::{Stop, StopOnDrop};
use crate::ledger::{AskedState, LedgerError, LedgerReader};
use crate::model::{BatchConfig, FileKey, LogPosition, Resource, Root, RootId};
use crate::source::Source;

impl Engine {
    /// Scans, and reports what a run would do: `pending` files would be processed, `removed` ones are gone. No file
    /// is read, no state is made, and nothing is recorded; an existing state is opened as `status` does.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn dry_run(
        &self,
        roots: impl IntoRoots,
        config: &BatchConfig,
        options: &RunOptions,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        config.check()?;
        let mut paths = roots::resolve_roots(&roots.into_roots())?;
        roots::name_all(&mut paths, &options.names);
        let state = match AskedState::open(&options.state) {
            Ok(state) => {
                state.info().check_shard(state.path(), config.shard)?;
                Some(state)
            }
            Err(LedgerError::NoState { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let reader = state.as_ref().map(AskedState::reader);
        let own = match &state {
            Some(state) => vec![options.state.clone(), state.records()],
            None => vec![options.state.clone(), options.state.join(options.records_or_default())],
        };
        let source = self.source_for(config, own, None)?;
        let mut infos = state.as_ref().map(|state| state.info().roots.clone()).unwrap_or_default();
        let identity = self.identity();
        let used = reader.as_ref().map_or(Ok(0), registry::last_used)?;
        let chosen = registry::choose(&mut infos, &paths, identity, &source.filters(), config, used)?.0;
        let end = reader.as_ref().map_or(LogPosition::START, |reader| reader.cursor().log);
        let run_start = LogPosition { segment: u32::MAX, ..end };
        let jobs = reader.as_ref().map(LedgerReader::jobs).transpose()?.unwrap_or_default();
        let root = |info: &crate::ledger::RootInfo| {
            let reported_before = reported_before(&jobs, RootId(info.id)).unwrap_or(run_start);
            (info.root(), RunScope { epoch: info.epoch, run_start, reported_before, quarantine: false })
        };
        let mut roots: Vec<(Root, RunScope)> = chosen.iter().map(root).collect();
        if let (Some(state), Some(reader)) = (&state, &reader) {
            let identities = RootIdentities::of(state.info());
            let fs_probe = FsProbe::new(Arc::clone(&source), self.stop(), self.clock());
            match identities.compared(reader, &fs_probe, &roots, config.accept_empty)? {
                Ok(identities) => roots.iter_mut().for_each(|(root, _)| *root = identities.bound(root)),
                // A run would wait for it, and treat nothing as removed.
                Err(lost) => {
                    return Err(EngineError::Unavailable {
                        resource: Resource::Files,
                        what: lost.to_string(),
                    });
                }
            }
        }
        let listing = options.files.as_ref().map(|files| Listing::of(files, &chosen)).transpose()?;
        self.count(roots, listing, reader, source, options)
    }

    fn count(
        &self,
        roots: Vec<(Root, RunScope)>,
        listing: Option<Listing>,
        reader: Option<LedgerReader>,
        source: Arc<dyn Source>,
        options: &RunOptions,
    ) -> Result<RepositoryProcessingResult, EngineError> {
        let pending = |root: &Root| reader.as_ref().map_or(0, |reader| reader.counts(root.id).pending);
        let due: u64 = roots.iter().map(|(root, _)| pending(root)).sum();
        let mut result = RepositoryProcessingResult::default();
        let mut counts = RunCounts { discovered: due, ..RunCounts::default() };
        let scan = ScanPlan {
            reader: reader.clone(),
            roots,
            below: None,
            source,
            unlisted: None,
            halt: Stop::default(),
        };
        let mut pending = due;
        self.look(scan, listing, &mut result.progress.filtered, |changes, found| {
            counts.add(found);
            let mut count = |(key, change): &(FileKey, FileEvent)| {
                let known = reader.as_ref().map(|reader| reader.get(key)).transpose()?.flatten();
                let was_due = known.is_some_and(|entry| entry.pending);
                count_change(change, was_due, &mut counts, &mut pending);
                Ok(())
            };
            changes.iter().try_for_each(&mut count)
        })?;
        result.progress.pending = pending;
        result.progress.take_counts(&counts);
        result.progress.elapsed_seconds = options.started.elapsed().as_secs_f64();
        result.interrupted = self.stop().is_requested();
        Ok(result)
    }

    /// Scans, or looks at the files of a list, without a run: passes on what is found, and adds what rules leave out.
    /// A stop ends it.
    pub(super) fn look(
        &self,
        scan: ScanPlan,
        listing: Option<Listing>,
        filtered: &mut BTreeMap<String, u64>,
        mut found: impl FnMut(Vec<(FileKey, FileEvent)>, ScanCounts) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let halt = scan.halt.clone();
        let _halt = StopOnDrop(&halt);
        let (send, receive) = sync_channel(CHANNEL_EVENTS);
        let reports = Reports::to(&send);
        let look = move || match listing {
            Some(listing) => ListedPlan { scan, listing }.run(&reports),
            None => scan.run(&reports),
        };
        spawn("scan", &send, look)?;
        while !self.stop().is_requested()
            && let Ok(event) = receive.recv()
        {
            let message = match event {
                Event::Discovered(message) => message,
                Event::Failed(error) => return Err(error),
                // There is no worker and no client.
                _ => continue,
            };
            match message {
                Message::Found { changes, counts, permit } => {
                    drop(permit);
                    found(changes, counts)?;
                }
                Message::Scanned(report) => {
                    for (rule, count) in report.filtered {
                        *filtered.entry(rule).or_default() += count;
                    }
                }
                Message::Failed(error) => return Err(error),
                Message::Unlisted { resource, why, .. } => {
                    return Err(EngineError::Unavailable { resource, what: why });
                }
                Message::ScansEnded => break,
                // It follows no watcher.
                Message::Touched { .. } | Message::WatchEnded | Message::Commit(_) => {}
            }
        }
        Ok(())
    }
}

/// Counts one change that a scan reports.
fn count_change(change: &FileEvent, was_due: bool, counts: &mut RunCounts, pending: &mut u64) {
    let was_due = u64::from(was_due);
    match change {
        FileEvent::Found(_) | FileEvent::Touched(_) => {
            *pending += 1 - was_due;
            counts.discovered += 1 - was_due;
        }
        FileEvent::Missing(_) => {
            *pending -= was_due;
            counts.discovered -= was_due;
            counts.removed += 1;
        }
        FileEvent::Hidden(_) => {
            *pending -= was_due;
            counts.discovered -= was_due;
        }
        FileEvent::Ended(_) | FileEvent::Asked(_) | FileEvent::Forgotten => {}
    }
}
