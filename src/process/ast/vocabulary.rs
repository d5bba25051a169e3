//! The words that the dialects know: kinds of nodes, and keys.

use std::sync::LazyLock;

use super::dialect::{ALL, DIALECTS};
use super::names::{NameDigest, Names};

/// Names of the fields that may hold a node's kind. At a tie the earlier one is the document's.
pub(super) const KIND_FIELDS: [&str; 7] =
    ["_type", "ast_type", "node_type", "nodeType", "_kind", "type", "kind"];

/// Keys whose presence tells of a dialect, wherever they occur. Their order is that of their numbers.
pub(super) const MARKERS: [&str; 26] = [
    "children",
    "namedChildren",
    "start_point",
    "startPosition",
    "start",
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
];

/// What a kind is to each dialect: a byte for each, 0 where the dialect does not know it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Roles([u8; DIALECTS]);

impl Roles {
    /// The role in the dialect of this number.
    #[inline(always)]
    pub(super) fn of(self, dialect: usize) -> u8 {
        self.0.get(dialect).copied().unwrap_or(0)
    }

    /// Whether no dialect knows the kind.
    pub(super) fn is_unknown(self) -> bool {
        self.0 == [0; DIALECTS]
    }
}

/// The kinds of all dialects.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    names: Names,
    roles: Vec<Roles>,
}

impl Vocabulary {
    pub(super) fn roles(&self, kind: &[u8], digest: NameDigest) -> Roles {
        let number = self.names.find(kind, digest);
        number.ok().and_then(|number| self.roles.get(number)).copied().unwrap_or_default()
    }

    fn new() -> Self {
        let mut all = Self::default();
        for (place, dialect) in ALL.iter().enumerate() {
            for &(kind, role) in dialect.kinds {
                let digest = NameDigest::of(kind.as_bytes());
                let number = match all.names.find(kind.as_bytes(), digest) {
                    Ok(number) => number,
                    Err(slot) => {
                        all.roles.push(Roles::default());
                        all.names.add(kind.as_bytes(), digest, slot)
                    }
                };
                let roles = all.roles.get_mut(number).and_then(|roles| roles.0.get_mut(place));
                if let Some(known) = roles {
                    *known = role;
                }
            }
        }
        all
    }
}

/// The kinds of all dialects, made once.
pub(super) fn vocabulary() -> &'static Vocabulary {
    static ALL_KINDS: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::new);
    &ALL_KINDS
}

/// What a key is: numbers from 1, 0 for nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Key {
    /// Among the dialect's own.
    pub(super) field: u8,
    /// Among the `KIND_FIELDS`.
    pub(super) kind: u8,
    /// Among the `MARKERS`.
    pub(super) marker: u8,
}

/// The keys that matter in a document of one dialect.
#[derive(Debug, Default)]
pub(super) struct Keys {
    names: Names,
    keys: Vec<Key>,
}

impl Keys {
    /// The keys of a dialect, each with its number, the kind fields and the markers.
    pub(super) fn new(fields: &[(&str, u8)]) -> Self {
        let mut all = Self::default();
        fields.iter().for_each(|&(name, field)| all.key(name).field = field);
        (1..).zip(KIND_FIELDS).for_each(|(number, name)| all.key(name).kind = number);
        (1..).zip(MARKERS).for_each(|(number, name)| all.key(name).marker = number);
        all
    }

    #[inline(always)]
    pub(super) fn find(&self, name: &[u8], digest: NameDigest) -> Key {
        let number = self.names.find(name, digest);
        number.ok().and_then(|number| self.keys.get(number)).copied().unwrap_or_default()
    }

    fn key(&mut self, name: &str) -> &mut Key {
        let digest = NameDigest::of(name.as_bytes());
        let number = match self.names.find(name.as_bytes(), digest) {
            Ok(number) => number,
            Err(slot) => {
                self.keys.push(Key::default());
                self.names.add(name.as_bytes(), digest, slot)
            }
        };
        &mut self.keys[number]
    }
}
