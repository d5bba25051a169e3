//! The run: what is found is queued, claimed, processed and committed.
//!
//! Threads of a run, in the order they start and the reverse of the order they end: the calling
//! thread (plans, and is the only writer of durable state), `worker-N`, `scan` with its `walk-N`,
//! `check-log`, which compares the record log with its checksums, and `watch` and `rescan`, which follow a watcher. All report to the calling thread
//! over one bounded channel. It only ever receives; what the scan may have under way is limited, so
//! that the workers always find room.
//!
//! Constraints: a crash forgets nothing, since a file that is claimed is pending in the ledger, or was found or told
//! of a moment ago, and the next start's scan finds it again; claims live in memory only; whatever is reported as done
//! has been committed.

mod attempt;
mod board;
mod breaker;
mod budget;
mod change;
mod claims;
mod committer;
mod compact;
mod coordinator;
mod crisis;
mod dispatch;
mod dry_run;
mod error;
mod event;
mod execute;
mod failures;
mod fatal;
mod figures;
mod forget;
mod found;
mod gate;
mod guard;
mod inspect;
mod intake;
mod job;
mod jobs;
mod latency;
mod listing;
mod log_check;
mod lookout;
mod machine;
mod order;
mod outage;
mod pool;
mod pulse;
mod query;
mod repair;
mod restraint;
mod results;
mod retry;
mod roots;
mod run;
mod run_state;
mod runtime;
mod scan;
#[cfg(test)]
mod sim;
mod staffing;
mod stop;
mod store;
mod tally;
mod tick;
mod touched;
mod watch;
mod worker;

pub use breaker::{BreakerState, BreakerStatus};
pub use compact::{CompactReport, compact};
pub use error::EngineError;
pub use execute::{execute_batches, process_one_batch};
pub use failures::{FailureGroup, FailureReport, FailureSample, SAMPLES};
pub use forget::{ForgetFilter, ForgetReport, forget};
pub use inspect::{Inspection, inspect};
pub use jobs::{JobLine, JobOutcome, JobReport, JobRoot, JobStatus};
pub use latency::LatencyFigures;
pub use listing::CommittedLog;
pub use order::{Order, OrderDone};
pub use query::{Explanation, FileState, RootStatus, StateCounts, StatusReport};
pub use repair::{RepairReport, repair};
pub use results::{
    BatchExecutionResult, BatchResult, BatchStatistics, CheckpointData, MemoryStatus, ProcessTotals,
    ProcessingProgress, ProcessingResult, ProcessingState, RepositoryProcessingResult, RootState, StopCause,
    WatchFigures, WatchedRoot, WorkerStatistics,
};
pub use retry::{RetryFilter, RetryReport, retry};
pub use roots::{MovedRoot, move_root, root_path};
pub use run::{Engine, RunOptions};
pub use stop::Stop;
pub use store::{Store, StoreView};
pub use watch::WatchOptions;
