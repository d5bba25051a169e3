//! What must hold for every document, as functions of plain bytes: run by the crate's own tests with random bytes,
//! and by the fuzz targets under `tests/fuzz/` with coverage-guided bytes.

mod claims;
mod doc;
mod grow;
mod samples;

use std::path::Path;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{AstProcessor, FileContent, Limits, Processor, ResultWriter};
pub(crate) use doc::{Doc, Order};
use grow::{Choices, Grower};
use samples::Samples;

/// The dialects, by their names and those of their folders under `data/dialects`.
pub(crate) const DIALECTS: [&str; 7] =
    ["python-ast", "estree", "tree-sitter", "clang", "syn", "class-model", "generic"];

/// Paths of documents; each is read under one of them.
const PATHS: [&[u8]; 6] =
    [b"x.ast.json", b"a/b.ts.ast.json", b"C.java_ast.json", b"c.cpp.syntax.json", b"\xff.rb.ast.json", b""];

/// Low enough to cut most lists.
const LOW: Limits = Limits { depth: 10_000, symbols: 3, imports: 2, calls: 2, kinds: 3 };

/// The samples of all dialects, and one whose documents are grown.
#[derive(Debug)]
pub(crate) struct Properties {
    /// The styles that the dialect is written in.
    styles: Vec<Samples>,
    /// Small documents of all dialects.
    others: Vec<Vec<u8>>,
}

/// A document, and how it is read.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Whether anything may be anywhere.
    pub(crate) wild: bool,
    /// For another text of the document.
    pub(crate) seed: u64,
    /// The document that is read before, among the small ones.
    pub(crate) other: usize,
    pub(crate) path: &'static [u8],
    pub(crate) doc: Doc,
}

impl Properties {
    /// Reads the samples. `project` is the crate's own folder, `dialect` one of the [`DIALECTS`].
    pub(crate) fn of(project: &Path, dialect: &str) -> Self {
        let read = |dialect: &str| Samples::read(&project.join("data/dialects").join(dialect));
        let smallest = |styles: Vec<Samples>| styles.into_iter().map(|style| style.smallest);
        let others = DIALECTS.iter().flat_map(|dialect| smallest(read(dialect)).min_by_key(Vec::len));
        Self { styles: read(dialect), others: others.collect() }
    }

    /// Decodes the bytes.
    pub(crate) fn plan(&self, bytes: &[u8]) -> Plan {
        let mut choices = Choices::new(bytes);
        let wild = choices.byte() & 1 == 1;
        let seed = choices.seed();
        let other = choices.place(self.others.len());
        let path = PATHS[choices.place(PATHS.len())];
        let style = &self.styles[choices.place(self.styles.len())];
        let doc = Grower::grow(style, &mut choices, wild);
        Plan { wild, seed, other, path, doc }
    }

    /// Makes a document from bytes and checks all that must hold for it; returns the result.
    ///
    /// # Panics
    /// When something does not hold.
    pub(crate) fn check(&self, bytes: &[u8]) -> Value {
        let Plan { wild, seed, other, path, doc } = self.plan(bytes);
        let text = doc.plain();
        let once =
            read(path, text.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{error}: {text}"));
        let result = claims::check(&once, &Limits::default());
        check_counts(&doc, &result);
        let low = read(path, text.as_bytes(), &LOW).unwrap();
        claims::check_cut(&result, &claims::check(&low, &LOW));
        // Neither what was read before nor how the document is written matters.
        let _ = read(path, &self.others[other], &Limits::default());
        let again = read(path, text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(once, again, "read again: {text}");
        let kept = doc.varied(seed, Order::Kept);
        assert_eq!(
            once,
            read(path, kept.as_bytes(), &Limits::default()).unwrap(),
            "{text}\nwritten as {kept}"
        );
        // If anything may be anywhere, two keys of one meaning may be in one object: key order is irrelevant only
        // to a document whose members are what its parser writes there.
        if !wild {
            let moved = doc.varied(seed, Order::AllMove);
            let moved_result = read(path, moved.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(once, moved_result, "keys in another order: {text}\nand {moved}");
        }
        result
    }
}

fn check_counts(doc: &Doc, result: &Value) {
    let counts = doc.counts();
    assert_eq!(result["values"], counts.values, "values");
    assert_eq!(result["depth"], counts.depth, "depth");
    assert_eq!(result["notes"]["duplicate_keys"].as_u64().unwrap_or(0), counts.repeated, "repeated keys");
    if let (Some(field), 0) = (result["kind_field"].as_str(), counts.repeated) {
        assert_eq!(result["nodes"], doc.nodes(field), "objects with {field}");
    }
}

/// Returns the result's text, or the failure's.
fn read(path: &[u8], bytes: &[u8], limits: &Limits) -> Result<String, String> {
    let mut result = ResultWriter::default();
    let content = FileContent { path, bytes };
    let outcome = AstProcessor::with_limits(*limits).process(&content, &mut result);
    outcome.map_err(|error| error.message)?;
    Ok(String::from_utf8(result.as_bytes().to_vec()).unwrap())
}

/// Checks that any bytes are accepted exactly when independent readers of JSON accept them, and that
/// what is said of them holds.
///
/// # Panics
/// When something does not hold.
pub(crate) fn check_any(bytes: &[u8]) {
    let outcome = read(b"x.ast.json", bytes, &Limits::default());
    let shown = String::from_utf8_lossy(bytes);
    if outcome.as_ref().is_err_and(|message| message.starts_with("nested deeper")) {
        return;
    }
    let accepted = outcome.is_ok();
    // Beyond the grammar, a byte order mark and these numbers are accepted; jiter knows the numbers.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !shown.contains("NaN") && !shown.contains("Infinity") {
        assert_eq!(accepted, serde_accepts(text), "serde_json: {shown}");
    }
    if jiter_accepts(text) {
        assert!(accepted, "jiter: {shown}");
    } else if accepted {
        // Lone surrogates, and more levels than it has.
        let levels = bytes.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
        assert!(levels > 190 || shown.to_lowercase().contains("\\ud"), "jiter: {shown}");
    }
    if let Ok(text) = outcome {
        claims::check(&text, &Limits::default());
        assert_eq!(read(b"x.ast.json", bytes, &Limits::default()).unwrap(), text, "read again: {shown}");
    }
}

/// Skips everything: checks the same grammar, accepts lone surrogates, but knows no numbers that are not finite.
pub(crate) fn serde_accepts(doc: &[u8]) -> bool {
    std::str::from_utf8(doc).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Accepts numbers that are not finite, but no lone surrogates.
pub(crate) fn jiter_accepts(doc: &[u8]) -> bool {
    let mut jiter = jiter::Jiter::new(doc).with_allow_inf_nan();
    std::str::from_utf8(doc).is_ok() && jiter.next_skip().is_ok() && jiter.finish().is_ok()
}
