//! The values of tree `meta`: the ledger's cursor and its counts. Jobs are in `ledger/map/job.rs`.

use bincode::{Decode, Encode};

use super::codec;
use super::entry::Counts;
use crate::ledger::log_range::LogRange;
use crate::model::{Cursor, LogPosition, Order, PriorityRule, PriorityRules, Timestamp};

pub(crate) const TICK_KEY: &[u8] = b"tick";
pub(crate) const LOG_START_KEY: &[u8] = b"log-start";
pub(crate) const ROOT_PREFIX: &[u8] = b"root/";
pub(crate) const RULE_PREFIX: &[u8] = b"priority/";

/// Number and checksums of all values of a tree: distinguishes any two contents, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub(crate) struct TreeSum {
    pub(crate) values: u64,
    pub(crate) entries: u64,
    pub(super) crc_sum: u64,
}

impl TreeSum {
    pub(crate) fn add(&mut self, entries: u64, crc: u32) {
        self.values = self.values.wrapping_add(1);
        self.entries = self.entries.wrapping_add(entries);
        self.crc_sum = self.crc_sum.wrapping_add(u64::from(crc));
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            values: self.values.wrapping_add(other.values),
            entries: self.entries.wrapping_add(other.entries),
            crc_sum: self.crc_sum.wrapping_add(other.crc_sum),
        }
    }

    pub(crate) fn subtract(&mut self, entries: u64, crc: u32) {
        self.values = self.values.wrapping_sub(1);
        self.entries = self.entries.wrapping_sub(entries);
        self.crc_sum = self.crc_sum.wrapping_sub(u64::from(crc));
    }
}

/// The ledger's cursor: written by every tick.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct TickMeta {
    pub(crate) cursor: Cursor,
    /// What the tick appended to the log; kept so that a witness line can be made again.
    pub(crate) log: LogRange,
    pub(crate) blocks: TreeSum,
    pub(crate) ready: TreeSum,
    pub(crate) order: Order,
    /// Ages are measured from this time.
    pub(crate) base: Timestamp,
    /// False while `ready` is being built for a new order or other rules.
    pub(crate) ready_is_whole: bool,
}

impl TickMeta {
    /// Describes a ledger without entries that has committed up to `tick`.
    pub(crate) fn empty(tick: u64) -> Self {
        Self {
            cursor: Cursor { tick, log: LogPosition::START },
            log: LogRange { segment: 1, from: 0, to: 0, crc32: 0 },
            blocks: TreeSum::default(),
            ready: TreeSum::default(),
            order: Order::Path,
            base: Timestamp(0),
            ready_is_whole: true,
        }
    }
}

/// Returns the key of a priority rule, by its index.
pub(crate) fn rule_key(at: usize) -> Vec<u8> {
    [RULE_PREFIX, &(at as u32).to_be_bytes()].concat()
}

/// Compiles the decoded rules.
pub(crate) fn compiled(rules: &[PriorityRule]) -> Result<PriorityRules, &'static str> {
    PriorityRules::new(rules).map_err(|_| "a priority rule can't be applied")
}

/// Returns the key of one root's counts.
pub(crate) fn root_key(root: u32) -> Vec<u8> {
    [ROOT_PREFIX, &root.to_be_bytes()].concat()
}

/// Returns the root and the counts of one value.
pub(crate) fn root_counts(key: &[u8], value: &[u8]) -> Result<(u32, Counts), &'static str> {
    let number = key.strip_prefix(ROOT_PREFIX).and_then(|rest| rest.try_into().ok());
    let root = number.map(u32::from_be_bytes).ok_or("a root has no number")?;
    Ok((root, codec::decode(key, value)?))
}
