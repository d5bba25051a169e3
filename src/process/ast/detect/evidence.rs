//! The evidence in a document: counts that show its dialect, its language and its soundness.

use super::kind_counts::KindCounts;
use super::vocabulary::{KIND_FIELDS, MARKERS, Roles};
use crate::process::ast::interner::NameDigest;
use crate::process::ast::json;
use crate::process::ast::json::visit::Text;

/// Counted over the whole document, so that neither key order nor a first guess matters.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// All JSON values.
    pub(crate) values: u64,
    /// All objects.
    pub(crate) objects: u64,
    /// Strings under each of the `KIND_FIELDS`, per object the last one.
    pub(super) tallies: [KindCounts; KIND_FIELDS.len()],
    /// How often each of the `MARKERS` is a key; the first stands for other keys.
    pub(super) markers: [u64; MARKERS.len() + 1],
    /// A bit for each of the `MARKERS` that is a key of the top-level object.
    pub(super) top: u32,
    pub(crate) notes: Notes,
    text: Vec<u8>,
}

/// What is unusual in a document that is nevertheless sound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    pub(crate) bom: bool,
    pub(crate) duplicate_keys: u64,
    pub(crate) non_finite_numbers: u64,
    pub(crate) numbers_beyond_f64: u64,
    pub(crate) lone_surrogates: u64,
    /// The document's type, if it is not an object.
    pub(crate) top_level: Option<&'static str>,
    /// Whether the dialect does not know the document's grammar.
    pub(crate) unknown_grammar: bool,
}

impl Evidence {
    pub(crate) fn clear(&mut self) {
        self.values = 0;
        self.objects = 0;
        self.tallies.iter_mut().for_each(KindCounts::clear);
        self.markers = Default::default();
        self.top = 0;
        self.notes = Notes::default();
        self.text = Vec::new();
    }

    /// Returns the one of the `KIND_FIELDS` under which most objects hold a string.
    pub(crate) fn kind_field(&self) -> Option<(&'static str, &KindCounts)> {
        let most = self.tallies.iter().map(KindCounts::total).max().filter(|&most| most > 0)?;
        KIND_FIELDS.into_iter().zip(&self.tallies).find(|(_, tally)| tally.total() == most)
    }

    /// Returns the share of the nodes whose kind a dialect knows.
    pub(crate) fn known(&self, dialect: usize) -> f64 {
        let Some((_, tally)) = self.kind_field() else { return 0.0 };
        let known: u64 = tally.kinds().filter(|kind| kind.roles.of(dialect) > 0).map(|kind| kind.count).sum();
        known as f64 / tally.total() as f64
    }

    /// Returns how often a marker is a key.
    pub(crate) fn marker(&self, marker: u8) -> u64 {
        self.markers.get(usize::from(marker)).copied().unwrap_or(0)
    }

    /// Returns how often some markers are keys, in total.
    pub(crate) fn count(&self, markers: &[u8]) -> u64 {
        markers.iter().map(|&marker| self.marker(marker)).sum()
    }

    /// Returns whether the top-level object has a marker as a key.
    pub(crate) fn has_on_top(&self, marker: u8) -> bool {
        self.top & (1 << (marker - 1)) != 0
    }

    /// Counts a key among the `MARKERS`, numbered from 1.
    #[inline(always)]
    pub(crate) fn mark(&mut self, marker: u8, depth: usize) {
        if let Some(count) = self.markers.get_mut(usize::from(marker)) {
            *count += 1;
        }
        if depth == 1 {
            self.top |= 1 << (marker - 1);
        }
    }

    /// Counts a kind under one of the `KIND_FIELDS`, numbered from 1; returns its number if that is worth knowing.
    #[inline(always)]
    pub(crate) fn kind(&mut self, field: u8, doc: &[u8], text: Text<'_>) -> (Roles, Option<u32>) {
        if text.escaped {
            return (self.escaped_kind(field, text.raw), None);
        }
        let digest = NameDigest::within(doc, text.at, text.raw);
        let tally = self.tallies.get_mut(usize::from(field) - 1);
        tally.map_or((Roles::default(), None), |tally| tally.add(text.raw, digest))
    }

    /// Counts a kind again by its number; returns whether it did.
    #[inline(always)]
    pub(crate) fn kind_again(&mut self, field: u8, number: u32) -> bool {
        self.tallies.get_mut(usize::from(field) - 1).is_some_and(|tally| tally.add_again(number))
    }

    #[cold]
    fn escaped_kind(&mut self, field: u8, raw: &[u8]) -> Roles {
        self.text.clear();
        json::unescape(raw, &mut self.text);
        let tally = self.tallies.get_mut(usize::from(field) - 1);
        let digest = NameDigest::of(&self.text);
        tally.map_or(Roles::default(), |tally| tally.add(&self.text, digest).0)
    }

    /// Takes back a kind: the object has the field again, and the last one counts.
    #[cold]
    pub(crate) fn take_back(&mut self, field: u8, raw: &[u8]) {
        self.text.clear();
        json::unescape(raw, &mut self.text);
        if let Some(tally) = self.tallies.get_mut(usize::from(field) - 1) {
            tally.undo(&self.text);
        }
    }

    /// Returns a key's digest, with its escapes resolved.
    #[cold]
    pub(crate) fn escaped_key(&mut self, raw: &[u8]) -> (&[u8], NameDigest) {
        self.text.clear();
        json::unescape(raw, &mut self.text);
        (&self.text, NameDigest::of(&self.text))
    }
}
