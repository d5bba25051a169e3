//! Files that a watcher reports: they bypass bulk work.
//!
//! The change of such a file is queued with the committer as any other, and the file goes to the workers at once,
//! mostly before the tick that makes it pending: that tick may well commit its outcome, too. Should the process die
//! before, the ledger knows nothing of it, and nothing is lost: a start scans.
//!
//! A file is never in flight twice. One that waits in a bulk batch is taken out of it. One that a worker has begun
//! stays pending where its outcome is out of date by the report (see [`Claims::is_outdated`]), and is read again when
//! that is committed; so is one whose outcome waits for the tick.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Instant;

use super::admission::preview;
use super::{ClaimScope, Dispatcher, Way};
use crate::engine::dispatch::claims::Claims;
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::stats::latency::Latency;
use crate::engine::workers::outcome::OutcomeGroup;
use crate::ledger::{Entry, LedgerError};
use crate::model::FileKey;

/// Changed files under way at most: further ones are pending as all else.
const CHANGED_MAX: usize = 32_768;

/// Changed files whose outcome is not committed.
#[derive(Debug, Default)]
pub(super) struct ChangedFiles {
    /// With the time at which the oldest change was reported.
    files: HashMap<FileKey, Instant>,
    /// Those that the coming tick settles, or after which they should be checked again.
    ended: Vec<FileKey>,
}

/// A changed file that is due, as it will be in the ledger.
pub(super) struct DueFile {
    key: FileKey,
    entry: Entry,
    /// Whether the ledger holds it as pending only from the coming tick on.
    is_early: bool,
    /// When its oldest change was reported.
    since: Instant,
}

impl ChangedFiles {
    /// Notes changed files whose outcomes have arrived.
    pub(super) fn note_group(&mut self, group: &OutcomeGroup) {
        if self.files.is_empty() {
            return;
        }
        let keys = group.outcomes.iter().map(|outcome| &outcome.key);
        self.ended.extend(keys.filter(|key| self.files.contains_key(*key)).cloned());
    }

    /// Forgets files that are no longer in flight: they are pending as all else.
    pub(super) fn keep_claimed(&mut self, claims: &Claims) {
        self.files.retain(|key, _| claims.is_in_flight(key));
    }

    /// Notes a change of a file that a worker has or gets.
    fn note(&mut self, key: &FileKey, since: Instant) {
        let oldest = self.files.entry(key.clone()).or_insert(since);
        *oldest = since.min(*oldest);
    }
}

impl Dispatcher {
    /// Returns whether the next tick should come soon, as changed files wait for it.
    pub(crate) fn awaits_tick(&self) -> bool {
        !self.changed.ended.is_empty()
    }

    /// Returns the files that these changes make due. For removed ones a tick should come soon.
    pub(super) fn due_of(
        &mut self,
        scope: &ClaimScope<'_>,
        changes: &mut [(FileKey, FileEvent)],
        since: Instant,
    ) -> Result<Vec<DueFile>, LedgerError> {
        let mut due = Vec::new();
        for preview in preview(scope, changes)? {
            if self.changed.files.len() >= CHANGED_MAX {
                break;
            }
            let key = preview.key;
            if preview.is_gone {
                self.changed.note(key, since);
                self.changed.ended.push(key.clone());
            } else if let Some((entry, is_early)) = preview.due() {
                due.push(DueFile { key: key.clone(), entry, is_early, since });
            }
        }
        Ok(due)
    }

    /// Hands out due files that are not in flight; notes those that are.
    pub(super) fn push_changed(&mut self, scope: &ClaimScope<'_>, due: Vec<DueFile>) {
        let claims = &self.claims;
        let in_flight: Vec<&DueFile> = due.iter().filter(|due| claims.is_in_flight(&due.key)).collect();
        if !in_flight.is_empty() {
            let taken_out = self.take_out(&in_flight.iter().map(|due| &due.key).collect());
            for due in in_flight.into_iter().filter(|due| !taken_out.contains(&due.key)) {
                self.changed.note(&due.key, due.since);
                if self.claims.has_ended(&due.key) {
                    self.changed.ended.push(due.key.clone());
                }
            }
        }
        let mut files = Vec::new();
        for DueFile { key, entry, is_early, since } in due {
            if let Some(file) = self.claims.claim_early(key, &entry, is_early, scope) {
                self.changed.note(&file.key, since);
                files.push(file);
            }
        }
        self.push(scope, files, Way::Changed);
    }

    /// Notes what a tick settled at `now`, and hands out again what is still due. If that is not open, it is claimed
    /// as all else later.
    pub(crate) fn settle_changed(
        &mut self,
        scope: &ClaimScope<'_>,
        is_open: bool,
        now: Instant,
        latency: &mut Latency,
    ) -> Result<(), LedgerError> {
        if self.changed.ended.is_empty() {
            return Ok(());
        }
        let mut ended = std::mem::take(&mut self.changed.ended);
        ended.sort_unstable();
        ended.dedup();
        let entries = scope.reader.lookup(&ended)?;
        let may_bypass = is_open && !self.is_alone();
        let mut again = Vec::new();
        for (key, entry) in ended.into_iter().zip(entries) {
            if self.claims.is_in_flight(&key) {
                continue;
            }
            let Some(since) = self.changed.files.remove(&key) else { continue };
            match entry {
                Some(entry) if entry.pending => again.push(DueFile { key, entry, is_early: false, since }),
                _ => latency.note(now.saturating_duration_since(since)),
            }
        }
        if may_bypass {
            self.push_changed(scope, again);
        }
        Ok(())
    }
}
