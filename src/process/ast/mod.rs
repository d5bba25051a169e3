//! The processor for AST JSON: a file in, its symbols, imports, calls and counts out.
//!
//! Constraints:
//! - One pass over the bytes, without recursion and without a tree. A thread reads a document as one of
//!   the dialect that it last saw under such a name; only if the whole document then shows another one is it
//!   read again.
//! - A document is sound JSON in UTF-8 to its last byte; what is unusual but readable is noted.
//! - Memory beside the document is bounded: by the depth limit, by limits on distinct kinds, and by a
//!   limit of millions on symbols, imports and calls, beyond which a document fails.
//! - The result depends neither on the order of keys nor on white space, nor on what was read before.

mod detect;
mod dialect;
mod extract;
mod facts;
mod interner;
mod json;
mod output;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use super::{FileContent, Processor, ResultWriter};
pub use crate::model::{AstCall, AstImport, AstImportedName, AstNotes, AstResult, AstSymbol, AstTotals};
use crate::model::{ErrorClass, FileError};
use detect::vocabulary::marker;
use dialect::{ALL, DIALECTS, LanguageHints};
use extract::Scratch;
use interner::NameDigest;
use json::{BOM, SyntaxFault, What};
pub use output::limits::{LimitError, Limits};
use output::report::Report;
use output::summary::{Summary, has_long_names};

/// Symbols, imports, calls and kinds from AST JSON files.
///
/// ```
/// use outlast::process::{AstProcessor, FileContent, Processor, ResultWriter};
///
/// let bytes = br#"{"_type":"FunctionDef","name":"f","lineno":1,"end_lineno":2,"body":[{"_type":"Pass"}]}"#;
/// let mut result = ResultWriter::default();
/// AstProcessor::new().process(&FileContent { path: b"f.ast.json", bytes }, &mut result).unwrap();
/// let expected = concat!(
///     r#"{"dialect":"python-ast","confidence":1,"language":"python","values":8,"depth":3,"nodes":2,"#,
///     r#""kind_field":"_type","kinds":{"FunctionDef":1,"Pass":1},"lines":2,"symbols":[{"kind":"function","#,
///     r#""name":"f","qualified_name":"f","line":1,"end_line":2,"complexity":1}],"imports":[],"calls":[],"#,
///     r#""totals":{"symbols":1,"imports":0,"calls":0}}"#,
/// );
/// assert_eq!(result.as_bytes(), expected.as_bytes());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AstProcessor {
    limits: Limits,
    identity: String,
}

/// Raised with every change of what is written for some document.
const VERSION: &str = "ast/21";

impl AstProcessor {
    /// Creates a processor with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a processor with other limits. They are part of its identity: with other ones, every file is due
    /// again.
    pub fn with_limits(limits: Limits) -> Self {
        let Limits { depth, symbols, imports, calls, kinds } = limits;
        let identity = if limits == Limits::default() {
            VERSION.to_owned()
        } else {
            format!("{VERSION};depth={depth};symbols={symbols};imports={imports};calls={calls};kinds={kinds}")
        };
        Self { limits, identity }
    }
}

impl Default for AstProcessor {
    fn default() -> Self {
        Self::with_limits(Limits::default())
    }
}

/// Number of dialect guesses that a thread keeps.
const GUESSES: usize = 64;

/// What a thread keeps between documents.
#[derive(Debug)]
struct Reader {
    scratch: Scratch,
    summary: Summary,
    /// Index of the dialect that the document is taken for.
    guess: usize,
    /// The dialect of the last document of each source's extension, by a hash of it. A folder of many languages
    /// would otherwise be read twice: 0.86 of the CPU time on `data/sample`.
    guesses: [Option<usize>; GUESSES],
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            scratch: Scratch::default(),
            summary: Summary::default(),
            guess: DIALECTS - 1,
            guesses: [None; GUESSES],
        }
    }
}

thread_local! {
    /// Taken out while in use, so that a panic leaves nothing half counted.
    static READER: Cell<Option<Box<Reader>>> = const { Cell::new(None) };
}

impl Processor for AstProcessor {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn default_include(&self) -> Vec<&str> {
        vec!["*.ast.json", "*.syntax.json", "*_ast.json"]
    }

    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        let mut reader = READER.take().unwrap_or_default();
        let outcome = reader.read(file, &self.limits, result.buffer());
        reader.scratch.clear();
        reader.summary.clear();
        READER.set(Some(reader));
        outcome
    }
}

impl Reader {
    /// Reads a document and appends its result to `out`.
    fn read(&mut self, file: &FileContent<'_>, limits: &Limits, out: &mut Vec<u8>) -> Result<(), FileError> {
        let doc = file.bytes;
        if u32::try_from(doc.len()).is_err() {
            let message = "4 GiB or more in one document; split it".to_owned();
            return Err(FileError::new(ErrorClass::TooLarge, message));
        }
        let fault = |fault: SyntaxFault| fault.into_error(doc);
        check_text(doc).map_err(fault)?;
        let extension = dialect::source_extension(file.path);
        if let Some(language) = dialect::language_of_extension(extension) {
            self.scratch.store.language = language;
        }
        let place = NameDigest::of(extension).hash() as usize % GUESSES;
        self.guess = self.guesses[place].unwrap_or(self.guess);
        let mut depth = self.pass(doc, limits.depth).map_err(fault)?;
        let (mut dialect, mut confidence) = dialect::detect(&self.scratch.evidence);
        if dialect != self.guess {
            self.guess = dialect;
            self.scratch.clear();
            depth = self.pass(doc, limits.depth).map_err(fault)?;
            (dialect, confidence) = dialect::detect(&self.scratch.evidence);
        }
        self.guesses[place] = Some(dialect);
        if self.was_read_otherwise(dialect, file) {
            self.scratch.clear();
            depth = self.pass(doc, limits.depth).map_err(fault)?;
        }
        let Scratch { evidence, store, .. } = &mut self.scratch;
        if store.is_full() {
            let message = "millions of symbols, imports or calls in one document; split it".to_owned();
            return Err(FileError::new(ErrorClass::TooLarge, message));
        }
        if has_long_names(doc, store) {
            let message =
                "symbols nested so deep that their qualified names are longer than it; split it".to_owned();
            return Err(FileError::new(ErrorClass::TooLarge, message));
        }
        self.summary.make(doc, store);
        let hints = LanguageHints { evidence, store, doc, path: file.path };
        evidence.notes.unknown_grammar = dialect::is_of_unknown_grammar(dialect, &hints);
        let hints = LanguageHints { evidence, store, doc, path: file.path };
        Report { hints, summary: &self.summary, dialect, confidence, depth, limits }.write(out);
        Ok(())
    }

    /// Returns whether a document was taken for one of another language, or with other children, than it has: the
    /// next reading knows.
    fn was_read_otherwise(&mut self, dialect: usize, file: &FileContent<'_>) -> bool {
        let Scratch { evidence, store, .. } = &self.scratch;
        let Some(read_as) = store.read_as else { return false };
        let hints = LanguageHints { evidence, store, doc: file.bytes, path: file.path };
        let language = ALL.get(dialect).map_or(read_as, |dialect| (dialect.language)(&hints));
        let has_children = evidence.marker(const { marker("children") }) > 0;
        let is_other =
            evidence.marker(const { marker("namedChildren") }) > 0 && has_children != store.has_children;
        let store = &mut self.scratch.store;
        store.language = language;
        store.has_children = has_children;
        is_other || language != read_as
    }

    /// Reads a document as one of the guessed dialect; returns its depth.
    fn pass(&mut self, doc: &[u8], depth_limit: usize) -> Result<usize, SyntaxFault> {
        let notes = &mut self.scratch.evidence.notes;
        notes.bom = doc.starts_with(BOM);
        let start = if notes.bom { BOM.len() } else { 0 };
        notes.top_level = top_level(doc.get(start..).unwrap_or_default());
        let (Some(dialect), Some(keys)) = (ALL.get(self.guess), dialect::keys_of(self.guess)) else {
            return Ok(0);
        };
        (dialect.read)(doc, start, depth_limit, keys, &mut self.scratch)
    }
}

/// Counts the values of a JSON document: a full check and nothing else, which is the yardstick for the
/// processor's cost.
///
/// # Errors
/// The first fault of a document that is not sound, or is nested deeper than the default limit.
#[doc(hidden)]
pub fn count_values(doc: &[u8]) -> Result<u64, FileError> {
    let fault = |fault: SyntaxFault| fault.into_error(doc);
    check_text(doc).map_err(fault)?;
    let start = if doc.starts_with(BOM) { BOM.len() } else { 0 };
    let mut count = json::ValueCount::default();
    json::scan(doc, start, Limits::default().depth, &mut json::Stack::default(), &mut count)
        .map_err(fault)?;
    Ok(count.values)
}

/// Checks that a document is UTF-8.
fn check_text(doc: &[u8]) -> Result<(), SyntaxFault> {
    if simdutf8::basic::from_utf8(doc).is_ok() {
        return Ok(());
    }
    let valid = simdutf8::compat::from_utf8(doc).map_or_else(|error| error.valid_up_to(), str::len);
    Err(SyntaxFault::new(What::Utf8, valid))
}

/// Returns the type of a document that is not an object.
fn top_level(doc: &[u8]) -> Option<&'static str> {
    match doc.iter().find(|byte| !byte.is_ascii_whitespace())? {
        b'{' => None,
        b'[' => Some("array"),
        b'"' => Some("string"),
        b't' | b'f' => Some("boolean"),
        b'n' => Some("null"),
        _ => Some("number"),
    }
}
