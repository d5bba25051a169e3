//! The figures of a run and its parts; no I/O.

pub(super) mod latency;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize, Serializer};

use crate::engine::lifecycle::counts::RunCounts;
use crate::engine::resources::breaker::BreakerStatus;
use crate::model::{Cursor, ErrorClass, PriorityCounts, RecordStatus};
use crate::source::watch::WatchStatus;

use latency::LatencyFigures;

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProcessingState {
    /// Not begun.
    #[default]
    Idle,
    /// Finding files, and processing what was found.
    Scanning,
    /// All files are found; the rest is processed.
    Processing,
    /// Stopping on request: finishing the files in flight.
    Draining,
    /// Waiting for a missing resource; see the breakers.
    Waiting,
    /// Paused on request: nothing is begun.
    Paused,
    /// All is done; changes are processed.
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
    pub job_id: u64,
    /// Entries that are not directories and whose names the filters let in.
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
    /// Files with a record that no longer exist.
    pub removed: u64,
    /// Of the unchanged files, those whose last outcome is a failure.
    pub failed_earlier: u64,
    /// Failures that this run is the first to report: of files that an earlier run did not record as failed, or that
    /// changed since; and those that a run recorded which this one resumes. With `known_failures`, the sum of `failed`
    /// and `failed_earlier`.
    #[serde(default)]
    pub new_failures: u64,
    /// Failures that an earlier run recorded, of files that are unchanged.
    #[serde(default)]
    pub known_failures: u64,
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
    pub(crate) fn take_counts(&mut self, counts: &RunCounts) {
        self.discovered = counts.discovered;
        self.ok = counts.ok;
        self.failed = counts.failed;
        self.unchanged = counts.unchanged;
        self.failed_earlier = counts.failed_earlier;
        self.new_failures = counts.new_failures();
        self.known_failures = counts.known_failures();
        self.removed = counts.removed;
        self.unreadable_folders = counts.unreadable_folders;
        self.skipped = counts.skipped.iter().map(|(reason, files)| ((*reason).to_owned(), *files)).collect();
    }
}

/// Result of a whole run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RepositoryProcessingResult {
    /// The counts at its end.
    #[serde(flatten)]
    pub progress: ProcessingProgress,
    /// Whether it continued a run that had not ended.
    pub resumed: bool,
    /// From the start of the process to the first durable commit of new work, in seconds.
    pub first_commit_seconds: Option<f64>,
    /// Largest resident memory of the process, in bytes.
    pub peak_rss_bytes: u64,
    /// Whether it was stopped on request before its end; the rest is pending.
    pub interrupted: bool,
    /// Why failures stopped it before its end, if they did; the rest is pending.
    pub stopped: Option<StopCause>,
    /// Resources that it had to wait for.
    pub breakers: Vec<BreakerStatus>,
}

/// Which failures stopped a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopCause {
    /// The first one, as configured.
    FailFast,
    /// More than were allowed.
    MaxFailures,
}

/// Memory of the process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryStatus {
    /// Resident memory, in bytes.
    pub rss_bytes: u64,
    /// Memory limit, in bytes.
    pub limit_bytes: u64,
    /// What the files in flight may take together, in bytes.
    pub in_hand_bytes: u64,
    /// How scarce memory is, in percent of the limit, and raised where the system is short of it: above 80,
    /// adaptive batches become smaller.
    pub percent: u8,
}

/// Live figures of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchStatistics {
    /// State of the run.
    pub state: ProcessingState,
    /// The counts at the last commit.
    #[serde(flatten)]
    pub progress: ProcessingProgress,
    /// Total size of the pending files, in bytes.
    pub pending_bytes: u64,
    /// The pending files of all roots, by class of priority.
    #[serde(default)]
    pub pending_by_class: PriorityCounts,
    /// Files handed to workers and not committed yet.
    pub in_flight: u64,
    /// What has been committed.
    pub cursor: Cursor,
    /// Each worker, including idle ones.
    pub workers: Vec<WorkerStatistics>,
    /// Workers that may take files now: more than configured while reads wait for a disk or a network.
    #[serde(default)]
    pub workers_allowed: usize,
    /// The resources of the run that were ever missing.
    pub breakers: Vec<BreakerStatus>,
    /// Memory of the process.
    pub memory: MemoryStatus,
    /// Figures of a watching process.
    #[serde(default)]
    pub watch: Option<WatchFigures>,
    /// Totals of all jobs of this process.
    #[serde(default)]
    pub process: ProcessTotals,
    /// When the run's own thread last published figures, which it does several times a second, by the engine's
    /// clock; none without a run.
    #[serde(skip)]
    pub published: Option<Instant>,
    /// When files last made progress, or none had to.
    #[serde(skip)]
    pub progressed: Option<Instant>,
}

impl BatchStatistics {
    /// Returns whether some file has to make progress: one is in flight, and nothing holds the run back.
    pub(crate) fn expects_progress(&self) -> bool {
        self.in_flight > 0 && !matches!(self.state, ProcessingState::Waiting | ProcessingState::Paused)
    }

    /// Returns whether no file has made progress since these figures, although some had to.
    pub(crate) fn stands_as(&self, before: &Self) -> bool {
        let counts = |figures: &Self| {
            let progress = &figures.progress;
            let ended = progress.ok + progress.failed;
            (
                figures.cursor.tick,
                progress.discovered,
                progress.unchanged,
                ended,
                progress.batches,
                progress.bytes,
            )
        };
        self.expects_progress() && counts(self) == counts(before)
    }
}

/// Totals of all jobs of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessTotals {
    /// Files that workers have finished.
    pub files: u64,
    /// Bytes that they read.
    pub bytes: u64,
    /// Batches that were completed.
    pub batches: u64,
}

/// Figures of a watching process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WatchFigures {
    /// The watcher.
    pub status: WatchStatus,
    /// From a change to its durable record, of the latest ones.
    pub latency: LatencyFigures,
    /// The served roots.
    pub roots: Vec<WatchedRoot>,
    /// Touched folders queued to be listed again.
    pub folders_waiting: u64,
    /// Folders that can't be listed: they are tried again and again, and what is known of the files below stays.
    #[serde(default)]
    pub unreadable_folders: u64,
    /// The first of them, and the reason.
    #[serde(default)]
    pub unreadable: Option<String>,
    /// Queued jobs.
    pub queued_jobs: u64,
}

/// A served root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedRoot {
    /// Number in the state.
    #[serde(skip)]
    pub id: u32,
    /// Name in the records.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Its state.
    pub state: RootState,
    /// Why it is away, or unreadable.
    pub why: Option<String>,
}

/// How a root is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RootState {
    /// The system reports changes.
    Watched,
    /// Some of its folders can't be watched: they are listed again and again.
    Polled,
    /// Its own folder can't be listed.
    Unreadable,
    /// It is missing; it is scanned when it is back.
    Away,
}

/// One worker's figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerStatistics {
    /// Files that it has finished.
    pub files: u64,
    /// Bytes that it read.
    pub bytes: u64,
    /// Time at work, in seconds.
    pub busy_seconds: f64,
    /// Its current file, if that takes long.
    pub slow_file: Option<String>,
    /// Its current batch.
    #[serde(default)]
    pub batch: Option<u64>,
    /// Files of that batch that it is processing or begins next.
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

/// A state at a commit tick, to continue from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointData {
    /// The job.
    pub job_id: u64,
    /// The state folder.
    pub state: PathBuf,
    /// What had been committed.
    pub cursor: Cursor,
    /// Id of the state: a state re-created at the same path, or repaired, has another one. `None` where it was not
    /// given.
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

/// Result of one batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchResult {
    /// Number of the batch.
    pub batch_id: u64,
    /// Files processed.
    pub ok: u64,
    /// Files that failed.
    pub failed: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Time from its first file to its last, in seconds.
    pub elapsed_seconds: f64,
    /// Time that workers spent on it together, in seconds.
    pub busy_seconds: f64,
    /// Each file's outcome, in the order of the batch.
    pub results: Vec<ProcessingResult>,
}

impl BatchResult {
    /// Returns the failures, with their files.
    pub fn errors(&self) -> impl Iterator<Item = (&PathBuf, &crate::model::FileError)> {
        self.results.iter().filter_map(|result| Some((&result.path, result.error.as_ref()?)))
    }
}

/// Result of many batches.
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
