//! Places in a source, a few whole numbers each, and other small objects: read as a whole if they are written in
//! the usual way.

use std::ops::Range;

use super::swar::{self, Digits};
use super::token::{at, skip_space};

/// A place that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<const N: usize> {
    /// Its numbers in the order of the requested keys, where present.
    pub(crate) numbers: [Option<u32>; N],
    /// The number of values: itself and its numbers.
    pub(crate) values: u64,
    /// The position after it.
    pub(crate) end: usize,
}

/// Bytes of a key that are compared as one number.
const CHUNK: usize = 16;

/// A key of a place, in quotes and with its colon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaceKey {
    bytes: u128,
    mask: u128,
    len: usize,
}

impl PlaceKey {
    /// Creates a key of up to sixteen bytes.
    pub(crate) const fn of(written: &str) -> Self {
        let mut bytes = 0;
        let mut len = written.len();
        let mask = u128::MAX >> (8 * (CHUNK - len));
        while len > 0 {
            len -= 1;
            bytes = bytes << 8 | written.as_bytes()[len] as u128;
        }
        Self { bytes, mask, len: written.len() }
    }

    /// Returns whether it is at a position; false close to the document's end.
    #[inline(always)]
    fn is_at(self, doc: &[u8], pos: usize) -> bool {
        let chunk = doc.get(pos..).and_then(<[u8]>::first_chunk::<CHUNK>);
        chunk.is_some_and(|chunk| u128::from_le_bytes(*chunk) & self.mask == self.bytes)
    }
}

/// Reads the object that begins at `start`, with whole numbers of few digits under some of the keys in their order,
/// and no other keys. `None` if it is written otherwise, or is not an object.
#[inline(always)]
pub(crate) fn place<const N: usize>(doc: &[u8], start: usize, keys: &[PlaceKey; N]) -> Option<Place<N>> {
    let mut numbers = [None; N];
    let mut pos = start;
    let mut values = 1;
    let mut before = b'{';
    for (number, key) in numbers.iter_mut().zip(keys) {
        if at(doc, pos) != before {
            break;
        }
        let begin = skip_space(doc, pos + 1);
        if key.is_at(doc, begin) {
            let digits = skip_space(doc, begin + key.len);
            let read = Digits::at(doc, digits)?;
            *number = Some(read.value());
            pos = skip_space(doc, digits + read.len());
            values += 1;
            before = b',';
        }
    }
    (at(doc, pos) == b'}').then_some(Place { numbers, values, end: pos + 1 })
}

/// Reads the array of two such numbers that begins at `start`.
#[inline(always)]
pub(crate) fn pair(doc: &[u8], start: usize) -> Option<Place<2>> {
    let mut numbers = [None; 2];
    let mut pos = start;
    for (number, before) in numbers.iter_mut().zip(*b"[,") {
        if at(doc, pos) != before {
            return None;
        }
        let digits = skip_space(doc, pos + 1);
        let read = Digits::at(doc, digits)?;
        *number = Some(read.value());
        pos = skip_space(doc, digits + read.len());
    }
    (at(doc, pos) == b']').then_some(Place { numbers, values: 3, end: pos + 1 })
}

/// Reads the object that begins at `start`, with a text without escapes under this key and no other one: returns
/// the text's range, and the position after the object.
#[inline(always)]
pub(crate) fn only_text(doc: &[u8], start: usize, key: PlaceKey) -> Option<(Range<usize>, usize)> {
    let begin = skip_space(doc, start + 1);
    if at(doc, start) != b'{' || !key.is_at(doc, begin) {
        return None;
    }
    let quote = skip_space(doc, begin + key.len);
    if at(doc, quote) != b'"' {
        return None;
    }
    let stop = swar::string_stop(doc, quote + 1);
    let end = skip_space(doc, stop + 1);
    (at(doc, stop) == b'"' && at(doc, end) == b'}').then_some((quote + 1..stop, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const N: usize>(
        table: &[(&str, Option<[Option<u32>; N]>)],
        read: impl Fn(&[u8]) -> Option<Place<N>>,
    ) {
        for &(text, expected) in table {
            let doc = format!("{text},\"next\":");
            let expected = expected.map(|numbers| Place {
                numbers,
                values: 1 + numbers.iter().flatten().count() as u64,
                end: text.len(),
            });
            assert_eq!(read(doc.as_bytes()), expected, "{text}");
            for cut in 1..text.len() {
                assert_eq!(read(&doc.as_bytes()[..cut]), None, "{text} cut at {cut}");
            }
        }
    }

    #[test]
    fn pairs_are_read_as_they_are_written() {
        let table = [
            ("[1,23]", Some([Some(1), Some(23)])),
            ("[1, 23]", Some([Some(1), Some(23)])),
            ("[\n    1 ,\n    23\n]", Some([Some(1), Some(23)])),
            ("[1]", None),
            ("[1,2,3]", None),
            ("[01,2]", None),
            ("[1,2.5]", None),
            ("[-1,2]", None),
            ("[1,]", None),
            ("[1,2}", None),
            ("{1,2]", None),
        ];
        check(&table, |doc| pair(doc, 0));
    }

    #[test]
    fn objects_are_read_as_they_are_written() {
        let table = [
            (r#"{"row":0,"column":1234567}"#, Some([Some(0), Some(1_234_567), None])),
            (r#"{"row": 10, "column": 0}"#, Some([Some(10), Some(0), None])),
            ("{\n  \"row\": 10,\n  \"column\": 0\n}", Some([Some(10), Some(0), None])),
            (r#"{"row":1,"column":2,"index":3}"#, Some([Some(1), Some(2), Some(3)])),
            (r#"{"row":1,"index":3}"#, Some([Some(1), None, Some(3)])),
            (r#"{"row":1}"#, Some([Some(1), None, None])),
            (r#"{"index":1}"#, Some([None, None, Some(1)])),
            (r#"{}"#, None),
            (r#"{"row":1,}"#, None),
            (r#"{,"row":1}"#, None),
            (r#"{"row":1,"column":12345678}"#, None),
            (r#"{"row":1,"row":1}"#, None),
            (r#"{"row":1,"col":2}"#, None),
            (r#"{"column":2,"row":1}"#, None),
            (r#"{"row":1,"column":2,"index":3,"row":1}"#, None),
            (r#"{"row":1,"column":2]"#, None),
            (r#"["row":1,"column":2}"#, None),
            (r#"{"row":1 "column":2}"#, None),
            (r#"{"row":null}"#, None),
        ];
        let keys = ["\"row\":", "\"column\":", "\"index\":"].map(PlaceKey::of);
        check(&table, |doc| place(doc, 0, &keys));
    }

    #[test]
    fn texts_are_read_as_they_are_written() {
        let table = [
            (r#"{"type":"int"}"#, Some("int")),
            (r#"{ "type" : "int" }"#, None),
            ("{\n  \"type\": \"char *\"\n}", Some("char *")),
            (r#"{"type":""}"#, Some("")),
            (r#"{"type":"a\"b"}"#, None),
            ("{\"type\":\"a\tb\"}", None),
            (r#"{"type":"int","name":"a"}"#, None),
            (r#"{"type":1}"#, None),
            (r#"["type":"int"}"#, None),
            (r#"{"types":"int"}"#, None),
        ];
        for (text, expected) in table {
            let doc = format!("{text},\"next\":");
            let read = only_text(doc.as_bytes(), 0, PlaceKey::of("\"type\":"));
            let read = read.map(|(range, end)| (&doc[range], end));
            assert_eq!(read, expected.map(|expected| (expected, text.len())), "{text}");
        }
    }
}
