//! Files that a watcher reports: they bypass bulk work.
//!
//! The change of such a file is queued with the committer as any other, and the file goes to the workers at once,
//! mostly before the tick that makes it pending: that tick may well commit its outcome, too. Should the process die
//! before, the ledger knows nothing of it, and nothing is lost: a start scans.
//!
//! A file is never in flight twice. One that waits in a bulk batch is taken out of it. One that a worker has begun,
//! or whose outcome waits for the tick, is checked again when that is committed.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Instant;

use super::Coordinator;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::workers::outcome::OutcomeGroup;
use crate::ledger::Entry;
use crate::model::FileKey;

/// Changed files under way at most: further ones are pending as all else.
const TOUCHED_MAX: usize = 32_768;

/// Changed files whose outcome is not committed.
#[derive(Debug, Default)]
pub(crate) struct ChangedFiles {
    files: HashMap<FileKey, ChangedFile>,
    /// Those that the coming tick settles, or after which they should be checked again.
    ended: Vec<FileKey>,
}

#[derive(Debug, Clone, Copy)]
struct ChangedFile {
    /// When its oldest change was reported.
    since: Instant,
    /// It changed again while a worker had it: to a version within one tick of its file system's clock, say, which
    /// looks like the one that was read.
    again: bool,
}

/// A changed file that is due, as it will be in the ledger.
struct DueFile {
    key: FileKey,
    entry: Entry,
    /// Whether the ledger holds it as pending only from the coming tick on.
    is_early: bool,
    /// When its oldest change was reported.
    since: Instant,
}

impl ChangedFiles {
    /// Returns whether the next tick should come soon.
    pub(super) fn wait_for_tick(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Notes changed files whose outcomes have arrived.
    pub(super) fn note_group(&mut self, group: &OutcomeGroup) {
        if self.files.is_empty() {
            return;
        }
        let keys = group.outcomes.iter().map(|outcome| &outcome.key);
        self.ended.extend(keys.filter(|key| self.files.contains_key(*key)).cloned());
    }

    fn has_room(&self) -> bool {
        self.files.len() < TOUCHED_MAX
    }

    /// Notes a change of a file that a worker gets, or, if `again`, already has.
    fn note(&mut self, key: &FileKey, since: Instant, again: bool) {
        let file = self.files.entry(key.clone()).or_insert(ChangedFile { since, again });
        *file = ChangedFile { since: since.min(file.since), again };
    }
}

impl Coordinator<'_> {
    /// Queues the changes, and hands out the files that they make due.
    pub(super) fn take_touched(
        &mut self,
        mut changes: Vec<(FileKey, FileEvent)>,
        since: Instant,
    ) -> Result<(), EngineError> {
        self.hold_hidden(&changes);
        if self.may_overtake() {
            let due = self.due_of(&mut changes, since)?;
            self.hand_out_touched(due);
        } else {
            self.makes_claimable = true;
        }
        self.committer.take_changes(changes);
        Ok(())
    }

    /// Keeps files that rules now exclude from being begun.
    pub(super) fn hold_hidden(&mut self, changes: &[(FileKey, FileEvent)]) {
        let hidden = changes.iter().filter(|(_, change)| matches!(change, FileEvent::Hidden(_)));
        let hidden: Vec<&FileKey> = hidden.map(|(key, _)| key).collect();
        if hidden.is_empty() {
            return;
        }
        let claims = &self.dispatch.claims;
        let in_flight = hidden.iter().copied().filter(|key| claims.is_in_flight(key)).collect();
        let taken_out = self.dispatch.take_out(&in_flight);
        for key in hidden.into_iter().filter(|key| !in_flight.contains(key) || taken_out.contains(*key)) {
            self.dispatch.claims.hold(key);
        }
    }

    /// Returns whether changed files may be handed out: not while a resource is missing, at the end, or beside a file
    /// that must run alone.
    pub(super) fn may_overtake(&self) -> bool {
        let goes_on = !self.set.halt.is_requested() && !self.set.stop.is_requested();
        goes_on
            && !self.set.control_flags.is_paused()
            && self.run.breakers.all_closed()
            && !self.dispatch.is_alone()
    }

    /// Returns the files that these changes make due. For removed ones a tick should come soon.
    fn due_of(
        &mut self,
        changes: &mut [(FileKey, FileEvent)],
        since: Instant,
    ) -> Result<Vec<DueFile>, EngineError> {
        let mut due = Vec::new();
        for preview in self.preview(changes)? {
            if !self.touched.has_room() {
                break;
            }
            let key = preview.key;
            if preview.is_gone {
                self.touched.note(key, since, false);
                self.touched.ended.push(key.clone());
            } else if let Some((entry, is_early)) = preview.due() {
                due.push(DueFile { key: key.clone(), entry, is_early, since });
            }
        }
        Ok(due)
    }

    /// Hands out due files that are not in flight; notes those that are.
    fn hand_out_touched(&mut self, due: Vec<DueFile>) {
        let claims = &self.dispatch.claims;
        let in_flight: Vec<&DueFile> = due.iter().filter(|due| claims.is_in_flight(&due.key)).collect();
        if !in_flight.is_empty() {
            let taken_out = self.dispatch.take_out(&in_flight.iter().map(|due| &due.key).collect());
            for due in in_flight.into_iter().filter(|due| !taken_out.contains(&due.key)) {
                self.touched.note(&due.key, due.since, true);
                if self.dispatch.claims.has_ended(&due.key) {
                    self.touched.ended.push(due.key.clone());
                }
            }
        }
        let (roots, now) = (&self.set.plan.roots, self.set.context.clock.time());
        let mut files = Vec::new();
        for DueFile { key, entry, is_early, since } in due {
            if let Some(file) = self.dispatch.claims.claim_early(key, &entry, is_early, roots, now) {
                self.touched.note(&file.key, since, false);
                files.push(file);
            }
        }
        self.dispatch.hand_out_urgent(files);
    }

    /// Notes what a tick settled, and hands out again what is still due.
    pub(super) fn settle_touched(&mut self) -> Result<(), EngineError> {
        self.look_for_doubted()?;
        if self.touched.ended.is_empty() {
            return Ok(());
        }
        let mut ended = std::mem::take(&mut self.touched.ended);
        ended.sort_unstable();
        ended.dedup();
        let entries = self.committer.store().reader.lookup(&ended)?;
        let now = self.set.context.clock.instant();
        let may_overtake = self.may_overtake();
        let (mut again, mut unsure) = (Vec::new(), Vec::new());
        for (key, entry) in ended.into_iter().zip(entries) {
            if self.dispatch.claims.is_in_flight(&key) {
                continue;
            }
            let Some(file) = self.touched.files.remove(&key) else { continue };
            match entry {
                Some(entry) if entry.pending => {
                    again.push(DueFile { key, entry, is_early: false, since: file.since });
                }
                Some(entry) if file.again && entry.recheck => {
                    unsure.push((key, entry.fingerprint, file.since));
                }
                _ => self.run.latency.note(now.saturating_duration_since(file.since)),
            }
        }
        // If not, they are claimed as all else when that is possible.
        if may_overtake {
            self.hand_out_touched(again);
        }
        // What was read may be an older version with the same times: it is read again at once.
        for (key, seen, since) in unsure {
            self.take_touched(vec![(key, FileEvent::Touched(seen))], since)?;
        }
        Ok(())
    }

    /// Looks again for files reported missing whose ledger entries have changed since.
    fn look_for_doubted(&mut self) -> Result<(), EngineError> {
        let mut doubted = self.committer.take_doubted();
        if doubted.is_empty() {
            return Ok(());
        }
        doubted.sort_unstable();
        doubted.dedup();
        let entries = self.committer.store().reader.lookup(&doubted)?;
        let known = doubted.into_iter().zip(entries).filter_map(|(key, entry)| Some((key, entry?)));
        let known: Vec<_> = known.collect();
        let mut gone = Vec::new();
        for part in known.chunk_by(|(a, _), (b, _)| a.root() == b.root()) {
            let root = part.first().and_then(|(key, _)| self.set.context.roots.get(key.root()));
            let keys: Vec<_> = part.iter().map(|(key, _)| key.clone()).collect();
            // If a root does not answer, none of its files is considered gone.
            if let Some(Ok(found)) = root.map(|root| self.set.guard.found_again(root, &keys)) {
                let missing = part.iter().filter(|(key, _)| !found.contains(key));
                gone.extend(missing.map(|(key, entry)| (key.clone(), FileEvent::Missing(*entry))));
            }
        }
        self.committer.take_changes(gone);
        Ok(())
    }

    /// Takes back what no worker has begun. Changed files among it are pending as all else from now on.
    pub(super) fn take_back(&mut self) {
        self.dispatch.take_back();
        self.makes_claimable = true;
        let claims = &self.dispatch.claims;
        self.touched.files.retain(|key, _| claims.is_in_flight(key));
    }
}
