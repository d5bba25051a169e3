//! The order of the pending files: another one, or other rules, are put in place in portions.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Arc, PoisonError};

use super::{Ledger, encoded};
use crate::ledger::database::{Bytes, Changes, Tree};
use crate::ledger::error::LedgerError;
use crate::ledger::map::block;
use crate::ledger::map::meta::{RULE_PREFIX, TICK_KEY, rule_key};
use crate::ledger::map::ready::{Classes, add_counts, row_key, tally_row};
use crate::model::{Order, PriorityCounts, PriorityRule, PriorityRules, Timestamp};

/// Rows of `ready` that one transaction writes.
const ROWS: usize = 8192;
/// With pending files in more blocks, some 6,000,000 of them, the keys of these are not collected, as they take 10 MB of
/// memory: all blocks are read then.
const BLOCKS_KNOWN_MAX: usize = 65_536;

impl Ledger {
    /// Puts the pending files in this order, by the priorities that these rules give, with ages as of `now`. Does
    /// nothing if they are in it already, unless a rule is about ages. Positions of the previous order become invalid.
    ///
    /// # Errors
    /// As for [`Ledger::commit`], and [`LedgerError::Invalid`] for rules that can't be applied.
    pub fn set_order(
        &mut self,
        order: Order,
        rules: &[PriorityRule],
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let rules = PriorityRules::new(rules)
            .map_err(|_| LedgerError::Invalid("a priority rule can't be applied"))?;
        let is_same = order == self.tick.order && rules == self.rules && !rules.age();
        if is_same && !self.poisoned {
            return Ok(());
        }
        self.guarded(|ledger| ledger.put_in_order(Classes { order, rules, base: now }))
    }

    pub(in crate::ledger) fn put_in_order(&mut self, classes: Classes) -> Result<(), LedgerError> {
        let blocks = self.blocks_with_pending()?;
        self.begin_order(classes)?;
        self.build_ready(blocks)
    }

    /// Returns the keys of the blocks that hold pending files, if that is known and they are few.
    fn blocks_with_pending(&self) -> Result<Option<BTreeSet<Vec<u8>>>, LedgerError> {
        if !self.tick.ready_is_whole {
            return Ok(None);
        }
        let mut walk = self.reader.store.walk(Tree::Ready, Bound::Unbounded)?;
        let mut blocks = BTreeSet::new();
        while let Some((row, _)) = walk.next()? {
            blocks.insert(row.get(1..).unwrap_or_default().to_vec());
            if blocks.len() > BLOCKS_KNOWN_MAX {
                return Ok(None);
            }
        }
        Ok(Some(blocks))
    }

    /// Empties `ready`, durably marked as not whole, and keeps the rules. What is asked of them and of the counts is
    /// answered as before until all is sorted.
    pub(in crate::ledger) fn begin_order(&mut self, classes: Classes) -> Result<(), LedgerError> {
        self.tick.order = classes.order;
        self.tick.base = classes.base;
        self.tick.ready_is_whole = false;
        self.rules = classes.rules;
        self.pending = PriorityCounts::default();
        self.reader.committed.write().unwrap_or_else(PoisonError::into_inner).is_sorted = false;
        self.keep_rules()?;
        self.clear_ready()
    }

    fn keep_rules(&self) -> Result<(), LedgerError> {
        let store = &self.reader.store;
        let mut meta = Changes::new();
        store.walk_prefix(Tree::Meta, RULE_PREFIX)?.check_each(|key, _| {
            meta.insert(key.to_vec(), None);
            Ok(())
        })?;
        for (at, rule) in self.rules.iter().enumerate() {
            let key = rule_key(at);
            let value = encoded(store, &key, rule)?;
            meta.insert(key, Some(value));
        }
        meta.insert(TICK_KEY.to_vec(), Some(encoded(store, TICK_KEY, &self.tick)?));
        store.apply(Default::default(), Changes::new(), meta)
    }

    /// Builds `ready` from the blocks that hold pending files, or from all. A crash meanwhile leaves the mark that it is
    /// not whole.
    fn build_ready(&mut self, blocks: Option<BTreeSet<Vec<u8>>>) -> Result<(), LedgerError> {
        let store = Arc::clone(&self.reader.store);
        let damaged = |what| LedgerError::damaged(store.folder(), what);
        let classes = self.classes();
        let mut ready = Changes::new();
        if let Some(blocks) = blocks {
            for key in blocks {
                let value = store.get(Tree::Files, &key)?;
                let value = value.ok_or_else(|| damaged("a block with pending files is gone"))?;
                self.add_ready(&key, &value, &classes, &mut ready)?;
            }
        } else if self.counts.values().any(|counts| counts.pending > 0) {
            let mut walk = store.walk(Tree::Files, Bound::Unbounded)?;
            while let Some((key, value)) = walk.next()? {
                self.add_ready(&key, &value, &classes, &mut ready)?;
            }
        }
        self.tick.ready_is_whole = true;
        self.apply_ready(ready)?;
        self.publish();
        Ok(())
    }

    /// Adds the rows of a block, and applies those that are collected if they are many.
    fn add_ready(
        &mut self,
        key: &[u8],
        value: &[u8],
        classes: &Classes,
        ready: &mut Changes,
    ) -> Result<(), LedgerError> {
        let counts = block::count(key, value, classes)
            .map_err(|what| LedgerError::damaged(self.reader.store.folder(), what))?;
        add_counts(&mut self.pending, &counts);
        for (class, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
            let row = row_key(class, key);
            let count = count.to_le_bytes();
            if let Some((entries, crc)) = tally_row(&row, &count) {
                self.tick.ready.add(entries, crc);
            }
            ready.insert(row, Some(Bytes::from(&count)));
        }
        if ready.len() >= ROWS { self.apply_ready(std::mem::take(ready)) } else { Ok(()) }
    }

    fn clear_ready(&mut self) -> Result<(), LedgerError> {
        loop {
            let mut walk = self.reader.store.walk(Tree::Ready, Bound::Unbounded)?;
            let mut gone = Changes::new();
            while gone.len() < ROWS
                && let Some((row, count)) = walk.next()?
            {
                if let Some((entries, crc)) = tally_row(&row, &count) {
                    self.tick.ready.subtract(entries, crc);
                }
                gone.insert(row.to_vec(), None);
            }
            if gone.is_empty() {
                return Ok(());
            }
            self.apply_ready(gone)?;
        }
    }

    fn apply_ready(&self, ready: Changes) -> Result<(), LedgerError> {
        let store = &self.reader.store;
        let meta = Changes::from([(TICK_KEY.to_vec(), Some(encoded(store, TICK_KEY, &self.tick)?))]);
        store.apply(Default::default(), ready, meta)
    }
}
