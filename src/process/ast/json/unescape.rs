//! Escapes in strings. The scanner has already checked their grammar.

/// Appends the text that `raw` stands for to `out`. A lone surrogate becomes U+FFFD.
pub(crate) fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (c, len) = decode(escape);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(len..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Returns whether a string's escapes hold a surrogate without its other half.
pub(crate) fn has_lone_surrogate(raw: &[u8]) -> bool {
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        let escape = rest.get(at..).unwrap_or_default();
        let len = match code_unit(escape, 0) {
            None => 2,
            Some(0xd800..0xdc00) if matches!(code_unit(escape, 6), Some(0xdc00..0xe000)) => 12,
            Some(0xd800..0xe000) => return true,
            Some(_) => 6,
        };
        rest = escape.get(len..).unwrap_or_default();
    }
    false
}

/// Returns the character of the escape that `text` begins with, and the escape's length.
fn decode(text: &[u8]) -> (char, usize) {
    let c = match text.get(1) {
        Some(b'b') => '\x08',
        Some(b'f') => '\x0c',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return decode_unicode(text),
        Some(&other) => char::from(other),
        None => char::REPLACEMENT_CHARACTER,
    };
    (c, 2)
}

fn decode_unicode(text: &[u8]) -> (char, usize) {
    let first = code_unit(text, 0).unwrap_or(0xfffd);
    if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, code_unit(text, 6)) {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}

/// Returns the UTF-16 code unit of a `\uXXXX` at `at`.
fn code_unit(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_their_characters() {
        let table = [
            ("", ""),
            ("plain é", "plain é"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\x08\x0c\n\r\t"),
            (r"a\u0041\u00e9b", "aAéb"),
            (r"\ud83d\uDE00!", "😀!"),
            (r"\ud83dx\ude00", "\u{fffd}x\u{fffd}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\\u0041", r"\u0041"),
        ];
        for (raw, expected) in table {
            let mut out = Vec::new();
            unescape(raw.as_bytes(), &mut out);
            let out = String::from_utf8(out).unwrap();
            assert_eq!(out, expected, "{raw}");
            assert_eq!(has_lone_surrogate(raw.as_bytes()), out.contains('\u{fffd}'), "{raw}");
        }
    }
}
