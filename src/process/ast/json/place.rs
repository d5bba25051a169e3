//! Places in a source, of a row and a column: read as a whole where they are written as nearly all are.

use super::swar::Digits;
use super::token::at;

/// A row and a column from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) row: u32,
    pub(crate) column: u32,
}

/// The place that begins with a brace or bracket at `start`, and the position behind it: `[1,2]` or
/// `{"row":1,"column":2}`, with a space behind each comma and colon or without. Nothing where it is written
/// otherwise, or is none.
#[inline(always)]
pub(crate) fn place(doc: &[u8], start: usize) -> Option<(Place, usize)> {
    let is_object = at(doc, start) == b'{';
    let (row, pos) = part(doc, start + 1, is_object.then_some(b"\"row\":"))?;
    if at(doc, pos) != b',' {
        return None;
    }
    let (column, pos) = part(doc, skip_one(doc, pos + 1), is_object.then_some(b"\"column\":"))?;
    let closes = at(doc, pos) == if is_object { b'}' } else { b']' };
    closes.then_some((Place { row, column }, pos + 1))
}

/// A number, behind its key in an object.
#[inline(always)]
fn part<const LEN: usize>(doc: &[u8], mut pos: usize, key: Option<&[u8; LEN]>) -> Option<(u32, usize)> {
    if let Some(key) = key {
        if doc.get(pos..)?.first_chunk() != Some(key) {
            return None;
        }
        pos = skip_one(doc, pos + LEN);
    }
    let digits = Digits::at(doc, pos)?;
    Some((digits.value(), pos + digits.len()))
}

#[inline(always)]
fn skip_one(doc: &[u8], pos: usize) -> usize {
    pos + usize::from(at(doc, pos) == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        let table = [
            ("[1,23]", Some((1, 23))),
            ("[1, 23]", Some((1, 23))),
            (r#"{"row":0,"column":1234567}"#, Some((0, 1_234_567))),
            (r#"{"row": 10, "column": 0}"#, Some((10, 0))),
            ("[1]", None),
            ("[1,2,3]", None),
            ("[01,2]", None),
            ("[1,2.5]", None),
            ("[-1,2]", None),
            ("[1,]", None),
            ("[1 ,2]", None),
            ("[1,2}", None),
            (r#"{"row":1,"column":12345678}"#, None),
            (r#"{"row":1}"#, None),
            (r#"{"row":1,"col":2}"#, None),
            (r#"{"column":2,"row":1}"#, None),
        ];
        for (text, expected) in table {
            let doc = format!("{text},\"next\":");
            let expected = expected.map(|(row, column)| (Place { row, column }, text.len()));
            assert_eq!(place(doc.as_bytes(), 0), expected, "{text}");
        }
        assert_eq!(place(b"[1,2", 0), None);
        assert_eq!(place(b"[", 0), None);
    }
}
