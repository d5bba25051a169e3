//! What a run counts and measures; no I/O.
//!
//! What a run and its parts tell.

pub(super) mod latency;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

use crate::engine::lifecycle::counts::Tally;
use crate::engine::resources::breaker::BreakerStatus;
use crate::model::{Cursor, ErrorClass, RecordStatus};
use crate::source::watch::WatchStatus;

use latency::LatencyFigures;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProcessingState {
    /// Not begun.
    #[default]
    Idle,
    /// Finding files, and processing what was found.
    Scanning,
    /// All is found; the rest is processed.
    Processing,
    /// Asked to stop: finishing the files in hand.
    Draining,
    /// Waiting for a resource that is not there; see the breakers.
    Waiting,
    /// Asked to begin nothing for a while.
    Paused,
    /// All is done; what changes is processed.
    Watching,
    /// Ended.
    Ended,
}

/// As in the JSON.
impl fmt::Display for ProcessingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Scanning => "scanning",
            Self::Processing => "processing",
            Self::Draining => "draining",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Watching => "watching",
            Self::Ended => "ended",
        })
    }
}

/// The counts of a run: at any time discovered = ok + failed + unchanged + pending + the sum of skipped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessingProgress {
    /// Number of the job within the state.
    pub job: u64,
    /// Entries that are no folder and whose name the filters let in.
    pub discovered: u64,
    /// Files processed, whose record says `ok`.
    pub ok: u64,
    /// Files that failed in this run.
    pub failed: u64,
    /// Files that were done already, as they are.
    pub unchanged: u64,
    /// Files that are due.
    pub pending: u64,
    /// Entries that are never opened, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Entries left out by a rule, by rule; not discovered. A folder that is cut counts once.
    pub filtered: BTreeMap<String, u64>,
    /// Files with a record that are gone.
    pub removed: u64,
    /// Of the unchanged files, those whose last outcome is a failure.
    pub failed_earlier: u64,
    /// Folders that could not be listed: what is known of the files below them stays.
    pub unreadable_folders: u64,
    /// Batches that were completed.
    pub batches: u64,
    /// Commit ticks.
    pub ticks: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Time since the start, in seconds.
    pub elapsed_seconds: f64,
    /// Files processed or failed, per second.
    pub files_per_second: f64,
}

impl ProcessingProgress {
    pub(crate) fn take_tally(&mut self, tally: &Tally) {
        self.discovered = tally.discovered;
        self.ok = tally.ok;
        self.failed = tally.failed;
        self.unchanged = tally.unchanged;
        self.failed_earlier = tally.failed_earlier;
        self.removed = tally.removed;
        self.unreadable_folders = tally.unreadable_folders;
        self.skipped = tally.skipped.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect();
    }
}

/// What a whole run did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RepositoryProcessingResult {
    /// The counts at its end.
    #[serde(flatten)]
    pub progress: ProcessingProgress,
    /// Whether it went on with a run that had not come to its end.
    pub resumed: bool,
    /// From the start of the process to the first durable commit of new work, in seconds.
    pub first_commit_seconds: Option<f64>,
    /// Largest resident memory of the process, in bytes.
    pub peak_rss_bytes: u64,
    /// Whether it was asked to stop before its end; the rest is pending.
    pub interrupted: bool,
    /// What stopped it before its end, where its failures did; the rest is pending.
    pub stopped: Option<StopCause>,
    /// Resources that it had to wait for.
    pub breakers: Vec<BreakerStatus>,
}

/// Which failures stopped a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopCause {
    /// The first one, as was asked for.
    FailFast,
    /// More than were allowed.
    MaxFailures,
}

/// Memory of the process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryStatus {
    /// Resident memory, in bytes.
    pub rss_bytes: u64,
    /// What it may be, in bytes.
    pub limit_bytes: u64,
    /// What the files in hand may take together, in bytes.
    pub in_hand_bytes: u64,
    /// How scarce memory is, in percent of the limit, and raised where the system is short of it: above 80,
    /// adaptive batches become smaller.
    pub percent: u8,
}

/// Live figures of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchStatistics {
    /// Where it stands.
    pub state: ProcessingState,
    /// The counts at the last commit.
    #[serde(flatten)]
    pub progress: ProcessingProgress,
    /// Sizes of the pending files together, in bytes.
    pub pending_bytes: u64,
    /// Files handed to workers and not committed yet.
    pub in_flight: u64,
    /// What has been committed.
    pub cursor: Cursor,
    /// Each worker, those included that rest.
    pub workers: Vec<WorkerStatistics>,
    /// Workers that may take files now: more than were configured while reading waits for a disk or a network.
    #[serde(default)]
    pub workers_allowed: usize,
    /// What the run depends on, as far as it was ever missing.
    pub breakers: Vec<BreakerStatus>,
    /// Memory of the process.
    pub memory: MemoryStatus,
    /// Of a process that watches.
    #[serde(default)]
    pub watch: Option<WatchFigures>,
    /// What all jobs of this process did together.
    #[serde(default)]
    pub process: ProcessTotals,
    /// How often this process has shown figures: while a run goes on, several times a second. One that does not
    /// change any more is a run that hangs.
    #[serde(skip)]
    pub shown: u64,
}

/// What all jobs of a process did together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessTotals {
    /// Files that workers were through with.
    pub files: u64,
    /// Bytes that they read.
    pub bytes: u64,
    /// Batches that were completed.
    pub batches: u64,
}

/// What a watching process tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WatchFigures {
    /// The watcher.
    pub status: WatchStatus,
    /// From a change to its durable record, of the latest ones.
    pub latency: LatencyFigures,
    /// The roots that are served.
    pub roots: Vec<WatchedRoot>,
    /// Touched folders that wait to be listed again.
    pub folders_waiting: u64,
    /// Folders that can't be listed: they are tried again and again, and what is known of the files below stays.
    #[serde(default)]
    pub unreadable_folders: u64,
    /// The first of them, and why.
    #[serde(default)]
    pub unreadable: Option<String>,
    /// Jobs that wait for their turn.
    pub queued_jobs: u64,
}

/// A root that is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedRoot {
    /// Number in the state.
    #[serde(skip)]
    pub id: u32,
    /// Name in the records.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// How it is served.
    pub state: RootState,
    /// Why it is away, or unreadable.
    pub why: Option<String>,
}

/// How a root is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RootState {
    /// The system tells what changes.
    Watched,
    /// Some of its folders can't be watched: they are listed again and again.
    Polled,
    /// Its own folder can't be listed.
    Unreadable,
    /// It is not there; it is scanned when it is back.
    Away,
}

/// One worker's figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerStatistics {
    /// Files that it was through with.
    pub files: u64,
    /// Bytes that it read.
    pub bytes: u64,
    /// Time at work, in seconds.
    pub busy_seconds: f64,
    /// The file that it has in hand, when that takes long.
    pub slow_file: Option<String>,
    /// The batch that it works on.
    #[serde(default)]
    pub batch: Option<u64>,
    /// Files of that batch that it has in hand or begins next.
    #[serde(default)]
    pub in_hand: u64,
}

/// As in the JSON.
impl fmt::Display for RootState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Watched => "watched",
            Self::Polled => "polled",
            Self::Unreadable => "unreadable",
            Self::Away => "away",
        })
    }
}

/// A state at a commit tick, for going on from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointData {
    /// The job.
    pub job_id: u64,
    /// The state folder.
    pub state: PathBuf,
    /// What had been committed.
    pub cursor: Cursor,
    /// Id of the state: one that was made anew at the same path, or repaired, has another one. None where it was not
    /// told.
    #[serde(default)]
    pub state_id: Option<String>,
}

/// One file's outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessingResult {
    /// The file.
    pub path: PathBuf,
    /// How it ended; `removed` when there was no file.
    pub status: RecordStatus,
    /// The processor's result.
    pub result: Option<serde_json::Value>,
    /// Why it failed.
    pub error: Option<crate::model::FileError>,
}

/// What became of one batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchResult {
    /// Number of the batch; 0 for a resumed job.
    pub batch_id: u64,
    /// Files processed.
    pub ok: u64,
    /// Files that failed.
    pub failed: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Time from its first file to its last, in seconds.
    pub elapsed_seconds: f64,
    /// Time that workers spent on it together, in seconds; 0 for a resumed job.
    pub busy_seconds: f64,
    /// Each file's outcome, in the order of the batch; empty for a resumed job, whose outcomes are records.
    pub results: Vec<ProcessingResult>,
}

impl BatchResult {
    /// The failures, with their files.
    pub fn errors(&self) -> impl Iterator<Item = (&PathBuf, &crate::model::FileError)> {
        self.results.iter().filter_map(|result| Some((&result.path, result.error.as_ref()?)))
    }
}

/// What became of many batches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchExecutionResult {
    /// Each batch, in the given order.
    pub batches: Vec<BatchResult>,
    /// Files processed.
    pub ok: u64,
    /// Files that failed.
    pub failed: u64,
    /// Failures by class.
    pub errors: BTreeMap<ErrorClass, u64>,
    /// Time from start to end, in seconds.
    pub elapsed_seconds: f64,
    /// Share of the workers' time spent at work, 0 to 1.
    pub utilization: f64,
    /// Each worker.
    pub workers: Vec<WorkerStatistics>,
}

/// A path that is not UTF-8 is shown with replacement characters: JSON has no other text.
pub(crate) fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}
