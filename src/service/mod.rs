//! Around the engine: settings and what reads them again, signals, the control socket, HTTP, scans at set times, and
//! what a service manager is sent.
//!
//! Constraints: nothing here processes a file or writes state.

mod control;
mod control_handle;
mod http;
mod liveness;
mod reload;
mod schedule;
#[doc(hidden)]
pub mod settings;
mod signals;
mod systemd;
mod ticker;

pub use control::{ControlError, Controlled, Request, answer, ask, is_answered};
pub use control_handle::{ControlHandle, NotReloaded, OrderError};
pub use http::{HttpError, HttpSettings, Served};
pub use reload::{NextJob, Reload, ReloadError, Reloading};
pub use schedule::{Schedule, ScheduleError, ScheduleSettings, Scheduled, SharedSchedule};
pub use signals::{SignalError, Signals, report_file_size_limit};
pub use systemd::{SystemdError, SystemdNotifier};
