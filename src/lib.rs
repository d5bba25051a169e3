//! Outlast processes every file under a folder exactly once, remembers that it did, and continues where it stopped,
//! whatever stopped it. A processor is a function of a file's content; its results become a log of records.
//!
//! Count the lines of all texts in a folder:
//!
//! ```
//! use outlast::{BatchConfig, Engine, FileContent, RunOptions, from_fn};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #   let folder = tempfile::tempdir()?;
//! #   std::env::set_current_dir(&folder)?;
//! #   std::fs::create_dir("texts")?;
//! #   std::fs::write("texts/a.txt", "one\ntwo\n")?;
//!     let lines = from_fn("lines/1", &["*.txt"], |file: &FileContent<'_>| {
//!         Ok(file.bytes.iter().filter(|&&byte| byte == b'\n').count())
//!     });
//!     let engine = Engine::new(lines);
//!     let done = engine.run("texts", &BatchConfig::default(), &RunOptions::new("state"))?;
//!     println!("{} counted, {} failed", done.progress.ok, done.progress.failed);
//! #   assert_eq!((done.progress.ok, done.progress.failed), (1, 0));
//!     Ok(())
//! }
//! ```
//!
//! Kill it at any moment: the next run goes on, and each version of a file has one record. Run it again: only changed
//! files are processed. [`BatchProcessingEngine`](guide::library#async) is the same engine for async programs,
//! [`AstProcessor`] a processor for the syntax trees that language parsers write as JSON.
//!
//! # The guide
//!
//! | page | holds |
//! |---|---|
//! | [`guide::library`] | examples, and the names of the library |
//! | [`guide::architecture`] | the parts of the code, the path of a file through them, why the guarantees hold, recipes |
//! | [`guide::tour`] | five minutes with the command |
//! | [`guide::commands`], [`guide::configuration`], [`guide::filters`], [`guide::priorities`], [`guide::failures`], [`guide::inspect`], [`guide::state`] | the command and its settings |
//! | [`guide::records`], [`guide::tables`] | the results, member by member, and as a table |
//! | [`guide::watching`], [`guide::service`], [`guide::http`] | a process that stays |
//! | [`guide::clusters`] | one tree on many machines |
//! | [`guide::reliability`], [`guide::limits`], [`guide::performance`] | what is guaranteed, what is not, what it costs |
//!
//! # Rooms
//!
//! | layer | room | holds |
//! |---|---|---|
//! | 4 | [`service`](guide::library#features) | settings, signals, the control socket, HTTP, the schedule |
//! | 4 | `async_api` | the async interface |
//! | 3 | [`engine`] | the run: scan, claims, workers, commits, breakers, queries |
//! | 2 | [`source`], [`batch`], [`process`], [`ledger`], [`sink`] | files, batches, work on a file, durable state, the record log |
//! | 1 | [`model`] | plain data |
//!
//! What these pages do not list is public for the command and the benchmarks only: it may change in any version.

#[cfg(feature = "async")]
mod async_api;
pub mod batch;
pub mod engine;
pub mod guide;
#[doc(hidden)]
pub mod ledger;
pub mod model;
pub mod process;
#[cfg(feature = "service")]
pub mod service;
pub mod sink;
pub mod source;

#[cfg(feature = "async")]
pub use async_api::{
    BatchProcessingEngine, async_from_fn, execute_parallel_batches, process_batch, resume_failed_batch_job,
};
pub use batch::{BatchStrategy, create_optimal_batches};
pub use engine::{
    BatchExecutionResult, BatchResult, BatchStatistics, CheckpointData, Engine, EngineError, IntoRoots,
    ProcessingProgress, ProcessingResult, ProcessingState, RepositoryProcessingResult, RunOptions, Stop,
    WorkerStatistics,
};
pub use model::*;
pub use process::exec::{ExecCommand, ExecCommandError, ExecError, ExecOptions, ExecProcessor};
pub use process::{
    AstProcessor, BatchAnswers, BatchProcessor, FileContent, IntoProcessor, LimitError, Limits, Processor,
    ResultWriter, batch_from_fn, from_fn,
};
pub use source::Source;
