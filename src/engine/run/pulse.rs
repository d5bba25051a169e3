//! The thread `pulse`: lets a run's clock know that the process runs. Time while the process is stopped, or its
//! container frozen, does not count for files in flight.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::model::Clock;

/// A longer stop is logged.
const LONG: Duration = Duration::from_secs(1);

/// The thread, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Pulse {
    clock: Clock,
    /// Nothing is ever sent: dropping it ends the thread.
    end: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    /// Starts the thread. If that fails, all time counts.
    pub(crate) fn start(clock: &Clock) -> Self {
        let (end, ended) = sync_channel::<()>(0);
        let beats = clock.clone();
        let thread = std::thread::Builder::new().name("pulse".to_owned()).spawn(move || {
            beats.beat();
            while ended.recv_timeout(Clock::BEAT) == Err(RecvTimeoutError::Timeout) {
                let missed = beats.beat();
                if missed > LONG {
                    tracing::info!(
                        seconds = missed.as_secs(),
                        "the process was stopped; that time counts for nothing"
                    );
                }
            }
        });
        let thread = thread.inspect_err(|error| {
            tracing::warn!(%error, "no thread can watch whether the process is stopped: such time counts as any other");
        });
        Self { clock: clock.clone(), end: Some(end), thread: thread.ok() }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.clock.end_beats();
    }
}
