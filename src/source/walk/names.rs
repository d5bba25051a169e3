//! Names of a folder's entries, packed into one block of memory.

use std::ffi::CStr;
use std::fmt;

use crate::model::shared_prefix;

/// Names in ascending order, each once: 8 bytes a name beside the name itself; while they are sorted 4 more, and 1 MB.
///
/// ```
/// use outlast::source::Names;
///
/// let names: Names = ["src", "docs", "src"].into_iter().collect();
/// assert_eq!(names.iter().collect::<Vec<_>>(), [b"docs".as_slice(), b"src"]);
/// assert!(names.contains(b"src"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Per name a tag (1 byte), its length (2 bytes, little endian), its bytes, and a zero byte: system calls take
    /// it from here as it is. Copying it for each call was a tenth of the cost of a file's metadata.
    arena: Vec<u8>,
    /// Where each name begins in the arena.
    starts: Vec<u32>,
}

const HEAD: usize = 3;
/// Up to this many names are sorted without allocating.
const FEW: usize = 32;
/// Up to this many names are sorted at once, with 16 bytes a name.
const AT_ONCE: usize = 1 << 16;
/// Larger sets are partitioned at most this often: a few dissimilar names must not keep the rest together.
const LEVELS: u32 = 8;

/// More names in one folder than can be addressed: 4 GiB of them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the names in this folder take more than 4 GiB: spread the files over sub-folders")]
pub(in crate::source) struct TooManyNames;

impl Names {
    /// Returns the number of names.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Returns the names, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + '_ {
        self.starts.iter().map(|&start| entry(&self.arena, start).1)
    }

    /// Returns whether this name is among them.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.find(name).is_some()
    }

    /// Returns whether it is among them as one that no rule excludes.
    pub(crate) fn lets_in(&self, name: &[u8]) -> bool {
        self.find(name).is_some_and(|tag| tag != CUT)
    }

    /// Returns the tag of a name.
    fn find(&self, name: &[u8]) -> Option<u8> {
        let at = self.starts.binary_search_by(|&start| entry(&self.arena, start).1.cmp(name)).ok()?;
        Some(entry(&self.arena, *self.starts.get(at)?).0)
    }

    /// Returns the tag and the name at `index`, in ascending order.
    pub(super) fn get(&self, index: usize) -> Option<(u8, &CStr)> {
        let &start = self.starts.get(index)?;
        let (tag, name) = entry(&self.arena, start);
        let from = start as usize + HEAD;
        let terminated = &self.arena[from..=from + name.len()];
        CStr::from_bytes_with_nul(terminated).ok().map(|name| (tag, name))
    }

    /// Returns the name at `index`, in ascending order.
    pub(super) fn name(&self, index: usize) -> Option<&[u8]> {
        self.starts.get(index).map(|&start| entry(&self.arena, start).1)
    }

    /// Adds a name. [`Names::sort`] must be called before any lookup.
    pub(in crate::source) fn push(&mut self, tag: u8, name: &[u8]) -> Result<(), TooManyNames> {
        let start = u32::try_from(self.arena.len()).map_err(|_| TooManyNames)?;
        let len = u16::try_from(name.len()).map_err(|_| TooManyNames)?;
        self.arena.push(tag);
        self.arena.extend_from_slice(&len.to_le_bytes());
        self.arena.extend_from_slice(name);
        self.arena.push(0);
        self.starts.push(start);
        Ok(())
    }

    /// Sorts the names and removes duplicates: a folder that changes while it is listed may return a name twice.
    pub(in crate::source) fn sort(&mut self) {
        let Self { arena, starts } = self;
        let name = |start| entry(arena, start).1;
        // Some file systems list in order.
        if starts.is_sorted_by(|&a, &b| name(a) < name(b)) {
            return;
        }
        sort_parts(arena, starts, AT_ONCE, LEVELS);
        starts.dedup_by(|a, b| entry(arena, *a).1 == entry(arena, *b).1);
    }

    /// Drops the names that `keep` refuses.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u8, &[u8]) -> bool) {
        let arena = &self.arena;
        self.starts.retain(|&start| {
            let (tag, name) = entry(arena, start);
            keep(tag, name)
        });
    }

    /// Changes the names' tags.
    pub(super) fn retag(&mut self, mut tag_of: impl FnMut(u8, &[u8]) -> u8) {
        for &start in &self.starts {
            let (tag, name) = entry(&self.arena, start);
            self.arena[start as usize] = tag_of(tag, name);
        }
    }

    /// Removes all names; frees memory beyond `arena_max` bytes of names.
    pub(in crate::source) fn clear(&mut self, arena_max: usize) {
        if self.arena.capacity() > arena_max {
            *self = Self::default();
        }
        self.arena.clear();
        self.starts.clear();
    }

    /// Frees unused capacity.
    pub(super) fn shrink(&mut self) {
        self.arena.shrink_to_fit();
        self.starts.shrink_to_fit();
    }
}

/// Sorts these names. More than `most` of them are first partitioned by the byte after their common prefix, at most
/// `levels` times: the keys of 1,000,000 names would take 16 MB.
fn sort_parts(arena: &[u8], starts: &mut [u32], most: usize, levels: u32) {
    let name = |start| entry(arena, start).1;
    let Some(first) = starts.first().map(|&start| name(start)) else { return };
    let shared =
        starts.iter().fold(first.len(), |shared, &start| shared_prefix(&first[..shared], name(start)));
    if starts.len() <= most || levels == 0 {
        return sort_at_once(arena, starts, shared);
    }
    let byte = |start| usize::from(name(start).get(shared).copied().unwrap_or(0));
    let mut counts = [0; 256];
    starts.iter().for_each(|&start| counts[byte(start)] += 1);
    let mut parted = vec![0; starts.len()];
    let mut places = counts;
    let mut at = 0;
    places.iter_mut().for_each(|place| at += std::mem::replace(place, at));
    for &start in &*starts {
        let place = &mut places[byte(start)];
        parted[*place] = start;
        *place += 1;
    }
    starts.copy_from_slice(&parted);
    drop(parted);
    let mut rest = starts;
    for count in counts {
        let (part, behind) = rest.split_at_mut(count);
        rest = behind;
        sort_parts(arena, part, most, levels - 1);
    }
}

/// Sorts names that share this many leading bytes. Nearly all differ in the next eight: comparing those takes a
/// fourth of the time of comparing whole names.
fn sort_at_once(arena: &[u8], starts: &mut [u32], shared: usize) {
    let name = |start| entry(arena, start).1;
    let mut few = [(0, 0); FEW];
    let mut many = Vec::new();
    let keyed = if let Some(few) = few.get_mut(..starts.len()) {
        few
    } else {
        many.resize(starts.len(), (0, 0));
        many.as_mut_slice()
    };
    for (keyed, &start) in keyed.iter_mut().zip(&*starts) {
        *keyed = (leading(&name(start)[shared..]), start);
    }
    keyed.sort_unstable_by(|&(a, at_a), &(b, at_b)| a.cmp(&b).then_with(|| name(at_a).cmp(name(at_b))));
    starts.iter_mut().zip(keyed).for_each(|(start, (_, sorted))| *start = *sorted);
}

/// Returns the first eight bytes as a number that sorts as they do, padded with zeros.
fn leading(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = bytes.len().min(8);
    first[..len].copy_from_slice(&bytes[..len]);
    u64::from_be_bytes(first)
}

fn entry(arena: &[u8], start: u32) -> (u8, &[u8]) {
    let at = start as usize;
    let len = usize::from(u16::from_le_bytes([arena[at + 1], arena[at + 2]]));
    (arena[at], &arena[at + HEAD..at + HEAD + len])
}

/// Names longer than 65,535 bytes, which no file system has, are skipped.
impl<N: AsRef<[u8]>> FromIterator<N> for Names {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        let mut all = Self::default();
        for name in names {
            if all.push(VISIT, name.as_ref()).is_err() {
                continue;
            }
        }
        all.sort();
        all
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|name| name.escape_ascii().to_string())).finish()
    }
}

/// Tag of a sub-folder that will be visited.
pub(super) const VISIT: u8 = 0;

/// Tag of a sub-folder that a rule excluded.
pub(super) const CUT: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_are_a_sorted_set(
            (shared, ends) in (0..12_usize, prop::collection::vec(prop::collection::vec(0_u8..4, 1..12), 0..40))
        ) {
            let names: Vec<Vec<u8>> = ends.into_iter().map(|end| [vec![b'x'; shared], end].concat()).collect();
            let packed: Names = names.iter().collect();
            let set: BTreeSet<_> = names.iter().map(Vec::as_slice).collect();
            prop_assert!(packed.iter().eq(set.iter().copied()));
            prop_assert!(names.iter().all(|name| packed.contains(name)));
            prop_assert!(!packed.contains(b"longer than any"));
        }

        #[test]
        fn many_names_are_sorted_in_parts(
            (most, levels, names) in (0..5_usize, 0..9_u32, prop::collection::vec(prop::collection::vec(1_u8..4, 0..6), 0..40))
        ) {
            let mut packed = Names::default();
            names.iter().try_for_each(|name| packed.push(VISIT, name)).unwrap();
            sort_parts(&packed.arena, &mut packed.starts, most, levels);
            let mut sorted = names.clone();
            sorted.sort();
            prop_assert!(packed.iter().eq(sorted.iter().map(Vec::as_slice)));
        }
    }

    #[test]
    fn what_is_refused_is_gone_and_the_rest_stays_sorted() {
        let mut names: Names = ["c", "a", "b"].into_iter().collect();
        names.retain(|_, name| name != b"b");
        assert_eq!(format!("{names:?}"), "[\"a\", \"c\"]");
        names.clear(usize::MAX);
        assert!(names.is_empty());
    }
}
