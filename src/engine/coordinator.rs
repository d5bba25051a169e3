//! The loop of a run: receive news, commit when a tick is due, claim and plan what is pending.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::board::Board;
use super::claims::Claims;
use super::committer::Committer;
use super::error::EngineError;
use super::event::Event;
use super::job::{self, JobPlan};
use super::pool::{Pool, Task};
use super::results::{BatchStatistics, ProcessingState, RepositoryProcessingResult};
use super::stop::Stop;
use super::tally::Tally;
use super::worker::OutcomeGroup;
use crate::batch::{BatchObservation, BatchStrategy, Load, Planner, sort};
use crate::ledger::JobEnd;
use crate::model::{BatchConfig, Clock, Cursor, DiscoveredFile, RootTable};
use crate::source::Source;

/// Changes that make a tick due at once, so that memory stays bounded.
const WAITING_MAX: usize = 8_192;
const WAITING_BYTES_MAX: usize = 8 << 20;
/// A tick that is not due by time has to have earned back the last one's cost this many times.
const TICK_COST_FACTOR: u32 = 20;
/// How often it shows how things stand while nothing is committed.
const LOOK_AROUND: Duration = Duration::from_millis(250);
/// The shortest wait.
const MOMENT: Duration = Duration::from_millis(1);
/// How often the loop looks up while nothing comes in.
const LOOK_UP: Duration = Duration::from_millis(20);

/// What a run gives its coordinator to work with.
pub(crate) struct Setting<'a> {
    pub plan: &'a JobPlan,
    pub config: &'a BatchConfig,
    pub started: Instant,
    pub pool: &'a Pool,
    /// What callers ask for.
    pub stop: &'a Stop,
    /// What stops this run's threads, whatever the reason.
    pub halt: &'a Stop,
    /// Where others look at the figures.
    pub shown: &'a Mutex<BatchStatistics>,
    pub board: &'a Board,
    pub source: &'a dyn Source,
    /// What told each root from others at the start.
    pub marks: &'a [u128],
    pub roots: &'a RootTable,
    pub clock: &'a Clock,
}

pub(crate) struct Coordinator<'a> {
    set: Setting<'a>,
    committer: &'a mut Committer,
    planner: Planner,
    claims: Claims,
    /// Files handed to workers whose outcome has not come yet.
    outstanding: usize,
    batches: HashMap<u64, (usize, BatchObservation)>,
    scanning: bool,
    /// No run ends well on a log that is damaged: it waits for the check, unless it is stopped.
    checking: bool,
    tally: Tally,
    statistics: BatchStatistics,
    last_tick: Instant,
    tick_cost: Duration,
    first_tick: u64,
    first_commit: Option<Duration>,
    checkpoints: Vec<SyncSender<Cursor>>,
    last_look: Instant,
}

impl<'a> Coordinator<'a> {
    pub(crate) fn new(
        set: Setting<'a>,
        committer: &'a mut Committer,
        strategy: Box<dyn BatchStrategy>,
    ) -> Self {
        let first_tick = committer.store().ledger.cursor().tick;
        let tally = Tally { discovered: set.plan.pending_at_start, ..Tally::default() };
        let mut statistics =
            BatchStatistics { state: ProcessingState::Scanning, ..BatchStatistics::default() };
        statistics.progress.job = set.plan.job.id;
        statistics.workers = vec![Default::default(); set.config.worker_count];
        let claims = Claims::new(set.config);
        Self {
            set,
            committer,
            planner: Planner::new(strategy),
            claims,
            outstanding: 0,
            batches: HashMap::new(),
            scanning: true,
            checking: true,
            tally,
            statistics,
            last_tick: Instant::now(),
            tick_cost: Duration::ZERO,
            first_tick,
            first_commit: None,
            checkpoints: Vec::new(),
            last_look: Instant::now(),
        }
    }

    /// Runs until all is done, or a stop has been carried out.
    pub(crate) fn run(mut self, events: &Receiver<Event>) -> Result<RepositoryProcessingResult, EngineError> {
        self.publish();
        match self.until_done(events) {
            Ok(interrupted) => self.finish(if interrupted { JobEnd::Interrupted } else { JobEnd::Completed }),
            Err(error) => {
                self.set.halt.request();
                // Where the state itself failed nothing more can be written; the error says so.
                if !matches!(error, EngineError::Ledger(_) | EngineError::Sink(_)) {
                    self.finish(JobEnd::Failed)?;
                }
                Err(error)
            }
        }
    }

    fn until_done(&mut self, events: &Receiver<Event>) -> Result<bool, EngineError> {
        loop {
            if self.set.stop.is_requested() && !self.set.halt.is_requested() {
                self.drain();
            }
            if !self.set.halt.is_requested() {
                self.claim()?;
            }
            self.receive(events)?;
            if self.tick_is_due() {
                self.commit()?;
            }
            self.look_around();
            if self.is_done() {
                return Ok(self.set.halt.is_requested());
            }
        }
    }

    /// Stops claiming; the workers finish the files in hand and release the rest.
    fn drain(&mut self) {
        self.set.halt.request();
        self.statistics.state = ProcessingState::Draining;
        tracing::info!(in_hand = self.outstanding, "stopping: finishing the files in hand");
        while let Some(task) = self.set.pool.take_back() {
            self.outstanding -= task.len();
        }
    }

    fn is_done(&self) -> bool {
        if self.scanning || self.outstanding > 0 || self.committer.waiting() > 0 {
            return false;
        }
        self.set.halt.is_requested() || (!self.checking && self.claimable() == 0)
    }

    fn receive(&mut self, events: &Receiver<Event>) -> Result<(), EngineError> {
        let wait = match self.committer.waiting() {
            0 => LOOK_UP,
            _ if self.tick_is_due() => Duration::ZERO,
            _ => BatchConfig::TICK.saturating_sub(self.last_tick.elapsed()).clamp(MOMENT, LOOK_UP),
        };
        let mut next = events.recv_timeout(wait).ok();
        while let Some(event) = next {
            self.take(event)?;
            next = if self.is_full() { None } else { events.try_recv().ok() };
        }
        Ok(())
    }

    fn take(&mut self, event: Event) -> Result<(), EngineError> {
        match event {
            Event::Found { changes, counts, pass } => {
                drop(pass);
                self.tally.add(counts);
                self.committer.take_changes(changes);
            }
            Event::Ended(group) => self.take_group(group),
            Event::Scanned(report) => {
                for (rule, count) in report.filtered {
                    *self.statistics.progress.filtered.entry(rule).or_default() += count;
                }
            }
            Event::ScansEnded => {
                self.scanning = false;
                if self.statistics.state == ProcessingState::Scanning {
                    self.statistics.state = ProcessingState::Processing;
                }
            }
            Event::LogChecked => self.checking = false,
            Event::Failed(error) => return Err(error),
            Event::Checkpoint(reply) => self.checkpoints.push(reply),
        }
        Ok(())
    }

    fn take_group(&mut self, group: OutcomeGroup) {
        self.outstanding = self.outstanding.saturating_sub(group.outcomes.len());
        for outcome in &group.outcomes {
            self.claims.ended(&outcome.key);
        }
        let progress = &mut self.statistics.progress;
        progress.bytes += group.bytes;
        if let Some(worker) = self.statistics.workers.get_mut(group.worker) {
            worker.files += group.outcomes.len() as u64;
            worker.bytes += group.bytes;
            worker.busy_seconds += group.busy.as_secs_f64();
        }
        if let Some((left, seen)) = self.batches.get_mut(&group.batch_id) {
            *left = left.saturating_sub(group.outcomes.len());
            seen.bytes += group.bytes;
            seen.busy += group.busy;
            if *left == 0 {
                progress.batches += 1;
                self.planner.observe(seen);
                self.batches.remove(&group.batch_id);
            }
        }
        self.committer.take_group(group);
    }

    fn is_full(&self) -> bool {
        self.committer.waiting() >= WAITING_MAX || self.committer.waiting_bytes() >= WAITING_BYTES_MAX
    }

    /// A tick is due by time, by the number of outcomes, when memory asks for it, or as soon as
    /// the workers have nothing to do until it is committed.
    fn tick_is_due(&self) -> bool {
        if !self.checkpoints.is_empty() || self.is_full() {
            return true;
        }
        if self.committer.waiting() == 0 {
            return false;
        }
        let since = self.last_tick.elapsed();
        let earned = since >= self.tick_cost * TICK_COST_FACTOR;
        since >= BatchConfig::TICK
            || self.outstanding == 0
            || (earned
                && (self.claims.ended_count() >= self.set.config.checkpoint_interval
                    || self.set.pool.hungry() > 0))
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        let begun = Instant::now();
        let lost = self.check_roots();
        let (ok, failed) = (self.tally.ok, self.tally.failed);
        let (job, bytes) = (&self.set.plan.job, self.statistics.progress.bytes);
        let cursor = self.committer.commit(&mut self.tally, false, |tally| job::so_far(job, tally, bytes))?;
        self.claims.committed();
        lost?;
        self.last_tick = Instant::now();
        self.tick_cost = self.last_tick - begun;
        if self.first_commit.is_none() && (ok, failed) != (self.tally.ok, self.tally.failed) {
            self.first_commit = Some(self.set.started.elapsed());
        }
        self.statistics.cursor = cursor;
        self.publish();
        for reply in self.checkpoints.drain(..) {
            // Whoever asked may have gone.
            let _ = reply.try_send(cursor);
        }
        Ok(())
    }

    /// Before files are taken for gone: their roots must be the folders that they were at the start. Where
    /// one is not, what says so is forgotten, and the run ends; the rest is committed.
    fn check_roots(&mut self) -> Result<(), EngineError> {
        for ((root, _), mark) in self.set.plan.roots.iter().zip(self.set.marks) {
            if self.committer.has_gone(root.id) && self.set.source.root_mark(root).ok().as_ref() != Some(mark)
            {
                self.committer.forget_gone();
                let what = "was renamed, replaced or unmounted during the run; nothing below it was taken for \
                            removed: run again when it is back";
                return Err(EngineError::Lost { path: root.path.clone(), what });
            }
        }
        Ok(())
    }

    /// Pending files of this run's roots that are not in flight.
    fn claimable(&self) -> u64 {
        let reader = &self.committer.store().reader;
        let pending: u64 = self.set.plan.roots.iter().map(|(root, _)| reader.counts(root.id).pending).sum();
        pending.saturating_sub(self.claims.in_flight())
    }

    /// Claims pending files, plans batches of them and hands them to the workers.
    fn claim(&mut self) -> Result<(), EngineError> {
        let now = self.set.clock.time();
        while self.claims.has_room() && self.claimable() > 0 {
            let files = self.claims.next(&self.committer.store().reader, &self.set.plan.roots, now)?;
            if files.is_empty() {
                break;
            }
            self.hand_out(files);
        }
        Ok(())
    }

    fn hand_out(&mut self, mut files: Vec<DiscoveredFile>) {
        if files.is_empty() {
            return;
        }
        sort(&mut files, self.set.config.order);
        self.outstanding += files.len();
        let load = Load {
            workers: self.set.config.worker_count,
            memory_percent: 0,
            pending_after: self.claimable(),
        };
        for batch in self.planner.plan(files, load, SystemTime::now()) {
            let seen = BatchObservation { files: batch.files.len(), bytes: 0, busy: Duration::ZERO };
            self.batches.insert(batch.batch_id, (batch.files.len(), seen));
            self.set.pool.push(Task::new(batch));
        }
    }

    /// Shows how things stand now and then, also while nothing is committed, since that is when somebody wonders.
    fn look_around(&mut self) {
        let now = Instant::now();
        if now - self.last_look < LOOK_AROUND {
            return;
        }
        self.last_look = now;
        let slow = self.set.board.slow_files(self.set.roots, now);
        for (worker, slow_file) in self.statistics.workers.iter_mut().zip(slow) {
            worker.slow_file = slow_file;
        }
        // With changes under way the counts would not add up until they are committed.
        if self.committer.waiting() == 0 {
            self.publish();
        }
    }

    /// Shows the figures as of the last commit.
    fn publish(&mut self) {
        let counts = {
            let reader = &self.committer.store().reader;
            let sum = |get: fn(&crate::ledger::Counts) -> u64| -> u64 {
                self.set.plan.roots.iter().map(|(root, _)| get(&reader.counts(root.id))).sum()
            };
            (sum(|counts| counts.pending), sum(|counts| counts.pending_bytes))
        };
        let tick = self.committer.store().ledger.cursor().tick;
        let elapsed = self.set.started.elapsed().as_secs_f64();
        let progress = &mut self.statistics.progress;
        progress.take_tally(&self.tally);
        progress.pending = counts.0;
        progress.ticks = tick - self.first_tick;
        progress.elapsed_seconds = elapsed;
        progress.files_per_second = (progress.ok + progress.failed) as f64 / elapsed.max(1e-9);
        self.statistics.pending_bytes = counts.1;
        self.statistics.in_flight = self.claims.in_flight();
        let mut shown = self.set.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.clone_from(&self.statistics);
    }

    /// Closes the job.
    fn finish(mut self, end: JobEnd) -> Result<RepositoryProcessingResult, EngineError> {
        let (job, bytes) = (&self.set.plan.job, self.statistics.progress.bytes);
        let ended = |tally: &Tally| job::ended(job::so_far(job, tally, bytes), end);
        self.statistics.cursor = self.committer.commit(&mut self.tally, true, ended)?;
        self.statistics.state = ProcessingState::Ended;
        self.publish();
        Ok(RepositoryProcessingResult {
            progress: self.statistics.progress,
            resumed: self.set.plan.resumed,
            first_commit_seconds: self.first_commit.map(|elapsed| elapsed.as_secs_f64()),
            peak_rss_bytes: peak_rss_bytes(),
            interrupted: end == JobEnd::Interrupted,
        })
    }
}

/// The process's largest resident memory, where the system tells it.
fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}
