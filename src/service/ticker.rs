//! A thread that does something now and then, as long as somebody holds it.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::model::joining::join_until;

/// How long its end is waited for: a file system, or whoever it talks to, may never answer.
const END: Duration = Duration::from_secs(2);

/// Whether another thread can be started: tokio panics where it needs one that can't.
pub(super) fn has_thread() -> io::Result<()> {
    std::thread::Builder::new().spawn(|| ()).map(drop)
}

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Ticking {
    /// Nothing is ever sent: that it is dropped tells the thread to end.
    end: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticking {
    /// Starts a thread that waits for so long, does a step, and waits for as long as that says.
    ///
    /// # Errors
    /// Where the system refuses the thread.
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

impl Drop for Ticking {
    fn drop(&mut self) {
        drop(self.end.take());
        let Some(thread) = self.thread.take() else { return };
        join_until(thread, Instant::now() + END);
    }
}
