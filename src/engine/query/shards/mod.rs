//! All shards of a tree, each in a state of its own, in one folder.
//!
//! Constraints: what is asked here opens no ledger and takes no lock, since runners on other machines go on meanwhile.
//! It reads their summaries, the descriptions of their states, and the committed part of their record logs.

mod check;
mod current;
pub(in crate::engine) mod summary;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::status::StateCounts;
use crate::engine::error::EngineError;
use crate::ledger::LedgerError;
use crate::model::{Shard, Timestamp};
pub use summary::ShardSummary;

/// After this time without a summary, a runner that has not ended is taken for gone. It writes one every 10 s.
const SILENT_AFTER_NANOS: i64 = 30_000_000_000;

/// What became of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShardState {
    /// No runner has begun it.
    Missing,
    /// A runner is at work.
    Running,
    /// A runner has not written a summary for 30 s: it was probably killed.
    Silent,
    /// Its runner has ended before all was done.
    Stopped,
    /// All is done, but some files failed, or folders could not be listed.
    Failed,
    /// All is done.
    Done,
}

impl ShardState {
    /// Returns the name, as in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Running => "running",
            Self::Silent => "silent",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }

    fn of(summary: &ShardSummary, now: Timestamp) -> Self {
        if summary.is_complete {
            return if summary.has_failures() { Self::Failed } else { Self::Done };
        }
        match summary.ended {
            true => Self::Stopped,
            false if now.0.saturating_sub(summary.written.0) > SILENT_AFTER_NANOS => Self::Silent,
            false => Self::Running,
        }
    }
}

/// A shard, and the latest summary of its runners.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShardStatus {
    /// Its number.
    pub shard: u32,
    /// What became of it.
    pub state: ShardState,
    /// What its latest runner said; `None` where none has begun.
    pub summary: Option<ShardSummary>,
}

/// Answer of `outlast shards status`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShardsReport {
    /// How many shards there are.
    pub count: u32,
    /// Those whose files were all processed.
    pub done: u32,
    /// Those of which all is done, but some files failed.
    pub failed: u32,
    /// The others.
    pub pending: u32,
    /// The files of all shards.
    pub total: StateCounts,
    /// Each shard, in the order of the numbers.
    pub shards: Vec<ShardStatus>,
}

/// A folder with the states of shards.
#[derive(Debug, Clone)]
pub struct ShardStates {
    folder: PathBuf,
    /// Their numbers, ascending.
    found: Vec<u32>,
}

impl ShardStates {
    /// Finds the states, which `--state FOLDER/{shard}` has made.
    ///
    /// # Errors
    /// There is none, or the folder can't be listed.
    pub fn find(folder: impl AsRef<Path>) -> Result<Self, EngineError> {
        let folder = folder.as_ref();
        let none = || LedgerError::NoShards { path: folder.to_owned() };
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(none().into()),
            entries => entries.map_err(EngineError::io(folder.display().to_string()))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(EngineError::io(folder.display().to_string()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let number = name.parse().ok().filter(|number| name == Shard::padded_number(*number));
            found.extend(number.filter(|_| entry.path().is_dir()));
        }
        found.sort_unstable();
        if found.is_empty() {
            return Err(none().into());
        }
        Ok(Self { folder: folder.to_owned(), found })
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the numbers of the states that are there, ascending.
    pub fn found(&self) -> &[u32] {
        &self.found
    }

    /// Returns the state folder of a shard.
    pub fn state(&self, shard: u32) -> PathBuf {
        self.folder.join(Shard::padded_number(shard))
    }

    /// Returns how all shards are.
    ///
    /// # Errors
    /// A summary can't be read.
    pub fn report(&self) -> Result<ShardsReport, EngineError> {
        let now = Timestamp::from_system_time(SystemTime::now());
        let mut summaries = Vec::new();
        for &shard in &self.found {
            summaries.push((shard, ShardSummary::read(&self.state(shard))?));
        }
        let counts = summaries.iter().filter_map(|(_, summary)| Some(summary.as_ref()?.shard.count()));
        let last = self.found.last().map_or(0, |last| last + 1);
        let count = counts.max().unwrap_or(0).max(last);
        let mut report = ShardsReport {
            count,
            done: 0,
            failed: 0,
            pending: 0,
            total: StateCounts::default(),
            shards: Vec::with_capacity(count as usize),
        };
        let mut summaries = summaries.into_iter().peekable();
        for shard in 0..count {
            let summary = summaries.next_if(|(found, _)| *found == shard).and_then(|(_, summary)| summary);
            let state = summary.as_ref().map_or(ShardState::Missing, |summary| ShardState::of(summary, now));
            match state {
                ShardState::Done => report.done += 1,
                ShardState::Failed => report.failed += 1,
                _ => report.pending += 1,
            }
            if let Some(summary) = &summary {
                report.total.pending += summary.counts.pending;
                report.total.ok += summary.counts.ok;
                report.total.failed += summary.counts.failed;
                report.total.bytes += summary.counts.bytes;
            }
            report.shards.push(ShardStatus { shard, state, summary });
        }
        Ok(report)
    }
}
