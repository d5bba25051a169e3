//! What the scanner tells while it reads: the place where further extraction plugs in.

/// A string of the document between its quotes, escapes as they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text<'a> {
    /// The bytes between the quotes; UTF-8.
    pub(super) raw: &'a [u8],
    /// Whether `raw` has a backslash in it.
    pub(super) escaped: bool,
    /// Where `raw` begins in the document.
    pub(super) at: usize,
}

/// Receives the document's parts in their order. The scanner is compiled anew for each visitor, so
/// that a method that does nothing costs nothing.
///
/// `depth` is the number of objects and arrays around the part, the opened or closed one included:
/// the document's own object or array has 1. A key's value is the next part at the key's depth, or
/// the object or array that opens at one more.
pub(super) trait Visitor<'a> {
    /// `{`
    fn open_object(&mut self, depth: usize);
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
    /// A number as it stands.
    fn number(&mut self, raw: &'a [u8], depth: usize);
    /// `true`, `false` or `null`.
    fn literal(&mut self, raw: &'a [u8], depth: usize);
}
