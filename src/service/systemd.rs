//! Notifications to the service manager: readiness, status, reloading, stopping, and the watchdog.
//! That is pinged while the run is alive: see `service/liveness.rs`.
//!
//! Does nothing without a service manager that wants notifications.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::liveness::Liveness;
use super::ticker::Ticker;
use crate::engine::{BatchStatistics, Engine, ProcessingState};

/// How often a stop request is checked for.
const LOOK_UP: Duration = Duration::from_millis(250);
/// How often the status is sent.
const STATUS_EVERY: Duration = Duration::from_secs(5);

/// The thread can't be started.
#[derive(Debug, thiserror::Error)]
#[error("can't report to the service manager: {0}")]
pub struct SystemdError(#[from] io::Error);

/// The reporter of an engine's state to the service manager, on a thread named `supervisor`, until dropped.
#[derive(Debug)]
pub struct SystemdNotifier {
    thread: Option<Ticker>,
    has_reported_end: Arc<AtomicBool>,
}

impl SystemdNotifier {
    /// Reports that the process is ready, and starts to monitor it. Does nothing without a service manager.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub fn start(engine: Arc<Engine>) -> Result<Self, SystemdError> {
        let has_reported_end = Arc::new(AtomicBool::new(false));
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(Self { thread: None, has_reported_end });
        }
        notify(&[NotifyState::Ready]);
        let mut notifications = Notifications {
            ping_every: watchdog_interval().map(|interval| interval / 2),
            engine,
            liveness: Liveness::new(watchdog_interval()),
            reported: None,
            pinged: None,
            has_reported_end: Arc::clone(&has_reported_end),
        };
        let wait = notifications.wait();
        let thread = Ticker::start("supervisor", Duration::ZERO, move || {
            notifications.step(Instant::now());
            wait
        })?;
        Ok(Self { thread: Some(thread), has_reported_end })
    }
}

impl Drop for SystemdNotifier {
    fn drop(&mut self) {
        if self.thread.take().is_some() && !self.has_reported_end.load(Ordering::Relaxed) {
            notify(&[NotifyState::Stopping]);
        }
    }
}

/// Reports that the settings are being reloaded, and, when the result is dropped, that this is over.
pub(super) fn reloading() -> Reloaded {
    if std::env::var_os("NOTIFY_SOCKET").is_some()
        && let Ok(now) = NotifyState::monotonic_usec_now()
    {
        notify(&[NotifyState::Reloading, now]);
    }
    Reloaded
}

/// A reload in progress.
pub(super) struct Reloaded;

impl Drop for Reloaded {
    fn drop(&mut self) {
        notify(&[NotifyState::Ready]);
    }
}

fn notify(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::debug!(%error, "can't report to the service manager");
    }
}

/// Returns how often the service manager expects a ping, if it does.
pub(super) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// What the thread has sent.
struct Notifications {
    engine: Arc<Engine>,
    /// Half of the watchdog's interval.
    ping_every: Option<Duration>,
    liveness: Liveness,
    reported: Option<(Instant, String)>,
    pinged: Option<Instant>,
    has_reported_end: Arc<AtomicBool>,
}

impl Notifications {
    fn wait(&self) -> Duration {
        self.ping_every.map_or(LOOK_UP, |every| every.min(LOOK_UP)).max(Duration::from_millis(1))
    }

    fn step(&mut self, now: Instant) {
        let is_due = |last: Option<Instant>, every| {
            last.is_none_or(|last| now.saturating_duration_since(last) >= every)
        };
        if self.engine.stop().is_requested() && !self.has_reported_end.swap(true, Ordering::Relaxed) {
            notify(&[NotifyState::Stopping]);
        }
        if let Some(every) = self.ping_every
            && is_due(self.pinged, every)
        {
            self.pinged = Some(now);
            match self.liveness.stalled(&self.engine, &self.engine.statistics()) {
                None => notify(&[NotifyState::Watchdog]),
                Some(stalled) => tracing::error!("no ping to the service manager: {stalled}"),
            }
        }
        if is_due(self.reported.as_ref().map(|(at, _)| *at), STATUS_EVERY) {
            let status = status_of(&self.engine.statistics());
            if self.reported.as_ref().is_none_or(|(_, reported)| *reported != status) {
                notify(&[NotifyState::Status(&status)]);
            }
            self.reported = Some((now, status));
        }
    }
}

fn status_of(statistics: &BatchStatistics) -> String {
    let progress = &statistics.progress;
    let state = match statistics.state {
        ProcessingState::Idle => "starting",
        ProcessingState::Scanning => "scanning",
        ProcessingState::Processing if statistics.in_flight == 0 && progress.pending == 0 => "all is done",
        ProcessingState::Processing => "processing",
        ProcessingState::Draining => "stopping",
        ProcessingState::Waiting => "waiting for a resource: see the log",
        ProcessingState::Paused => "paused",
        ProcessingState::Watching => "watching",
        ProcessingState::Ended => "ended",
    };
    format!("{state}: {} ok, {} failed, {} pending", progress.ok, progress.failed, progress.pending)
}
