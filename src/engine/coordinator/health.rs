//! What holds a run back: breakers, memory, room on the disk.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::engine::commit::committer::Committer;
use crate::engine::lifecycle::transition::{AttemptOutcome, FileEvent};
use crate::engine::resources::breaker::{BreakerStatus, BreakerVerdict, Breakers};
use crate::engine::resources::memory_budget::Budget;
use crate::engine::resources::memory_meter::{Meter, Pressure};
use crate::engine::workers::outcome::{Outcome, OutcomeGroup};
use crate::ledger::free_bytes;
use crate::model::Resource;

/// Room that stays free on the disk, so that a commit never fails at its very end: some segments of the database, and
/// the blocks of a tick of files that lie far apart.
pub(super) const ROOM_BYTES: u64 = 8 << 20;
/// The part of it that the end of a job may still be written into.
pub(super) const LAST_ROOM_BYTES: u64 = 2 << 20;
/// What a change takes in the database at most, on average.
const CHANGE_BYTES: u64 = 512;
/// Descriptors that must be free again before files are opened.
const DESCRIPTORS_FREE: usize = 8;

/// The state of what all files share, over all attempts of a run.
pub(crate) struct Health {
    breakers: Breakers,
    meter: Meter,
    /// As last checked; each attempt checks it first.
    pressure: Pressure,
    /// Returns the free space on a folder's file system.
    free_bytes: FreeBytes,
}

pub(crate) type FreeBytes = fn(&Path) -> std::io::Result<u64>;

/// The answer to whether files may be begun.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Permission {
    Allowed,
    /// Only to find out whether these are back.
    Probe(Vec<Resource>),
    /// Not before a pause is over.
    Held,
    /// Not in this run, as it has waited for this for as long as it may.
    GivenUp {
        resource: Resource,
        why: String,
    },
}

/// The news about the resources in a worker's outcomes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Noted {
    /// A breaker opened, and none was open before.
    pub tripped: bool,
    /// A file could not be read for good.
    pub is_final: bool,
}

impl Health {
    pub(crate) fn new(meter: Meter, breakers: Breakers, free_bytes: FreeBytes) -> Self {
        Self { breakers, meter, pressure: Pressure::default(), free_bytes }
    }

    /// Returns the health as this machine has it.
    pub(crate) fn of_machine(meter: Meter) -> Self {
        Self::new(meter, Breakers::new(), free_bytes)
    }

    pub(crate) fn set_memory_limit(&mut self, limit_bytes: u64) {
        self.meter.set_limit(limit_bytes);
    }

    /// Returns whether nothing is missing.
    pub(crate) fn is_good(&self) -> bool {
        self.breakers.all_closed()
    }

    /// Returns whether this resource is there, as far as known.
    pub(super) fn has(&self, resource: Resource) -> bool {
        self.breakers.is_closed(resource)
    }

    pub(super) fn pressure(&self) -> &Pressure {
        &self.pressure
    }

    pub(super) fn report(&self, now: Instant) -> Vec<BreakerStatus> {
        self.breakers.report(now)
    }

    /// Returns whether files may be begun now, in a run that waits for a missing resource for at most so long. A
    /// breaker whose pause is over becomes half-open by it, until a probe decides.
    pub(super) fn permission(&mut self, wait: Duration, now: Instant) -> Permission {
        if self.is_good() {
            return Permission::Allowed;
        }
        if let Some((resource, why)) = self.given_up(wait, now) {
            return Permission::GivenUp { resource, why };
        }
        let due = Resource::ALL
            .into_iter()
            .filter(|resource| self.breakers.verdict(*resource, now) == BreakerVerdict::Probe);
        let due: Vec<Resource> = due.collect();
        if due.is_empty() { Permission::Held } else { Permission::Probe(due) }
    }

    /// Returns the resource that has been missing for this long, and why.
    pub(crate) fn given_up(&self, wait: Duration, now: Instant) -> Option<(Resource, String)> {
        let (resource, since, why) = self.breakers.open_since()?;
        (now.saturating_duration_since(since) >= wait).then(|| (resource, why.to_owned()))
    }

    /// Returns what compaction waits for.
    pub(super) fn missing_for_compaction(&self, committer: &Committer<'_>) -> Option<(Resource, String)> {
        let open = || self.breakers.open_since().map(|(resource, _, why)| (resource, why.to_owned()));
        self.missing_disk_space(committer, ROOM_BYTES).map(|why| (Resource::Disk, why)).or_else(open)
    }

    /// Returns what the breaker of one resource allows now.
    pub(crate) fn verdict(&mut self, resource: Resource, now: Instant) -> BreakerVerdict {
        self.breakers.verdict(resource, now)
    }

    /// Notes a missing resource.
    pub(crate) fn trip(&mut self, resource: Resource, why: String, now: Instant) {
        self.breakers.trip(resource, why, now);
    }

    /// Notes a failure for want of this resource, which alone says little.
    pub(super) fn note_failure(&mut self, resource: Resource, now: Instant) {
        self.breakers.note(resource, 1, 0, now);
    }

    /// Notes the result of a probe.
    pub(crate) fn probed(&mut self, resource: Resource, works: bool, now: Instant) {
        self.breakers.probed(resource, works, now);
    }

    /// Probes a resource. None if only files can show it.
    pub(super) fn probe(
        &self,
        resource: Resource,
        budget: &Budget,
        committer: &Committer<'_>,
    ) -> Option<bool> {
        match resource {
            Resource::Disk => Some(self.missing_disk_space(committer, ROOM_BYTES).is_none()),
            // Once nothing is in flight, waiting can't help: a few files at a time, then.
            Resource::Memory if self.pressure.over => None,
            Resource::Memory => Some(budget.shortage().is_none()),
            Resource::Descriptors => Some(can_open(DESCRIPTORS_FREE)),
            Resource::Files | Resource::Processor => None,
        }
    }

    /// Checks memory. Returns why a breaker opened for it, if one did.
    pub(super) fn check_memory(&mut self) -> Option<String> {
        self.pressure = self.meter.look();
        self.pressure.why.clone().filter(|_| self.has(Resource::Memory))
    }

    /// Notes which attempts failed for want of a resource. While it is missing, such a failure does not count: the
    /// file stays as it was.
    pub(super) fn note_group(&mut self, group: &mut OutcomeGroup, budget: &Budget, now: Instant) -> Noted {
        let was_good = self.is_good();
        let is_short = |outcome: &Outcome| outcome.short_of == Some(Resource::Memory);
        if group.outcomes.iter().any(is_short)
            && let Some(why) = budget.shortage()
        {
            self.breakers.trip(Resource::Memory, why, now);
        }
        if let Some(why) = group.processor_away.take() {
            self.breakers.trip(Resource::Processor, why, now);
        }
        let is_final = note_outcomes(&mut self.breakers, &mut group.outcomes, now);
        Noted { tripped: was_good && !self.is_good(), is_final }
    }

    /// Returns whether so many bytes are free on a folder's file system.
    pub(crate) fn has_disk_space(&self, folder: &Path, bytes: u64) -> bool {
        (self.free_bytes)(folder).is_ok_and(|free| free >= bytes)
    }

    /// Returns why there is no room for a commit of what waits, and so many bytes beside.
    pub(super) fn missing_disk_space(&self, committer: &Committer<'_>, room_bytes: u64) -> Option<String> {
        let store = committer.store();
        let waiting = committer.waiting() as u64 * CHANGE_BYTES;
        let need = room_bytes + waiting + 2 * committer.waiting_bytes() as u64;
        let records = store.state.records();
        [store.path(), &records].into_iter().find_map(|folder| match (self.free_bytes)(folder) {
            Ok(free) if free >= need => None,
            Ok(free) => Some(format!(
                "{}: {free} bytes are free on its file system, and a commit takes up to {need}; make room",
                folder.display()
            )),
            Err(error) => Some(format!("{}: can't be looked at: {error}", folder.display())),
        })
    }
}

/// Notes outcomes in order of arrival: a success between two failures shows that they are not in a row. Releases
/// files for which something is missing by now. Returns whether a read failed finally.
fn note_outcomes(breakers: &mut Breakers, outcomes: &mut [Outcome], now: Instant) -> bool {
    let mut fine = 0;
    let mut is_final = false;
    for outcome in outcomes {
        let FileEvent::Ended(ending) = &mut outcome.change else { continue };
        let Some(resource) = outcome.short_of else {
            fine += u32::from(ending.end.was_attempted());
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

/// Releases the files that failed for want of something: they stay as they were.
pub(super) fn release_all(group: &mut OutcomeGroup) {
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
            let change = FileEvent::Ended(Attempted { claimed: fingerprint, end, outdated: false });
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

    #[test]
    fn one_answer_says_whether_files_may_be_begun() {
        let meter = Meter::new(u64::MAX, Default::default);
        let mut health = Health::new(meter, Breakers::with_seed(0), |_| Ok(u64::MAX));
        let begun = Instant::now();
        let wait = Duration::from_secs(60);
        assert_eq!(health.permission(wait, begun), Permission::Allowed);
        health.trip(Resource::Disk, "full".to_owned(), begun);
        assert_eq!(health.permission(wait, begun), Permission::Held);
        health.trip(Resource::Descriptors, "none left".to_owned(), begun);
        let later = begun + Duration::from_secs(30);
        let both = vec![Resource::Disk, Resource::Descriptors];
        assert_eq!(health.permission(wait, later), Permission::Probe(both));
        // One that is not back yet keeps no other from being probed.
        health.probed(Resource::Disk, true, later);
        assert_eq!(health.permission(wait, later), Permission::Probe(vec![Resource::Descriptors]));
        let given_up = Permission::GivenUp { resource: Resource::Descriptors, why: "none left".to_owned() };
        assert_eq!(health.permission(wait, begun + wait), given_up);
        health.probed(Resource::Descriptors, true, later);
        assert_eq!(health.permission(wait, begun + wait), Permission::Allowed);
    }
}
