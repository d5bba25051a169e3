//! What holds a run back: breakers, memory, room on the disk, roots that went away.

use std::time::{Duration, Instant};

use super::Coordinator;
use super::run_state::{AttemptEnd, Interruption};
use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition::{AttemptOutcome, FileEvent};
use crate::engine::resources::breaker::{BreakerVerdict, Breakers};
use crate::engine::roots::identity::LostRoot;
use crate::engine::stats::ProcessingState;
use crate::engine::workers::outcome::{Outcome, OutcomeGroup};
use crate::model::Resource;

/// Room that stays free on the disk, so that a commit never fails at its very end: some segments of the database, and
/// the blocks of a tick of files that lie far apart.
const ROOM_BYTES: u64 = 8 << 20;
/// The part of it that the end of a job may still be written into.
const LAST_ROOM_BYTES: u64 = 2 << 20;
/// What a change takes in the database at most, on average.
const CHANGE_BYTES: u64 = 512;
/// Descriptors that must be free again before files are opened.
const DESCRIPTORS_FREE: usize = 8;

impl Coordinator<'_> {
    /// Notes which attempts failed for want of a resource. While it is missing, such a failure does not count: the
    /// file stays as it was.
    pub(super) fn note_breakers(&mut self, group: &mut OutcomeGroup) {
        let (now, was_closed) = (self.now(), self.run.breakers.all_closed());
        let is_short = |outcome: &Outcome| outcome.short_of == Some(Resource::Memory);
        if group.outcomes.iter().any(is_short)
            && let Some(why) = self.set.context.budget.shortage()
        {
            self.run.breakers.trip(Resource::Memory, why, now);
        }
        let is_final = note_outcomes(&mut self.run.breakers, &mut group.outcomes, now);
        let tripped = was_closed && !self.run.breakers.all_closed();
        if (tripped || is_final)
            && let Some(lost) = self.set.guard.lost()
        {
            release_all(group);
            self.lost_root(lost);
        } else if tripped {
            self.hold();
        }
    }

    /// Takes back what is not begun, and publishes that the run waits.
    fn hold(&mut self) {
        self.take_back();
        if self.ending.is_none() {
            let now = self.now();
            self.run.publish_state(self.set.shown, ProcessingState::Waiting, now);
        }
    }

    pub(super) fn trip(&mut self, resource: Resource, why: String) {
        let now = self.now();
        self.run.breakers.trip(resource, why, now);
        self.hold();
    }

    /// Ends the attempt for a root that has changed identity: its files have to be listed again when it is back.
    pub(crate) fn lost_root(&mut self, lost: LostRoot) {
        // A watching process continues with its other roots.
        if self.watch_state.is_none() {
            self.trip(Resource::Files, lost.to_string());
        }
        self.end(AttemptEnd::Hindered(Interruption::Root(lost)));
    }

    /// Handles a directory that could not be listed: it is listed again once what was missing is there. If it is a
    /// root, the run waits for it; one that keeps failing and recovering is left to the next scan.
    pub(super) fn unlisted(&mut self, resource: Resource, why: String, root: Option<LostRoot>) {
        self.unlisted = true;
        let may_wait = resource == Resource::Files && self.run.rescans + 1 < self.config().retry_attempts;
        let root = root.filter(|_| may_wait).map(|lost| self.set.guard.as_given(lost));
        match self.set.guard.lost().or(root) {
            Some(lost) => {
                self.run.rescans += u16::from(lost.unlisted);
                self.lost_root(lost);
            }
            None if resource == Resource::Files => {
                let now = self.now();
                self.run.breakers.note(resource, 1, 0, now);
            }
            None => self.trip(resource, why),
        }
    }

    /// Returns whether files may be claimed. Probes whether a missing resource is back.
    pub(super) fn may_claim(&mut self) -> Result<bool, EngineError> {
        if self.run.breakers.all_closed() {
            let is_paused = self.set.control_flags.is_paused();
            self.note_pause(is_paused);
            return Ok(!is_paused);
        }
        let now = self.now();
        let wait = Duration::from_secs(self.config().wait_seconds);
        if let Some(given_up) = self.run.given_up(wait, now) {
            self.end(given_up);
            return Ok(false);
        }
        for resource in Resource::ALL {
            if let BreakerVerdict::Probe = self.run.breakers.verdict(resource, now) {
                self.probe(resource, now)?;
            }
        }
        if self.run.breakers.all_closed() {
            self.run.statistics.state = self.working();
        }
        Ok(false)
    }

    /// Publishes a pause that begins or ends.
    fn note_pause(&mut self, is_paused: bool) {
        if is_paused == (self.run.statistics.state == ProcessingState::Paused) {
            return;
        }
        if is_paused {
            self.take_back();
        }
        let (state, now) = (if is_paused { ProcessingState::Paused } else { self.working() }, self.now());
        tracing::info!(%is_paused, "a pause begins or ends");
        self.run.publish_state(self.set.shown, state, now);
    }

    fn probe(&mut self, resource: Resource, now: Instant) -> Result<(), EngineError> {
        let works = match resource {
            Resource::Disk => Some(self.lacks_room().is_none()),
            // Once nothing is in flight, waiting can't help: a few files at a time, then.
            Resource::Memory if self.run.pressure.over => self.probe_with_files(resource)?,
            Resource::Memory => Some(self.set.context.budget.shortage().is_none()),
            Resource::Descriptors => Some(can_open(DESCRIPTORS_FREE)),
            Resource::Files | Resource::Processor => self.probe_with_files(resource)?,
        };
        if let Some(works) = works {
            self.run.breakers.probed(resource, works, now);
        }
        Ok(())
    }

    /// Tries a few files; their outcomes decide. None as long as these are not known.
    fn probe_with_files(&mut self, resource: Resource) -> Result<Option<bool>, EngineError> {
        if resource == Resource::Files
            && let Some(lost) = self.set.guard.lost()
        {
            self.lost_root(lost);
            return Ok(Some(false));
        }
        if self.dispatch.outstanding() > 0 || self.committer.waiting() > 0 {
            return Ok(None);
        }
        let now = self.set.context.clock.time();
        let (reader, roots) = (&self.committer.store().reader, &self.set.plan.own);
        let none = self.dispatch.claim_probe(reader, roots, now)?;
        Ok(none.then_some(true))
    }

    /// Returns whether there is room for a commit; if not, the run waits for it.
    pub(super) fn has_room(&mut self) -> bool {
        if let Some(why) = self.lacks_room() {
            if self.run.breakers.is_closed(Resource::Disk) {
                self.trip(Resource::Disk, why);
            }
            return false;
        }
        self.run.breakers.is_closed(Resource::Disk)
    }

    pub(super) fn lacks_room(&self) -> Option<String> {
        self.lacks_room_beside(ROOM_BYTES)
    }

    /// Returns whether room is lacking for the commit that ends the job.
    pub(super) fn lacks_last_room(&self) -> bool {
        self.lacks_room_beside(LAST_ROOM_BYTES).is_some()
    }

    fn lacks_room_beside(&self, room_bytes: u64) -> Option<String> {
        let store = self.committer.store();
        let waiting = self.committer.waiting() as u64 * CHANGE_BYTES;
        let need = room_bytes + waiting + 2 * self.committer.waiting_bytes() as u64;
        let records = store.state.records();
        [store.path(), &records].into_iter().find_map(|folder| match (self.run.free_bytes)(folder) {
            Ok(free) if free >= need => None,
            Ok(free) => Some(format!(
                "{}: {free} bytes are free on its file system, and a commit takes up to {need}; make room",
                folder.display()
            )),
            Err(error) => Some(format!("{}: can't be looked at: {error}", folder.display())),
        })
    }

    /// Checks memory.
    pub(super) fn look_at_machine(&mut self) {
        let pressure = self.run.meter.look();
        if let Some(why) = &pressure.why
            && self.run.breakers.is_closed(Resource::Memory)
        {
            self.trip(Resource::Memory, why.clone());
        }
        self.run.pressure = pressure;
    }
}

/// Notes outcomes in order of arrival: a success between two failures shows that they are not in a row. Releases
/// files for which something is missing by now. True if a file could not be read for good.
fn note_outcomes(breakers: &mut Breakers, outcomes: &mut [Outcome], now: Instant) -> bool {
    let (mut fine, mut is_final) = (0, false);
    for outcome in outcomes {
        let FileEvent::Ended(ending) = &mut outcome.change else { continue };
        let Some(resource) = outcome.short_of else {
            fine += u32::from(!matches!(
                ending.end,
                AttemptOutcome::Released | AttemptOutcome::Hidden | AttemptOutcome::Gone
            ));
            continue;
        };
        note_fine(breakers, std::mem::take(&mut fine), now);
        breakers.note(resource, 1, 0, now);
        is_final |= resource == Resource::Files && matches!(ending.end, AttemptOutcome::Recorded { .. });
        if !breakers.is_closed(resource) {
            ending.end = AttemptOutcome::Released;
        }
    }
    note_fine(breakers, fine, now);
    is_final
}

fn note_fine(breakers: &mut Breakers, files: u32, now: Instant) {
    if files > 0 {
        for resource in [Resource::Files, Resource::Descriptors, Resource::Processor] {
            breakers.note(resource, 0, files, now);
        }
    }
}

fn release_all(group: &mut OutcomeGroup) {
    for outcome in &mut group.outcomes {
        if let (FileEvent::Ended(ending), Some(_)) = (&mut outcome.change, outcome.short_of) {
            ending.end = AttemptOutcome::Released;
        }
    }
}

/// Returns whether so many files can be opened.
pub(crate) fn can_open(files: usize) -> bool {
    let opened: Result<Vec<_>, _> = (0..files).map(|_| std::fs::File::open("/dev/null")).collect();
    opened.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::lifecycle::transition::Attempted;
    use crate::ledger::Retry;
    use crate::model::{Digest, ErrorClass, FileKey, Fingerprint, RootId, Timestamp};

    /// Creates outcomes of so many files, of which each `nth` could not be read.
    fn outcomes(files: usize, nth: usize) -> Vec<Outcome> {
        let fingerprint = Fingerprint::default();
        let one = |number: usize| {
            let failed = number.is_multiple_of(nth);
            let again = Retry { class: ErrorClass::IoTransient, at: Timestamp(0) };
            let done = AttemptOutcome::Recorded {
                fingerprint,
                racy: false,
                digest: Some(Digest([0; 16])),
                failure: None,
            };
            let end = if failed { AttemptOutcome::Again(again) } else { done };
            let key = FileKey::from_relative_path(RootId(1), format!("{number}").as_bytes()).unwrap();
            let change = FileEvent::Ended(Attempted { claimed: fingerprint, end });
            Outcome { key, change, line: 0, short_of: failed.then_some(Resource::Files) }
        };
        (0..files).map(one).collect()
    }

    #[test]
    fn failures_far_apart_in_one_group_are_not_in_a_row() {
        let is_open = |mut outcomes: Vec<Outcome>| {
            let mut breakers = Breakers::with_seed(0);
            note_outcomes(&mut breakers, &mut outcomes, Instant::now());
            !breakers.is_closed(Resource::Files)
        };
        assert!(!is_open(outcomes(256, 40)));
        assert!(is_open(outcomes(5, 1)));
        assert!(is_open(outcomes(40, 2)), "half of the last 20");
    }
}
