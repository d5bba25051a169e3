//! Whether a run is alive: the one judgement behind `/healthz`, `/readyz` and the service manager's watchdog.
//!
//! Alive means progress, not merely a running process. Both signs are in the figures that the run's own thread
//! publishes, several times a second:
//!
//! | not alive | where | does not count |
//! |---|---|---|
//! | nothing was published for a minute, or for half of the watchdog's interval where that is shorter: the thread hangs, mostly in a commit on a disk that does not answer | from the start of a job until the state is closed, also while a state is reopened | while a state is opened at first |
//! | files are in flight, and none makes progress for a minute longer than `timeout` allows for one | the same | while the run is paused or waits for a resource |
//!
//! Time in which the process was stopped counts for neither.

use std::fmt;
use std::time::{Duration, Instant};

use crate::engine::{BatchStatistics, Engine};

/// Longest time without publication. A commit on a slow disk, or reopening a state, may take a while.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// The shortest limit that a watchdog's interval can set: figures are published each 0.25 s.
const SILENCE_MIN: Duration = Duration::from_secs(1);
/// Extra time beyond a file's timeout until some file must have made progress: for a commit, and for the replacement
/// of the worker.
const GRACE: Duration = Duration::from_secs(60);

/// The limits by which runs of this process are judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Liveness {
    silence_max: Duration,
}

/// What a run that is not alive lacks, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stalled {
    what: &'static str,
    pub(super) since: Duration,
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {} s", self.what, self.since.as_secs())
    }
}

/// Returns for how long the run has published nothing; none without a run.
pub(super) fn silence(statistics: &BatchStatistics, now: Instant) -> Option<Duration> {
    statistics.published.map(|at| now.saturating_duration_since(at))
}

impl Liveness {
    /// Creates the limits for this interval of a watchdog, if there is one.
    pub(super) fn new(watchdog_interval: Option<Duration>) -> Self {
        let half = watchdog_interval.map_or(SILENCE_MAX, |interval| interval / 2);
        Self { silence_max: half.clamp(SILENCE_MIN, SILENCE_MAX) }
    }

    /// Judges the run of an engine now by its figures; `None` where it is alive, or there is none.
    pub(super) fn stalled(self, engine: &Engine, statistics: &BatchStatistics) -> Option<Stalled> {
        let timeout = engine.config().map(|config| Duration::from_secs(config.timeout_seconds));
        self.judge(statistics, timeout, engine.clock().now())
    }

    /// `timeout` is that of a file; none is judged without.
    fn judge(self, statistics: &BatchStatistics, timeout: Option<Duration>, now: Instant) -> Option<Stalled> {
        let silent = silence(statistics, now)?;
        if silent > self.silence_max {
            return Some(Stalled { what: "nothing was shown", since: silent });
        }
        let stuck = now.saturating_duration_since(statistics.progressed?);
        (statistics.expects_progress() && stuck > timeout? + GRACE)
            .then_some(Stalled { what: "no progress on in-flight files", since: stuck })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ProcessingState::{self, Draining, Paused, Processing, Waiting, Watching};

    /// Published and progressed so many seconds ago.
    fn figures(
        state: ProcessingState,
        in_flight: u64,
        ago: Option<(u64, u64)>,
        now: Instant,
    ) -> BatchStatistics {
        let at = |seconds| now - Duration::from_secs(seconds);
        BatchStatistics {
            state,
            in_flight,
            published: ago.map(|(published, _)| at(published)),
            progressed: ago.map(|(_, progressed)| at(progressed)),
            ..BatchStatistics::default()
        }
    }

    #[test]
    fn a_run_is_alive_while_it_publishes_and_its_files_make_progress() {
        let now = Instant::now() + Duration::from_secs(10_000);
        let silent = Some("nothing was shown");
        let stuck = Some("no progress on in-flight files");
        for (case, state, in_flight, ago, expected) in [
            ("no run", Processing, 3, None, None),
            ("all is well", Processing, 3, Some((0, 1)), None),
            ("a long commit", Processing, 3, Some((60, 60)), None),
            ("a hung commit", Processing, 3, Some((61, 61)), silent),
            ("a hung commit with nothing in flight", Watching, 0, Some((61, 61)), silent),
            ("a state that is reopened for ever", Waiting, 0, Some((61, 61)), silent),
            ("a hung pause", Paused, 0, Some((61, 61)), silent),
            ("a file takes as long as it may", Processing, 1, Some((0, 160)), None),
            ("files are stuck", Processing, 1, Some((0, 161)), stuck),
            ("files are stuck at the end", Draining, 1, Some((0, 161)), stuck),
            ("files of a watch are stuck", Watching, 1, Some((0, 161)), stuck),
            ("the thread hangs with files stuck", Processing, 1, Some((61, 300)), silent),
            ("nothing is in flight", Watching, 0, Some((0, 9_999)), None),
            ("a pause", Paused, 3, Some((0, 9_999)), None),
            ("a resource is missing", Waiting, 3, Some((0, 9_999)), None),
        ] {
            let liveness = Liveness { silence_max: SILENCE_MAX };
            let stalled =
                liveness.judge(&figures(state, in_flight, ago, now), Some(Duration::from_secs(100)), now);
            assert_eq!(stalled.map(|stalled| stalled.what), expected, "{case}: {stalled:?}");
        }
    }
}
