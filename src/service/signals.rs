//! SIGINT and SIGTERM: the first stops the run in order, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The handlers could not be installed.
#[derive(Debug, thiserror::Error)]
#[error("signal handlers can't be installed: {0}")]
pub struct SignalError(#[from] std::io::Error);

/// Which signal came.
#[derive(Debug, Clone)]
pub struct Signals {
    received: Arc<AtomicUsize>,
}

impl Signals {
    /// Sets `stop` at the first signal; the second one ends the process at once, with exit code 130 or 143.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn install(stop: &Arc<AtomicBool>) -> Result<Self, SignalError> {
        let received = Arc::new(AtomicUsize::new(0));
        for (signal, code) in [(SIGINT, 130), (SIGTERM, 143)] {
            flag::register_conditional_shutdown(signal, code, Arc::clone(stop))?;
            flag::register(signal, Arc::clone(stop))?;
            flag::register_usize(signal, Arc::clone(&received), usize::try_from(signal).unwrap_or(0))?;
        }
        Ok(Self { received })
    }

    /// The exit code of a run that a signal interrupted: 130 for SIGINT, 143 for SIGTERM.
    pub fn exit_code(&self) -> Option<u8> {
        match i32::try_from(self.received.load(Ordering::Relaxed)) {
            Ok(SIGINT) => Some(130),
            Ok(SIGTERM) => Some(143),
            _ => None,
        }
    }
}
