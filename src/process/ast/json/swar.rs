//! Eight and sixteen bytes at a time, without SIMD instructions.
//!
//! Each function is exact for the first match only: subtraction borrows may mark bytes after a true match, never
//! before it.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Returns the eight bytes at `pos`, the first in the lowest place; `None` close to the end.
#[inline(always)]
pub(crate) fn load8(bytes: &[u8], pos: usize) -> Option<u64> {
    bytes.get(pos..).and_then(<[u8]>::first_chunk).map(|chunk| u64::from_le_bytes(*chunk))
}

/// Marks quotes, backslashes and control characters.
#[inline(always)]
fn string_marks(word: u64) -> u64 {
    // Flipping bit 1 moves the quote next to the control characters, which stay where they are.
    let quote_or_control = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    (quote_or_control | backslash) & !word & HIGH
}

/// Returns the bytes up to and including the first quote; zeros after it.
#[inline(always)]
pub(crate) fn up_to_quote(chunk: u128) -> u128 {
    const ONES: u128 = u128::from_le_bytes([0x01; 16]);
    let others = chunk ^ (ONES * u128::from(b'"'));
    let marks = others.wrapping_sub(ONES) & !others & (ONES << 7);
    chunk & (marks ^ marks.wrapping_sub(1))
}

/// Returns the position of the first quote, backslash or control character from `pos` on; the length if none.
#[inline(always)]
pub(crate) fn string_stop(bytes: &[u8], mut pos: usize) -> usize {
    while let Some(word) = load8(bytes, pos) {
        let marks = string_marks(word);
        if marks != 0 {
            return pos + (marks.trailing_zeros() / 8) as usize;
        }
        pos += 8;
    }
    string_stop_near_end(bytes, pos)
}

#[cold]
fn string_stop_near_end(bytes: &[u8], pos: usize) -> usize {
    let rest = bytes.get(pos..).unwrap_or_default();
    let stop = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\');
    stop.map_or(bytes.len(), |at| pos + at)
}

/// Returns whether a text has no quotes, backslashes and control characters.
#[inline]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    let is_plain = |chunk: &[u8; 8]| string_marks(u64::from_le_bytes(*chunk)) == 0;
    let (eights, rest) = text.as_chunks();
    match text.last_chunk() {
        // The last eight bytes may be checked twice.
        Some(last) => eights.iter().all(is_plain) && is_plain(last),
        None => rest.iter().all(|&byte| byte >= b' ' && byte != b'"' && byte != b'\\'),
    }
}

/// Marks bytes that are not digits.
#[inline(always)]
fn digit_marks(word: u64) -> u64 {
    let word = word ^ (ONES * u64::from(b'0'));
    (((word & !HIGH) + ONES * 0x76) | word) & HIGH
}

/// One to seven digits, and what follows them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digits {
    word: u64,
    len: u32,
}

impl Digits {
    /// Reads the whole number that begins at `pos`: `None` if it has a sign, a fraction, an exponent or more
    /// digits, or is not a number.
    #[inline(always)]
    pub(crate) fn at(bytes: &[u8], pos: usize) -> Option<Self> {
        let word = load8(bytes, pos)?;
        let len = digit_marks(word).trailing_zeros() / 8;
        let is_whole = len == 1 || (2..8).contains(&len) && word as u8 != b'0';
        let next = (word >> (8 * (len % 8))) as u8;
        (is_whole && !matches!(next, b'.' | b'e' | b'E')).then_some(Self { word, len })
    }

    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        self.len as usize
    }

    /// Returns their value, without a branch on their number.
    #[inline(always)]
    pub(crate) fn value(self) -> u32 {
        value(self.word, self.len)
    }
}

/// Returns the value of the first digits of a word, one to eight.
#[inline(always)]
pub(crate) fn value(word: u64, len: u32) -> u32 {
    // Moves the last digit into the highest place, with zeros before the first.
    let digits = (word & (ONES * 0x0f)) << (64 - 8 * len);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) as u32
}

/// Returns the position of the first non-digit from `pos` on; the length if none.
#[inline(always)]
pub(crate) fn digits_stop(bytes: &[u8], mut pos: usize) -> usize {
    while let Some(word) = load8(bytes, pos) {
        let marks = digit_marks(word);
        if marks != 0 {
            return pos + (marks.trailing_zeros() / 8) as usize;
        }
        pos += 8;
    }
    while bytes.get(pos).is_some_and(u8::is_ascii_digit) {
        pos += 1;
    }
    pos
}

/// Returns the position of the first byte from `pos` on that differs from `byte`; the length if none.
#[inline(always)]
pub(crate) fn run_stop(bytes: &[u8], byte: u8, mut pos: usize) -> usize {
    let pattern = ONES * u64::from(byte);
    while let Some(word) = load8(bytes, pos) {
        let marks = word ^ pattern;
        if marks != 0 {
            return pos + (marks.trailing_zeros() / 8) as usize;
        }
        pos += 8;
    }
    while bytes.get(pos) == Some(&byte) {
        pos += 1;
    }
    pos
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks every byte value, at every offset of texts around the chunk sizes.
    fn each_place(mut check: impl FnMut(&[u8], u8, usize)) {
        for filler in [b'a', b'7', b' ', 0xff] {
            for byte in 0..=255 {
                for (len, at) in [(1, 0), (8, 7), (17, 0), (17, 15), (17, 16), (33, 5), (40, 31)] {
                    let mut text = vec![filler; len];
                    text[at] = byte;
                    check(&text, filler, at);
                }
            }
        }
    }

    #[test]
    fn numbers_of_every_length() {
        let number = |text: &str| Digits::at(text.as_bytes(), 0).map(|digits| (digits.value(), digits.len()));
        let text = b"9081726354 ";
        for len in 1..=8 {
            let value: u32 = std::str::from_utf8(&text[..len]).unwrap().parse().unwrap();
            let word = load8(text, 0).unwrap();
            assert_eq!(super::value(word, len as u32), value);
            let written = format!("{value},      ");
            assert_eq!(number(&written), (len < 8).then_some((value, len)));
        }
        let table = [
            ("0,", Some((0, 1))),
            ("7}", Some((7, 1))),
            ("00,", None),
            ("1.5", None),
            ("12e3", None),
            ("12E3", None),
            ("x", None),
            ("-1", None),
        ];
        for (text, expected) in table {
            assert_eq!(number(&format!("{text}       ")), expected, "{text}");
        }
        assert_eq!(number("1"), None);
    }

    #[test]
    fn stops_agree_with_a_bytewise_search() {
        each_place(|text, filler, _| {
            let slow = |stop: &dyn Fn(u8) -> bool| text.iter().position(|&b| stop(b)).unwrap_or(text.len());
            assert_eq!(string_stop(text, 0), slow(&|b| b < 0x20 || b == b'"' || b == b'\\'), "{text:?}");
            if let Some(chunk) = text.first_chunk::<16>() {
                let quoted = chunk.iter().position(|&b| b == b'"').map_or(16, |at| at + 1);
                let kept: Vec<u8> = chunk[..quoted].iter().copied().chain([0; 16]).take(16).collect();
                assert_eq!(up_to_quote(u128::from_le_bytes(*chunk)).to_le_bytes(), kept[..], "{text:?}");
            }
            assert_eq!(is_plain(text), string_stop(text, 0) == text.len(), "{text:?}");
            assert_eq!(digits_stop(text, 0), slow(&|b| !b.is_ascii_digit()), "{text:?}");
            assert_eq!(run_stop(text, filler, 0), slow(&|b| b != filler), "{text:?}");
        });
    }
}
