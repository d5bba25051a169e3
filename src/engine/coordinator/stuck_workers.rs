//! Handles workers that do not come back, a drain that exceeds its time, and a processor that brings the process
//! down.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Coordinator;
use super::event::Event;
use super::run_state::AttemptEnd;
use crate::engine::error::EngineError;
use crate::engine::workers::record::{crashed_outcome, overdue_outcome};
use crate::engine::workers::slots::Reclaimed;
use crate::model::{DiscoveredFile, FileKey, Resource};

/// Abandoned threads that have not come back, at most: each keeps its memory.
const ABANDONED_MAX: usize = 256;
/// A file that is in flight for longer than this holds up the files behind it.
const SLOW_FILE: Duration = Duration::from_millis(200);
/// How long a dying process waits for the files that other workers are processing.
const LAST_FILES: Duration = Duration::from_millis(1_500);
/// How long a process takes to die.
const DEATH: Duration = Duration::from_secs(10);

impl Coordinator<'_> {
    /// Fails files in flight for too long, and replaces their workers.
    pub(super) fn reclaim_overdue(&mut self, now: Instant) -> Result<(), EngineError> {
        let limit = Duration::from_secs(self.config().timeout_seconds);
        for reclaimed in self.set.context.slots.reclaim_overdue(limit, now) {
            let overdue = overdue_outcome(self.set.context, &reclaimed);
            let worker = reclaimed.worker;
            self.take_over(reclaimed);
            if self.set.context.budget.given_up() > ABANDONED_MAX {
                let why = format!("the processor did not come back from {ABANDONED_MAX} files");
                self.end(AttemptEnd::GaveUp { resource: Resource::Processor, why });
            }
            self.set
                .pool
                .replace(worker)
                .map_err(EngineError::no_threads("a worker in place of one that hangs"))?;
            if let Some(overdue) = overdue {
                self.take_group(overdue);
            }
        }
        Ok(())
    }

    /// Passes what waits behind a slow file to idle workers.
    pub(super) fn share_rests(&self, now: Instant) {
        if self.dispatch.hungry() > 0 {
            let rests = self.set.context.slots.take_rests(SLOW_FILE, now);
            rests.into_iter().for_each(|rest| self.dispatch.pass_on(rest));
        }
    }

    /// Takes what a seized slot held: finished outcomes count, the rest goes to other workers.
    fn take_over(&mut self, reclaimed: Reclaimed) -> Option<DiscoveredFile> {
        if !reclaimed.group.outcomes.is_empty() {
            self.take_group(reclaimed.group);
        }
        if let Some(rest) = reclaimed.rest {
            self.dispatch.pass_on(rest);
        }
        reclaimed.file
    }

    /// Abandons what is in flight: it stays pending.
    pub(super) fn abandon_all(&mut self) {
        for reclaimed in self.set.context.slots.seize_all() {
            if let Some(path) =
                reclaimed.file.as_ref().and_then(|file| self.set.context.roots.path_of(&file.key))
            {
                tracing::warn!(path = %path.display(), "abandoned: it is still pending");
            }
            self.set.pool.abandon(reclaimed.worker);
            self.take_over(reclaimed);
        }
    }

    /// Counts a crash against the only file in flight when the kernel killed an earlier process for want of memory.
    pub(crate) fn blame(&mut self, key: FileKey) -> Result<(), EngineError> {
        let entry = self.committer.store().reader.get(&key)?;
        let Some(entry) = entry.filter(|entry| entry.pending) else { return Ok(()) };
        let (fingerprint, attempts) = (entry.fingerprint, entry.attempts);
        let file = DiscoveredFile { key, fingerprint, attempts, recorded: None };
        self.take_group(crashed_outcome(self.set.context, 0, 0, &file, entry.crashes));
        Ok(())
    }

    /// Commits what is finished and which file is at fault, while a processor is bringing the process down. The dying
    /// thread waits for that.
    pub(super) fn last_words(
        &mut self,
        seat: usize,
        events: &Receiver<Event>,
    ) -> Result<Option<AttemptEnd>, EngineError> {
        self.set.halt.request();
        self.take_back();
        let mut path = PathBuf::new();
        let mut crash_signal = Some(seat);
        while let Some(seat) = crash_signal {
            if let Some(reclaimed) = self.set.context.slots.seize(seat) {
                path = self.convict(reclaimed)?.unwrap_or(path);
            }
            self.await_others(events)?;
            // Another thread may be dying of the same.
            crash_signal = self.set.context.crash_signal.poll();
        }
        self.commit()?;
        self.set.context.crash_signal.let_go();
        std::thread::sleep(DEATH);
        Err(EngineError::Crashed { path })
    }

    /// Attributes the crash to this slot's current file; returns its path.
    fn convict(&mut self, reclaimed: Reclaimed) -> Result<Option<PathBuf>, EngineError> {
        let (worker, batch) = (reclaimed.worker, reclaimed.group.batch_id);
        self.set.pool.abandon(worker);
        // What is not begun is still pending.
        let Reclaimed { rest, .. } = reclaimed;
        self.dispatch.forget(rest);
        let Some(file) = self.take_over(Reclaimed { rest: None, ..reclaimed }) else { return Ok(None) };
        let path = self.set.context.roots.path_of(&file.key).unwrap_or_default();
        let crashes = self.committer.store().reader.get(&file.key)?.map_or(0, |entry| entry.crashes);
        tracing::error!(path = %path.display(), crashes, "the processor brings the process down");
        self.take_group(crashed_outcome(self.set.context, worker, batch, &file, crashes));
        Ok(Some(path))
    }

    /// Takes the outcomes of the other workers' files, for as long as a dying process waits.
    fn await_others(&mut self, events: &Receiver<Event>) -> Result<(), EngineError> {
        let until = self.now() + LAST_FILES;
        while self.dispatch.outstanding() > 0 {
            let wait = until.saturating_duration_since(self.now());
            if wait.is_zero() {
                break;
            }
            match events.recv_timeout(wait) {
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(())
    }
}
