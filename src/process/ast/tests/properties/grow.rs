//! Bytes in, a document of a dialect out: every byte is a choice, and no bytes make the smallest document.

use super::doc::Doc;
use super::samples::{KIND_FIELDS, Samples, Shape, Slot};

/// Deepest nesting that is generated.
const DEPTH_MAX: usize = 40;
/// Number of values that are generated.
const VALUES_MAX: usize = 4_000;

/// Values for unexpected places.
const ODD: [&str; 24] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "7",
    "999999999",
    "4294967295",
    "4294967296",
    "1.5",
    "1e400",
    "1e-400",
    "NaN",
    "-Infinity",
    "\"\"",
    "\"\\ud800\"",
    "\"\\u0000.\\n\"",
    "\"a.b\"",
    "\".\"",
    "\"#\"",
    "\"MAX\"",
    "\"é😀\"",
    "\"[public, static ]\"",
];

/// Reads choices from bytes; after their end, all choices are 0.
pub(crate) struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.bytes.split_off_first().copied().unwrap_or(0)
    }

    /// Chooses an index in a list of this length.
    pub(crate) fn place(&mut self, len: usize) -> usize {
        let high = if len > 256 { usize::from(self.byte()) << 8 } else { 0 };
        (high | usize::from(self.byte())) % len.max(1)
    }

    pub(crate) fn seed(&mut self) -> u64 {
        (0..8).fold(0, |seed, _| seed << 8 | u64::from(self.byte()))
    }

    fn is_done(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Grows documents from the samples' shapes.
pub(crate) struct Grower<'a, 'b> {
    samples: &'a Samples,
    choices: &'a mut Choices<'b>,
    /// Whether anything may be anywhere; otherwise only what a sample has under the same key.
    wild: bool,
    left: usize,
}

impl<'a, 'b> Grower<'a, 'b> {
    pub(crate) fn grow(samples: &'a Samples, choices: &'a mut Choices<'b>, wild: bool) -> Doc {
        Grower { samples, choices, wild, left: VALUES_MAX }.object("", 1)
    }

    fn spent(&self, depth: usize) -> bool {
        self.left == 0 || depth > DEPTH_MAX || self.choices.is_done()
    }

    fn object(&mut self, key: &str, depth: usize) -> Doc {
        let Some(shape) = self.shape(key) else { return self.scalar(key) };
        let mut members = Vec::with_capacity(shape.len());
        for (key, slot) in shape {
            let choice = self.choices.byte();
            match choice {
                // Left out.
                1..=6 => continue,
                7..=9 if self.wild => members.push((key.clone(), self.odd())),
                10..=14 if self.wild => members.extend(self.strays(key, slot, depth)),
                _ => members.push((key.clone(), self.member(key, slot, depth))),
            }
        }
        Doc::Object(members)
    }

    /// Returns a shape found under a key; or anywhere, if all is wild.
    fn shape(&mut self, key: &str) -> Option<&'a Shape> {
        let known = self.samples.under.get(key).map(Vec::as_slice).unwrap_or_default();
        let number = if known.is_empty() || self.wild && self.choices.byte() > 200 {
            (self.wild || key.is_empty()).then(|| self.choices.place(self.samples.shapes.len()))?
        } else {
            *known.get(self.choices.place(known.len()))?
        };
        self.samples.shapes.get(number)
    }

    fn member(&mut self, key: &str, slot: &Slot, depth: usize) -> Doc {
        self.left = self.left.saturating_sub(1);
        match slot {
            Slot::Scalar(scalar) => match self.choices.byte() {
                // What an object is stays, together with its keys.
                200.. if self.wild || !KIND_FIELDS.contains(&key) => self.scalar(key),
                _ => scalar.clone(),
            },
            Slot::Object if self.spent(depth) => Doc::null(),
            Slot::Array if self.spent(depth) => Doc::Array(Vec::new()),
            Slot::Object => self.object(key, depth + 1),
            Slot::Array => {
                let count = match self.choices.byte() {
                    choice @ ..250 => choice % 5,
                    choice => choice - 230,
                };
                Doc::Array((0..count).map(|_| self.element(key, depth + 1)).collect())
            }
        }
    }

    fn element(&mut self, key: &str, depth: usize) -> Doc {
        self.left = self.left.saturating_sub(1);
        if self.spent(depth) {
            return Doc::null();
        }
        match self.choices.byte() {
            1 => Doc::null(),
            2 if self.wild => self.odd(),
            3 if self.wild => Doc::Array(vec![self.element(key, depth + 1)]),
            4 => self.scalar(key),
            _ => self.object(key, depth + 1),
        }
    }

    fn scalar(&mut self, key: &str) -> Doc {
        let known = self.samples.scalars.get(key).map(Vec::as_slice).unwrap_or_default();
        known.get(self.choices.place(known.len())).cloned().unwrap_or_else(Doc::null)
    }

    fn odd(&mut self) -> Doc {
        let place = self.choices.place(ODD.len() + 2);
        match ODD.get(place) {
            Some(token) => Doc::Token((*token).to_owned()),
            None => Doc::Text("n".repeat(1_024 + place - ODD.len())),
        }
    }

    /// Repeats a member, or adds one that belongs elsewhere, or something else under the key.
    fn strays(&mut self, key: &str, slot: &Slot, depth: usize) -> Vec<(String, Doc)> {
        let own = self.member(key, slot, depth);
        let other = self.choices.place(self.samples.shapes.len());
        let other = self.samples.shapes.get(other).map(Vec::as_slice).unwrap_or_default();
        let stray = other.get(self.choices.place(other.len()));
        let stray = stray.map(|(stray, slot)| (stray.clone(), self.member(stray, slot, depth)));
        match self.choices.byte() % 4 {
            0 => vec![(key.to_owned(), own), (key.to_owned(), self.odd())],
            1 => [(key.to_owned(), own)].into_iter().chain(stray).collect(),
            2 => stray.into_iter().chain([(key.to_owned(), own)]).collect(),
            _ => stray.map(|(_, stray)| (key.to_owned(), stray)).into_iter().collect(),
        }
    }
}
