//! A set of short texts, each with a number, in the order in which they were added.

use super::json::swar;

/// Slots that a set keeps between documents.
const SLOTS_KEPT_MAX: usize = 4_096;

/// Texts by open addressing, all in one buffer.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Number of a text plus one, 0 when free. A power of two.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    text: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    digest: NameDigest,
    at: usize,
}

/// What distinguishes a text from others: a hash, and its ends, which are all of a text of up to sixteen. Of a text
/// shorter than eight, both are all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameDigest {
    hash: u64,
    ends: Ends,
}

/// The first and last eight bytes of a text, and its length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends {
    first: u64,
    last: u64,
    len: usize,
}

impl Ends {
    /// Returns the first eight bytes, padded with zeros, as a number that sorts as they do.
    fn head(self) -> u64 {
        self.first.swap_bytes()
    }
}

/// Masks for the lowest bytes of a word, as many as the index.
const MASKS: [u64; 9] = [
    0,
    0xff,
    0xffff,
    0xff_ffff,
    u32::MAX as u64,
    0xff_ffff_ffff,
    0xffff_ffff_ffff,
    0xff_ffff_ffff_ffff,
    u64::MAX,
];

impl NameDigest {
    pub(super) fn of(name: &[u8]) -> Self {
        let (first, last) = match (name.first_chunk(), name.last_chunk()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => {
                let mut few = [0; 8];
                few.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
                (few, few)
            }
        };
        let last = u64::from_le_bytes(last);
        Self::with(name, Ends { first: u64::from_le_bytes(first), last, len: name.len() })
    }

    /// Computes the digest of a text within a document, by its position: with fewer branches than `of`.
    #[inline(always)]
    pub(super) fn within(doc: &[u8], at: usize, name: &[u8]) -> Self {
        let len = name.len();
        let around = doc.get(at..at + len.max(8)).unwrap_or_default();
        let (Some(first), Some(last)) = (around.first_chunk(), around.last_chunk()) else {
            return Self::of(name);
        };
        let first = u64::from_le_bytes(*first);
        let last = u64::from_le_bytes(*last);
        let mask = MASKS[len.min(8)];
        Self::with(name, Ends { first: first & mask, last: last & mask, len })
    }

    #[inline(always)]
    fn with(name: &[u8], ends: Ends) -> Self {
        Self { hash: hash(name, ends), ends }
    }

    #[inline(always)]
    pub(super) fn ends(&self) -> Ends {
        self.ends
    }

    /// Returns the hash. It is the same on every machine: which names of a huge document are counted depends on it.
    #[inline(always)]
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// Returns whether the digest fully identifies the text.
    #[inline(always)]
    pub(super) fn is_whole(&self) -> bool {
        self.ends.len <= 16
    }
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns a text by its number.
    pub(super) fn get(&self, number: usize) -> &[u8] {
        self.entries.get(number).map_or(&[], |entry| self.text_of(entry))
    }

    /// Returns the hash of a text by its number.
    pub(super) fn hash(&self, number: usize) -> u64 {
        self.entries.get(number).map_or(0, |entry| entry.digest.hash)
    }

    fn text_of(&self, entry: &Entry) -> &[u8] {
        self.text.get(entry.at..entry.at + entry.digest.ends.len).unwrap_or_default()
    }

    /// Returns the number of a text, or the free slot where it belongs.
    #[inline]
    pub(super) fn find(&self, name: &[u8], digest: NameDigest) -> Result<usize, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = digest.hash as usize & mask;
        loop {
            let number = match self.slots.get(slot) {
                None | Some(0) => return Err(slot),
                Some(&number) => number as usize - 1,
            };
            let same = self.entries.get(number).is_some_and(|entry| {
                entry.digest == digest && (digest.is_whole() || self.text_of(entry) == name)
            });
            if same {
                return Ok(number);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Adds a text that `find` has not found, at the free slot that it returned.
    pub(super) fn add(&mut self, name: &[u8], digest: NameDigest, slot: usize) -> usize {
        self.entries.push(Entry { digest, at: self.text.len() });
        self.text.extend_from_slice(name);
        if self.entries.len() * 2 > self.slots.len() {
            self.slots = vec![0; (self.slots.len() * 2).max(128)];
            self.index_all();
        } else if let Some(free) = self.slots.get_mut(slot) {
            *free = self.entries.len() as u32;
        }
        self.entries.len() - 1
    }

    /// Sets the rank of each text, by its number. Most differ in their first eight bytes, which compare as one
    /// number.
    pub(super) fn rank(&self, ranks: &mut Vec<u32>) {
        let mut order: Vec<(u64, u32)> = Vec::with_capacity(self.entries.len());
        order.extend((0..).zip(&self.entries).map(|(number, entry)| (entry.digest.ends.head(), number)));
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| self.get(a.1 as usize).cmp(self.get(b.1 as usize)))
        });
        ranks.clear();
        ranks.resize(order.len(), 0);
        for (rank, &(_, number)) in (0..).zip(&order) {
            if let Some(place) = ranks.get_mut(number as usize) {
                *place = rank;
            }
        }
    }

    /// Drops the texts that `keep` refuses; the others move up.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u64) -> bool) {
        self.entries.retain(|entry| keep(entry.digest.hash));
        let mut text = Vec::new();
        for entry in &mut self.entries {
            let at = text.len();
            text.extend_from_slice(
                self.text.get(entry.at..entry.at + entry.digest.ends.len).unwrap_or_default(),
            );
            entry.at = at;
        }
        self.text = text;
        self.slots.fill(0);
        self.index_all();
    }

    /// Clears everything, and frees memory after an unusual document.
    pub(super) fn clear(&mut self) {
        if self.slots.len() > SLOTS_KEPT_MAX {
            *self = Self::default();
        } else if !self.entries.is_empty() {
            self.slots.fill(0);
            self.entries.clear();
            self.text.clear();
        }
    }

    /// Inserts all entries into the empty slots.
    fn index_all(&mut self) {
        let mask = self.slots.len().wrapping_sub(1);
        for (number, entry) in self.entries.iter().enumerate() {
            let mut slot = entry.digest.hash as usize & mask;
            while self.slots.get(slot).is_some_and(|&taken| taken != 0) {
                slot = (slot + 1) & mask;
            }
            if let Some(free) = self.slots.get_mut(slot) {
                *free = number as u32 + 1;
            }
        }
    }
}

/// Values by their names, collected once and then only read.
#[derive(Debug, Default)]
pub(super) struct ByName<T> {
    names: Names,
    all: Vec<T>,
}

impl<T> ByName<T> {
    #[inline(always)]
    pub(super) fn get(&self, name: &[u8], digest: NameDigest) -> Option<&T> {
        self.names.find(name, digest).ok().and_then(|number| self.all.get(number))
    }

    pub(super) fn get_or_add(&mut self, name: &str, new: impl FnOnce() -> T) -> &mut T {
        let digest = NameDigest::of(name.as_bytes());
        let number = self.names.find(name.as_bytes(), digest).unwrap_or_else(|slot| {
            self.all.push(new());
            self.names.add(name.as_bytes(), digest, slot)
        });
        &mut self.all[number]
    }
}

#[inline(always)]
fn hash(name: &[u8], ends: Ends) -> u64 {
    let state = fold(ends.first ^ K[0], ends.last ^ K[1] ^ ends.len as u64);
    if name.len() > 16 { hash_middle(name, state) } else { state }
}

const K: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9];

/// Hashes in two lanes: in one alone, a word of the text could cancel the words before it, so that any number of
/// texts had the same hash, and each was compared with all of them.
#[inline(never)]
fn hash_middle(name: &[u8], state: u64) -> u64 {
    let mut one = state;
    let mut other = !state;
    let mut at = 8;
    while at + 8 < name.len() {
        let word = swar::load8(name, at).unwrap_or(0);
        one = fold(one ^ word, K[2]);
        other = fold(other ^ word.rotate_left(32), K[0]);
        at += 8;
    }
    one ^ other.rotate_left(32)
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_same_wherever_the_text_stands() {
        let text = "one_two-three.four/five six:seven eight nine ten";
        for len in 0..=40 {
            for at in 0..text.len() - len {
                let doc = text.as_bytes();
                let name = &doc[at..at + len];
                assert_eq!(NameDigest::within(doc, at, name), NameDigest::of(name), "{len} at {at}");
                assert_eq!(NameDigest::of(name).ends.first, NameDigest::of(&name[..len.min(8)]).ends.first);
            }
        }
    }

    #[test]
    fn texts_that_are_made_for_it_have_hashes_of_their_own() {
        let ends = NameDigest::of(&[b'x'; 16]).ends();
        let hashes = (0..1_000u64).map(|word| {
            let state = fold(ends.first ^ K[0], ends.last ^ K[1] ^ 32);
            let undone = fold(state ^ word, K[2]);
            let text = [[b'x'; 8], word.to_le_bytes(), undone.to_le_bytes(), [b'x'; 8]].concat();
            NameDigest::of(&text).hash()
        });
        assert_eq!(hashes.collect::<std::collections::BTreeSet<_>>().len(), 1_000);
    }
}
