//! The run: what is found is queued, claimed, processed and committed.
//!
//! Threads of a run: the calling thread (plans, and is the only writer of durable state), `worker-N`, `scan` with its
//! `walk-N`, `check-log`, which compares the record log with its checksums, and `watch` and `rescan`, which follow a
//! watcher. All report to the calling thread over one bounded channel. It only ever receives; what the scan may have
//! in flight is limited, so that the workers always find room.
//!
//! Constraints: a crash loses nothing, since a claimed file is pending in the ledger, or was found or reported a
//! moment ago, and the next start's scan finds it again; claims live in memory only; whatever is reported as done has
//! been committed.
//!
//! Words: a *tick* is a group commit, a *cursor* the position of one (its number, and the end of the record log), the
//! *witness* a small journal that shows whether the database has the last one. An *attempt* is the part of a run with
//! one set of threads; a missing resource ends it or, by a *breaker*, pauses it. A *claim* marks a pending file as in
//! flight; an *outcome* is what a worker reports of it. A *standing* job scans nothing and waits for watch events. A
//! *suspect* was in flight when an earlier process died.

mod command;
mod commit;
mod compaction;
mod consumers;
mod coordinator;
mod discovery;
mod dispatch;
mod edit;
mod error;
mod job_plan;
mod lifecycle;
mod query;
mod resources;
mod roots;
mod run;
#[cfg(test)]
mod sim;
mod stats;
mod stop;
mod store;
mod watch;
mod workers;

pub use command::{Command, CommandReply};
pub use compaction::{CompactReport, compact};
pub use consumers::{ConsumerChange, ConsumerReport, ConsumerStatus, change_consumer};
pub use edit::forget::{ForgetFilter, ForgetReport, forget};
pub use edit::retry::{RetryFilter, RetryReport, retry};
pub use error::{
    CheckpointError, CursorError, CursorReason, EngineError, InspectError, ProbeError, Refusal, RootError,
};
pub use query::failures::{FailureGroup, FailureReport, FailureSample, SAMPLES};
pub use query::jobs::{JobOutcome, JobReport, JobRoot, JobStatus, JobSummary};
pub use query::records::{CommittedLog, RecordFilter};
pub use query::resumption::Resumption;
pub use query::shards::{ShardState, ShardStates, ShardStatus, ShardSummary, ShardsReport};
pub use query::status::{
    Explanation, FilePriority, FileState, RootStatus, RulesOfJob, StateCounts, StatusReport,
};
pub use resources::breaker::{BreakerState, BreakerStatus};
pub use roots::file_list::FileList;
pub use roots::{MovedRoot, move_root, root_path};
pub use run::batches::{execute_batches, process_one_batch};
pub use run::engine::{Engine, RunOptions};
pub use run::into_roots::IntoRoots;
pub use run::plan::BatchPlan;
pub use stats::latency::LatencyFigures;
pub use stats::{
    BatchExecutionResult, BatchResult, BatchStatistics, CheckpointData, MemoryStatus, ProcessTotals,
    ProcessingProgress, ProcessingResult, ProcessingState, RepositoryProcessingResult, RootState, StopCause,
    WatchFigures, WatchedRoot, WorkerStatistics,
};
pub use stop::Stop;
#[doc(hidden)]
pub use store::Store;
pub use store::StoreView;
pub use store::repair::{RepairReport, repair};
pub use watch::WatchOptions;
pub use workers::inspect::{Inspection, inspect};

pub use crate::ledger::{Counts, JobCounts, JobEnd, JobKind};
pub use crate::source::watch::WatchStatus;
