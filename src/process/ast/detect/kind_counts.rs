//! Counts how often each kind occurs, in bounded memory.

use super::vocabulary::{Roles, vocabulary};
use crate::process::ast::interner::{NameDigest, Names};

/// Distinct kinds counted by name. A document with more is counted by a sample of them.
const DISTINCT_MAX: usize = 16_384;
/// A longer string is not the name of a kind and counts only as a node, in bytes.
const NAME_LEN_MAX: usize = 256;

/// Counts of the strings under one field.
///
/// When more than `DISTINCT_MAX` distinct names appear, those whose hash begins with a one bit are dropped for
/// good, then those whose second bit is one, and so on. So which names stay depends only on the set of names, never
/// on their order, and the counts of those that stay are exact.
#[derive(Debug, Default)]
pub(crate) struct KindCounts {
    names: Names,
    counted: Vec<Counted>,
    /// Leading zero bits that a hash must have to be counted by name.
    zeros_min: u32,
    /// All strings counted, including those without a name here.
    total: u64,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    count: u64,
    roles: Roles,
}

/// A name as it was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KindCount<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) count: u64,
    pub(crate) roles: Roles,
}

impl KindCounts {
    /// Returns the number of strings counted.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Returns the names with their counts, in order of first appearance.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = KindCount<'_>> {
        let kind = |(number, counted): (usize, &Counted)| KindCount {
            name: self.names.get(number),
            count: counted.count,
            roles: counted.roles,
        };
        self.counted.iter().enumerate().map(kind).filter(|kind| kind.count > 0)
    }

    /// Counts a string, and returns its role in each dialect and the number that it can be counted again by.
    #[inline]
    pub(super) fn add(&mut self, name: &[u8], digest: NameDigest) -> (Roles, Option<u32>) {
        self.total += 1;
        if name.len() > NAME_LEN_MAX {
            return (Roles::default(), None);
        }
        match self.names.find(name, digest) {
            Ok(number) => match self.counted.get_mut(number) {
                Some(counted) => {
                    counted.count += 1;
                    (counted.roles, Some(number as u32))
                }
                None => (Roles::default(), None),
            },
            Err(slot) => self.insert(name, digest, slot),
        }
    }

    /// Counts a string again by its number. Returns whether it did: where names were dropped, numbers have changed.
    #[inline(always)]
    pub(super) fn add_again(&mut self, number: u32) -> bool {
        match self.counted.get_mut(number as usize) {
            Some(counted) if self.zeros_min == 0 => {
                counted.count += 1;
                self.total += 1;
                true
            }
            _ => false,
        }
    }

    /// Takes back one `add` of the same string.
    #[cold]
    pub(super) fn undo(&mut self, name: &[u8]) {
        self.total -= 1;
        if let Ok(number) = self.names.find(name, NameDigest::of(name))
            && let Some(counted) = self.counted.get_mut(number)
        {
            counted.count -= 1;
        }
    }

    /// Clears everything, and frees memory after an unusual document.
    pub(super) fn clear(&mut self) {
        if self.total > 0 || self.names.len() > 0 {
            self.names.clear();
            self.counted.clear();
            self.zeros_min = 0;
            self.total = 0;
        }
    }

    fn insert(&mut self, name: &[u8], digest: NameDigest, slot: usize) -> (Roles, Option<u32>) {
        let roles = vocabulary().get(name, digest).copied().unwrap_or_default();
        let number = self.counted.len() as u32;
        if digest.hash().leading_zeros() >= self.zeros_min {
            self.names.add(name, digest, slot);
            self.counted.push(Counted { count: 1, roles });
            if self.counted.len() > DISTINCT_MAX {
                self.thin_out();
            }
        }
        (roles, Some(number))
    }

    /// Drops about half of the names.
    fn thin_out(&mut self) {
        while self.counted.len() > DISTINCT_MAX {
            self.zeros_min += 1;
            let mut number = 0;
            self.counted.retain(|_| {
                number += 1;
                self.names.hash(number - 1).leading_zeros() >= self.zeros_min
            });
            self.names.retain(|hash| hash.leading_zeros() >= self.zeros_min);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(tally: &mut KindCounts, name: &str) {
        tally.add(name.as_bytes(), NameDigest::of(name.as_bytes()));
    }

    fn sorted(tally: &KindCounts) -> Vec<(Vec<u8>, u64)> {
        let mut all: Vec<_> = tally.kinds().map(|kind| (kind.name.to_vec(), kind.count)).collect();
        all.sort();
        all
    }

    #[test]
    fn few_names_are_counted_exactly_and_taken_back() {
        let mut tally = KindCounts::default();
        for name in ["Call", "", "Name", "Call", "a name of more than sixteen bytes", "Name", "Call"] {
            add(&mut tally, name);
        }
        tally.undo(b"Call");
        tally.undo(b"");
        let expected: [(&[u8], u64); 3] =
            [(b"Call", 2), (b"Name", 2), (b"a name of more than sixteen bytes", 1)];
        assert_eq!(sorted(&tally), expected.map(|(name, count)| (name.to_vec(), count)));
        assert_eq!(tally.total(), 5);
        tally.clear();
        assert!(sorted(&tally).is_empty() && tally.total() == 0);
    }

    #[test]
    fn a_flood_of_names_leaves_the_same_sample_in_any_order() {
        let names: Vec<_> = (0..60_000).map(|n| format!("kind-{n}")).collect();
        let mut forward = KindCounts::default();
        let mut backward = KindCounts::default();
        for name in names.iter().chain(&names) {
            add(&mut forward, name);
        }
        for name in names.iter().rev().flat_map(|name| [name, name]) {
            add(&mut backward, name);
        }
        let kept = sorted(&forward);
        assert_eq!(kept, sorted(&backward));
        assert!((DISTINCT_MAX / 4..=DISTINCT_MAX).contains(&kept.len()), "{}", kept.len());
        assert!(kept.iter().all(|(_, count)| *count == 2));
        assert_eq!(forward.total(), 120_000);
        assert!(forward.names.len() < DISTINCT_MAX * 12);
    }
}
