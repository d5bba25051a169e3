//! The order of the pending files: another one, or other rules, are put in place in portions.

use std::ops::Bound;
use std::sync::Arc;

use super::{Ledger, encoded};
use crate::ledger::database::{Bytes, Changes, Tree};
use crate::ledger::error::LedgerError;
use crate::ledger::map::block::Rows;
use crate::ledger::map::meta::{RULE_PREFIX, TICK_KEY, rule_key};
use crate::ledger::map::ready::{CLASSES, Classes, priority_of, row_key, tally_row};
use crate::model::{Order, PriorityCounts, PriorityRule, PriorityRules, Timestamp};

/// Rows of `ready` that one transaction writes.
const ROWS: usize = 8192;

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
        self.begin_order(classes)?;
        self.build_ready()
    }

    /// Empties `ready`, durably marked as not whole, and keeps the rules.
    pub(in crate::ledger) fn begin_order(&mut self, classes: Classes) -> Result<(), LedgerError> {
        self.tick.order = classes.order;
        self.tick.base = classes.base;
        self.tick.ready_is_whole = false;
        self.rules = classes.rules;
        self.pending = PriorityCounts::default();
        self.publish();
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

    /// Builds `ready` from the blocks, if any file is pending. A crash meanwhile leaves the mark that it is not whole.
    fn build_ready(&mut self) -> Result<(), LedgerError> {
        let store = Arc::clone(&self.reader.store);
        let classes = self.classes();
        let mut walk = store.walk(Tree::Files, Bound::Unbounded)?;
        let mut rows = Rows::default();
        let mut ready = Changes::new();
        let has_any = self.counts.values().any(|counts| counts.pending > 0);
        while has_any && let Some((key, value)) = walk.next()? {
            rows.clear();
            rows.read(&key, &value).map_err(|what| LedgerError::damaged(store.folder(), what))?;
            let mut counts = [0; CLASSES];
            rows.count(0..rows.len(), &classes, &mut counts);
            for (class, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
                let row = row_key(class, &key);
                *self.pending.of_mut(priority_of(class)) += u64::from(count);
                let count = count.to_le_bytes();
                if let Some((entries, crc)) = tally_row(&row, &count) {
                    self.tick.ready.add(entries, crc);
                }
                ready.insert(row, Some(Bytes::from(&count)));
            }
            if ready.len() >= ROWS {
                self.apply_ready(std::mem::take(&mut ready))?;
            }
        }
        self.tick.ready_is_whole = true;
        self.apply_ready(ready)?;
        self.publish();
        Ok(())
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
