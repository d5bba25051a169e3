//! The visitor that counts: values, depth, and the kinds of nodes.

use super::kinds::Tally;
use super::unescape::unescape;
use super::visit::{Text, Visitor};

/// Names of the fields that may hold a node's kind. At a tie the earlier one is the document's.
pub(super) const KIND_FIELDS: [&str; 6] = ["_type", "node_type", "nodeType", "_kind", "type", "kind"];

/// Levels and bytes that the scratch keeps from document to document.
const LEVELS_KEPT_MAX: usize = 1_024;
const TEXT_KEPT_MAX: usize = 4_096;

/// What counting needs besides the document, reused from document to document.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// All JSON values.
    pub(super) values: u64,
    /// Strings under each of the `KIND_FIELDS`, per object the last one.
    pub(super) tallies: [Tally; KIND_FIELDS.len()],
    levels: Vec<Level>,
    text: Vec<u8>,
}

/// What an open object has said about its kind so far.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// A bit for each field that holds a string.
    held: u8,
    /// Where that string stands in the document.
    spans: [(usize, usize); KIND_FIELDS.len()],
}

impl Counts {
    /// Forgets the document, and gives back memory after an unusual one.
    pub(super) fn clear(&mut self) {
        self.values = 0;
        self.tallies.iter_mut().for_each(Tally::clear);
        self.levels.truncate(LEVELS_KEPT_MAX);
        self.levels.shrink_to(LEVELS_KEPT_MAX);
        self.text.clear();
        self.text.shrink_to(TEXT_KEPT_MAX);
    }

    /// Index of the field that most objects hold a string under, among `KIND_FIELDS`.
    pub(super) fn kind_field(&self) -> Option<usize> {
        let most = self.tallies.iter().map(Tally::total).max().filter(|&most| most > 0)?;
        self.tallies.iter().position(|tally| tally.total() == most)
    }
}

/// Counts one document's parts.
pub(super) struct Counter<'a, 's> {
    doc: &'a [u8],
    counts: &'s mut Counts,
    /// The field among `KIND_FIELDS`, plus one, whose value comes next; 0 for another one.
    field: usize,
}

impl<'a, 's> Counter<'a, 's> {
    pub(super) fn new(doc: &'a [u8], counts: &'s mut Counts) -> Self {
        Self { doc, counts, field: 0 }
    }

    #[inline(always)]
    fn value(&mut self) {
        self.counts.values += 1;
        self.field = 0;
    }

    /// A key that may be one of the `KIND_FIELDS`.
    #[inline(never)]
    fn kind_key(&mut self, key: Text<'a>, depth: usize) {
        self.field = if key.escaped { self.escaped_field(key) } else { field_of(key.raw) };
        if self.field > 0 && self.counts.level(depth).held & bit(self.field) != 0 {
            self.take_back(depth);
        }
    }

    #[cold]
    fn escaped_field(&mut self, key: Text<'a>) -> usize {
        self.counts.text.clear();
        unescape(key.raw, &mut self.counts.text);
        field_of(&self.counts.text)
    }

    /// The object holds the field once more, and the last one counts.
    #[cold]
    fn take_back(&mut self, depth: usize) {
        let level = self.counts.level(depth);
        level.held &= !bit(self.field);
        let (start, end) = level.spans.get(self.field - 1).copied().unwrap_or_default();
        let raw = self.doc.get(start..end).unwrap_or_default();
        self.counts.text.clear();
        unescape(raw, &mut self.counts.text);
        if let Some(tally) = self.counts.tallies.get_mut(self.field - 1) {
            tally.undo(&self.counts.text);
        }
    }

    #[inline]
    fn kind(&mut self, text: Text<'a>, depth: usize) {
        let field = self.field;
        let level = self.counts.level(depth);
        level.held |= bit(field);
        if let Some(span) = level.spans.get_mut(field - 1) {
            *span = (text.at, text.at + text.raw.len());
        }
        let Some(tally) = self.counts.tallies.get_mut(field - 1) else { return };
        if text.escaped {
            self.counts.text.clear();
            unescape(text.raw, &mut self.counts.text);
            tally.add(&self.counts.text);
        } else {
            tally.add(text.raw);
        }
    }
}

impl Counts {
    #[inline(always)]
    fn level(&mut self, depth: usize) -> &mut Level {
        if depth >= self.levels.len() {
            self.grow(depth);
        }
        &mut self.levels[depth]
    }

    #[cold]
    fn grow(&mut self, depth: usize) {
        self.levels.resize(depth + 16, Level::default());
    }
}

fn bit(field: usize) -> u8 {
    1 << (field - 1)
}

/// Place of a key among the `KIND_FIELDS`, plus one; 0 for another key.
#[inline(always)]
fn field_of(key: &[u8]) -> usize {
    match key {
        b"_type" => 1,
        b"node_type" => 2,
        b"nodeType" => 3,
        b"_kind" => 4,
        b"type" => 5,
        b"kind" => 6,
        _ => 0,
    }
}

/// Whether a key is worth a closer look: an escape in it, or the beginning of a kind field.
#[inline(always)]
fn may_be_kind_field(key: Text<'_>) -> bool {
    let head = key.raw.first_chunk().map_or(0, |head| u32::from_le_bytes(*head));
    let word = |text: &[u8; 4]| u32::from_le_bytes(*text);
    let known = (head == word(b"_typ"))
        | (head == word(b"type"))
        | (head == word(b"kind"))
        | (head == word(b"_kin"))
        | (head == word(b"node"));
    known | key.escaped
}

impl<'a> Visitor<'a> for Counter<'a, '_> {
    #[inline(always)]
    fn open_object(&mut self, depth: usize) {
        self.value();
        self.counts.level(depth).held = 0;
    }

    #[inline(always)]
    fn close_object(&mut self, _depth: usize) {
        self.field = 0;
    }

    #[inline(always)]
    fn open_array(&mut self, _depth: usize) {
        self.value();
    }

    #[inline(always)]
    fn close_array(&mut self, _depth: usize) {}

    #[inline(always)]
    fn key(&mut self, key: Text<'a>, depth: usize) {
        self.field = 0;
        if may_be_kind_field(key) {
            self.kind_key(key, depth);
        }
    }

    #[inline(always)]
    fn string(&mut self, text: Text<'a>, depth: usize) {
        if self.field > 0 {
            self.kind(text, depth);
        }
        self.value();
    }

    #[inline(always)]
    fn number(&mut self, _raw: &'a [u8], _depth: usize) {
        self.value();
    }

    #[inline(always)]
    fn literal(&mut self, _raw: &'a [u8], _depth: usize) {
        self.value();
    }
}
