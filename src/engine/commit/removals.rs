//! Removals are checked once more before they are committed, and looked for again where the ledger disagrees: a root
//! that went away takes no record with it.

use super::committer::Committer;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::roots::identity::{LostRoot, RootMonitor};
use crate::model::RootTable;

impl Committer<'_> {
    /// Confirms waiting removals: their roots must be unchanged, and the files still missing, as a mount may have come
    /// and gone since. Others are dropped, and these files stay as they were. Returns the first lost root.
    pub(crate) fn confirm_removals(&mut self, root_monitor: &RootMonitor<'_>) -> Option<LostRoot> {
        let mut first = None;
        for (root, _) in root_monitor.roots {
            let removed = self.removed_of(root.id);
            if removed.is_empty() {
                continue;
            }
            let found = root_monitor.look(root).map_or_else(|| root_monitor.found_again(root, &removed), Err);
            match found {
                Ok(found) => self.drop_removals(root.id, |key| found.contains(key)),
                Err(lost) => {
                    self.drop_removals(root.id, |_| true);
                    first.get_or_insert(lost);
                }
            }
        }
        first
    }

    /// Looks again for the files that were reported missing but that the ledger still holds, since their entries had
    /// changed before the report was committed (by an outcome, mostly).
    pub(crate) fn recheck_unconfirmed(
        &mut self,
        root_monitor: &RootMonitor<'_>,
        roots: &RootTable,
    ) -> Result<(), EngineError> {
        let mut unconfirmed = self.take_unconfirmed();
        if unconfirmed.is_empty() {
            return Ok(());
        }
        unconfirmed.sort_unstable();
        unconfirmed.dedup();
        let entries = self.store().reader.lookup(&unconfirmed)?;
        let known = unconfirmed.into_iter().zip(entries).filter_map(|(key, entry)| Some((key, entry?)));
        let known: Vec<_> = known.collect();
        let mut gone = Vec::new();
        for part in known.chunk_by(|(a, _), (b, _)| a.root() == b.root()) {
            let root = part.first().and_then(|(key, _)| roots.get(key.root()));
            let keys: Vec<_> = part.iter().map(|(key, _)| key.clone()).collect();
            // If a root does not answer, none of its files is considered gone.
            if let Some(Ok(found)) = root.map(|root| root_monitor.found_again(root, &keys)) {
                let missing = part.iter().filter(|(key, _)| !found.contains(key));
                gone.extend(missing.map(|(key, entry)| (key.clone(), FileEvent::Missing(*entry))));
            }
        }
        self.take_changes(gone);
        Ok(())
    }
}
