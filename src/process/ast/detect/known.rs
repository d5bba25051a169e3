//! Keys and kinds that a thread has met in documents of one dialect, found again by their bytes.
//!
//! A dialect's documents have a few dozen of each, in nearly the same order. So the sixteen bytes at a position are
//! compared as one number with the key that came next the last time, and only if that fails, looked up. That saves
//! the search for the string's end, its hash, and one look-up each for its meaning and for repetitions: a quarter
//! of all work on small documents of Python.

use super::vocabulary::{Key, Roles};
use crate::process::ast::json::swar;

/// Number of bytes that are compared as one number.
const CHUNK: usize = 16;

/// Returns the sixteen bytes at a position; `None` close to the document's end.
#[inline(always)]
pub(crate) fn chunk(doc: &[u8], at: usize) -> Option<u128> {
    let chunk: &[u8; CHUNK] = doc.get(at..)?.first_chunk()?;
    Some(u128::from_le_bytes(*chunk))
}

/// Returns those and the next sixteen.
#[inline(always)]
pub(crate) fn two_chunks(doc: &[u8], at: usize) -> Option<[u128; 2]> {
    let chunks: &[u8; 2 * CHUNK] = doc.get(at..)?.first_chunk()?;
    let (chunks, _) = chunks.as_chunks::<CHUNK>();
    Some([u128::from_le_bytes(*chunks.first()?), u128::from_le_bytes(*chunks.get(1)?)])
}

/// A text of up to sixteen bytes, to compare with those of a document.
#[derive(Debug, Clone, Copy)]
struct Pattern {
    bytes: u128,
    mask: u128,
}

impl Pattern {
    const ANY: Self = Self { bytes: 0, mask: 0 };
    /// Matches nothing.
    const NONE: Self = Self { bytes: 1, mask: 0 };

    fn of(text: &[u8]) -> Self {
        if text.is_empty() || text.len() > CHUNK {
            return Self::NONE;
        }
        let mut bytes = [0; CHUNK];
        let mut mask = [0; CHUNK];
        for ((byte, mask), from) in bytes.iter_mut().zip(&mut mask).zip(text) {
            *byte = *from;
            *mask = 0xff;
        }
        Self { bytes: u128::from_le_bytes(bytes), mask: u128::from_le_bytes(mask) }
    }

    #[inline(always)]
    fn fits(&self, chunk: u128) -> bool {
        chunk & self.mask == self.bytes
    }

    fn is_none(&self) -> bool {
        self.mask == 0
    }
}

/// Returns a hash, in its upper bits, of the text that begins a chunk and ends with a quote.
#[inline(always)]
fn hash(chunk: u128, seed: u8) -> u64 {
    let text = swar::up_to_quote(chunk);
    let both = (text as u64).wrapping_add(seed.into()) ^ ((text >> 64) as u64).rotate_left(27);
    both.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The last known key or kind of an object: the next key is guessed by it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Last(u16);

impl Last {
    const KIND: u16 = 256;
    const WITHIN: u16 = 512;
    /// The number of possible values.
    const COUNT: usize = 1_024;

    #[inline(always)]
    fn place(self) -> usize {
        usize::from(self.0) % Self::COUNT
    }

    #[inline(always)]
    pub(crate) fn key(number: u8) -> Self {
        Self(number.into())
    }

    #[inline(always)]
    pub(crate) fn kind(place: u8) -> Self {
        Self(Self::KIND | u16::from(place))
    }

    /// Returns the start of an object under one of the dialect's own keys.
    #[inline(always)]
    pub(crate) fn within(field: u8) -> Self {
        Self(Self::WITHIN | u16::from(field))
    }
}

/// The set of known keys that an object has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KeySet([u64; 4]);

impl KeySet {
    /// Adds a key; returns whether it is in the set already.
    #[inline(always)]
    pub(crate) fn add(&mut self, number: u8) -> bool {
        let word = &mut self.0[usize::from(number >> 6)];
        let bit = 1 << (number & 63);
        let again = *word & bit != 0;
        *word |= bit;
        again
    }
}

/// A key as recent documents write it: with the quote, and the colon and a space where they fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownKey {
    pattern: Pattern,
    hash: u64,
    pub(crate) key: Key,
    /// The length of all of it.
    pub(crate) len: u8,
    pub(crate) has_colon: bool,
    /// The length of its name and the quote.
    name_len: u8,
}

impl KnownKey {
    const NONE: Self = Self {
        pattern: Pattern::NONE,
        hash: 0,
        key: Key::of_field(0),
        len: 0,
        has_colon: false,
        name_len: 0,
    };

    /// Returns whether the chunk begins with its name and the quote, whatever follows.
    fn has_name(&self, chunk: u128) -> bool {
        let mask = u128::MAX >> (8 * (CHUNK - usize::from(self.name_len)));
        (chunk ^ self.pattern.bytes) & mask == 0
    }

    /// Learns how a chunk writes it.
    #[cold]
    fn write(&mut self, chunk: u128, name_len: u8) {
        let bytes = chunk.to_le_bytes();
        let behind = bytes.get(name_len.into()..).unwrap_or_default();
        let spaces = |at: usize| usize::from(behind.get(at) == Some(&b' '));
        let colon = spaces(0);
        self.has_colon = behind.get(colon) == Some(&b':');
        let rest = if self.has_colon { colon + 1 + spaces(colon + 1) } else { 0 };
        self.len = name_len + rest as u8;
        self.name_len = name_len;
        self.pattern = Pattern::of(bytes.get(..self.len.into()).unwrap_or_default());
    }
}

/// Keys by numbers from 1, in the order of first appearance.
#[derive(Debug)]
pub(crate) struct KnownKeys {
    keys: Box<[KnownKey; 256]>,
    count: u8,
    /// Indexes by the keys' first bytes, and by the hash of their name: open addressing.
    by_bytes: Box<[u8; 1024]>,
    by_hash: Box<[u8; 1024]>,
    /// The key that came next the last time, for each [`Last`], and another that did before.
    next: Box<[[u8; 2]; Last::COUNT]>,
}

impl Default for KnownKeys {
    fn default() -> Self {
        Self {
            keys: Box::new([KnownKey::NONE; 256]),
            count: 0,
            by_bytes: Box::new([0; 1024]),
            by_hash: Box::new([0; 1024]),
            next: Box::new([[0; 2]; Last::COUNT]),
        }
    }
}

impl KnownKeys {
    /// Drops keys before a document, if there is no room left for its own.
    pub(crate) fn make_place(&mut self) {
        if self.count == u8::MAX {
            *self = Self::default();
        }
    }

    /// Returns the known key at this position, after its opening quote, and its number.
    #[inline(always)]
    pub(crate) fn find(&mut self, last: Last, chunk: u128) -> Option<(u8, &KnownKey)> {
        let [mut number, other] = self.next[last.place()];
        if !self.keys[usize::from(number)].pattern.fits(chunk) {
            number = other;
            if !self.keys[usize::from(number)].pattern.fits(chunk) {
                number = self.find_other(last, chunk);
                if number == 0 {
                    return None;
                }
            }
        }
        Some((number, &self.keys[usize::from(number)]))
    }

    #[inline(never)]
    fn find_other(&mut self, last: Last, chunk: u128) -> u8 {
        let mut slot = hash(chunk, 0) >> 54;
        loop {
            let number = self.by_bytes[slot as usize & 1023];
            if number == 0 {
                return 0;
            }
            let known = &mut self.keys[usize::from(number)];
            if known.has_name(chunk) {
                if !known.pattern.fits(chunk) {
                    known.write(chunk, known.name_len);
                }
                let next = &mut self.next[last.place()];
                *next = [number, next[0]];
                return number;
            }
            slot += 1;
        }
    }

    /// Returns the number of a key that was read otherwise, by the hash of its name; 0 if there is no room for it.
    /// The chunk begins with the name of this many bytes, and its quote: `None` if the document writes it with
    /// escapes.
    #[cold]
    pub(crate) fn number(&mut self, key: Key, hash: u64, chunk: Option<u128>, len: usize) -> u8 {
        let mut slot = hash as usize & 1023;
        loop {
            let number = self.by_hash[slot];
            if number == 0 {
                break;
            }
            if self.keys[usize::from(number)].hash == hash {
                self.write(number, chunk, len);
                return number;
            }
            slot = (slot + 1) & 1023;
        }
        if self.count == u8::MAX {
            return 0;
        }
        self.count += 1;
        self.by_hash[slot] = self.count;
        let known = &mut self.keys[usize::from(self.count)];
        known.hash = hash;
        known.key = key;
        self.write(self.count, chunk, len);
        self.count
    }

    /// Learns how a key is written, if that is not known yet.
    fn write(&mut self, number: u8, chunk: Option<u128>, len: usize) {
        let known = &mut self.keys[usize::from(number)];
        let Some(chunk) = chunk.filter(|_| len < CHUNK && known.pattern.is_none()) else { return };
        known.write(chunk, len as u8 + 1);
        let mut slot = hash(chunk, 0) >> 54;
        while self.by_bytes[slot as usize & 1023] != 0 {
            slot += 1;
        }
        self.by_bytes[slot as usize & 1023] = number;
    }
}

/// A kind as a document writes it, with the closing quote. It may be twice as long as a key: a fifth of the kinds
/// of clang and of tree-sitter are longer than a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownKind {
    pattern: Pattern,
    rest: Pattern,
    /// Valid in one document only: the one with this number.
    document: u32,
    /// Its number in the tally of the field.
    pub(crate) number: u32,
    pub(crate) roles: Roles,
    field: u8,
    /// The length without the quote.
    pub(crate) len: u8,
}

/// Kinds, each in the slot of its hash: a later one replaces an earlier one.
#[derive(Debug)]
pub(crate) struct KnownKinds {
    kinds: Box<[KnownKind; 256]>,
    document: u32,
}

impl Default for KnownKinds {
    fn default() -> Self {
        let none = KnownKind {
            pattern: Pattern::NONE,
            rest: Pattern::NONE,
            document: 0,
            number: 0,
            roles: Roles::default(),
            field: 0,
            len: 0,
        };
        Self { kinds: Box::new([none; 256]), document: 0 }
    }
}

impl KnownKinds {
    /// Invalidates the kinds of the document before.
    pub(crate) fn begin(&mut self) {
        match self.document.checked_add(1) {
            Some(document) => self.document = document,
            None => *self = Self::default(),
        }
    }

    /// Returns the slot of the kind at this position, after its opening quote.
    #[inline(always)]
    pub(crate) fn place([chunk, _]: [u128; 2], field: u8) -> u8 {
        (hash(chunk, field) >> 56) as u8
    }

    /// Returns the known kind at this position.
    #[inline(always)]
    pub(crate) fn find(&self, place: u8, chunks: [u128; 2], field: u8) -> Option<&KnownKind> {
        let known = &self.kinds[usize::from(place)];
        let fits = known.pattern.fits(chunks[0]) && known.rest.fits(chunks[1]);
        (fits && known.field == field && known.document == self.document).then_some(known)
    }

    /// Learns a kind of this number in its tally; `written` includes the closing quote.
    #[cold]
    pub(crate) fn learn(&mut self, place: u8, field: u8, written: &[u8], number: u32, roles: Roles) {
        let (head, rest) = written.split_at(written.len().min(CHUNK));
        let (pattern, rest) =
            (Pattern::of(head), if rest.is_empty() { Pattern::ANY } else { Pattern::of(rest) });
        let len = written.len().saturating_sub(1) as u8;
        self.kinds[usize::from(place)] =
            KnownKind { pattern, rest, document: self.document, number, roles, field, len };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk_of(text: &str) -> u128 {
        chunk(format!("{text:?<16}").as_bytes(), 0).unwrap()
    }

    /// Returns the number of a document's key, the length found, and whether that includes the colon.
    fn found(keys: &mut KnownKeys, text: &str) -> Option<(u8, usize, bool)> {
        let found = keys.find(Last::default(), chunk_of(text));
        found.map(|(number, known)| (number, known.len.into(), known.has_colon))
    }

    #[test]
    fn a_key_is_found_again_as_it_was_written_last() {
        let mut keys = KnownKeys::default();
        let name = Key::of_field(7);
        assert_eq!(keys.number(name, 12, None, 4), 1);
        assert_eq!(found(&mut keys, r#"name":1"#), None);
        assert_eq!(keys.number(name, 12, Some(chunk_of(r#"name": 1"#)), 4), 1);
        let ways = [(r#"name": 1"#, 7), (r#"name":1"#, 6), (r#"name" : 1"#, 8), (r#"name" :1"#, 7)];
        for (written, end) in ways {
            for _ in 0..2 {
                assert_eq!(found(&mut keys, written), Some((1, end, true)), "{written}");
                assert_eq!(found(&mut keys, r#"names":1"#), None);
            }
        }
        let long = [
            (r#"a_name_of13ch": 1"#, 13, 16, true),
            (r#"a_name_of_14ch": 1"#, 14, 16, true),
            (r#"a_name_of__15ch": 1"#, 15, 16, false),
        ];
        for (written, len, end, has_colon) in long {
            let number = keys.number(Key::default(), len as u64, Some(chunk_of(written)), len);
            assert_eq!(found(&mut keys, written), Some((number, end, has_colon)), "{written}");
        }
        let longer = r#"a_name_of___16ch": 1"#;
        assert_eq!(keys.number(Key::default(), 16, Some(chunk_of(longer)), 16), 5);
        assert_eq!(found(&mut keys, longer), None);
    }

    #[test]
    fn keys_are_forgotten_once_there_is_no_place_for_more() {
        let mut keys = KnownKeys::default();
        let number = |keys: &mut KnownKeys, hash: u64| {
            let name = hash.to_string();
            keys.number(Key::default(), hash, Some(chunk_of(&format!("{name}\":0"))), name.len())
        };
        let numbers: Vec<u8> = (1..=300).map(|hash| number(&mut keys, hash)).collect();
        assert_eq!(numbers[..255], (1..=255).collect::<Vec<u8>>());
        assert!(numbers[255..].iter().all(|&number| number == 0));
        assert_eq!(found(&mut keys, r#"255":"#), Some((255, 5, true)));
        keys.make_place();
        assert_eq!(found(&mut keys, r#"255":"#), None);
        assert_eq!(number(&mut keys, 300), 1);
    }

    #[test]
    fn a_kind_is_known_in_its_document_and_field_alone() {
        let mut kinds = KnownKinds::default();
        kinds.begin();
        for kind in [
            "",
            "Call",
            "a_kind_of_fift.",
            "a_kind_of_sixtee",
            "a_kind_of_sevente",
            "a_kind_of_thirty_one_bytes, is.",
        ] {
            let chunks = two_chunks(format!("{kind}\"{:?<32}", "").as_bytes(), 0).unwrap();
            let place = KnownKinds::place(chunks, 1);
            kinds.learn(place, 1, format!("{kind}\"").as_bytes(), 5, Roles::default());
            let found = kinds.find(place, chunks, 1);
            assert_eq!(found.map(|known| (known.number, usize::from(known.len))), Some((5, kind.len())));
            assert!(kinds.find(place, chunks, 2).is_none());
            let other = two_chunks(format!("{kind}s\"{:?<32}", "").as_bytes(), 0).unwrap();
            assert!(kinds.find(place, other, 1).is_none(), "{kind}");
            kinds.begin();
            assert!(kinds.find(place, chunks, 1).is_none());
        }
        let long = "a kind of more than thirty-two bytes";
        let chunks = two_chunks(format!("{long}\"").as_bytes(), 0).unwrap();
        let place = KnownKinds::place(chunks, 1);
        kinds.learn(place, 1, format!("{long}\"").as_bytes(), 5, Roles::default());
        assert!(kinds.find(place, chunks, 1).is_none());
    }
}
