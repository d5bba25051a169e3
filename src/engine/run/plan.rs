//! How files would be cut into batches: the scan of a first run, and the strategy; no state, nothing is read.

use std::collections::BTreeMap;

use super::engine::{Engine, RunOptions};
use super::into_roots::IntoRoots;
use crate::batch::create_optimal_batches;
use crate::engine::discovery::scan::ScanPlan;
use crate::engine::error::EngineError;
use crate::engine::job_plan::Listing;
use crate::engine::lifecycle::counts::RunCounts;
use crate::engine::lifecycle::transition::{FileEvent, RunScope};
use crate::engine::roots::{self, registry};
use crate::engine::stats::ProcessingProgress;
use crate::engine::stop::Stop;
use crate::model::{BatchConfig, DiscoveredFile, FileBatch, LogPosition, RootTable};

/// Files cut into batches, none of them processed.
#[derive(Debug, Default)]
pub struct BatchPlan {
    /// The batches, in the order in which a run would hand them out.
    pub batches: Vec<FileBatch>,
    /// The roots of the files.
    pub roots: RootTable,
    /// Entries that are never opened, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Entries left out by a rule, by rule.
    pub filtered: BTreeMap<String, u64>,
    /// Folders that could not be listed.
    pub unreadable_folders: u64,
    /// Whether it was asked to stop: files are missing.
    pub interrupted: bool,
}

impl BatchPlan {
    /// Returns the number of files.
    pub fn files(&self) -> u64 {
        self.batches.iter().map(|batch| batch.files.len() as u64).sum()
    }

    /// Returns the sum of the files' sizes, in bytes.
    pub fn total_size(&self) -> u64 {
        self.batches.iter().fold(0, |sum, batch| sum.saturating_add(batch.total_size))
    }
}

impl Engine {
    /// Scans, and cuts all that is found with [`create_optimal_batches`], whether it was processed before or not. No
    /// file is read, and no state is read or made. All files are in memory: some 200 bytes each.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn plan(
        &self,
        roots: impl IntoRoots,
        config: &BatchConfig,
        options: &RunOptions,
    ) -> Result<BatchPlan, EngineError> {
        config.check()?;
        let mut paths = roots::resolve_roots(&roots.into_roots())?;
        roots::name_all(&mut paths, &options.names);
        let own = vec![options.state.clone(), options.state.join(options.records_or_default())];
        let source = self.source_for(config, own, None)?;
        let filters = source.filters();
        let chosen = registry::choose(&mut Vec::new(), &paths, self.identity(), &filters, config, 0)?.0;
        let listing = options.files.as_ref().map(|files| Listing::of(files, &chosen)).transpose()?;
        let scope = RunScope {
            epoch: 0,
            run_start: LogPosition::START,
            reported_before: LogPosition::START,
            quarantine: false,
        };
        let roots = RootTable::new(chosen.iter().map(crate::ledger::RootInfo::root).collect());
        let scan = ScanPlan {
            reader: None,
            roots: roots.iter().map(|root| (root.clone(), scope)).collect(),
            below: None,
            source,
            unlisted: None,
            halt: Stop::default(),
        };
        let mut files = Vec::new();
        let mut counts = RunCounts::default();
        let mut filtered = BTreeMap::new();
        self.look(scan, listing, &mut filtered, |changes, found| {
            counts.add(found);
            files.extend(changes.into_iter().filter_map(|(key, change)| match change {
                FileEvent::Found(fingerprint) => {
                    Some(DiscoveredFile { key, fingerprint, attempts: 0, recorded: None })
                }
                _ => None,
            }));
            Ok(())
        })?;
        let mut progress = ProcessingProgress::default();
        progress.take_counts(&counts);
        let ProcessingProgress { skipped, unreadable_folders, .. } = progress;
        let interrupted = self.stop().is_requested();
        let batches = create_optimal_batches(files, config)?;
        Ok(BatchPlan { batches, roots, skipped, filtered, unreadable_folders, interrupted })
    }
}
