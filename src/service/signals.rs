//! SIGINT and SIGTERM: the first stops the run in order, the second ends the process, and with it the process groups
//! of `exec`. SIGXFSZ is a failed write.
#![expect(unsafe_code, reason = "a handler that does more than to set a flag has no safe face")]

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals as Incoming;
use signal_hook::{flag, low_level};

use crate::process::exec::kill_groups;

/// The handlers could not be installed.
#[derive(Debug, thiserror::Error)]
#[error("signal handlers can't be installed: {0}")]
pub struct SignalError(#[from] std::io::Error);

/// Makes a write beyond the file size limit (`ulimit -f`) fail with `EFBIG`, where its signal would otherwise end the
/// process. Custom programs without a handler for SIGXFSZ want this as well.
///
/// # Errors
/// The system refuses.
pub fn report_file_size_limit() -> Result<(), SignalError> {
    // Any handler suffices, and unlike an ignored signal it is not inherited by other programs.
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}

/// The record of which signal came.
#[derive(Debug, Clone)]
pub struct Signals {
    received: Arc<AtomicUsize>,
    drain_millis: Arc<AtomicU64>,
}

impl Signals {
    /// Sets `stop` at the first signal; the second one ends the process at once, with exit code 130 or 143. So does
    /// the end of `drain`, counted from the first: a run that hangs in the file system can't end by itself.
    ///
    /// # Errors
    /// The system refuses.
    pub fn install(stop: &Arc<AtomicBool>, drain: Duration) -> Result<Self, SignalError> {
        let signals =
            Self { received: Arc::new(AtomicUsize::new(0)), drain_millis: Arc::new(AtomicU64::new(0)) };
        signals.set_drain(drain);
        let drain_millis = Arc::clone(&signals.drain_millis);
        let mut incoming = Incoming::new([SIGINT, SIGTERM])?;
        let deadline = std::thread::Builder::new().name("deadline".to_owned()).spawn(move || {
            if let Some(signal) = incoming.forever().next() {
                wait_running(Duration::from_millis(drain_millis.load(Ordering::Relaxed)));
                let what =
                    "outlast: the time to finish is over; files in flight are still pending: run again\n";
                // The reader of stderr may be gone.
                let _ = std::io::stderr().write_all(what.as_bytes());
                kill_groups();
                std::process::exit(128 + signal);
            }
        });
        if let Err(error) = deadline {
            tracing::warn!(%error, "no thread can end a run that hangs when it is to stop: a second signal does");
        }
        // Not `stop` itself, which is also set by others.
        let is_second = Arc::new(AtomicBool::new(false));
        for (signal, code) in [(SIGINT, 130), (SIGTERM, 143)] {
            let is_second_here = Arc::clone(&is_second);
            let end = move || {
                if is_second_here.load(Ordering::SeqCst) {
                    kill_groups();
                    low_level::exit(code);
                }
            };
            // SAFETY: the handler reads atomics and makes system calls, no more.
            unsafe { low_level::register(signal, end)? };
            flag::register(signal, Arc::clone(&is_second))?;
            flag::register(signal, Arc::clone(stop))?;
            flag::register_usize(
                signal,
                Arc::clone(&signals.received),
                usize::try_from(signal).unwrap_or(0),
            )?;
        }
        Ok(signals)
    }

    /// Ends the process at once, as a second SIGTERM does, when standard input ends: with the program at its other end.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn end_with_stdin(&self) -> Result<(), SignalError> {
        let wait = || {
            // What is said there means nothing.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            kill_groups();
            low_level::exit(128 + SIGTERM);
        };
        std::thread::Builder::new().name("stdin".to_owned()).spawn(wait)?;
        Ok(())
    }

    /// Sets how long a run that is asked to stop may take, from now on.
    pub fn set_drain(&self, drain: Duration) {
        let millis = u64::try_from(drain.as_millis()).unwrap_or(u64::MAX);
        self.drain_millis.store(millis, Ordering::Relaxed);
    }

    /// Returns the exit code of a run that a signal interrupted: 130 for SIGINT, 143 for SIGTERM.
    pub fn exit_code(&self) -> Option<u8> {
        match i32::try_from(self.received.load(Ordering::Relaxed)) {
            Ok(SIGINT) => Some(130),
            Ok(SIGTERM) => Some(143),
            _ => None,
        }
    }
}

/// Waits for `time`. Time in which the process is stopped, or frozen, does not count: a short sleep counts as its
/// length, however late it ends.
fn wait_running(time: Duration) {
    const STEP: Duration = Duration::from_millis(100);
    let mut left = time;
    while !left.is_zero() {
        let step = left.min(STEP);
        std::thread::sleep(step);
        left -= step;
    }
}
