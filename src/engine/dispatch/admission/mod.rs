//! Found and changed files, on their way to the ledger and to the workers.
//!
//! Mostly there is more to do than the workers have room for: found files wait in the ledger, and are claimed from
//! there. While nothing waits there, they go to the workers at once. Should the process die before the tick that
//! makes them pending, the ledger knows nothing of them, and nothing is lost: a start scans. Where little has changed
//! in a large tree, that tick commits the outcomes, too, and each block that they lie in is written once instead of
//! twice. A single file that waits for its next attempt keeps all on the way through the ledger: that is only slower.
//!
//! A few large files do not wait for those before them, where a scan finds them and files go in tree order: one begun
//! last keeps one worker busy while all others are idle. Not where rules say what comes first. With 50,000 small files
//! and one of 200 MB behind them, two workers took 1.19 of the least time.

#[cfg(test)]
mod tests;

use std::time::Instant;

use super::{ClaimScope, Dispatcher, Way};
use crate::engine::lifecycle::transition::{FileEvent, apply};
use crate::engine::workers::worker::LARGE_BYTES;
use crate::ledger::{Entry, LedgerError};
use crate::model::{DiscoveredFile, FileKey, LogPosition, Order};

/// The origin of changes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChangeOrigin {
    /// A scan found them.
    Scan,
    /// A watcher reported them, the oldest at this time.
    Watch { since: Instant },
    /// A client asked for them.
    Client,
}

/// A file's entry as it will be once its changes are committed.
pub(super) struct PendingEntry<'a> {
    pub key: &'a FileKey,
    /// Whether the last of the changes is a removal.
    pub is_gone: bool,
    /// What the ledger holds.
    old: Option<Entry>,
    /// What it will hold.
    new: Option<Entry>,
}

impl PendingEntry<'_> {
    /// Returns the entry that makes it due, and whether the ledger does not hold it as pending yet.
    pub(super) fn due(&self) -> Option<(Entry, bool)> {
        let entry = self.new.filter(|entry| entry.pending)?;
        Some((entry, !self.old.is_some_and(|old| old.pending)))
    }
}

impl Dispatcher {
    /// Hands out the files that these changes make due, as far as they may bypass the queue. The others are claimed
    /// once the changes are committed.
    ///
    /// Nothing bypasses the queue that a client asks for, while `is_open` is false (the run ends, is paused, or lacks
    /// a resource), or beside a file that must run alone. Watched files always do otherwise. Files of a scan do in
    /// tree order, while the workers have room and nothing else is pending; a few large ones before that, if there are
    /// no priority rules.
    pub(crate) fn admit(
        &mut self,
        scope: &ClaimScope<'_>,
        changes: &mut [(FileKey, FileEvent)],
        origin: ChangeOrigin,
        is_open: bool,
    ) -> Result<(), LedgerError> {
        if changes.is_empty() {
            return Ok(());
        }
        if matches!(origin, ChangeOrigin::Watch { .. }) {
            changes.iter().for_each(|(key, change)| self.claims.note_report(key, change));
        }
        self.hold_hidden(changes);
        let may_bypass = is_open && !self.is_alone();
        match origin {
            ChangeOrigin::Watch { since } if may_bypass => {
                let due = self.due_of(scope, changes, since)?;
                self.push_changed(scope, due);
                return Ok(());
            }
            ChangeOrigin::Scan if may_bypass && self.order == Order::Path => {
                if self.claims.has_room() && self.claimable(scope) == 0 {
                    let files = self.claim_found(scope, changes)?;
                    // The scan may find as many more as there is room for.
                    let pending_after = self.claims.limit() as u64;
                    self.push(scope, files, Way::Bulk { pending_after });
                    return Ok(());
                }
                if scope.reader.priorities().is_none() {
                    self.push_large(scope, changes)?;
                }
            }
            _ => {}
        }
        self.makes_claimable = true;
        Ok(())
    }

    fn push_large(
        &mut self,
        scope: &ClaimScope<'_>,
        changes: &[(FileKey, FileEvent)],
    ) -> Result<(), LedgerError> {
        let is_large =
            |change: &FileEvent| matches!(change, FileEvent::Found(seen) if seen.size >= LARGE_BYTES);
        let mut large = changes.iter().filter(|(_, change)| is_large(change)).peekable();
        let room = if large.peek().is_some() { self.room_for_long() } else { 0 };
        if room > 0 {
            let files = self.claim_found(scope, &mut large.take(room).cloned().collect::<Vec<_>>())?;
            self.push(scope, files, Way::Changed);
        }
        Ok(())
    }

    /// Claims what these changes make due, before it is pending in the ledger.
    fn claim_found(
        &mut self,
        scope: &ClaimScope<'_>,
        changes: &mut [(FileKey, FileEvent)],
    ) -> Result<Vec<DiscoveredFile>, LedgerError> {
        let mut files = Vec::new();
        for preview in &preview(scope, changes)? {
            let Some((entry, is_early)) = preview.due() else { continue };
            let key = preview.key.clone();
            files.extend(self.claims.claim_early(key, &entry, is_early, scope));
        }
        Ok(files)
    }

    /// Keeps files that rules now exclude from being begun.
    fn hold_hidden(&mut self, changes: &[(FileKey, FileEvent)]) {
        let hidden = changes.iter().filter(|(_, change)| matches!(change, FileEvent::Hidden(_)));
        let hidden: Vec<&FileKey> = hidden.map(|(key, _)| key).collect();
        if hidden.is_empty() {
            return;
        }
        let in_flight = hidden.iter().copied().filter(|key| self.claims.is_in_flight(key)).collect();
        let taken_out = self.take_out(&in_flight);
        for key in hidden.into_iter().filter(|key| !in_flight.contains(key) || taken_out.contains(*key)) {
            self.claims.hold(key);
        }
    }
}

/// Returns what these changes lead to. Sorts them by file: those of one stay in order of arrival.
pub(super) fn preview<'c>(
    scope: &ClaimScope<'_>,
    changes: &'c mut [(FileKey, FileEvent)],
) -> Result<Vec<PendingEntry<'c>>, LedgerError> {
    changes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let changes = &*changes;
    let keys: Vec<&FileKey> = changes.chunk_by(|(a, _), (b, _)| a == b).map(|same| &same[0].0).collect();
    let entries = scope.reader.lookup(&keys)?;
    let mut previews = Vec::with_capacity(keys.len());
    for (of_file, old) in changes.chunk_by(|(a, _), (b, _)| a == b).zip(entries) {
        let Some((key, last)) = of_file.last() else { continue };
        let run_scope = scope.plan.roots.iter().find(|(root, _)| root.id == key.root());
        let Some((_, run_scope)) = run_scope else { continue };
        let one = |entry, (_, change): &(_, _)| apply(entry, change, *run_scope, LogPosition::START).0;
        let new = of_file.iter().fold(old, one);
        previews.push(PendingEntry { key, is_gone: last.is_gone(), old, new });
    }
    Ok(previews)
}
