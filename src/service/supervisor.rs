//! Notifications to the service manager: readiness, status, reloading, stopping, and the watchdog.
//!
//! Alive means progress, not merely a running process: the engine's own thread keeps publishing figures, and
//! in-flight files make progress. A file may take as long as `timeout` allows. No progress is expected if no file is
//! in flight, or the run is paused or waits for a resource.
//!
//! Does nothing without a service manager that wants notifications.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::liveness::StallDetector;
use super::ticker::Ticker;
use crate::engine::{BatchStatistics, Engine, ProcessingState};

/// How often a stop request is checked for.
const LOOK_UP: Duration = Duration::from_millis(250);
/// How often the status is sent.
const TELL: Duration = Duration::from_secs(5);
/// Extra time beyond a file's timeout until some file must have made progress: for a commit, and for the replacement
/// of the worker.
const GRACE: Duration = Duration::from_secs(60);

/// The thread can't be started.
#[derive(Debug, thiserror::Error)]
#[error("can't report to the service manager: {0}")]
pub struct SupervisorError(#[from] io::Error);

/// The reporter of an engine's state to the service manager, on a thread named `supervisor`, until dropped.
#[derive(Debug)]
pub struct Supervised {
    thread: Option<Ticker>,
    told_end: Arc<AtomicBool>,
}

impl Supervised {
    /// Reports that the process is ready, and starts to monitor it. Does nothing without a service manager.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub fn start(engine: Arc<Engine>) -> Result<Self, SupervisorError> {
        let told_end = Arc::new(AtomicBool::new(false));
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(Self { thread: None, told_end });
        }
        tell(&[NotifyState::Ready]);
        let mut watch = Watchman {
            alive_every: sd_notify::watchdog_enabled().map(|limit| limit / 2),
            engine,
            liveness: Liveness::default(),
            reported: None,
            pinged: None,
            told_end: Arc::clone(&told_end),
        };
        let wait = watch.wait();
        let thread = Ticker::start("supervisor", Duration::ZERO, move || {
            watch.step(Instant::now());
            wait
        })?;
        Ok(Self { thread: Some(thread), told_end })
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        if self.thread.take().is_some() && !self.told_end.load(Ordering::Relaxed) {
            tell(&[NotifyState::Stopping]);
        }
    }
}

/// Reports that the settings are being reloaded, and, when the result is dropped, that this is over.
pub(super) fn reloading() -> Reloaded {
    if std::env::var_os("NOTIFY_SOCKET").is_some()
        && let Ok(now) = NotifyState::monotonic_usec_now()
    {
        tell(&[NotifyState::Reloading, now]);
    }
    Reloaded
}

/// A reload in progress.
pub(super) struct Reloaded;

impl Drop for Reloaded {
    fn drop(&mut self) {
        tell(&[NotifyState::Ready]);
    }
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::debug!(%error, "can't report to the service manager");
    }
}

/// The state of the thread.
struct Watchman {
    engine: Arc<Engine>,
    /// The watchdog interval.
    alive_every: Option<Duration>,
    liveness: Liveness,
    reported: Option<(Instant, String)>,
    pinged: Option<Instant>,
    told_end: Arc<AtomicBool>,
}

impl Watchman {
    fn wait(&self) -> Duration {
        self.alive_every.map_or(LOOK_UP, |every| every.min(LOOK_UP)).max(Duration::from_millis(1))
    }

    fn step(&mut self, now: Instant) {
        let is_due = |last: Option<Instant>, every| {
            last.is_none_or(|last| now.saturating_duration_since(last) >= every)
        };
        if self.engine.stop().is_requested() && !self.told_end.swap(true, Ordering::Relaxed) {
            tell(&[NotifyState::Stopping]);
        }
        if let Some(every) = self.alive_every
            && is_due(self.pinged, every)
        {
            self.pinged = Some(now);
            let limit = self
                .engine
                .config()
                .map_or(Duration::ZERO, |config| Duration::from_secs(config.timeout_seconds));
            match self.liveness.look(&self.engine.statistics(), limit + GRACE, self.engine.clock().now()) {
                Ok(()) => tell(&[NotifyState::Watchdog]),
                Err(why) => tracing::error!("not reporting to the service manager that all is well: {why}"),
            }
        }
        if is_due(self.reported.as_ref().map(|(at, _)| *at), TELL) {
            let status = status_of(&self.engine.statistics());
            if self.reported.as_ref().is_none_or(|(_, reported)| *reported != status) {
                tell(&[NotifyState::Status(&status)]);
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

/// The progress at the last checks.
#[derive(Debug, Default)]
struct Liveness {
    shown: StallDetector<u64>,
    /// Counts that change when files make progress.
    files: StallDetector<[u64; 6]>,
}

impl Liveness {
    /// Checks that all is well since the last check, or returns what is not. In-flight files may pause for `limit`.
    fn look(
        &mut self,
        statistics: &BatchStatistics,
        limit: Duration,
        now: Instant,
    ) -> Result<(), &'static str> {
        let shows = self.shown.look(statistics.shown, true, now).is_zero();
        let progress = &statistics.progress;
        let counts = [
            statistics.cursor.tick,
            progress.discovered,
            progress.unchanged,
            progress.ok + progress.failed,
            progress.batches,
            progress.bytes,
        ];
        let is_busy = statistics.in_flight > 0
            && !matches!(statistics.state, ProcessingState::Waiting | ProcessingState::Paused);
        match (shows, self.files.look(counts, is_busy, now) > limit) {
            (false, _) => Err("the run's own thread hangs"),
            (true, true) => Err("no progress on in-flight files"),
            (true, false) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(100);

    /// Checks each ten seconds the figures made from the number of the check; returns which passed.
    fn looks(figures: impl Fn(u64) -> BatchStatistics) -> Vec<bool> {
        let (mut liveness, start) = (Liveness::default(), Instant::now());
        let look = |number: u64| {
            liveness.look(&figures(number), LIMIT, start + Duration::from_secs(10 * number)).is_ok()
        };
        (0..20).map(look).collect()
    }

    fn shown(times: u64, in_flight: u64) -> BatchStatistics {
        BatchStatistics { shown: times, in_flight, ..BatchStatistics::default() }
    }

    #[test]
    fn an_idle_engine_is_alive_as_long_as_it_shows_its_figures() {
        assert!(looks(|number| shown(number, 0)).into_iter().all(|well| well));
        let hangs = looks(|number| shown(number.min(5), 0));
        assert!(hangs[..=5].iter().all(|well| *well) && hangs[6..].iter().all(|well| !well), "{hangs:?}");
    }

    #[test]
    fn commits_that_go_on_are_progress_and_figures_alone_are_not() {
        let commits = |number: u64| {
            let mut figures = shown(number, 3);
            figures.cursor.tick = number;
            figures
        };
        assert!(looks(commits).into_iter().all(|well| well));
        let stuck = looks(|number| shown(number, 3));
        assert!(stuck[..=10].iter().all(|well| *well), "a file may take so long: {stuck:?}");
        assert!(stuck[11..].iter().all(|well| !well), "{stuck:?}");
    }

    #[test]
    fn who_waits_or_is_paused_needs_no_commits() {
        for state in [ProcessingState::Waiting, ProcessingState::Paused] {
            assert!(
                looks(|number| BatchStatistics { state, ..shown(number, 3) }).into_iter().all(|well| well)
            );
        }
    }
}
