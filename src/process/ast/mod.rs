//! The processor for AST JSON: a file in, its counts out.
//!
//! Constraints:
//! - One pass over the bytes, without recursion and without a tree; what a document holds is told
//!   to a `Visitor` that is compiled into the pass.
//! - The whole of RFC 8259, to the last byte, and nothing else; but a byte order mark may come
//!   first, and a lone surrogate escape is let through. Numbers are never converted, so none is too
//!   large. Of a key that an object holds twice, the last one tells the kind; each value is one of
//!   `values`.
//! - Memory beside the document is bounded: by the depth limit, and by limits on distinct kinds.
//! - The result depends neither on the order of keys nor on white space.
//!
//! The result, without white space:
//!
//! ```json
//! {"dialect":"generic","language":"unknown","values":9,"depth":3,"nodes":2,
//!  "kind_field":"_type","kinds":{"Module":1,"Pass":1}}
//! ```
//!
//! `values` are all JSON values, keys excluded; `depth` is the deepest nesting, 0 for a scalar;
//! `nodes` are the objects with a string under the document's kind field, the one of `_type`,
//! `node_type`, `nodeType`, `_kind`, `type` and `kind` that most objects hold a string under.
//! `kinds` is sorted by count and then by name; when it does not hold all, `kinds_omitted` says how
//! many nodes are missing from it.

mod count;
mod fault;
mod kinds;
mod report;
mod scan;
mod swar;
#[cfg(test)]
mod tests;
mod token;
mod unescape;
mod visit;

use std::cell::Cell;

use super::{FileContent, Processor, ResultWriter};
use crate::model::FileError;
use count::{Counter, Counts};
use fault::{Fault, What};

/// Levels of the scanner's stack that are kept from document to document.
const LEVELS_KEPT_MAX: usize = 64 * 1024;

/// Counts the values, the depth and the kinds of nodes of AST JSON files.
///
/// ```
/// use outlast::process::{AstProcessor, FileContent, Processor, ResultWriter};
///
/// let content = FileContent { path: b"a.ast.json", bytes: br#"{"type":"Program","body":[]}"# };
/// let mut result = ResultWriter::default();
/// AstProcessor::new().process(&content, &mut result).unwrap();
/// let expected = concat!(
///     r#"{"dialect":"generic","language":"unknown","values":3,"depth":2,"#,
///     r#""nodes":1,"kind_field":"type","kinds":{"Program":1}}"#,
/// );
/// assert_eq!(result.as_bytes(), expected.as_bytes());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AstProcessor {
    depth_limit: usize,
}

impl AstProcessor {
    /// Deepest nesting of objects and arrays that is accepted where nothing else is said.
    pub const DEPTH_LIMIT: usize = 10_000;

    /// A processor with the default limits.
    pub fn new() -> Self {
        Self { depth_limit: Self::DEPTH_LIMIT }
    }

    /// The same processor with another limit on the nesting of objects and arrays. A deeper
    /// document fails. Memory per level is about a hundred bytes.
    #[must_use]
    pub fn with_depth_limit(mut self, depth_limit: usize) -> Self {
        self.depth_limit = depth_limit;
        self
    }
}

impl Default for AstProcessor {
    fn default() -> Self {
        Self::new()
    }
}

/// What a thread keeps from document to document.
#[derive(Debug, Default)]
struct Scratch {
    stack: scan::Stack,
    counts: Counts,
}

thread_local! {
    /// Taken out while in use, so that a panic leaves nothing half counted behind.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Processor for AstProcessor {
    fn identity(&self) -> &str {
        "ast/1"
    }

    fn default_include(&self) -> &[&str] {
        &["*.ast.json", "*.syntax.json", "*_ast.json"]
    }

    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        let doc = file.bytes;
        let mut scratch = SCRATCH.take().unwrap_or_default();
        let outcome = count(doc, self.depth_limit, &mut scratch);
        if let Ok(depth) = outcome {
            report::write(&scratch.counts, depth, result.buffer());
        }
        scratch.counts.clear();
        scratch.stack.shrink(LEVELS_KEPT_MAX);
        SCRATCH.set(Some(scratch));
        outcome.map(|_| ()).map_err(|fault| fault.into_error(doc))
    }
}

/// Checks and counts a document; returns its depth.
fn count(doc: &[u8], depth_limit: usize, scratch: &mut Scratch) -> Result<usize, Fault> {
    if simdutf8::basic::from_utf8(doc).is_err() {
        let valid = simdutf8::compat::from_utf8(doc).map_or_else(|error| error.valid_up_to(), str::len);
        return Err(Fault::new(What::Utf8, valid));
    }
    let start = if doc.starts_with(fault::BOM) { fault::BOM.len() } else { 0 };
    let mut counter = Counter::new(doc, &mut scratch.counts);
    scan::scan(doc, start, depth_limit, &mut scratch.stack, &mut counter)
}
