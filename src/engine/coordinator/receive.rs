//! What the coordinator does with each event.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use super::event::Event;
use super::health::release_all;
use super::run_state::AttemptEnd;
use super::{Coordinator, MOMENT, WAKE};
use crate::engine::command::CommandRequest;
use crate::engine::consumers;
use crate::engine::discovery::message::Message;
use crate::engine::dispatch::admission::ChangeOrigin;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::stats::{ProcessingState, StopCause};
use crate::engine::workers::outcome::OutcomeGroup;
use crate::model::{FileKey, Resource};

impl Coordinator<'_> {
    /// Waits for events for at most so long, and handles all that have come.
    pub(super) fn receive(
        &mut self,
        events: &Receiver<Event>,
        wait_max: Duration,
    ) -> Result<(), EngineError> {
        let inputs = self.tick_inputs();
        let wait = match inputs.waiting {
            0 => wait_max,
            _ if self.ticks.policy.is_due(&inputs) => Duration::ZERO,
            _ => self.ticks.policy.until_due(&inputs).clamp(MOMENT, WAKE).min(wait_max),
        };
        if self.committer.is_full() {
            // There is no room on the disk: events wait in the channel.
            std::thread::sleep(wait_max);
            return Ok(());
        }
        let mut next = events.recv_timeout(wait).ok();
        while let Some(event) = next {
            self.take(event)?;
            next = if self.committer.is_full() { None } else { events.try_recv().ok() };
        }
        if inputs.waiting == 0 && self.committer.waiting() > 0 {
            self.ticks.policy.waits_from(self.attempt.now());
        }
        Ok(())
    }

    pub(super) fn take(&mut self, event: Event) -> Result<(), EngineError> {
        match event {
            Event::Discovered(message) => self.take_discovered(message)?,
            Event::Ended(group) => self.take_group(group),
            Event::LogChecked => {
                let now = self.attempt.work.clock.time();
                self.committer.store_mut().log_compared = Some(now);
            }
            Event::Failed(error) => return Err(error),
            Event::Command(CommandRequest { command, reply }) => {
                let done = self.watching.carry_out(command, &mut self.committer, &self.attempt);
                self.answer(&reply, done)?;
            }
            Event::Forget { root, reply } => {
                let done = self.watching.forget(root, &mut self.committer, &self.attempt);
                self.answer(&reply, done)?;
            }
            Event::Checkpoint(reply) => self.ticks.clients.push(reply),
            Event::Asked { changes, reply } => {
                self.committer.know_all_roots();
                self.admit(changes, ChangeOrigin::Client)?;
                self.ticks.clients.push(reply);
            }
            Event::Consumer { change, reply } => {
                let now = self.attempt.work.clock.time();
                let done = consumers::apply(self.committer.store_mut(), &change, now);
                self.compaction.look_again();
                self.answer(&reply, done)?;
            }
            Event::Compact(reply) => self.compaction.ask(reply),
        }
        Ok(())
    }

    /// Sends a client what came of its request, and makes room for another job if one should come first. An error of
    /// the state itself is returned instead: the run can't continue with it.
    fn answer<T>(
        &mut self,
        reply: &SyncSender<Result<T, EngineError>>,
        done: Result<T, EngineError>,
    ) -> Result<(), EngineError> {
        match done {
            Err(error) if error.is_of_the_state() => return Err(error),
            // The client may have gone.
            done => drop(reply.try_send(done)),
        }
        if self.watching.wants_switch(&self.committer, &self.attempt)? {
            self.end(AttemptEnd::Superseded);
        }
        Ok(())
    }

    fn take_discovered(&mut self, message: Message) -> Result<(), EngineError> {
        match message {
            Message::Found { changes, counts, permit } => {
                drop(permit);
                self.run.counts.add(counts);
                self.admit(changes, ChangeOrigin::Scan)?;
            }
            Message::Touched { changes, since, permit } => {
                drop(permit);
                self.admit(changes, ChangeOrigin::Watch { since })?;
            }
            Message::Scanned(report) => {
                for (rule, count) in report.filtered {
                    *self.run.statistics.progress.filtered.entry(rule).or_default() += count;
                }
            }
            Message::ScansEnded => {
                self.discovery.is_scanning = false;
                self.attempt.work.doubts_rules.store(false, Ordering::Relaxed);
                self.committer.set_all_listed();
                if self.run.statistics.state == ProcessingState::Scanning {
                    self.run.statistics.state = self.discovery.activity();
                }
            }
            Message::Unlisted { resource, why, lost: root } => {
                self.discovery.is_incomplete = true;
                // The run waits for a root; one that keeps failing and recovering is left to the next scan.
                let may_wait = resource == Resource::Files && self.run.may_rescan(&self.attempt.work.config);
                let root = root.filter(|_| may_wait).map(|lost| self.attempt.root_monitor.as_given(lost));
                let now = self.attempt.now();
                match self.attempt.root_monitor.lost().or(root) {
                    Some(lost) => {
                        self.run.rescans += u16::from(lost.unlisted);
                        self.lose_root(lost);
                    }
                    None if resource == Resource::Files => self.run.health.note_failure(resource, now),
                    None => {
                        self.run.health.trip(resource, why, now);
                        self.hold();
                    }
                }
            }
            Message::WatchEnded => self.discovery.is_following = false,
            Message::Commit(reply) => self.ticks.clients.push(reply),
            Message::Failed(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes the outcomes of a worker.
    pub(crate) fn take_group(&mut self, mut group: OutcomeGroup) {
        let now = self.attempt.now();
        let noted = self.run.health.note_group(&mut group, &self.attempt.work.budget, now);
        if (noted.tripped || noted.is_final)
            && let Some(lost) = self.attempt.root_monitor.lost()
        {
            release_all(&mut group);
            self.lose_root(lost);
        } else if noted.tripped {
            self.hold();
        }
        let complete = self.dispatch.ended(&mut group);
        self.run.note_group(&group, complete);
        if self.attempt.plan.fails_fast && group.outcomes.iter().any(|outcome| outcome.change.is_failure()) {
            self.end(AttemptEnd::Stopped(StopCause::FailFast));
        }
        self.committer.take_group(group);
    }

    /// Queues changes to be committed, and hands out the files that may bypass the queue.
    pub(super) fn admit(
        &mut self,
        mut changes: Vec<(FileKey, FileEvent)>,
        origin: ChangeOrigin,
    ) -> Result<(), EngineError> {
        let is_open = self.attempt.goes_on() && self.run.health.is_good();
        let scope = self.attempt.claim_scope(&self.committer);
        self.dispatch.admit(&scope, &mut changes, origin, is_open)?;
        self.committer.take_changes(changes);
        Ok(())
    }
}
