//! What is refused, where, and with which message.

use super::text_of;
use crate::model::ErrorClass;
use crate::process::ast::facts::frame::{Frame, Span};
use crate::process::ast::facts::{Facts, Store};

/// Document, line, column, words of the message.
type Case = (&'static [u8], u64, u64, &'static str);

fn check(table: &[Case]) {
    for &(doc, line, column, words) in table {
        let shown = String::from_utf8_lossy(doc);
        let error = text_of(doc).expect_err(&shown);
        assert_eq!(error.class, ErrorClass::Parse, "{shown}");
        assert!(error.message.contains(words), "{shown}: {}", error.message);
        assert_eq!((error.line, error.column), (Some(line), Some(column)), "{shown}: {}", error.message);
    }
}

#[test]
fn structure() {
    check(&[
        (b"[1,]", 1, 4, "expected a value, found `]`; no comma may stand before it"),
        (b"{\"a\":1 , \n}", 2, 1, "found `}`; no comma may stand before it"),
        (b"[1 2]", 1, 4, "expected `,` or `]`"),
        (b"[1\n,\n  2\n}", 4, 1, "expected `,` or `]` after the element, found `}`"),
        (b"[,1]", 1, 2, "expected a value"),
        (b"[", 1, 2, "expected a value, found the end of the file; was it written completely?"),
        (b"]", 1, 1, "expected a value"),
        (b"{", 1, 2, "expected a key in double quotes or `}`, found the end"),
        (b"{,}", 1, 2, "a key in double quotes or `}`"),
        (b"{\"a\":1,}", 1, 8, "expected a key in double quotes, found `}`"),
        (b"{\"a\" 1}", 1, 6, "expected `:` after the key, found `1`"),
        (b"{\"a\":}", 1, 6, "expected a value"),
        (b"{\"a\":1 \"b\":2}", 1, 8, "expected `,` or `}`"),
        (b"{\"a\":1]", 1, 7, "expected `,` or `}`"),
        (b"{1:2}", 1, 2, "a key in double quotes"),
        (b"{'a':1}", 1, 2, "found `'`; JSON has double quotes only"),
        (b"{\"a\":1", 1, 7, "found the end of the file"),
        (b"[1]\n[2]\n", 2, 1, "another document begins on a further line, as in JSON lines"),
        (b"{\"a\":1}\r\n{\"a\":2}\r\n", 2, 1, "write one document a file"),
        (b"[1] [2]", 1, 5, "expected nothing more after the document, found `[`"),
        (b"[1]\n2", 2, 1, "nothing more"),
        (b"{}x", 1, 3, "nothing more"),
        (b"1 2", 1, 3, "nothing more"),
        (b"[1]\0\0", 1, 4, "found the character U+0000 and nothing but such to the end; was"),
        (b"[1]\0x", 1, 4, "expected nothing more after the document, found the character U+0000"),
        (b"// c\n[]", 1, 1, "expected a value, found `/`; JSON has no comments"),
        (b"[1, /* c */ 2]", 1, 5, "found `/`; JSON has no comments"),
        (b"[1, /x 2]", 1, 5, "expected a value, found `/`"),
        (b"[\x0b1]", 1, 2, "found the character U+000B"),
        (b"[1,\xc2\xa02]", 1, 4, "expected a value"),
        (b"\xef\xbb\xbf\xef\xbb\xbf[]", 1, 4, "expected a value"),
        (b"\xef\xbb\xbf[x", 1, 5, "expected a value, found `x`"),
        ("[é\n".as_bytes(), 1, 2, "found `é`"),
    ]);
}

#[test]
fn strings() {
    check(&[
        (b"\"abc", 1, 5, "expected the closing quote of the string, found the end"),
        (b"[\"a\nb\"]", 1, 4, "without control characters"),
        (b"[\"a\tb\"]", 1, 4, "found the character U+0009"),
        (b"{\"a\0\":1}", 1, 4, "found the character U+0000"),
        (br#"["a\x"]"#, 1, 5, "an escape such as"),
        (br#"["\"#, 1, 4, "found the end"),
        (br#"["\u12g4"]"#, 1, 7, "four hexadecimal digits"),
        (br#"["\u12"]"#, 1, 7, "four hexadecimal digits"),
        (br#"{"\u":1}"#, 1, 5, "four hexadecimal digits"),
        (b"[\"long enough to need more than one word \x1f\"]", 1, 42, "U+001F"),
    ]);
}

#[test]
fn numbers_and_literals() {
    check(&[
        (b"01", 1, 1, "without a leading zero"),
        (b"[-012]", 1, 3, "without a leading zero"),
        (b"[-]", 1, 3, "a digit after the minus sign"),
        (b"[-a]", 1, 3, "a digit after the minus sign"),
        (b"[+1]", 1, 2, "a value"),
        (b"[.5]", 1, 2, "a value"),
        (b"[1.]", 1, 4, "a digit after the decimal point"),
        (b"[1.e5]", 1, 4, "a digit after the decimal point"),
        (b"[1e]", 1, 4, "a digit in the exponent"),
        (b"[1e+]", 1, 5, "a digit in the exponent"),
        (b"[1e5.5]", 1, 5, "`,` or `]`"),
        (b"[0x10]", 1, 3, "`,` or `]`"),
        (b"[1_000]", 1, 3, "`,` or `]`"),
        (b"1.", 1, 3, "found the end"),
        (b"[tru]", 1, 5, "expected `true`, `false` or `null`, found `]`"),
        (b"[nul", 1, 5, "found the end"),
        (b"[falsy]", 1, 6, "found `y`"),
        (b"[True]", 1, 2, "a value"),
        (b"[nullx]", 1, 6, "`,` or `]`"),
        (b"[Nan]", 1, 2, "expected a value, found `N`"),
        (b"[-NaN]", 1, 3, "a digit after the minus sign"),
        (b"[-Inf]", 1, 3, "a digit after the minus sign"),
        (b"[Infinity1]", 1, 10, "`,` or `]`"),
        (b"[undefined]", 1, 2, "a value"),
    ]);
}

#[test]
fn content_that_is_no_text() {
    check(&[
        (b"", 1, 1, "the file is empty"),
        (b"\xef\xbb\xbf", 1, 4, "the file is empty"),
        (b" \n\t\r\n ", 3, 2, "nothing but white space"),
        (b"[\"a\xffb\"]", 1, 4, "not valid UTF-8: the byte 0xff; write"),
        (b"[1,\n\"\xc0\xaf\"]", 2, 2, "not valid UTF-8"),
        (b"[\"\xed\xa0\x80\"]", 1, 3, "not valid UTF-8"),
        (b"[\"cut \xc3", 1, 7, "not valid UTF-8"),
        (b"[\xf5\x80\x80\x80]", 1, 2, "not valid UTF-8"),
        (b"\xff\xfe[\0]\0", 1, 1, "UTF-16"),
        (b"\0[\0]", 1, 1, "UTF-16"),
        (b"[\0]\0", 1, 2, "UTF-16"),
        (b"\x1f\x8b\x08\0\0", 1, 2, "gzip"),
        (b"\x78\x9c\x03\0\0\0\0\x01", 1, 2, "zlib"),
        (b"PK\x03\x04\x14\0", 1, 1, "zip archive"),
        (b"BZh91AY", 1, 1, "bzip2"),
        (b"\xfd7zXZ\0", 1, 1, "xz"),
        (b"\x28\xb5\x2f\xfd\x04", 1, 2, "zstd"),
        (b"\xff\xfe\0\0[\0\0\0]\0\0\0", 1, 1, "UTF-32"),
        (b"\0\0\0\0\0\0\0\0\0\0\0\0", 1, 1, "NUL"),
        (b"<?xml version='1.0'?><a/>", 1, 1, "XML"),
        (b"hello", 1, 1, "expected a value, found `h`"),
    ]);
}

#[test]
fn nesting_over_the_limit_names_the_limit() {
    for doc in ["[".repeat(1_000_000), "{\"a\":".repeat(1_000_000), "[".repeat(10_001) + &"]".repeat(10_001)]
    {
        let error = text_of(doc).unwrap_err();
        assert_eq!(error.class, ErrorClass::Parse);
        assert_eq!(
            error.message,
            "nested deeper than the limit of 10000; raise the limit `depth` to read it"
        );
    }
}

/// Every prefix of a document fails, and the fault is at its end or in the token that is cut.
#[test]
fn every_truncation_fails_close_to_its_end() {
    let doc = r#"{"type":"A","b":[1.5e3,true,"x\u00e9y",{"é":-12}],"c":null}"#;
    for end in 0..doc.len() {
        let cut = doc.as_bytes().get(..end).unwrap();
        let error = text_of(cut).unwrap_err();
        let column = usize::try_from(error.column.unwrap()).unwrap();
        assert!((end..=end + 1).contains(&column) || end == 0, "{end}: {error}");
    }
}

#[test]
fn what_did_not_fit_is_not_forgotten_with_what_did() {
    let mut store = Store::default();
    let mut facts = Facts { doc: b"n", store: &mut store };
    let name = Span { at: 0, len: 1, made: false };
    let outer = Frame { at: 1, ..Frame::default() };
    let inner = Frame { at: 2, ..Frame::default() };
    for _ in 0..=4_000_000 {
        facts.name(name, Span::NONE, &inner);
    }
    facts.import(name, Span::NONE, &outer);
    assert!(facts.store.imports.is_empty());
    assert!(facts.store.is_full(), "an import with too many names is no document without imports");
}
