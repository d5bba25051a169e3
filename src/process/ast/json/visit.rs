//! What the scanner tells while it reads: the place where further extraction plugs in.

use super::swar::Digits;

/// A string of the document between its quotes, escapes as they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    /// The bytes between the quotes; UTF-8.
    pub(crate) raw: &'a [u8],
    /// Whether `raw` has a backslash in it.
    pub(crate) escaped: bool,
    /// Whether it has a `\u`: only then it may have surrogates. Looking for them in each string with a
    /// backslash was nearly half of the work on a list of texts of several lines.
    pub(crate) unicode: bool,
    /// Where `raw` begins in the document.
    pub(crate) at: usize,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing but digits.
    Digits,
    /// With a sign or a fraction.
    Decimal,
    /// With an exponent; or `NaN`, `Infinity` or `-Infinity`.
    Other,
}

/// Receives the document's parts in their order. The scanner is compiled anew for each visitor, so
/// that a method that does nothing costs nothing.
///
/// `depth` is the number of objects and arrays around the part, the opened or closed one included:
/// the document's own object or array has 1. A key's value is the next part at the key's depth, or
/// the object or array that opens at one more.
pub(crate) trait Visitor<'a> {
    /// A key that the visitor knows by the bytes behind its opening quote, in place of `key`: a position
    /// behind its closing quote, and whether it is behind the colon, too.
    #[inline(always)]
    fn known_key(&mut self, _at: usize, _depth: usize) -> Option<(usize, bool)> {
        None
    }
    /// A string that it knows so, in place of `string`.
    #[inline(always)]
    fn known_string(&mut self, _at: usize, _depth: usize) -> Option<usize> {
        None
    }
    /// An object or array that it reads as a whole, in place of all that is in it.
    #[inline(always)]
    fn known_value(&mut self, _at: usize, _depth: usize) -> Option<usize> {
        None
    }
    /// `{` at a byte of the document.
    fn open_object(&mut self, at: usize, depth: usize);
    /// `}`
    fn close_object(&mut self, depth: usize);
    /// `[`
    fn open_array(&mut self, depth: usize);
    /// `]`
    fn close_array(&mut self, depth: usize);
    /// A key, before its value.
    fn key(&mut self, key: Text<'a>, depth: usize);
    /// A string that is not a key.
    fn string(&mut self, text: Text<'a>, depth: usize);
    /// A whole number of few digits.
    fn digits(&mut self, digits: Digits);
    /// Any other number, from one byte of the document to another.
    fn number(&mut self, at: usize, end: usize, form: Form);
    /// `true`, `false` or `null`.
    fn literal(&mut self, raw: &'a [u8], depth: usize);
}

/// Counts values and does nothing else: what the cheapest full parse costs.
#[derive(Debug, Default)]
pub(crate) struct ValueCount {
    pub(crate) values: u64,
}

impl<'a> Visitor<'a> for ValueCount {
    #[inline(always)]
    fn open_object(&mut self, _at: usize, _depth: usize) {
        self.values += 1;
    }

    #[inline(always)]
    fn close_object(&mut self, _depth: usize) {}

    #[inline(always)]
    fn open_array(&mut self, _depth: usize) {
        self.values += 1;
    }

    #[inline(always)]
    fn close_array(&mut self, _depth: usize) {}

    #[inline(always)]
    fn key(&mut self, _key: Text<'a>, _depth: usize) {}

    #[inline(always)]
    fn string(&mut self, _text: Text<'a>, _depth: usize) {
        self.values += 1;
    }

    #[inline(always)]
    fn digits(&mut self, _digits: Digits) {
        self.values += 1;
    }

    #[inline(always)]
    fn number(&mut self, _at: usize, _end: usize, _form: Form) {
        self.values += 1;
    }

    #[inline(always)]
    fn literal(&mut self, _raw: &'a [u8], _depth: usize) {
        self.values += 1;
    }
}
