//! The words that the dialects know: kinds of nodes, and keys.

use std::sync::LazyLock;

use crate::process::ast::dialect::{ALL, DIALECTS, Words, numbered};
use crate::process::ast::interner::{ByName, Ends, NameDigest};

/// Names of the fields that may hold a node's kind. At a tie the earlier one is the document's.
pub(crate) const KIND_FIELDS: [&str; 7] =
    ["_type", "ast_type", "node_type", "nodeType", "_kind", "type", "kind"];

/// Keys whose presence indicates a dialect, wherever they occur. Their order is that of their numbers.
pub(super) const MARKERS: [&str; 29] = [
    "children",
    "namedChildren",
    "start_point",
    "startPosition",
    "start",
    "end",
    "text",
    "inner",
    "loc",
    "range",
    "filePath",
    "packageName",
    "imports",
    "classes",
    "methods",
    "methodCalls",
    "items",
    "ident",
    "segments",
    "path",
    "stmts",
    "vis",
    "attrs",
    "lineno",
    "body",
    "span",
    "lit",
    "position",
    "doc_string",
];

/// Returns the number of one of the `MARKERS`, from 1: computed at compile time, as each document needs some forty
/// of them.
pub(crate) const fn marker(name: &str) -> u8 {
    let mut number = MARKERS.len();
    while number > 0 && !is_same(MARKERS[number - 1].as_bytes(), name.as_bytes()) {
        number -= 1;
    }
    assert!(number > 0, "no marker has this name");
    number as u8
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = if one.len() == other.len() { one.len() } else { return false };
    while at > 0 && one[at - 1] == other[at - 1] {
        at -= 1;
    }
    at == 0
}

/// The role of a kind in each dialect: a byte each, 0 if the dialect does not know it. As many as a register holds,
/// so that they are moved as one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Roles([u8; DIALECTS.next_power_of_two()]);

impl Roles {
    /// Returns the role in the dialect of this number.
    #[inline(always)]
    pub(crate) fn of(self, dialect: usize) -> u8 {
        self.0.get(dialect).copied().unwrap_or(0)
    }
}

/// Returns the kinds of all dialects, built once.
pub(super) fn vocabulary() -> &'static ByName<Roles> {
    static ALL_KINDS: LazyLock<ByName<Roles>> = LazyLock::new(|| {
        let mut all = ByName::default();
        for (place, dialect) in ALL.iter().enumerate() {
            for (kind, role) in numbered(dialect.kinds) {
                all.get_or_add(kind, Roles::default).0[place] = role;
            }
        }
        all
    });
    &ALL_KINDS
}

/// The meaning of a key: three numbers, each from 1, 0 for none. Packed, so that it is moved as one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Key(u32);

impl Key {
    const KIND: u32 = 8;
    const MARKER: u32 = 16;

    /// Returns the key of a value in an array under one of the dialect's own keys.
    #[inline(always)]
    pub(crate) const fn of_field(field: u8) -> Self {
        Self(field as u32)
    }

    /// Returns whether it is one of the `KIND_FIELDS` or the `MARKERS`.
    #[inline(always)]
    pub(crate) fn is_evidence(self) -> bool {
        self.0 >> Self::KIND > 0
    }

    /// Returns its number among the dialect's own keys.
    #[inline(always)]
    pub(crate) fn field(self) -> u8 {
        self.0 as u8
    }

    /// Returns its number among the `KIND_FIELDS`.
    #[inline(always)]
    pub(crate) fn kind(self) -> u8 {
        (self.0 >> Self::KIND) as u8
    }

    /// Returns its number among the `MARKERS`.
    #[inline(always)]
    pub(crate) fn marker(self) -> u8 {
        (self.0 >> Self::MARKER) as u8
    }
}

/// The keys that matter in a document of one dialect, by open addressing.
#[derive(Debug)]
pub(crate) struct Keys {
    slots: Box<[(Ends, Key); Self::SLOTS]>,
    long: Vec<(&'static str, Key)>,
}

impl Keys {
    /// Many times the number of keys.
    const SLOTS: usize = 256;

    /// Collects the keys of a dialect, each with its number, the kind fields and the markers.
    pub(crate) fn new(fields: Words) -> Self {
        let free = (Ends::default(), Key::default());
        let mut all = Self { slots: Box::new([free; Self::SLOTS]), long: Vec::new() };
        numbered(fields).for_each(|(name, field)| all.add(name, field, 0));
        (1..).zip(KIND_FIELDS).for_each(|(number, name)| all.add(name, number, Key::KIND));
        (1..).zip(MARKERS).for_each(|(number, name)| all.add(name, number, Key::MARKER));
        all
    }

    #[inline(always)]
    pub(crate) fn find(&self, name: &[u8], digest: NameDigest) -> Key {
        if !digest.is_whole() {
            return self.find_long(name);
        }
        let mut slot = Self::slot(digest);
        loop {
            let (known, key) = self.slots[slot];
            if known == digest.ends() || key.0 == 0 {
                return key;
            }
            slot = (slot + 1) % Self::SLOTS;
        }
    }

    #[cold]
    fn find_long(&self, name: &[u8]) -> Key {
        let found = self.long.iter().find(|(long, _)| long.as_bytes() == name);
        found.map_or(Key::default(), |&(_, key)| key)
    }

    #[inline(always)]
    fn slot(digest: NameDigest) -> usize {
        digest.hash() as usize % Self::SLOTS
    }

    fn add(&mut self, name: &'static str, number: u8, shift: u32) {
        let bits = u32::from(number) << shift;
        let digest = NameDigest::of(name.as_bytes());
        if !digest.is_whole() {
            match self.long.iter_mut().find(|(long, _)| *long == name) {
                Some((_, key)) => key.0 |= bits,
                None => self.long.push((name, Key(bits))),
            }
            return;
        }
        let mut slot = Self::slot(digest);
        while self.slots[slot].1.0 != 0 && self.slots[slot].0 != digest.ends() {
            slot = (slot + 1) % Self::SLOTS;
        }
        self.slots[slot] = (digest.ends(), Key(self.slots[slot].1.0 | bits));
    }
}
