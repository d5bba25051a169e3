//! Compacts the record log, in ticks as any other, with no threads of its own: each line that is still the latest record
//! of its path is carried forward, and the segments that held it are dropped.
//!
//! First in, first out. A *pass* closes the current segment and takes the earlier ones, oldest first, in *turns* of
//! some segments each: it walks the ledger, and each line in those segments that is an entry's record is appended to
//! the log again as a copy, together with the entry's new position, in ticks as any other. So a crash anywhere leaves
//! a valid state, and the next pass finds less to carry. When the walk has ended, nothing points to these segments
//! any more, and they are dropped: see `ledger/commit/log_start.rs` for how.
//!
//! Since only the oldest segments go, a `removed` record needs no copy: every older line of its path goes before
//! it does, or with it.
//!
//! A pass that was asked for runs where anything at all is out of date, which is *counted*: the log has a line for
//! each record of an entry, and one more for each obsolete record.
//!
//! What a consumer has not read stays, up to a limit (`consumer-keep`): its segments and all later ones are neither
//! carried nor dropped.
//!
//! When a pass is worth it without a request is *measured*: of some random places in the log, how many lie in lines
//! that are out of date. That costs little, and needs no count kept for it. A pass over a log of which half is out of
//! date writes at most as much as it frees.

mod pass;
pub(super) mod stale_count;
pub(super) mod stale_sample;

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::consumers;
use super::error::EngineError;
use super::stop::Stop;
use super::store::Store;
use crate::engine::store::log_check::check_log;
use crate::model::{BatchConfig, LogPosition, Resource};
use pass::Pass;
use stale_count::Count;
use stale_sample::Measure;

/// The longest portion aimed at: during a run, and (`PORTION_ALONE`) without one, when nothing waits for it.
const PORTION: Duration = Duration::from_millis(15);
const PORTION_ALONE: Duration = Duration::from_millis(200);
/// During other work, this many times a portion's cost passes before the next one.
const PAUSE_FACTOR: u32 = 9;

/// How long the segment last written to is kept during a run: clients that follow the log have read it by then.
const GRACE: Duration = Duration::from_secs(1);

/// Result of compacting the record log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CompactReport {
    /// Length of the record log before, in bytes.
    pub bytes_before: u64,
    /// Length of it after, in bytes, with what was recorded meanwhile.
    pub bytes_after: u64,
    /// Records that were carried forward.
    pub records_copied: u64,
    /// Their length, in bytes.
    pub bytes_copied: u64,
    /// Record files that were dropped.
    pub segments_dropped: u64,
    /// Length of the part that stays because a consumer has not read it, in bytes.
    #[serde(default)]
    pub bytes_unread: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Where a report, or the reason why there is none, is sent.
pub(crate) type CompactReply = SyncSender<Result<CompactReport, EngineError>>;

/// The next step.
enum Phase {
    Idle,
    Counting(Box<Count>),
    Measuring(Measure),
    Passing(Box<Pass>),
}

/// The compaction of one log: when it is due, and its progress.
pub(crate) struct Compaction {
    above_percent: u64,
    min_bytes: u64,
    /// What is kept for a consumer, in bytes; `None` for all.
    keep_bytes: Option<u64>,
    /// Where the records of the current run begin, if there is one.
    run_start: Option<LogPosition>,
    phase: Phase,
    /// Length of the log at the last measurement.
    measured_at: Option<u64>,
    /// Whether the last pass had to leave something for a consumer.
    is_held: bool,
    /// Requests for a pass that has not begun.
    asked: Vec<CompactReply>,
    /// Requests that wait for the pass under way.
    waiting: Vec<CompactReply>,
    /// How long the segment last written to is kept.
    grace: Duration,
    /// The last portion: when it began, and how long it took.
    last: Option<(Instant, Duration)>,
}

impl Compaction {
    /// Creates a compaction with these rules, during a run whose records begin at `run_start`.
    pub(crate) fn new(config: &BatchConfig, run_start: Option<LogPosition>) -> Self {
        Self {
            above_percent: config.compact_above_percent,
            min_bytes: config.compact_min_bytes,
            keep_bytes: config.consumer_keep_bytes,
            run_start,
            phase: Phase::Idle,
            measured_at: None,
            is_held: false,
            asked: Vec::new(),
            waiting: Vec::new(),
            grace: run_start.map_or(Duration::ZERO, |_| GRACE),
            last: None,
        }
    }

    /// Requests a pass, whatever the rules say; `reply` gets its report.
    pub(crate) fn ask(&mut self, reply: CompactReply) {
        self.asked.push(reply);
    }

    /// Makes a pass due again that had to leave something for a consumer: one has moved.
    pub(crate) fn look_again(&mut self) {
        if std::mem::take(&mut self.is_held) {
            self.measured_at = None;
        }
    }

    /// Refuses all requests for want of a resource. A pass under way goes on when it is there.
    pub(crate) fn refuse(&mut self, resource: Resource, what: &str) {
        if let Phase::Counting(_) = self.phase {
            self.phase = Phase::Idle;
        }
        for reply in self.asked.drain(..).chain(self.waiting.drain(..)) {
            // The requester may have gone.
            let _ = reply.try_send(Err(EngineError::Unavailable { resource, what: what.to_owned() }));
        }
    }

    /// Returns whether a client waits for the result.
    pub(crate) fn is_awaited(&self) -> bool {
        !(self.asked.is_empty() && self.waiting.is_empty())
    }

    /// Returns whether a portion may be done now, beside other work or not.
    pub(crate) fn may_step(&self, store: &Store, is_idle: bool, now: Instant) -> bool {
        let Some((begun, took)) = self.last else { return self.is_busy(store) };
        let pause = match &self.phase {
            Phase::Passing(pass) if pass.rests() => PORTION * 2,
            _ if is_idle => return self.is_busy(store),
            _ => took * (1 + PAUSE_FACTOR),
        };
        now.saturating_duration_since(begun) >= pause && self.is_busy(store)
    }

    /// Returns whether a step is under way or due.
    pub(crate) fn is_busy(&self, store: &Store) -> bool {
        !matches!(self.phase, Phase::Idle)
            || !self.asked.is_empty()
            || store.ledger.has_dropped_log()
            || self.is_to_be_measured(store)
    }

    /// The log is measured once it is long enough, and again whenever it has grown by an eighth.
    fn is_to_be_measured(&self, store: &Store) -> bool {
        let bytes = store.ledger.log_bytes();
        self.above_percent < 100
            && bytes >= self.min_bytes.max(1)
            && self.measured_at.is_none_or(|before| bytes > before + before / 8)
    }

    /// Does one portion of what is under way or due, of bounded length. Returns whether there is more. `now` is the
    /// clock's time.
    ///
    /// # Errors
    /// Where the state can't be read or written, or a line is not the record that the ledger says.
    pub(crate) fn step(&mut self, store: &mut Store, now: Instant) -> Result<bool, EngineError> {
        let begun = Instant::now();
        let portion = if self.run_start.is_some() { PORTION } else { PORTION_ALONE };
        self.phase = match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle if store.ledger.has_dropped_log() => {
                // A pass has ended too early for that.
                drop_one(store)?;
                Phase::Idle
            }
            Phase::Idle if !self.asked.is_empty() => {
                self.waiting.append(&mut self.asked);
                if is_compact(store) {
                    self.leave(store)
                } else {
                    Phase::Counting(Box::new(Count::new(store)))
                }
            }
            Phase::Idle if self.is_to_be_measured(store) => {
                self.measured_at = Some(store.ledger.log_bytes());
                Phase::Measuring(Measure::new(store))
            }
            Phase::Idle => return Ok(false),
            Phase::Counting(mut count) => match count.step(store, begun + portion)? {
                None => Phase::Counting(count),
                Some(true) => self.begin_pass(store, now)?,
                Some(false) => self.leave(store),
            },
            Phase::Measuring(mut measure) => match measure.step(store, begun + portion)? {
                None => Phase::Measuring(measure),
                Some(percent) if percent < self.above_percent => Phase::Idle,
                Some(percent) => {
                    tracing::info!(percent, bytes = store.ledger.log_bytes(), "compacting the record log");
                    self.begin_pass(store, now)?
                }
            },
            Phase::Passing(mut pass) => match pass.step(store, portion, now)? {
                None => Phase::Passing(pass),
                Some(report) => self.end_pass(store, report),
            },
        };
        self.last = Some((now, begun.elapsed()));
        Ok(self.is_busy(store))
    }

    fn begin_pass(&mut self, store: &mut Store, now: Instant) -> Result<Phase, EngineError> {
        consumers::warn_of_late(store, self.keep_bytes);
        let unread = consumers::first_unread(store, self.keep_bytes);
        if unread.is_some_and(|unread| pass::segments_of(store).first().is_none_or(|first| unread <= first.0))
        {
            return Ok(self.leave(store));
        }
        if let Some(why) = pass::lacks_room(store) {
            tracing::warn!("{why}: it stays as it is");
            self.refuse(Resource::Disk, &why);
            return Ok(Phase::Idle);
        }
        let pass = Pass::begin(store, (self.run_start, self.keep_bytes), (now, self.grace))?;
        Ok(Phase::Passing(Box::new(pass)))
    }

    /// Ends where nothing is out of date, or nothing may be dropped.
    fn leave(&mut self, store: &Store) -> Phase {
        let bytes = store.ledger.log_bytes();
        let report = CompactReport { bytes_before: bytes, bytes_after: bytes, ..CompactReport::default() };
        self.end_pass(store, report)
    }

    fn end_pass(&mut self, store: &Store, report: CompactReport) -> Phase {
        let report = CompactReport { bytes_unread: pass::bytes_unread(store, self.keep_bytes), ..report };
        self.measured_at = Some(store.ledger.log_bytes());
        self.is_held = report.bytes_unread > 0;
        if report.segments_dropped > 0 {
            tracing::info!(?report, "the record log is compact");
        }
        for reply in self.waiting.drain(..) {
            // The requester may have gone.
            let _ = reply.try_send(Ok(report));
        }
        Phase::Idle
    }
}

/// Returns whether nothing was recorded since the last pass.
fn is_compact(store: &Store) -> bool {
    store.ledger.log_start().compact_at == Some(store.ledger.cursor().log)
}

/// Removes one segment before the beginning of the log. Returns whether there was one; if not, forgets that there
/// were any.
fn drop_one(store: &mut Store) -> Result<bool, EngineError> {
    store.ledger.settle()?;
    let is_dropped = store.log.remove_one_before(store.ledger.log_start().segment)?;
    if !is_dropped {
        store.ledger.forget_dropped_log()?;
    }
    Ok(is_dropped)
}

/// Compacts the record log of a state that no run holds, whatever its length, for the consumers that the configuration
/// keeps it for.
///
/// # Errors
/// There is no state, it is in use or damaged, or it can't be written, for example for want of disk space: what was
/// done until then stays, and the next attempt goes on from there.
pub fn compact(state: impl AsRef<Path>, config: &BatchConfig) -> Result<CompactReport, EngineError> {
    compact_alone(state.as_ref(), config).map_err(EngineError::or_unavailable)
}

fn compact_alone(state: &Path, config: &BatchConfig) -> Result<CompactReport, EngineError> {
    let mut store = Store::existing(state)?;
    check_log(&store.state.records(), &store.ledger.log_ranges(), &Stop::default())?;
    let rules = BatchConfig { compact_above_percent: 100, ..config.clone() };
    let mut compaction = Compaction::new(&rules, None);
    let (reply, done) = sync_channel(1);
    compaction.ask(reply);
    while compaction.step(&mut store, Instant::now())? {}
    done.try_recv().map_err(|_| ended())?
}

pub(crate) fn ended() -> EngineError {
    let what = "the record log is not compacted, or only in part; ask again".to_owned();
    let source = std::io::Error::new(std::io::ErrorKind::Interrupted, "the run ends, or waits for something");
    EngineError::Io { what, source }
}

#[cfg(test)]
mod tests;
