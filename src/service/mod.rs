//! Around the engine: settings, signals, the control socket, HTTP, and the async face for programs of one's own.
//!
//! Constraints: the only room where tokio lives; nothing here processes a file or writes state.

mod api;
mod control;
mod desk;
mod http;
pub mod settings;
mod signals;

pub use api::{
    BatchProcessingEngine, async_from_fn, execute_parallel_batches, process_batch, resume_failed_batch_job,
};
pub use control::{ControlError, Controlled, Request, answer, ask, is_answered};
pub use desk::Desk;
pub use http::{HttpError, HttpSettings, Served};
pub use signals::{SignalError, Signals};
