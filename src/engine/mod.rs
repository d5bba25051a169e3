//! The run: what is found is queued, claimed, processed and committed.
//!
//! Threads of a run, in the order they start and the reverse of the order they end: the calling
//! thread (plans, and is the only writer of durable state), `worker-N`, `scan` with its `walk-N`, and
//! `check-log`, which compares the record log with its checksums. All report to the calling thread
//! over one bounded channel. It only ever receives; what the scan may have under way is limited, so
//! that the workers always find room.
//!
//! Constraints: a file is claimed only after it is pending in the ledger, so a crash forgets
//! nothing; claims live in memory only; whatever is reported as done has been committed.

mod board;
mod change;
mod claims;
mod committer;
mod coordinator;
mod dry_run;
mod error;
mod event;
mod execute;
mod fatal;
mod gate;
mod inspect;
mod intake;
mod job;
mod listing;
mod pool;
mod query;
mod repair;
mod results;
mod run;
mod scan;
mod stop;
mod store;
mod tally;
mod worker;

pub use error::EngineError;
pub use execute::{execute_batches, process_one_batch};
pub use inspect::{Inspection, inspect};
pub use listing::CommittedLog;
pub use query::{Explanation, FileState, JobOutcome, JobStatus, RootStatus, StateCounts, StatusReport};
pub use repair::{RepairReport, repair};
pub use results::{
    BatchExecutionResult, BatchResult, BatchStatistics, CheckpointData, ProcessingProgress, ProcessingResult,
    ProcessingState, RepositoryProcessingResult, WorkerStatistics,
};
pub use run::{Engine, RunOptions};
pub use stop::Stop;
pub use store::{Store, StoreView};
