//! What is set up before a command begins: memory, logging, telemetry, services.

use outlast::service::settings::{Layers, Settings};

use logging::{ReopenLog, SetLevel};

pub(super) mod allocator;
pub(super) mod log_file;
pub(super) mod logging;
#[cfg(feature = "otel")]
pub(super) mod otel;
pub(super) mod processor;
pub(super) mod services;

/// The settings of a process, and what it needs to reload them.
pub(crate) struct Configured<'a> {
    pub(crate) layers: Layers,
    pub(crate) settings: &'a Settings,
    pub(crate) set_level: SetLevel,
    pub(crate) reopen_log: ReopenLog,
}
