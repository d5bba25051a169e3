//! The values in the trees of the database and their encoding; `Merge` decides which blocks a tick rewrites, splits,
//! merges and removes.
//!
//! Everything is prepared in memory, over the stored blocks; the database itself is only read.

pub(super) mod block;
pub(super) mod codec;
pub(super) mod entry;
pub(super) mod job;
pub(super) mod meta;
pub(super) mod ready;
pub(super) mod row;

pub(super) mod scan;

use std::collections::BTreeMap;
use std::ops::Bound;

use super::LedgerError;
use super::database::{Bytes, Changes, Database, Pair, overlay};
use crate::model::{FileKey, PriorityCounts};
use block::{BLOCK_BYTES_MAX, Encoded, RowReader, Rows};
use codec::crc_at_end;
use entry::{Counts, Entry};
use meta::TreeSum;
use ready::{CLASSES, ClassCounts, Classes, priority_of, row_key, tally_row};

/// A block below this size is merged with a neighbour, if both fit into one.
const SMALL_BYTES: usize = 1024;
/// Limit of a merged block, so that the next few entries don't split it again.
const MERGED_BYTES_MAX: usize = 4608;

/// What a tick does to the trees `files` and `ready`, and to their sums.
pub(super) struct Merge<'a> {
    store: &'a Database,
    classes: &'a Classes,
    pub(super) files: Changes,
    pub(super) ready: Changes,
    /// The old values of `files` under the changed keys: with them, the tree reads as before.
    pub(super) before: Changes,
    pub(super) blocks: TreeSum,
    pub(super) ready_rows: TreeSum,
    pub(super) pending: PriorityCounts,
    /// Counts of all roots, with those of the tick's changes.
    pub(super) counts: BTreeMap<u32, Counts>,
    rows: Rows,
    reader: RowReader,
    /// For blocks that are being encoded.
    scratch: Vec<u8>,
}

impl<'a> Merge<'a> {
    pub(super) fn new(
        store: &'a Database,
        classes: &'a Classes,
        (blocks, ready_rows): (TreeSum, TreeSum),
        pending: PriorityCounts,
        counts: BTreeMap<u32, Counts>,
    ) -> Self {
        Self {
            store,
            classes,
            files: Changes::new(),
            ready: Changes::new(),
            before: Changes::new(),
            blocks,
            ready_rows,
            pending,
            counts,
            rows: Rows::default(),
            reader: RowReader::default(),
            scratch: Vec::new(),
        }
    }

    /// Applies changes that are sorted by key, each key once.
    pub(super) fn apply(&mut self, changes: &[(FileKey, Option<Entry>)]) -> Result<(), LedgerError> {
        let mut rest = changes;
        while let Some((first, _)) = rest.first() {
            let home = match self.last_below(Bound::Included(first.as_bytes()))? {
                // A key below all blocks belongs to the first one.
                None => self.first_above(Bound::Unbounded)?,
                found => found,
            };
            let next = match &home {
                Some((key, _)) => self.first_above(Bound::Excluded(key))?,
                None => None,
            };
            let end = next.as_ref().map_or(rest.len(), |(next_key, _)| {
                rest.partition_point(|(key, _)| key.as_bytes() < &next_key[..])
            });
            let (group, tail) = rest.split_at(end);
            self.rows.clear();
            let appended = self.merge_rows(home.as_ref(), group)?;
            self.put_rows(appended, next)?;
            rest = tail;
        }
        Ok(())
    }

    /// Merges a block's rows with the changes that fall into it, and drops the block. Returns true where all changes
    /// lie after the block's last row.
    fn merge_rows(
        &mut self,
        home: Option<&Pair>,
        group: &[(FileKey, Option<Entry>)],
    ) -> Result<bool, LedgerError> {
        let Self { reader, rows, counts, classes, store, .. } = self;
        let damaged = |what| LedgerError::damaged(store.folder(), what);
        let mut old_classes = [0; CLASSES];
        let mut body = &[][..];
        let mut more = false;
        if let Some((key, value)) = home {
            body = reader.start(key, value).map_err(damaged)?;
            more = reader.next(body).map_err(damaged)?;
        }
        let mut appended = None;
        for (key, change) in group {
            while more && reader.key.as_slice() < key.as_bytes() {
                classes.count(&mut old_classes, &reader.key, &reader.entry);
                rows.push(&reader.key, reader.entry);
                more = reader.next(body).map_err(damaged)?;
            }
            appended.get_or_insert(!more);
            let counts = counts.entry(key.root().0).or_default();
            if more && reader.key.as_slice() == key.as_bytes() {
                classes.count(&mut old_classes, &reader.key, &reader.entry);
                counts.subtract(&reader.entry);
                more = reader.next(body).map_err(damaged)?;
            }
            if let Some(entry) = change {
                counts.add(entry);
                rows.push(key.as_bytes(), *entry);
            }
        }
        while more {
            classes.count(&mut old_classes, &reader.key, &reader.entry);
            rows.push(&reader.key, reader.entry);
            more = reader.next(body).map_err(damaged)?;
        }
        if let Some(home) = home {
            self.drop_block(home, &old_classes)?;
        }
        Ok(appended.unwrap_or(false))
    }

    /// Writes the collected rows as blocks. `next` is the block after them.
    fn put_rows(&mut self, appended: bool, next: Option<Pair>) -> Result<(), LedgerError> {
        if self.rows.len() == 0 {
            return Ok(());
        }
        let mut blocks = self.encode(appended)?;
        if let [only] = blocks.as_slice()
            && only.value.len() < SMALL_BYTES
            && self.take_neighbour(only.value.len(), next)?
        {
            blocks = self.encode(false)?;
        }
        let mut from = 0;
        for block in blocks {
            self.put_block(from, &block)?;
            from = block.end;
        }
        Ok(())
    }

    fn encode(&mut self, appended: bool) -> Result<Vec<Encoded>, LedgerError> {
        let full = self.encode_to(usize::MAX, appended)?;
        if appended || full.len() < 2 {
            return Ok(full);
        }
        // In equal parts, so that each has room for later entries between.
        let total: usize = full.iter().map(|block| block.value.len()).sum();
        self.encode_to(total / full.len(), false)
    }

    fn encode_to(&mut self, aim: usize, appended: bool) -> Result<Vec<Encoded>, LedgerError> {
        let mut blocks = Vec::new();
        let mut from = 0;
        while from < self.rows.len() {
            let block = block::encode(&self.rows, from, (aim, appended), &mut self.scratch)
                .map_err(|what| LedgerError::damaged(self.store.folder(), what))?;
            from = block.end;
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// Adds the rows of a neighbouring block to the collected ones, if all fit into one block.
    fn take_neighbour(&mut self, len: usize, next: Option<Pair>) -> Result<bool, LedgerError> {
        let fits = |pair: &Pair| pair.0.len() + pair.1.len() + len <= MERGED_BYTES_MAX;
        if let Some(next) = next.filter(fits) {
            let from = self.rows.len();
            self.read_and_drop(&next, from)?;
            return Ok(true);
        }
        let before = self.last_below(Bound::Excluded(self.rows.key(0)))?;
        if let Some(before) = before.filter(fits) {
            let ours = std::mem::take(&mut self.rows);
            self.read_and_drop(&before, 0)?;
            for at in 0..ours.len() {
                self.rows.push(ours.key(at), ours.entries()[at]);
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn read_and_drop(&mut self, pair: &Pair, from: usize) -> Result<(), LedgerError> {
        let (key, value) = pair;
        self.rows.read(key, value).map_err(|what| LedgerError::damaged(self.store.folder(), what))?;
        let mut classes = [0; CLASSES];
        self.rows.count(from..self.rows.len(), self.classes, &mut classes);
        self.drop_block(pair, &classes)
    }

    fn drop_block(&mut self, (key, value): &Pair, classes: &ClassCounts) -> Result<(), LedgerError> {
        let (entries, crc) =
            block::check(key, value).map_err(|what| LedgerError::damaged(self.store.folder(), what))?;
        self.blocks.subtract(entries, crc);
        // A block that the tick itself has created is in there as `None` already.
        self.before.entry(key.to_vec()).or_insert_with(|| Some(value.clone()));
        self.files.insert(key.to_vec(), None);
        self.each_ready_row(key, classes, |merge, row, (class, number), count| {
            let pending = merge.pending.of_mut(priority_of(class));
            *pending = pending.wrapping_sub(u64::from(number));
            if let Some((entries, crc)) = tally_row(&row, &count) {
                merge.ready_rows.subtract(entries, crc);
            }
            merge.ready.insert(row, None);
        });
        Ok(())
    }

    fn put_block(&mut self, from: usize, block: &Encoded) -> Result<(), LedgerError> {
        let key = self.rows.key(from).to_vec();
        let mut classes = [0; CLASSES];
        self.rows.count(from..block.end, self.classes, &mut classes);
        self.blocks.add((block.end - from) as u64, crc_at_end(&block.value));
        self.each_ready_row(&key, &classes, |merge, row, (class, number), count| {
            let pending = merge.pending.of_mut(priority_of(class));
            *pending = pending.wrapping_add(u64::from(number));
            if let Some((entries, crc)) = tally_row(&row, &count) {
                merge.ready_rows.add(entries, crc);
            }
            merge.ready.insert(row, Some(count));
        });
        self.before.entry(key.clone()).or_insert(None);
        self.files.insert(key, Some(Bytes::from(block.value.as_slice())));
        Ok(())
    }

    fn each_ready_row(
        &mut self,
        block_key: &[u8],
        classes: &ClassCounts,
        mut f: impl FnMut(&mut Self, Vec<u8>, (u8, u32), Bytes),
    ) {
        for (class, &count) in (0..).zip(classes) {
            if count > 0 {
                f(self, row_key(class, block_key), (class, count), Bytes::from(&count.to_le_bytes()));
            }
        }
    }

    fn last_below(&self, bound: Bound<&[u8]>) -> Result<Option<Pair>, LedgerError> {
        overlay::last_below(self.store, &self.files, bound)
    }

    fn first_above(&self, bound: Bound<&[u8]>) -> Result<Option<Pair>, LedgerError> {
        overlay::first_above(self.store, &self.files, bound)
    }
}

// The limits must leave a merged block room to grow before it is split.
const _: () = assert!(SMALL_BYTES < MERGED_BYTES_MAX && MERGED_BYTES_MAX < BLOCK_BYTES_MAX);
