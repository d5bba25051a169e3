//! The engine's figures, looked at each second: their history, what they sum up to, whether they still move,
//! and the snapshot that those who listen are sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::health::{Readiness, stalled};
use super::history::{History, HistoryReport, Sample};
use crate::engine::{BatchStatistics, Engine, FailureReport, SAMPLES};
use crate::service::liveness::Still;
use crate::service::ticker::has_thread;

const SECOND: Duration = Duration::from_secs(1);
/// A report on failures passes over all of the ledger: at the most a twentieth of a core's time goes into it.
const REPORT_REST: u32 = 20;
const REPORT_AGE_MIN: Duration = Duration::from_secs(1);

pub(super) struct Figures {
    engine: Arc<Engine>,
    kept: Mutex<Kept>,
    snapshots: watch::Sender<Bytes>,
    report: tokio::sync::Mutex<Option<Report>>,
}

struct Kept {
    history: History,
    /// How often figures were shown; none are expected where no run goes on.
    shown: Still<u64>,
    /// When the last sample was taken, and the files and bytes until then.
    looked: Instant,
    sampled: (u64, u64),
    /// What happened in the last second.
    last: Sample,
}

/// A report on failures, not older than a scrape or a page needs it.
struct Report {
    made: Instant,
    took: Duration,
    failures: Arc<FailureReport>,
}

/// What is sent each second.
#[derive(Serialize)]
struct Snapshot<'a> {
    /// When, in seconds since 1970.
    at: u64,
    /// Files that workers were through with, per second, in the last one.
    files_per_second: f64,
    /// Bytes that they read, per second, in the last one.
    bytes_per_second: f64,
    readiness: Readiness,
    statistics: &'a BatchStatistics,
}

/// The figures as of now, and what follows from them.
pub(super) struct Seen {
    pub(super) statistics: BatchStatistics,
    pub(super) readiness: Readiness,
    pub(super) stalled: Option<Duration>,
    last: Sample,
}

impl Figures {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        let now = engine.clock().now();
        let (history, last) = (History::default(), Sample::default());
        let kept = Kept { history, shown: Still::default(), looked: now, sampled: (0, 0), last };
        let snapshots = watch::Sender::new(Bytes::new());
        Self { engine, kept: Mutex::new(kept), snapshots, report: tokio::sync::Mutex::new(None) }
    }

    /// Looks at the engine each second, for ever.
    pub(super) async fn sample_each_second(&self) {
        let mut ticks = tokio::time::interval(SECOND);
        // A look that comes late covers the time that it missed.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first is due at once, before there is anything to compare with.
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

    /// The figures as of now.
    pub(super) fn look(&self) -> Seen {
        let statistics = self.engine.statistics();
        let is_open = self.engine.view().is_some();
        let mut kept = self.kept();
        let now = self.engine.clock().now();
        let stalled = stalled(kept.shown.look(statistics.shown, is_open, now));
        let readiness = Readiness::of(&statistics, is_open, stalled);
        Seen { readiness, stalled, last: kept.last, statistics }
    }

    pub(super) fn history(&self) -> HistoryReport {
        self.kept().history.report()
    }

    /// A snapshot as of now, and those of each second from now on.
    pub(super) fn listen(&self) -> (Bytes, watch::Receiver<Bytes>) {
        let later = self.snapshots.subscribe();
        (snapshot(&self.look()), later)
    }

    /// What failed, with a few files of each class: a little old, where many ask. None where no run goes on, or
    /// the state can't be read.
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

    /// From now on no report from before is given out: somebody has changed what it would say.
    pub(super) async fn forget_failures(&self) {
        *self.report.lock().await = None;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One event of the stream.
fn snapshot(seen: &Seen) -> Bytes {
    let snapshot = Snapshot {
        at: unix_seconds(),
        files_per_second: seen.last.rate(seen.last.files),
        bytes_per_second: seen.last.rate(seen.last.bytes),
        readiness: seen.readiness.clone(),
        statistics: &seen.statistics,
    };
    // What is in it can always be written; JSON has no line feeds, which would end the event.
    let json = serde_json::to_string(&snapshot).unwrap_or_default();
    Bytes::from(format!("event: snapshot\ndata: {json}\n\n"))
}

pub(super) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
