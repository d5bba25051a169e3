//! The visitor that collects evidence and facts, compiled separately for each dialect.

use super::detect::evidence::Evidence;
use super::detect::known::{self, KeySet, KnownKeys, KnownKind, KnownKinds, Last};
use super::detect::vocabulary::{KIND_FIELDS, Key, Keys, Roles};
use super::dialect::{DIALECTS, Dialect};
use super::facts::frame::{Frame, Span};
use super::facts::{Facts, Store};
use super::interner::NameDigest;
use super::json::open_keys::OpenKeys;
use super::json::swar::{self, Digits};
use super::json::{self, Form, Stack, SyntaxFault, Text, Visitor};

/// Levels that the scratch keeps between documents.
const LEVELS_KEPT_MAX: usize = 1_024;
/// Levels of the scanner's stack that are kept between documents.
const STACK_KEPT_MAX: usize = 64 * 1024;

/// What a thread keeps between documents.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) evidence: Evidence,
    pub(super) store: Store,
    pub(super) keys: OpenKeys,
    /// One entry per dialect that the thread has met.
    known: [Option<(KnownKeys, KnownKinds)>; DIALECTS],
    pub(super) levels: Vec<Level>,
    pub(super) stack: Stack,
}

impl Scratch {
    /// Clears the document, and frees memory after an unusual one.
    pub(super) fn clear(&mut self) {
        self.evidence.clear();
        self.store.clear();
        self.keys.clear();
        self.levels.truncate(LEVELS_KEPT_MAX);
        self.levels.shrink_to(LEVELS_KEPT_MAX);
        self.stack.shrink(STACK_KEPT_MAX);
    }
}

/// An open object or array; of an array, only the frame's slot counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Level {
    frame: Frame,
    /// A bit for each of the `KIND_FIELDS` that holds a string.
    kinds: u8,
    /// The first of them, in their order, whose string is a kind known to the dialect; 0 for none.
    role_from: u8,
    last: Last,
    keys: KeySet,
    /// Where these strings are in the document.
    kind_at: [(u32, u32); KIND_FIELDS.len()],
}

/// Reads one document as a document of the dialect `D`; returns its depth.
pub(super) fn extract<D: Dialect>(
    doc: &[u8],
    start: usize,
    depth_limit: usize,
    keys: &'static Keys,
    scratch: &mut Scratch,
) -> Result<usize, SyntaxFault> {
    let Scratch { evidence, store, keys: open_keys, known, levels, stack } = scratch;
    let (known_keys, known_kinds) = known[D::PLACE].get_or_insert_default();
    known_keys.make_place();
    known_kinds.begin();
    if levels.is_empty() {
        levels.resize(16, Level::default());
    }
    levels[0] = Level::default();
    let dialect = D::of(store);
    let facts = Facts { doc, store };
    let mut extractor = Extractor::<D> {
        evidence,
        facts,
        keys,
        open_keys,
        known_keys,
        known_kinds,
        levels,
        object: 0,
        next: Key::default(),
        dialect,
        values: 0,
        objects: 0,
    };
    let depth = json::scan(doc, start, depth_limit, stack, &mut extractor)?;
    extractor.facts.store.end();
    extractor.evidence.values = extractor.values;
    extractor.evidence.objects = extractor.objects;
    Ok(depth)
}

struct Extractor<'a, 's, D> {
    evidence: &'s mut Evidence,
    facts: Facts<'a, 's>,
    keys: &'static Keys,
    open_keys: &'s mut OpenKeys,
    known_keys: &'s mut KnownKeys,
    known_kinds: &'s mut KnownKinds,
    levels: &'s mut Vec<Level>,
    /// Level of the innermost object, 0 outside of all.
    object: usize,
    /// The key of the next value; in an array, the array's.
    next: Key,
    dialect: D,
    values: u64,
    objects: u64,
}

impl<'a, D: Dialect> Extractor<'a, '_, D> {
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

    /// Restores the key after a closed object or array, if it was in an array.
    #[inline(always)]
    fn back_to(&mut self, depth: usize) {
        self.next = Key::of_field(self.levels[depth - 1].frame.slot);
    }

    /// Handles the object's kind, under one of the `KIND_FIELDS`.
    #[inline]
    fn kind(&mut self, text: Text<'a>) {
        let field = self.next.kind();
        let (roles, number) = self.evidence.kind(field, self.facts.doc, text);
        let end = text.at + text.raw.len();
        if let (Some(number), Some(chunks)) = (number, known::two_chunks(self.facts.doc, text.at)) {
            let place = KnownKinds::place(chunks, field);
            let written = self.facts.doc.get(text.at..=end).unwrap_or_default();
            self.known_kinds.learn(place, field, written, number, roles);
        }
        self.is_of_kind(field, roles, text.at, end);
    }

    #[inline(always)]
    fn is_of_kind(&mut self, field: u8, roles: Roles, at: usize, end: usize) {
        let level = &mut self.levels[self.object];
        level.kinds |= 1 << field;
        if let Some(place) = level.kind_at.get_mut(usize::from(field) - 1) {
            *place = (at as u32, end as u32);
        }
        let role = roles.of(D::PLACE);
        if role > 0 && (level.role_from == 0 || field <= level.role_from) {
            level.frame.role = role;
            level.role_from = field;
        }
    }

    /// Handles a known key of an object, by its number.
    #[inline(always)]
    fn enter_key(&mut self, number: u8, depth: usize) {
        let level = &mut self.levels[depth];
        level.last = Last::key(number);
        let again = level.keys.add(number);
        self.count_key(again, depth);
    }

    #[inline(always)]
    fn count_key(&mut self, again: bool, depth: usize) {
        self.evidence.notes.duplicate_keys += u64::from(again);
        if D::HAS_TAGS {
            self.levels[depth].frame.members += u32::from(!again);
        }
        if self.next.is_evidence() {
            self.evident_key(depth);
        }
    }

    /// Handles a key that indicates the dialect, or the object's kind: if the object has it already, the last one
    /// counts.
    #[inline(always)]
    fn evident_key(&mut self, depth: usize) {
        let kind = self.next.kind();
        let marker = self.next.marker();
        if kind > 0 && self.levels[depth].kinds & (1 << kind) != 0 {
            self.take_back(kind);
        }
        if marker > 0 {
            self.evidence.mark(marker, depth);
        }
    }

    #[cold]
    fn take_back(&mut self, field: u8) {
        let level = &mut self.levels[self.object];
        level.kinds &= !(1 << field);
        if level.role_from == field {
            level.frame.role = 0;
            level.role_from = 0;
        }
        let (from, to) = level.kind_at.get(usize::from(field) - 1).copied().unwrap_or_default();
        self.evidence.take_back(field, self.facts.doc.get(from as usize..to as usize).unwrap_or_default());
    }

    #[cold]
    fn escaped_key(&mut self, raw: &[u8]) -> (Key, NameDigest) {
        self.note_surrogate(raw);
        let (name, digest) = self.evidence.escaped_key(raw);
        (self.keys.find(name, digest), digest)
    }

    #[cold]
    fn note_surrogate(&mut self, raw: &[u8]) {
        self.evidence.notes.lone_surrogates += u64::from(json::has_lone_surrogate(raw));
    }

    /// Returns the value of up to nine digits.
    #[inline(always)]
    fn whole(&self, at: usize, end: usize) -> Option<u32> {
        match (swar::load8(self.facts.doc, at), end - at) {
            (Some(word), len @ 1..=8) => Some(swar::value(word, len as u32)),
            (_, 10..) => None,
            _ => self
                .facts
                .doc
                .get(at..end)
                .map(|digits| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit & 15))),
        }
    }

    /// Notes a number that f64 may not hold, or that is not JSON's.
    #[cold]
    fn note_number(&mut self, raw: &[u8]) {
        let digits = raw.strip_prefix(b"-").unwrap_or(raw);
        if !digits.first().is_some_and(u8::is_ascii_digit) {
            self.evidence.notes.non_finite_numbers += 1;
            return;
        }
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<f64>().ok());
        let mantissa = digits.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
        let is_zero = mantissa.clone().all(|byte| matches!(byte, b'0' | b'.'));
        let beyond = number.is_some_and(|number| number.is_infinite() || number == 0.0 && !is_zero);
        self.evidence.notes.numbers_beyond_f64 += u64::from(beyond);
    }
}

/// Without an exponent, f64 surely holds a number of this many bytes. Only others are parsed: parsing all with a
/// sign or a fraction was two thirds of the work on a list of them.
const DIGITS_SURE: usize = 300;

impl<'a, D: Dialect> Visitor<'a> for Extractor<'a, '_, D> {
    #[inline(always)]
    fn open_object(&mut self, at: usize, depth: usize) {
        self.values += 1;
        self.objects += 1;
        let outer = self.object;
        let slot = self.next.field();
        let keys_at = self.open_keys.begin();
        if D::HAS_TAGS && outer + 1 == depth {
            self.dialect.holds(&mut self.levels[outer].frame, slot, false);
        }
        let level = self.level(depth);
        (level.kinds, level.role_from, level.last, level.keys) =
            (0, 0, Last::within(slot), KeySet::default());
        level.frame = Frame { at: at as u32 + 1, slot, outer: outer as u32, keys_at, ..Frame::default() };
        if D::LOOKS_DOWN {
            let (above, below) = self.levels.split_at_mut(depth);
            if let (Some(parent), Some(level)) = (above.get(outer), below.first_mut()) {
                self.dialect.open(&mut level.frame, &parent.frame);
            }
        }
        self.object = depth;
        self.next = Key::default();
    }

    #[inline(always)]
    fn close_object(&mut self, depth: usize) {
        let (above, below) = self.levels.split_at_mut(depth);
        let Some(level) = below.first_mut() else { return };
        let outer = level.frame.outer as usize;
        self.evidence.notes.duplicate_keys += self.open_keys.end(level.frame.keys_at);
        if let Some(parent) = above.get_mut(outer) {
            self.dialect.close(&mut self.facts, &mut level.frame, &mut parent.frame);
        }
        self.object = outer;
        self.back_to(depth);
    }

    #[inline(always)]
    fn open_array(&mut self, depth: usize) {
        self.values += 1;
        let slot = self.next.field();
        if D::HAS_TAGS && self.object + 1 == depth {
            self.dialect.holds(&mut self.levels[self.object].frame, slot, true);
        }
        self.level(depth).frame.slot = slot;
        self.next = Key::of_field(slot);
    }

    #[inline(always)]
    fn close_array(&mut self, depth: usize) {
        self.back_to(depth);
    }

    #[inline(always)]
    fn key(&mut self, key: Text<'a>, depth: usize) {
        let digest;
        (self.next, digest) = if key.escaped {
            self.escaped_key(key.raw)
        } else {
            let digest = NameDigest::within(self.facts.doc, key.at, key.raw);
            (self.keys.find(key.raw, digest), digest)
        };
        let chunk = known::chunk(self.facts.doc, key.at).filter(|_| !key.escaped);
        match self.known_keys.number(self.next, digest.hash(), chunk, key.raw.len()) {
            0 => {
                let again = self.open_keys.add(digest.hash(), self.levels[depth].frame.keys_at);
                self.count_key(again, depth);
            }
            number => self.enter_key(number, depth),
        }
    }

    #[inline(always)]
    fn known_key(&mut self, at: usize, depth: usize) -> Option<(usize, bool)> {
        let chunk = known::chunk(self.facts.doc, at)?;
        let (number, known) = self.known_keys.find(self.levels[depth].last, chunk)?;
        let len = known.len;
        let has_colon = known.has_colon;
        self.next = known.key;
        self.enter_key(number, depth);
        Some((at + usize::from(len), has_colon))
    }

    #[inline(always)]
    fn known_string(&mut self, at: usize, _depth: usize) -> Option<usize> {
        let kind = self.next.kind();
        if kind == 0 {
            return None;
        }
        let chunks = known::two_chunks(self.facts.doc, at)?;
        let place = KnownKinds::place(chunks, kind);
        let &KnownKind { number, roles, len, .. } = self.known_kinds.find(place, chunks, kind)?;
        if !self.evidence.kind_again(kind, number) {
            return None;
        }
        self.values += 1;
        let end = at + usize::from(len);
        self.is_of_kind(kind, roles, at, end);
        let level = &mut self.levels[self.object];
        level.last = Last::kind(place);
        let field = self.next.field();
        if field > 0 {
            let span = Span { at: at as u32, len: len.into(), made: false };
            self.dialect.text(&mut self.facts, &mut level.frame, field, span);
        }
        Some(end + 1)
    }

    #[inline(always)]
    fn known_value(&mut self, at: usize, depth: usize) -> Option<usize> {
        let field = self.next.field();
        if !D::is_whole(field) || self.object != depth {
            return None;
        }
        let frame = &mut self.levels[depth].frame;
        let (values, end) = self.dialect.whole(self.facts.doc, at, frame, field)?;
        self.values += values;
        self.objects += u64::from(self.facts.doc.get(at) == Some(&b'{'));
        Some(end)
    }

    #[inline(always)]
    fn string(&mut self, text: Text<'a>, _depth: usize) {
        self.values += 1;
        if text.unicode {
            self.note_surrogate(text.raw);
        }
        if self.next.kind() > 0 {
            self.kind(text);
        }
        if self.next.field() > 0 {
            let span = self.facts.span(text);
            self.dialect.text(&mut self.facts, &mut self.levels[self.object].frame, self.next.field(), span);
        }
    }

    #[inline(always)]
    fn digits(&mut self, digits: Digits) {
        self.values += 1;
        if self.next.field() > 0 {
            let frame = &mut self.levels[self.object].frame;
            self.dialect.number(&mut self.facts, frame, self.next.field(), digits.value());
        }
    }

    #[inline(always)]
    fn number(&mut self, at: usize, end: usize, form: Form) {
        self.values += 1;
        if (form == Form::Other) | (end - at > DIGITS_SURE) {
            self.note_number(self.facts.doc.get(at..end).unwrap_or_default());
        } else if form == Form::Digits
            && self.next.field() > 0
            && let Some(number) = self.whole(at, end)
        {
            let frame = &mut self.levels[self.object].frame;
            self.dialect.number(&mut self.facts, frame, self.next.field(), number);
        }
    }

    #[inline(always)]
    fn literal(&mut self, raw: &'a [u8], _depth: usize) {
        self.values += 1;
        if self.next.field() > 0 && raw != b"null" {
            let frame = &mut self.levels[self.object].frame;
            self.dialect.truth(&mut self.facts, frame, self.next.field(), raw == b"true");
        }
    }
}
