//! The loop of a run: receive news, commit when a tick is due, claim and plan what is pending.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant, SystemTime};

use super::change::{Change, End};
use super::committer::Committer;
use super::error::EngineError;
use super::job::{self, JobPlan};
use super::pool::{Pool, Task};
use super::results::{BatchStatistics, ProcessingState, RepositoryProcessingResult};
use super::run::{Event, RunOptions, Shared};
use super::stop::Stop;
use super::tally::Tally;
use super::worker::OutcomeGroup;
use crate::batch::{BatchObservation, BatchStrategy, Load, Planner, sort};
use crate::ledger::{Entry, JobEnd, ReadyPosition};
use crate::model::{BatchConfig, Cursor, DiscoveredFile, FileKey};

/// Files handed out beyond what is committed: enough that a slow sync leaves no worker idle.
const IN_FLIGHT_MAX: usize = 16_384;
/// Changes that make a tick due at once, so that memory stays bounded.
const WAITING_MAX: usize = 8_192;
const WAITING_BYTES_MAX: usize = 8 << 20;
/// A tick that is not due by time has to have earned back the last one's cost this many times.
const TICK_COST_FACTOR: u32 = 20;
/// A file whose failure may pass is tried again after this.
const RETRY_DELAY: Duration = Duration::from_millis(250);
/// How often the loop looks up while nothing comes in.
const LOOK_UP: Duration = Duration::from_millis(20);

pub(crate) struct Coordinator<'a> {
    committer: &'a mut Committer,
    plan: &'a JobPlan,
    config: &'a BatchConfig,
    planner: Planner,
    pool: &'a Pool,
    stop: &'a Stop,
    halt: &'a Stop,
    shared: &'a Shared,
    hasher: RandomState,
    /// Hashes of the keys that were claimed and are still pending in the ledger.
    in_flight: HashSet<u64>,
    /// Files handed to workers whose outcome has not come yet.
    outstanding: usize,
    /// Outcomes of the coming tick: not in flight any more once it is committed.
    ended: Vec<u64>,
    retries: Vec<(Instant, FileKey)>,
    position: ReadyPosition,
    batches: HashMap<u64, (usize, BatchObservation)>,
    scanning: bool,
    /// No run ends well on a log that is damaged: it waits for the check, unless it is stopped.
    checking: bool,
    tally: Tally,
    statistics: BatchStatistics,
    started: Instant,
    last_tick: Instant,
    tick_cost: Duration,
    first_tick: u64,
    first_commit: Option<Duration>,
    checkpoints: Vec<SyncSender<Cursor>>,
}

impl<'a> Coordinator<'a> {
    #[expect(clippy::too_many_arguments, reason = "called once, by the run that owns all of these")]
    pub(crate) fn new(
        committer: &'a mut Committer,
        plan: &'a JobPlan,
        config: &'a BatchConfig,
        options: &RunOptions,
        strategy: Box<dyn BatchStrategy>,
        pool: &'a Pool,
        (stop, halt): (&'a Stop, &'a Stop),
        shared: &'a Shared,
    ) -> Self {
        let first_tick = committer.store().ledger.cursor().tick;
        let tally = Tally { discovered: plan.pending_at_start, ..Tally::default() };
        let mut statistics =
            BatchStatistics { state: ProcessingState::Scanning, ..BatchStatistics::default() };
        statistics.progress.job = plan.job.id;
        statistics.workers = vec![Default::default(); config.worker_count];
        Self {
            committer,
            plan,
            config,
            planner: Planner::new(strategy),
            pool,
            stop,
            halt,
            shared,
            hasher: RandomState::new(),
            in_flight: HashSet::new(),
            outstanding: 0,
            ended: Vec::new(),
            retries: Vec::new(),
            position: ReadyPosition::default(),
            batches: HashMap::new(),
            scanning: true,
            checking: true,
            tally,
            statistics,
            started: options.started,
            last_tick: Instant::now(),
            tick_cost: Duration::ZERO,
            first_tick,
            first_commit: None,
            checkpoints: Vec::new(),
        }
    }

    /// Runs until all is done, or a stop has been carried out.
    pub(crate) fn run(mut self, events: &Receiver<Event>) -> Result<RepositoryProcessingResult, EngineError> {
        let result = self.until_done(events);
        if result.is_err() {
            self.halt.request();
            self.statistics.state = ProcessingState::Ended;
            self.publish();
        }
        let interrupted = result?;
        self.finish(interrupted)
    }

    fn until_done(&mut self, events: &Receiver<Event>) -> Result<bool, EngineError> {
        loop {
            if self.stop.is_requested() && !self.halt.is_requested() {
                self.drain();
            }
            if !self.halt.is_requested() {
                self.retry_what_is_due()?;
                self.claim()?;
            }
            self.receive(events)?;
            if self.tick_is_due() {
                self.commit()?;
            }
            if self.is_done() {
                return Ok(self.halt.is_requested());
            }
        }
    }

    /// Stops claiming; the workers finish the files in hand and release the rest.
    fn drain(&mut self) {
        self.halt.request();
        self.statistics.state = ProcessingState::Draining;
        tracing::info!(in_hand = self.outstanding, "stopping: finishing the files in hand");
        while let Some(mut task) = self.pool.take_back() {
            self.outstanding -= task.len();
            while task.next_file().is_some() {}
        }
    }

    fn is_done(&self) -> bool {
        if self.scanning || self.outstanding > 0 || self.committer.waiting() > 0 {
            return false;
        }
        self.halt.is_requested() || (!self.checking && self.retries.is_empty() && self.claimable() == 0)
    }

    fn receive(&mut self, events: &Receiver<Event>) -> Result<(), EngineError> {
        let wait = BatchConfig::TICK.saturating_sub(self.last_tick.elapsed()).min(LOOK_UP);
        let wait = if self.tick_is_due() { Duration::ZERO } else { wait.max(Duration::from_millis(1)) };
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
            match &outcome.change {
                Change::Ended(ending) if ending.end == End::Again => {
                    self.retries.push((Instant::now() + RETRY_DELAY, outcome.key.clone()));
                }
                _ => self.ended.push(self.hasher.hash_one(&outcome.key)),
            }
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
            || (earned && (self.ended.len() >= self.config.checkpoint_interval || self.pool.hungry() > 0))
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        let begun = Instant::now();
        let (ok, failed) = (self.tally.ok, self.tally.failed);
        let (job, bytes) = (&self.plan.job, self.statistics.progress.bytes);
        let cursor = self.committer.commit(&mut self.tally, false, |tally| job::so_far(job, tally, bytes))?;
        for hash in self.ended.drain(..) {
            self.in_flight.remove(&hash);
        }
        self.last_tick = Instant::now();
        self.tick_cost = self.last_tick - begun;
        if self.first_commit.is_none() && (ok, failed) != (self.tally.ok, self.tally.failed) {
            self.first_commit = Some(self.started.elapsed());
        }
        self.statistics.cursor = cursor;
        self.publish();
        for reply in self.checkpoints.drain(..) {
            // Whoever asked may have gone.
            let _ = reply.try_send(cursor);
        }
        Ok(())
    }

    /// Pending files of this run's roots that are not in flight.
    fn claimable(&self) -> u64 {
        self.pending().saturating_sub(self.in_flight.len() as u64)
    }

    fn pending(&self) -> u64 {
        let reader = &self.committer.store().reader;
        self.plan.roots.iter().map(|(root, _)| reader.counts(root.id).pending).sum()
    }

    /// Claims pending files from the ledger, plans batches of them and hands them to the workers.
    fn claim(&mut self) -> Result<(), EngineError> {
        let mut wrapped = false;
        while self.in_flight.len() <= IN_FLIGHT_MAX / 2 && self.claimable() > 0 {
            let limit = IN_FLIGHT_MAX - self.in_flight.len();
            let ready = self.committer.store().reader.ready(&self.position, limit)?;
            let files: Vec<DiscoveredFile> =
                ready.files.into_iter().filter_map(|(key, entry)| self.claim_one(key, &entry)).collect();
            if !files.is_empty() {
                wrapped = false;
                self.hand_out(files);
            }
            match ready.next {
                Some(next) => self.position = next,
                None if wrapped => break,
                None => {
                    self.position = ReadyPosition::default();
                    wrapped = true;
                }
            }
        }
        Ok(())
    }

    fn claim_one(&mut self, key: FileKey, entry: &Entry) -> Option<DiscoveredFile> {
        let epoch = self.plan.roots.iter().find(|(root, _)| root.id == key.root())?.1.epoch;
        if !self.in_flight.insert(self.hasher.hash_one(&key)) {
            return None;
        }
        let recorded =
            entry.record.as_ref().filter(|record| record.epoch == epoch).and_then(|record| record.digest);
        Some(DiscoveredFile { key, fingerprint: entry.fingerprint, attempts: entry.attempts, recorded })
    }

    fn hand_out(&mut self, mut files: Vec<DiscoveredFile>) {
        sort(&mut files, self.config.order);
        self.outstanding += files.len();
        let load =
            Load { workers: self.config.worker_count, memory_percent: 0, pending_after: self.claimable() };
        for batch in self.planner.plan(files, load, SystemTime::now()) {
            let seen = BatchObservation { files: batch.files.len(), bytes: 0, busy: Duration::ZERO };
            self.batches.insert(batch.batch_id, (batch.files.len(), seen));
            self.pool.push(Task::new(batch));
        }
    }

    /// Claims those again whose failure may have passed. They stayed pending, and in flight.
    fn retry_what_is_due(&mut self) -> Result<(), EngineError> {
        let now = Instant::now();
        if self.committer.waiting() > 0 || self.retries.iter().all(|(due, _)| *due > now) {
            return Ok(());
        }
        let (due, later) = std::mem::take(&mut self.retries).into_iter().partition(|(due, _)| *due <= now);
        self.retries = later;
        let mut files = Vec::new();
        for (_, key) in Vec::<(Instant, FileKey)>::from_iter::<Vec<_>>(due) {
            self.in_flight.remove(&self.hasher.hash_one(&key));
            if let Some(entry) = self.committer.store().reader.get(&key)?.filter(|entry| entry.pending) {
                files.extend(self.claim_one(key, &entry));
            }
        }
        self.hand_out(files);
        Ok(())
    }

    /// Shows the figures as of the last commit.
    fn publish(&mut self) {
        let counts = {
            let reader = &self.committer.store().reader;
            let sum = |get: fn(&crate::ledger::Counts) -> u64| -> u64 {
                self.plan.roots.iter().map(|(root, _)| get(&reader.counts(root.id))).sum()
            };
            (sum(|counts| counts.pending), sum(|counts| counts.pending_bytes))
        };
        let tick = self.committer.store().ledger.cursor().tick;
        let elapsed = self.started.elapsed().as_secs_f64();
        let progress = &mut self.statistics.progress;
        progress.take_tally(&self.tally);
        progress.pending = counts.0;
        progress.ticks = tick - self.first_tick;
        progress.elapsed_seconds = elapsed;
        progress.files_per_second = (progress.ok + progress.failed) as f64 / elapsed.max(1e-9);
        self.statistics.pending_bytes = counts.1;
        self.statistics.in_flight = self.in_flight.len() as u64;
        let mut shown = self.shared.statistics.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shown.clone_from(&self.statistics);
    }

    /// Closes the job.
    fn finish(mut self, interrupted: bool) -> Result<RepositoryProcessingResult, EngineError> {
        let end = if interrupted { JobEnd::Interrupted } else { JobEnd::Completed };
        let (job, bytes) = (&self.plan.job, self.statistics.progress.bytes);
        let ended = |tally: &Tally| job::ended(job::so_far(job, tally, bytes), end);
        self.statistics.cursor = self.committer.commit(&mut self.tally, true, ended)?;
        self.statistics.state = ProcessingState::Ended;
        self.publish();
        Ok(RepositoryProcessingResult {
            progress: self.statistics.progress,
            resumed: self.plan.resumed,
            first_commit_seconds: self.first_commit.map(|elapsed| elapsed.as_secs_f64()),
            peak_rss_bytes: peak_rss_bytes(),
            interrupted,
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
