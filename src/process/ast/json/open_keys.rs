//! Keys of the open objects that don't fit among the known ones, to find repeated keys of an object.

/// Keys that are kept of all open objects together. Beyond, only what is kept is compared.
const OPEN_MAX: usize = 4_000_000;
/// Up to here each new key is compared with the others; an object with more is sorted when it closes.
const FEW: usize = 48;
/// Entries kept between documents.
const KEPT_MAX: usize = 16_384;

/// Hashes of the keys, the innermost object's last. Two keys of one hash count as the same: among keys not crafted
/// for it, that happens once in some 10^13 objects of a thousand keys.
#[derive(Debug, Default)]
pub(crate) struct OpenKeys {
    hashes: Vec<u64>,
}

impl OpenKeys {
    /// Returns where the keys of an object that opens now will begin.
    #[inline(always)]
    pub(crate) fn begin(&self) -> u32 {
        self.hashes.len() as u32
    }

    /// Adds a key of the innermost object, whose keys begin at `begin`. Returns whether the object has it already,
    /// as long as it has few.
    #[cold]
    pub(crate) fn add(&mut self, hash: u64, begin: u32) -> bool {
        let keys = self.hashes.get(begin as usize..).unwrap_or_default();
        let again = keys.len() <= FEW && keys.contains(&hash);
        if self.hashes.len() < OPEN_MAX {
            self.hashes.push(hash);
        }
        again
    }

    /// Drops the keys of an object that closes. Returns how many repetitions `add` did not see.
    #[inline(always)]
    pub(crate) fn end(&mut self, begin: u32) -> u64 {
        let begin = begin as usize;
        let repeated = if self.hashes.len() > begin + FEW { self.repeated(begin) } else { 0 };
        self.hashes.truncate(begin);
        repeated
    }

    #[cold]
    fn repeated(&mut self, begin: usize) -> u64 {
        let repetitions = |keys: &mut [u64]| {
            keys.sort_unstable();
            keys.windows(2).filter(|pair| pair.first() == pair.last()).count() as u64
        };
        let keys = self.hashes.get_mut(begin..).unwrap_or_default();
        // `add` compared each of the first ones, one more than `FEW`, with those before it.
        let seen = repetitions(keys.get_mut(..=FEW).unwrap_or_default());
        repetitions(keys) - seen
    }

    /// Clears everything, and frees memory after an unusual document.
    pub(crate) fn clear(&mut self) {
        self.hashes.clear();
        self.hashes.shrink_to(KEPT_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_repetition_counts_once_in_objects_of_any_size() {
        for distinct in [1u64, 2, 10, 47, 48, 49, 50, 500] {
            for repeated in [0, 1, 3, 48, 60] {
                let mut keys = OpenKeys::default();
                let outer = keys.begin();
                assert!(!keys.add(7, outer));
                let begin = keys.begin();
                let mut found = 0;
                for key in (0..distinct).chain((0..repeated).map(|key| key % distinct)) {
                    let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    found += u64::from(keys.add(hash, begin));
                }
                found += keys.end(begin);
                assert_eq!(found, repeated, "{distinct} keys");
                assert_eq!(keys.end(outer), 0);
            }
        }
    }
}
