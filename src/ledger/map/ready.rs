//! Tree `ready`: which blocks hold pending entries of which priority class.
//!
//! A row's key is the class and the key of the block, its value the number of such entries in it. The class of an
//! entry follows from its key and fingerprint, and the rules that are kept beside, so the tree can always be rebuilt.
//!
//! There are 64 classes of each priority, for the order of sizes or ages; the lowest comes first. Those of the usual
//! priority have the lowest bytes: a ledger without rules is what it was before there were any.

use super::entry::Entry;
use crate::model::{BatchPriority, FileKey, Order, PriorityCounts, PriorityRules, Timestamp};

/// Classes of one priority.
const CLASSES_EACH: u8 = 64;
/// Number of classes.
pub(crate) const CLASSES: usize = 3 * CLASSES_EACH as usize;

/// Number of pending entries of each class in one block.
pub(crate) type ClassCounts = [u32; CLASSES];

/// The rules that assign classes to entries.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Classes {
    pub(crate) order: Order,
    pub(crate) rules: PriorityRules,
    /// Ages are measured from this time.
    pub(crate) base: Timestamp,
}

impl Classes {
    pub(crate) fn of(&self, key: &[u8], entry: &Entry) -> u8 {
        let within = match self.order {
            Order::Path => 0,
            Order::Smallest => log2(entry.fingerprint.size),
            Order::Largest => 63 - log2(entry.fingerprint.size),
            Order::Newest => log2(self.age_seconds(entry)),
            Order::Oldest => 63 - log2(self.age_seconds(entry)),
        };
        first_of(self.rules.class_of(key, &entry.fingerprint, self.base)) + within
    }

    /// Counts the entry if it is pending.
    pub(crate) fn count(&self, counts: &mut ClassCounts, key: &[u8], entry: &Entry) {
        if entry.pending {
            counts[usize::from(self.of(key, entry))] += 1;
        }
    }

    fn age_seconds(&self, entry: &Entry) -> u64 {
        let age = i128::from(self.base.0) - i128::from(entry.fingerprint.mtime.0);
        u64::try_from(age / 1_000_000_000).unwrap_or(0)
    }
}

/// Returns the first class of a priority.
const fn first_of(priority: BatchPriority) -> u8 {
    match priority {
        BatchPriority::Normal => 0,
        BatchPriority::High => CLASSES_EACH,
        BatchPriority::Low => 2 * CLASSES_EACH,
    }
}

/// Returns the priority of a class.
pub(crate) fn priority_of(class: u8) -> BatchPriority {
    let is_of = |priority: &BatchPriority| first_of(*priority) / CLASSES_EACH == class / CLASSES_EACH;
    BatchPriority::ALL.into_iter().find(is_of).unwrap_or_default()
}

/// Adds what a block has pending by class.
pub(crate) fn add_counts(counts: &mut PriorityCounts, of_block: &ClassCounts) {
    for (class, &count) in (0..).zip(of_block).filter(|(_, count)| **count > 0) {
        *counts.of_mut(priority_of(class)) += u64::from(count);
    }
}

/// Adds an encoded row to the counts; `None` if it is not one.
pub(crate) fn add_row(counts: &mut PriorityCounts, key: &[u8], value: &[u8]) -> Option<()> {
    let count = u32::from_le_bytes(value.try_into().ok()?);
    *counts.of_mut(priority_of(*key.first()?)) += u64::from(count);
    Some(())
}

fn log2(number: u64) -> u8 {
    number.checked_ilog2().map_or(0, |log| log as u8)
}

/// Returns the key of a row.
pub(crate) fn row_key(class: u8, block_key: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(block_key.len() + 1);
    key.push(class);
    key.extend_from_slice(block_key);
    key
}

/// Returns number of entries and checksum of a row; `None` if it is not one.
pub(crate) fn tally_row(key: &[u8], value: &[u8]) -> Option<(u64, u32)> {
    let count = u32::from_le_bytes(value.try_into().ok()?);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    Some((u64::from(count), hasher.finalize()))
}

/// A position in the order of the pending files. The default is the start of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ReadyPosition {
    pub(crate) class: u8,
    /// Entries of the class below this key lie before the position.
    pub(crate) key: Vec<u8>,
}

impl ReadyPosition {
    /// Returns the start of the files of one priority.
    pub(crate) fn first_of(priority: BatchPriority) -> Self {
        Self { class: first_of(priority), key: Vec::new() }
    }

    /// Returns the priority of the files at the position.
    pub(crate) fn priority(&self) -> BatchPriority {
        priority_of(self.class)
    }
}

/// Pending files, and the position to continue from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadyFiles {
    /// The files: by class, and by path within a class.
    pub files: Vec<(FileKey, Entry)>,
    /// Where the next ones are; `None` after the last.
    pub next: Option<ReadyPosition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_put_sizes_and_ages_in_order() {
        let base = Timestamp(100 * 1_000_000_000);
        let class = |order, size, mtime_s: i64| {
            let mut entry = Entry::default();
            entry.fingerprint.size = size;
            entry.fingerprint.mtime = Timestamp(mtime_s * 1_000_000_000);
            Classes { order, base, rules: PriorityRules::default() }.of(b"", &entry)
        };
        assert_eq!([0, 1, 2, 1023, u64::MAX].map(|size| class(Order::Smallest, size, 0)), [0, 0, 1, 9, 63]);
        assert_eq!([0, u64::MAX].map(|size| class(Order::Largest, size, 0)), [63, 0]);
        assert_eq!(
            [200, 99, 36, i64::MIN / 1_000_000_000].map(|s| class(Order::Newest, 0, s)),
            [0, 0, 6, 33]
        );
        assert_eq!([200, 36].map(|s| class(Order::Oldest, 0, s)), [63, 57]);
        assert_eq!(class(Order::Path, 7, 7), 0);
    }
}
