//! Where and why a document is not well-formed, and how that is reported.

use crate::model::{ErrorClass, FileError};

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Value,
    FirstKey,
    Key,
    Colon,
    CommaOrBrace,
    CommaOrBracket,
    Trailing,
    NextDocument,
    Control,
    Escape,
    UnicodeEscape,
    LeadingZero,
    IntegerDigit,
    FractionDigit,
    ExponentDigit,
    Literal,
    Depth(usize),
    Utf8,
}

/// What is wrong, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyntaxFault {
    pub(crate) what: What,
    pub(crate) at: usize,
}

impl SyntaxFault {
    #[cold]
    pub(crate) fn new(what: What, at: usize) -> Self {
        Self { what, at }
    }

    /// Converts it into the file's failure: a readable message, line and column.
    pub(crate) fn into_error(self, doc: &[u8]) -> FileError {
        let message = match foreign_format(doc) {
            Some(message) => message.to_owned(),
            None => self.message(doc),
        };
        let (line, column) = position(doc, self.at);
        FileError::new(ErrorClass::Parse, message).at(line, column)
    }

    fn message(self, doc: &[u8]) -> String {
        let expected = match self.what {
            What::Value => "a value",
            What::FirstKey => "a key in double quotes or `}`",
            What::Key => "a key in double quotes",
            What::Colon => "`:` after the key",
            What::CommaOrBrace => "`,` or `}` after the member",
            What::CommaOrBracket => "`,` or `]` after the element",
            What::Trailing => "nothing more after the document",
            What::Control if self.at >= doc.len() => "the closing quote of the string",
            What::Control => "a string without control characters, or its closing quote",
            What::Escape => "an escape such as `\\n`",
            What::UnicodeEscape => "four hexadecimal digits after `\\u`",
            What::LeadingZero => "a number without a leading zero",
            What::IntegerDigit => "a digit after the minus sign",
            What::FractionDigit => "a digit after the decimal point",
            What::ExponentDigit => "a digit in the exponent",
            What::Literal => "`true`, `false` or `null`",
            What::NextDocument => {
                return "another document begins on a further line, as in JSON lines; write one document a file"
                    .to_owned();
            }
            What::Depth(limit) => {
                return format!(
                    "nested deeper than the limit of {limit}; raise the limit `depth` to read it"
                );
            }
            What::Utf8 => return not_utf8(doc, self.at),
        };
        match doc.get(self.at) {
            None => format!("expected {expected}, found the end of the file; was it written completely?"),
            Some(byte) => {
                let found = found(doc, self.at, *byte);
                let hint = hint(doc, self.at, self.what);
                format!("expected {expected}, found {found}{hint}")
            }
        }
    }
}

/// Returns a hint at what a person may have overlooked.
fn hint(doc: &[u8], at: usize, what: What) -> &'static str {
    let (before, rest) = doc.split_at_checked(at).unwrap_or((doc, b""));
    let opens_comment = rest.starts_with(b"//") || rest.starts_with(b"/*");
    match rest.first() {
        Some(b'/') if opens_comment => "; JSON has no comments",
        Some(b'}' | b']') if before.trim_ascii_end().ends_with(b",") => "; no comma may stand before it",
        Some(b'\'') => "; JSON has double quotes only",
        Some(0) if what == What::Trailing && rest.iter().all(|&byte| byte == 0) => {
            " and nothing but such to the end; was the file written completely?"
        }
        _ => "",
    }
}

fn not_utf8(doc: &[u8], at: usize) -> String {
    match doc.get(at) {
        Some(byte) => format!("not valid UTF-8: the byte 0x{byte:02x}; write the text as UTF-8"),
        None => "not valid UTF-8; write the text as UTF-8".to_owned(),
    }
}

/// Returns the character at a position as a message names it.
fn found(doc: &[u8], at: usize, byte: u8) -> String {
    let rest = doc.get(at..).unwrap_or_default();
    let head = rest.get(..rest.len().min(4)).unwrap_or_default();
    match head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
        Some(c) if !c.is_control() => format!("`{c}`"),
        Some(c) => format!("the character U+{:04X}", u32::from(c)),
        None => format!("the byte 0x{byte:02x}"),
    }
}

/// Returns a message for content that is plainly not JSON in UTF-8.
fn foreign_format(doc: &[u8]) -> Option<&'static str> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let text = doc.strip_prefix(BOM).unwrap_or(doc);
    match text {
        [] => Some("the file is empty"),
        _ if text.iter().all(blank) => Some("the file holds nothing but white space"),
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("the text is UTF-32; write it as UTF-8"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("the text is UTF-16; write it as UTF-8"),
        [0x1f, 0x8b, ..] => Some("the content is compressed with gzip; unpack it first"),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some("the content is compressed with zlib; unpack it first"),
        [0x50, 0x4b, 3, 4, ..] => Some("the content is a zip archive; unpack it first"),
        [0x42, 0x5a, 0x68, ..] => Some("the content is compressed with bzip2; unpack it first"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Some("the content is compressed with xz; unpack it first"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("the content is compressed with zstd; unpack it first"),
        [b'<', ..] => Some("the content is XML or HTML, or the like; the file must hold JSON"),
        [0, 0, ..] => Some("the file begins with NUL bytes; was it written completely?"),
        [0, _, 0, _, ..] | [_, 0, _, 0, ..] => Some("the text looks like UTF-16; write it as UTF-8"),
        _ => None,
    }
}

/// The UTF-8 byte order mark.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// Returns line and column (in bytes) of a byte, both from 1.
fn position(doc: &[u8], at: usize) -> (u64, u64) {
    let before = doc.get(..at).unwrap_or(doc);
    let lines = before.iter().filter(|&&byte| byte == b'\n').count();
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    (lines as u64 + 1, (before.len() - line_start) as u64 + 1)
}
