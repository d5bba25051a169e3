//! A thread that runs a step periodically until its handle is dropped.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::model::joining::join_until;

/// How long the drop waits for the thread, which a file system or a peer may block for ever.
const END: Duration = Duration::from_secs(2);

/// Checks whether another thread can be started: tokio panics if it needs one that can't.
pub(super) fn has_thread() -> io::Result<()> {
    std::thread::Builder::new().spawn(|| ()).map(drop)
}

/// The handle; dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Ticker {
    /// Carries no messages: dropping it ends the thread.
    end: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts a thread that waits for `first_wait`, runs a step, and waits for as long as the step returns.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub(super) fn start(
        name: &str,
        first_wait: Duration,
        mut step: impl FnMut() -> Duration + Send + 'static,
    ) -> io::Result<Self> {
        let (end, ended) = sync_channel::<()>(0);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut wait = first_wait;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = step();
            }
        })?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.end.take());
        let Some(thread) = self.thread.take() else { return };
        join_until(thread, Instant::now() + END);
    }
}
