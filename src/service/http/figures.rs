//! The engine's figures, sampled each second: their history, their sums, stall detection, and the snapshot that
//! listeners are sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::health::Readiness;
use super::history::{History, HistoryReport, Sample};
use crate::engine::{BatchStatistics, Engine, FailureReport, SAMPLES};
use crate::service::liveness::{Liveness, Stalled};
use crate::service::systemd;
use crate::service::ticker::has_thread;

const SECOND: Duration = Duration::from_secs(1);
/// A failure report scans all of the ledger: at most a twentieth of a core's time goes into it.
const REPORT_REST: u32 = 20;
const REPORT_AGE_MIN: Duration = Duration::from_secs(1);

pub(super) struct Figures {
    engine: Arc<Engine>,
    liveness: Liveness,
    kept: Mutex<Kept>,
    snapshots: watch::Sender<Bytes>,
    report: tokio::sync::Mutex<Option<Report>>,
}

struct Kept {
    history: History,
    /// When the last sample was taken, and the files and bytes until then.
    looked: Instant,
    sampled: (u64, u64),
    /// The sample of the last second.
    last: Sample,
}

/// A cached failure report, not older than a scrape or a page needs.
struct Report {
    made: Instant,
    took: Duration,
    failures: Arc<FailureReport>,
}

/// The data of an event.
#[derive(Serialize)]
struct Snapshot<'a> {
    /// Unix time, in seconds.
    at: u64,
    /// Files that workers finished, per second, in the last one.
    files_per_second: f64,
    /// Bytes that they read, per second, in the last one.
    bytes_per_second: f64,
    readiness: Readiness,
    statistics: &'a BatchStatistics,
}

/// The current figures, and what is derived from them.
pub(super) struct Seen {
    pub(super) statistics: BatchStatistics,
    pub(super) readiness: Readiness,
    pub(super) stalled: Option<Stalled>,
    last: Sample,
}

impl Figures {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        let now = engine.clock().now();
        let last = Sample::default();
        let kept = Kept { history: History::default(), looked: now, sampled: (0, 0), last };
        let snapshots = watch::Sender::new(Bytes::new());
        let liveness = Liveness::new(systemd::watchdog_interval());
        Self { engine, liveness, kept: Mutex::new(kept), snapshots, report: tokio::sync::Mutex::new(None) }
    }

    /// Samples the engine each second, for ever.
    pub(super) async fn sample_each_second(&self) {
        let mut ticks = tokio::time::interval(SECOND);
        // A late sample covers the time that it missed.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is due at once, before there is a sample to compare with.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            self.sample();
        }
    }

    fn sample(&self) {
        let seen = self.look();
        let now = self.engine.clock().now();
        let process = seen.statistics.process;
        let mut kept = self.kept();
        let sample = Sample {
            at: unix_seconds(),
            seconds: now.saturating_duration_since(kept.looked).as_secs_f64(),
            files: process.files.saturating_sub(kept.sampled.0),
            bytes: process.bytes.saturating_sub(kept.sampled.1),
            pending: seen.statistics.progress.pending,
            failed: seen.statistics.progress.failed,
        };
        kept.looked = now;
        kept.sampled = (process.files, process.bytes);
        kept.last = sample;
        kept.history.add(sample);
        drop(kept);
        if self.snapshots.receiver_count() > 0 {
            self.snapshots.send_replace(snapshot(&Seen { last: sample, ..seen }));
        }
    }

    /// Returns the current figures.
    pub(super) fn look(&self) -> Seen {
        let statistics = self.engine.statistics();
        let is_open = self.engine.view().is_some();
        let stalled = self.liveness.stalled(&self.engine, &statistics);
        let readiness = Readiness::of(&statistics, is_open, stalled);
        Seen { readiness, stalled, last: self.kept().last, statistics }
    }

    pub(super) fn history(&self) -> HistoryReport {
        self.kept().history.report()
    }

    /// Returns a snapshot as of now, and the receiver of the next ones.
    pub(super) fn listen(&self) -> (Bytes, watch::Receiver<Bytes>) {
        let later = self.snapshots.subscribe();
        (snapshot(&self.look()), later)
    }

    /// Returns what failed, with a few files of each class: slightly stale under many requests. `None` if no run is
    /// active, or the state can't be read.
    pub(super) async fn failures(&self) -> Option<Arc<FailureReport>> {
        let mut kept = self.report.lock().await;
        if let Some(report) = &*kept
            && report.made.elapsed() < (report.took * REPORT_REST).max(REPORT_AGE_MIN)
        {
            return Some(Arc::clone(&report.failures));
        }
        let engine = Arc::clone(&self.engine);
        let begun = Instant::now();
        has_thread().ok()?;
        let failures = tokio::task::spawn_blocking(move || engine.view()?.failures(None, SAMPLES).ok());
        let failures = Arc::new(failures.await.ok()??);
        let report = Report { made: Instant::now(), took: begun.elapsed(), failures: Arc::clone(&failures) };
        *kept = Some(report);
        Some(failures)
    }

    /// Drops the cached report after a change to what it would contain.
    pub(super) async fn forget_failures(&self) {
        *self.report.lock().await = None;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Formats one event of the stream.
fn snapshot(seen: &Seen) -> Bytes {
    let snapshot = Snapshot {
        at: unix_seconds(),
        files_per_second: seen.last.rate(seen.last.files),
        bytes_per_second: seen.last.rate(seen.last.bytes),
        readiness: seen.readiness.clone(),
        statistics: &seen.statistics,
    };
    // Serialization can't fail here. JSON has no line feeds, which would end the event.
    let json = serde_json::to_string(&snapshot).unwrap_or_default();
    Bytes::from(format!("event: snapshot\ndata: {json}\n\n"))
}

pub(super) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
