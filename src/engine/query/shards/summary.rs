//! `summary.json`: what a shard's runner writes into its state every 10 s and at its end, for readers on other machines.
//! It is replaced as a whole, so that a reader sees one summary or the next.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::engine::error::EngineError;
use crate::engine::query::records::CommittedLog;
use crate::engine::query::status::StateCounts;
use crate::engine::stats::{ProcessingProgress, ProcessingState, lossy};
use crate::engine::store::StoreView;
use crate::ledger::{JobEnd, JobKind, LedgerError, SUMMARY};
use crate::model::{LogPosition, LogStart, Shard, Timestamp};

/// The format of a summary.
const VERSION: u32 = 1;

/// What a shard's runner says of itself and of its state. All that it counts is committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardSummary {
    /// The format: 1.
    pub version: u32,
    /// The shard.
    pub shard: Shard,
    /// When it was written, by the clock of the runner's machine.
    pub written: Timestamp,
    /// The runner's machine.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// Whether the runner has ended.
    pub ended: bool,
    /// Whether all files of the shard were found and processed.
    pub is_complete: bool,
    /// What the runner does.
    pub phase: ProcessingState,
    /// All files of the state.
    pub counts: StateCounts,
    /// The counts of the runner's job.
    pub progress: ProcessingProgress,
    /// Identity of the processor.
    pub processor: String,
    /// The state's id, as in the cursors of its records.
    pub id: String,
    /// The record folder: absolute, or relative to the state.
    #[serde(serialize_with = "lossy")]
    pub records: PathBuf,
    /// Where the record log begins.
    pub log_start: LogStart,
    /// Where its committed part ends.
    pub log_end: LogPosition,
}

impl ShardSummary {
    /// Makes the summary of a state now.
    ///
    /// # Errors
    /// The state can't be read.
    pub(in crate::engine) fn of(
        view: &StoreView,
        shard: Shard,
        processor: &str,
        (phase, progress): (ProcessingState, ProcessingProgress),
        ended: bool,
    ) -> Result<Self, EngineError> {
        let jobs = view.known_jobs()?;
        let scan = jobs.iter().rev().find(|job| job.kind != JobKind::Watch);
        let counts: StateCounts = view.reader.total().into();
        let log = view.log();
        let records = view.records.strip_prefix(&view.state).unwrap_or(&view.records).to_owned();
        Ok(Self {
            version: VERSION,
            shard,
            written: Timestamp::from_system_time(SystemTime::now()),
            host: fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned(),
            pid: std::process::id(),
            ended,
            is_complete: counts.pending == 0 && scan.is_some_and(|job| job.end == JobEnd::Completed),
            phase,
            counts,
            progress,
            processor: processor.to_owned(),
            id: log.state.clone().unwrap_or_default(),
            records,
            log_start: log.start,
            log_end: log.end,
        })
    }

    /// Returns the file's content.
    pub(in crate::engine) fn to_bytes(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// Reads the summary in a state folder; `None` where there is none yet.
    pub(super) fn read(state: &Path) -> Result<Option<Self>, EngineError> {
        let path = state.join(SUMMARY);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(EngineError::io(path.display().to_string()))?,
        };
        let read: Result<Self, _> = serde_json::from_slice(&text);
        let summary = read.ok().filter(|summary| summary.version == VERSION);
        let what = "no summary of this version; run the shard again with this version".to_owned();
        summary.map(Some).ok_or_else(|| LedgerError::Damaged { path, what }.into())
    }

    /// Returns whether files failed, or folders could not be listed.
    pub fn has_failures(&self) -> bool {
        self.counts.failed > 0 || self.progress.unreadable_folders > 0
    }

    /// Returns the committed part of the record log.
    pub(super) fn log(&self, state: &Path) -> CommittedLog {
        let id = Some(self.id.clone()).filter(|id| !id.is_empty());
        CommittedLog::of(state.join(&self.records), (self.log_start, self.log_end), id)
    }
}
