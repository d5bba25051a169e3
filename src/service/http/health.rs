//! Liveness and readiness of the process.

use serde::Serialize;

use crate::engine::{BatchStatistics, BreakerState, ProcessingState, RootState, WatchedRoot};
use crate::service::liveness::Stalled;

/// The answer of `/healthz`.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    /// `ok` or `stalled`.
    pub(super) status: &'static str,
    /// Since when, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stalled_seconds: Option<u64>,
}

impl Health {
    pub(super) fn of(stalled: Option<Stalled>) -> Self {
        let status = if stalled.is_some() { "stalled" } else { "ok" };
        Self { status, stalled_seconds: stalled.map(|stalled| stalled.since.as_secs()) }
    }
}

/// The answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Readiness {
    /// Whether each check passes.
    pub(super) ready: bool,
    /// The checks.
    pub(super) checks: Vec<Check>,
}

/// One condition of readiness.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Check {
    /// Its name.
    pub(super) name: &'static str,
    /// Whether it passes.
    pub(super) ok: bool,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
}

impl Readiness {
    pub(super) fn of(statistics: &BatchStatistics, is_open: bool, stalled: Option<Stalled>) -> Self {
        let mut checks = vec![
            check("state-open", (!is_open).then(|| "the state is not open, or just being opened".to_owned())),
            check("progress", stalled.map(|stalled| stalled.to_string())),
            check("running", not_running(statistics.state)),
            check(
                "not-paused",
                (statistics.state == ProcessingState::Paused).then(|| "paused by order".to_owned()),
            ),
            check("breakers-closed", open_breakers(statistics)),
        ];
        if let Some(watch) = &statistics.watch {
            let is_gone = |root: &&WatchedRoot| matches!(root.state, RootState::Away | RootState::Unreadable);
            let gone = watch.roots.iter().filter(is_gone).count();
            let is_armed =
                watch.status.polling || watch.status.armed_folders > 0 || gone == watch.roots.len();
            checks.push(check("watcher-armed", (!is_armed).then(|| "no folder is watched yet".to_owned())));
            let missing = || format!("{gone} of {} roots are away, or can't be listed", watch.roots.len());
            checks.push(check("roots-there", (gone > 0).then(missing)));
        }
        Self { ready: checks.iter().all(|check| check.ok), checks }
    }
}

fn check(name: &'static str, why: Option<String>) -> Check {
    Check { name, ok: why.is_none(), why }
}

fn not_running(state: ProcessingState) -> Option<String> {
    let why = match state {
        ProcessingState::Idle => "has not begun",
        ProcessingState::Draining => "is asked to stop, and finishes the files in flight",
        ProcessingState::Ended => "has ended",
        ProcessingState::Scanning
        | ProcessingState::Processing
        | ProcessingState::Waiting
        | ProcessingState::Watching
        | ProcessingState::Paused => return None,
    };
    Some(why.to_owned())
}

fn open_breakers(statistics: &BatchStatistics) -> Option<String> {
    let open = statistics.breakers.iter().filter(|breaker| breaker.state != BreakerState::Closed);
    let reasons: Vec<_> = open
        .map(|breaker| format!("{}: {}", breaker.resource, breaker.why.as_deref().unwrap_or("being tried")))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{BreakerStatus, WatchFigures};
    use crate::model::Resource;

    fn wrong(statistics: &BatchStatistics) -> Vec<&'static str> {
        let readiness = Readiness::of(statistics, true, None);
        let wrong: Vec<_> =
            readiness.checks.iter().filter(|check| !check.ok).map(|check| check.name).collect();
        assert_eq!(readiness.ready, wrong.is_empty());
        wrong
    }

    #[test]
    fn each_thing_that_is_wrong_is_named() {
        let well = BatchStatistics { state: ProcessingState::Processing, ..BatchStatistics::default() };
        assert_eq!(wrong(&well), [""; 0]);
        for (state, name) in [
            (ProcessingState::Idle, "running"),
            (ProcessingState::Draining, "running"),
            (ProcessingState::Ended, "running"),
            (ProcessingState::Paused, "not-paused"),
        ] {
            assert_eq!(wrong(&BatchStatistics { state, ..well.clone() }), [name]);
        }
        let breaker = |state| BreakerStatus {
            resource: Resource::Disk,
            state,
            why: Some("full".to_owned()),
            opened: 1,
            open_seconds: 1.0,
            state_seconds: 1.0,
        };
        let with = |state| BatchStatistics { breakers: vec![breaker(state)], ..well.clone() };
        assert_eq!(wrong(&with(BreakerState::Closed)), [""; 0]);
        assert_eq!(wrong(&with(BreakerState::HalfOpen)), ["breakers-closed"]);
        let readiness = Readiness::of(&with(BreakerState::Open), false, None);
        let why: Vec<_> = readiness.checks.into_iter().filter_map(|check| check.why).collect();
        assert_eq!(why, ["the state is not open, or just being opened", "disk: full"]);
    }

    #[test]
    fn a_watch_has_to_be_armed_and_its_roots_there() {
        let root = |state| WatchedRoot { id: 1, name: "a".to_owned(), path: "/a".into(), state, why: None };
        let with = |roots, armed_folders| {
            let mut watch = WatchFigures { roots, ..WatchFigures::default() };
            watch.status.armed_folders = armed_folders;
            BatchStatistics {
                state: ProcessingState::Processing,
                watch: Some(watch),
                ..BatchStatistics::default()
            }
        };
        assert_eq!(wrong(&with(vec![root(RootState::Watched)], 0)), ["watcher-armed"]);
        assert_eq!(wrong(&with(vec![root(RootState::Polled)], 1)), [""; 0]);
        assert_eq!(wrong(&with(vec![root(RootState::Watched), root(RootState::Away)], 1)), ["roots-there"]);
        assert_eq!(wrong(&with(vec![root(RootState::Away)], 0)), ["roots-there"]);
        assert_eq!(wrong(&with(vec![root(RootState::Unreadable)], 1)), ["roots-there"]);
    }
}
