//! Files that a scan finds, on their way to the ledger and to the workers.
//!
//! Mostly there is more to do than the workers have room for: found files wait in the ledger, and are claimed from
//! there. While nothing waits there, they go to the workers at once. Should the process die before the tick that
//! makes them pending, the ledger knows nothing of them, and nothing is lost: a start scans. Where little has changed
//! in a large tree, that tick commits the outcomes, too, and each block that they lie in is written once instead of
//! twice. A single file that waits for its next attempt keeps all on the way through the ledger: that is only slower.
//!
//! A few large files do not wait for those before them, where a scan finds them and files go in tree order: one begun
//! last keeps one worker busy while all others are idle. With 50,000 small files and one of 200 MB behind them, two
//! workers took 1.19 of the least time.

use super::Coordinator;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition::{FileEvent, apply};
use crate::engine::workers::worker::LARGE_BYTES;
use crate::ledger::Entry;
use crate::model::{DiscoveredFile, FileKey, LogPosition, Order};

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

impl Coordinator<'_> {
    /// Queues what a scan has found, and hands it out if nothing else waits for the workers.
    pub(super) fn take_found(&mut self, mut changes: Vec<(FileKey, FileEvent)>) -> Result<(), EngineError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.hold_hidden(&changes);
        let may_be_early = self.may_overtake() && self.config().order == Order::Path;
        if may_be_early && self.claimable() == 0 && self.dispatch.claims.has_room() {
            let files = self.claim_found(&mut changes)?;
            self.dispatch.hand_out_found(files, self.run.pressure.percent);
        } else {
            self.makes_claimable = true;
            if may_be_early {
                self.hand_out_large(&changes)?;
            }
        }
        self.committer.take_changes(changes);
        Ok(())
    }

    fn hand_out_large(&mut self, changes: &[(FileKey, FileEvent)]) -> Result<(), EngineError> {
        let is_large =
            |change: &FileEvent| matches!(change, FileEvent::Found(seen) if seen.size >= LARGE_BYTES);
        let mut large = changes.iter().filter(|(_, change)| is_large(change)).peekable();
        let room = if large.peek().is_some() { self.dispatch.room_for_long() } else { 0 };
        if room > 0 {
            let files = self.claim_found(&mut large.take(room).cloned().collect::<Vec<_>>())?;
            self.dispatch.hand_out_urgent(files);
        }
        Ok(())
    }

    /// Claims what these changes make due, before it is pending in the ledger.
    fn claim_found(
        &mut self,
        changes: &mut [(FileKey, FileEvent)],
    ) -> Result<Vec<DiscoveredFile>, EngineError> {
        let previews = self.preview(changes)?;
        let (roots, now) = (&self.set.plan.own, self.set.context.clock.time());
        let mut files = Vec::new();
        for preview in &previews {
            let Some((entry, is_early)) = preview.due() else { continue };
            let key = preview.key.clone();
            files.extend(self.dispatch.claims.claim_early(key, &entry, is_early, roots, now));
        }
        Ok(files)
    }

    /// Returns what these changes lead to. Sorts them by file: those of one stay in order of arrival.
    pub(super) fn preview<'c>(
        &self,
        changes: &'c mut [(FileKey, FileEvent)],
    ) -> Result<Vec<PendingEntry<'c>>, EngineError> {
        changes.sort_by(|(a, _), (b, _)| a.cmp(b));
        let changes = &*changes;
        let keys: Vec<&FileKey> = changes.chunk_by(|(a, _), (b, _)| a == b).map(|same| &same[0].0).collect();
        let entries = self.committer.store().reader.lookup(&keys)?;
        let mut previews = Vec::with_capacity(keys.len());
        for (news, old) in changes.chunk_by(|(a, _), (b, _)| a == b).zip(entries) {
            let Some((key, last)) = news.last() else { continue };
            let ground = self.set.plan.roots.iter().find(|(root, _)| root.id == key.root());
            let Some((_, ground)) = ground else { continue };
            let one = |entry, (_, change): &(_, _)| apply(entry, change, *ground, LogPosition::START).0;
            previews.push(PendingEntry {
                key,
                is_gone: last.is_gone(),
                old,
                new: news.iter().fold(old, one),
            });
        }
        Ok(previews)
    }
}
