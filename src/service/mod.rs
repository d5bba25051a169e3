//! Around the engine: settings and what reads them again, signals, the control socket, HTTP, scans at set times, what a
//! service manager is told, and the async face for programs of one's own.
//!
//! Constraints: the only room where tokio lives; nothing here processes a file or writes state.

mod api;
mod control;
mod desk;
mod http;
mod reload;
mod schedule;
pub mod settings;
mod signals;
mod still;
mod supervisor;
mod ticking;

pub use api::{
    BatchProcessingEngine, async_from_fn, execute_parallel_batches, process_batch, resume_failed_batch_job,
};
pub use control::{ControlError, Controlled, Request, answer, ask, is_answered};
pub use desk::Desk;
pub use http::{HttpError, HttpSettings, Served};
pub use reload::{NextJob, Reload, ReloadError, Reloading};
pub use schedule::{Schedule, ScheduleError, Scheduled, SharedSchedule};
pub use signals::{SignalError, Signals, report_file_size_limit};
pub use supervisor::{Supervised, SupervisorError};
