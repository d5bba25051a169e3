//! How often each kind occurs, in bounded memory.

/// Distinct kinds counted by name. A document with more is counted by a sample of them.
const DISTINCT_MAX: usize = 16_384;
/// A longer string is no name of a kind and counts only as a node, in bytes.
const NAME_LEN_MAX: usize = 256;
/// Slots that a tally keeps from document to document.
const SLOTS_KEPT_MAX: usize = 4_096;

/// Counts of the strings under one field.
///
/// When more than `DISTINCT_MAX` distinct names appear, those whose hash begins with a one bit are
/// dropped for good, then those whose second bit is one, and so on. So which names stay depends on
/// the set of names alone, never on their order, and the counts of those that stay are exact.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Open addressing by hash: index into `entries` plus one, 0 when free. A power of two.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    names: Vec<u8>,
    /// Leading zero bits that a hash must have to be counted by name.
    zeros_min: u32,
    /// All strings counted, those without an entry included.
    total: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    ends: Ends,
    at: usize,
    len: usize,
    count: u64,
}

/// The first and the last eight bytes of a name. With its length they tell a name of up to sixteen
/// bytes apart from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends(u64, u64);

impl Ends {
    #[inline(always)]
    fn of(name: &[u8]) -> Self {
        if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            return Self(u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        }
        if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            return Self(u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
        }
        match *name {
            [a, b, c] => Self(u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]), 0),
            [a, b] => Self(u64::from_le_bytes([a, b, 0, 0, 0, 0, 0, 0]), 0),
            [a] => Self(a.into(), 0),
            _ => Self(0, 0),
        }
    }
}

impl Tally {
    /// All strings counted.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The names with their counts, in the order of their first appearance.
    pub(super) fn names(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let counted = self.entries.iter().filter(|entry| entry.count > 0);
        counted.map(|entry| (self.name(entry), entry.count))
    }

    /// Counts a string.
    #[inline]
    pub(super) fn add(&mut self, name: &[u8]) {
        self.total += 1;
        if name.len() > NAME_LEN_MAX {
            return;
        }
        let ends = Ends::of(name);
        let hash = hash(name, ends);
        match self.find(name, hash, ends) {
            Ok(entry) => entry.count += 1,
            Err(slot) => self.insert(name, hash, ends, slot),
        }
    }

    /// Takes back one `add` of the same string.
    #[cold]
    pub(super) fn undo(&mut self, name: &[u8]) {
        self.total -= 1;
        let ends = Ends::of(name);
        if let Ok(entry) = self.find(name, hash(name, ends), ends) {
            entry.count -= 1;
        }
    }

    /// Forgets everything, and gives back memory after an unusual document.
    pub(super) fn clear(&mut self) {
        if self.total == 0 && self.entries.is_empty() {
            return;
        }
        if self.slots.len() > SLOTS_KEPT_MAX {
            *self = Self::default();
            return;
        }
        self.slots.fill(0);
        self.entries.clear();
        self.names.clear();
        self.zeros_min = 0;
        self.total = 0;
    }

    fn name(&self, entry: &Entry) -> &[u8] {
        self.names.get(entry.at..entry.at + entry.len).unwrap_or_default()
    }

    /// The entry of a name, or the free slot where it belongs.
    #[inline]
    fn find(&mut self, name: &[u8], hash: u64, ends: Ends) -> Result<&mut Entry, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = hash as usize & mask;
        loop {
            let index = match self.slots.get(slot) {
                None | Some(0) => return Err(slot),
                Some(&index) => index as usize - 1,
            };
            let same = self.entries.get(index).is_some_and(|entry| {
                (entry.hash == hash) & (entry.ends == ends) & (entry.len == name.len())
                    && (name.len() <= 16 || self.name(entry) == name)
            });
            if same {
                return self.entries.get_mut(index).ok_or(slot);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn insert(&mut self, name: &[u8], hash: u64, ends: Ends, slot: usize) {
        if hash.leading_zeros() < self.zeros_min {
            return;
        }
        self.entries.push(Entry { hash, ends, at: self.names.len(), len: name.len(), count: 1 });
        self.names.extend_from_slice(name);
        if self.entries.len() > DISTINCT_MAX {
            self.thin_out();
        }
        if self.entries.len() * 2 > self.slots.len() {
            self.slots = vec![0; (self.slots.len() * 2).max(128)];
            self.index_all();
        } else if let Some(free) = self.slots.get_mut(slot) {
            *free = self.entries.len() as u32;
        }
    }

    /// Drops about half of the names.
    fn thin_out(&mut self) {
        while self.entries.len() > DISTINCT_MAX {
            self.zeros_min += 1;
            self.entries.retain(|entry| entry.hash.leading_zeros() >= self.zeros_min);
        }
        let mut names = Vec::new();
        for entry in &mut self.entries {
            let at = names.len();
            names.extend_from_slice(self.names.get(entry.at..entry.at + entry.len).unwrap_or_default());
            entry.at = at;
        }
        self.names = names;
        self.slots.fill(0);
        self.index_all();
    }

    /// Enters all entries into the empty slots.
    fn index_all(&mut self) {
        let mask = self.slots.len().wrapping_sub(1);
        for (index, entry) in self.entries.iter().enumerate() {
            let mut slot = entry.hash as usize & mask;
            while self.slots.get(slot).is_some_and(|&taken| taken != 0) {
                slot = (slot + 1) & mask;
            }
            if let Some(free) = self.slots.get_mut(slot) {
                *free = index as u32 + 1;
            }
        }
    }
}

/// A hash that is the same on every machine: which names a huge document keeps depends on it.
#[inline]
fn hash(name: &[u8], ends: Ends) -> u64 {
    const K: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9];
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let mut state = fold(ends.0 ^ K[0], ends.1 ^ K[1]);
    let mut at = 8;
    while at + 8 < name.len() {
        state = fold(state ^ super::swar::load8(name, at).unwrap_or(0), K[1]);
        at += 8;
    }
    fold(state ^ name.len() as u64, K[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(tally: &Tally) -> Vec<(Vec<u8>, u64)> {
        let mut all: Vec<_> = tally.names().map(|(name, count)| (name.to_vec(), count)).collect();
        all.sort();
        all
    }

    #[test]
    fn few_names_are_counted_exactly_and_taken_back() {
        let mut tally = Tally::default();
        for name in ["Call", "", "Name", "Call", "a name of more than sixteen bytes", "Name", "Call"] {
            tally.add(name.as_bytes());
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
        let (mut forward, mut backward) = (Tally::default(), Tally::default());
        for name in names.iter().chain(&names) {
            forward.add(name.as_bytes());
        }
        for name in names.iter().rev().flat_map(|name| [name, name]) {
            backward.add(name.as_bytes());
        }
        let kept = sorted(&forward);
        assert_eq!(kept, sorted(&backward));
        assert!((DISTINCT_MAX / 4..=DISTINCT_MAX).contains(&kept.len()), "{}", kept.len());
        assert!(kept.iter().all(|(_, count)| *count == 2));
        assert_eq!(forward.total(), 120_000);
        assert!(forward.names.len() < DISTINCT_MAX * 12);
    }
}
