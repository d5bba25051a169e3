//! What the scanner reports while it reads: the extension point for further extraction.

use super::swar::Digits;

/// A string of the document between its quotes, with its escapes unresolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    /// The bytes between the quotes; UTF-8.
    pub(crate) raw: &'a [u8],
    /// Whether `raw` has a backslash in it.
    pub(crate) escaped: bool,
    /// Whether it has a `\u`: only then it may have surrogates. Searching for them in each string with a backslash
    /// was nearly half of the work on a list of texts of several lines.
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
    /// Handles a key that the visitor knows by the bytes after its opening quote, instead of `key`: returns a
    /// position after its closing quote, and whether that is after the colon, too.
    #[inline(always)]
    fn known_key(&mut self, _at: usize, _depth: usize) -> Option<(usize, bool)> {
        None
    }
    /// Handles a string that it knows in this way, instead of `string`.
    #[inline(always)]
    fn known_string(&mut self, _at: usize, _depth: usize) -> Option<usize> {
        None
    }
    /// Handles an object or array that it reads as a whole, instead of its contents.
    #[inline(always)]
    fn known_value(&mut self, _at: usize, _depth: usize) -> Option<usize> {
        None
    }
    /// Handles `{` at a byte of the document.
    fn open_object(&mut self, at: usize, depth: usize);
    /// Handles `}`.
    fn close_object(&mut self, depth: usize);
    /// Handles `[`.
    fn open_array(&mut self, depth: usize);
    /// Handles `]`.
    fn close_array(&mut self, depth: usize);
    /// Handles a key, before its value.
    fn key(&mut self, key: Text<'a>, depth: usize);
    /// Handles a string that is not a key.
    fn string(&mut self, text: Text<'a>, depth: usize);
    /// Handles a whole number of few digits.
    fn digits(&mut self, digits: Digits);
    /// Handles any other number, from one byte of the document to another.
    fn number(&mut self, at: usize, end: usize, form: Form);
    /// Handles `true`, `false` or `null`.
    fn literal(&mut self, raw: &'a [u8], depth: usize);
}

/// Counts values and does nothing else: the cost of the cheapest full parse.
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
