//! A walk over all entries in the order of their keys.

use std::ops::Bound;
use std::sync::Arc;

use super::block::RowReader;
use super::codec;
use super::entry::Entry;
use crate::ledger::database::overlay::{self, Before};
use crate::ledger::database::{Database, Pair, Tree, Walk};
use crate::ledger::error::LedgerError;

/// A cursor over all entries, in the order of their keys. It holds one block at a time.
///
/// Commits may go on meanwhile: an entry that exists all the time is returned exactly once, in order.
pub struct Scan {
    store: Arc<Database>,
    /// Whether changes of a tick are only seen once it is committed.
    only_committed: bool,
    walk: Option<Walk>,
    /// In place of `walk`, while a tick is being committed: the state before it.
    before: Option<Arc<Before>>,
    /// The store's layout when `walk` began.
    layout: u64,
    block: Option<Pair>,
    next_block: Option<Pair>,
    reader: RowReader,
    /// Whether `reader` stands on an entry of the scan.
    on_row: bool,
    at_end: bool,
    /// Entries before this are skipped.
    start: (Vec<u8>, Edge),
    skipping: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    With,
    Behind,
}

impl Scan {
    pub(crate) fn new(store: Arc<Database>, only_committed: bool) -> Self {
        Self {
            store,
            only_committed,
            walk: None,
            before: None,
            layout: 0,
            block: None,
            next_block: None,
            reader: RowReader::default(),
            on_row: false,
            at_end: false,
            start: (Vec::new(), Edge::With),
            skipping: true,
        }
    }

    /// Moves to the first entry whose encoded key is not below `key`, which may be any bytes.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn seek(&mut self, key: &[u8]) -> Result<(), LedgerError> {
        if self.on_row && self.reader.key == key {
            return Ok(());
        }
        let is_same_layout = self.layout == self.store.layout().number;
        if is_same_layout && self.on_row && self.reader.is_first_from(key) {
            return Ok(());
        }
        let ahead = self.reader.key.as_slice() < key;
        self.on_row = false;
        self.at_end = false;
        self.start.0.clear();
        self.start.0.extend_from_slice(key);
        self.start.1 = Edge::With;
        self.skipping = true;
        if !is_same_layout {
            self.block = None;
            return Ok(());
        }
        if !self.is_in_block(key) && self.is_at_or_behind(self.next_block.as_ref(), key) {
            // The next block is loaded already; most steps of a walk go there.
            self.step()?;
            if self.is_in_block(key) {
                return Ok(());
            }
        } else if self.is_in_block(key) {
            return if ahead { Ok(()) } else { self.restart() };
        }
        self.block = None;
        Ok(())
    }

    /// Stays at its position, but releases the block in memory: what commits have written since it was read is seen
    /// from here on.
    pub fn refresh(&mut self) {
        // While it skips, it is still before `start`.
        if !self.skipping {
            let edge = if self.on_row { Edge::With } else { Edge::Behind };
            self.start = (self.reader.key.clone(), edge);
            self.skipping = true;
        }
        self.on_row = false;
        self.at_end = false;
        self.walk = None;
        self.before = None;
        self.block = None;
        self.next_block = None;
    }

    fn is_in_block(&self, key: &[u8]) -> bool {
        self.is_at_or_behind(self.block.as_ref(), key) && !self.is_at_or_behind(self.next_block.as_ref(), key)
    }

    fn is_at_or_behind(&self, block: Option<&Pair>, key: &[u8]) -> bool {
        block.is_some_and(|(block_key, _)| &block_key[..] <= key)
    }

    /// Returns the entry at the cursor; `None` after the last.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn peek(&mut self) -> Result<Option<(&[u8], &Entry)>, LedgerError> {
        while !self.on_row && !self.at_end {
            if self.block.is_none() {
                self.find_start()?;
            } else if self.read_row()? {
                self.on_row = !self.skipping || self.is_from_start_on();
                self.skipping = !self.on_row;
            } else {
                self.step()?;
            }
        }
        Ok(self.on_row.then_some((self.reader.key.as_slice(), &self.reader.entry)))
    }

    /// Moves from the entry at the cursor to the next one.
    pub fn advance(&mut self) {
        self.on_row = false;
    }

    fn is_from_start_on(&self) -> bool {
        let (start, edge) = &self.start;
        match self.reader.key.as_slice().cmp(start) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => *edge == Edge::With,
            std::cmp::Ordering::Greater => true,
        }
    }

    /// Loads the block that contains the start, or the first one.
    fn find_start(&mut self) -> Result<(), LedgerError> {
        let store = Arc::clone(&self.store);
        let layout = store.layout();
        self.layout = layout.number;
        self.before = layout.before.clone().filter(|_| self.only_committed);
        let start = Bound::Included(self.start.0.as_slice());
        let first = match &self.before {
            Some(before) => match overlay::last_below(&store, &before.files, start)? {
                None => overlay::first_above(&store, &before.files, Bound::Unbounded)?,
                home => home,
            },
            None => {
                let home = store.last_below(Tree::Files, start)?;
                let from = home.as_ref().map_or(Bound::Unbounded, |(key, _)| Bound::Included(&key[..]));
                self.walk.insert(store.walk(Tree::Files, from)?).next()?
            }
        };
        self.next_block = self.block_behind(first.as_ref())?;
        drop(layout);
        self.load(first)
    }

    /// Returns the block after this one, which is the last one seen.
    fn block_behind(&mut self, block: Option<&Pair>) -> Result<Option<Pair>, LedgerError> {
        match (block, &self.before, &mut self.walk) {
            (Some((key, _)), Some(before), _) => {
                overlay::first_above(&self.store, &before.files, Bound::Excluded(key))
            }
            (Some(_), None, Some(walk)) => walk.next(),
            _ => Ok(None),
        }
    }

    /// Moves to the next block.
    fn step(&mut self) -> Result<(), LedgerError> {
        let store = Arc::clone(&self.store);
        let layout = store.layout();
        if self.layout != layout.number {
            // A commit may have moved entries over the edge between the blocks.
            drop(layout);
            self.refresh();
            return self.find_start();
        }
        let next = self.next_block.take();
        self.next_block = self.block_behind(next.as_ref())?;
        drop(layout);
        self.load(next)
    }

    fn load(&mut self, block: Option<Pair>) -> Result<(), LedgerError> {
        self.on_row = false;
        let Some((key, value)) = block else {
            // The last block stays, for a seek back into it.
            self.at_end = true;
            return Ok(());
        };
        self.block = Some((key, value));
        self.restart()
    }

    /// Moves before the first row of the block. Its checksum is compared when the ledger is opened, of a large one
    /// beside the first listing and before anything is written; or it was written since. The store has its own
    /// checksum for whatever it reads: comparing this one once more was a tenth of the cost of a walk over the
    /// ledger.
    fn restart(&mut self) -> Result<(), LedgerError> {
        let Some((key, value)) = &self.block else { return Ok(()) };
        let restarted = codec::body(value).and_then(|body| self.reader.restart(key, body));
        restarted.map_err(|what| self.damaged(what))
    }

    fn read_row(&mut self) -> Result<bool, LedgerError> {
        let Some((_, value)) = &self.block else { return Ok(false) };
        let read = codec::body(value).and_then(|body| self.reader.next(body));
        read.map_err(|what| self.damaged(what))
    }

    fn damaged(&self, what: &'static str) -> LedgerError {
        LedgerError::damaged(self.store.folder(), what)
    }
}
