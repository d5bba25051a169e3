//! The ways in which parsers write their trees, one file or folder each.

/// Declares words of a dialect: a number for each line, from 1 in their order, and a table of these numbers with the
/// texts that have them.
macro_rules! words {
    ($vis:vis mod $module:ident, $table:ident; $($(#[$about:meta])* $name:ident = $texts:literal,)+) => {
        $vis mod $module {
            #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "it numbers the constants")]
            enum Number { $($name),+ }
            $($(#[$about])* pub(in crate::process::ast::dialect) const $name: u8 = Number::$name as u8 + 1;)+
        }

        $vis const $table: &[(u8, &str)] = &[$(($module::$name, $texts)),+];
    };
}

mod clang;
mod class_model;
mod estree;
mod generic;
mod languages;
mod python;
mod syn_tree;
mod tree_sitter;

use std::sync::LazyLock;

use super::detect::evidence::Evidence;
use super::detect::vocabulary::Keys;
use super::extract::{Scratch, extract};
pub(super) use super::facts::Facts;
use super::facts::Store;
pub(super) use super::facts::frame::{Frame, Span};
use super::json::SyntaxFault;
use crate::model;
pub(super) use languages::language_of_extension;

/// The number of dialects.
pub(super) const DIALECTS: usize = 7;

/// All dialects. If two fit a document equally well, the earlier one wins.
pub(super) static ALL: [Description; DIALECTS] = [
    python::DESCRIPTION,
    estree::DESCRIPTION,
    tree_sitter::DESCRIPTION,
    clang::DESCRIPTION,
    syn_tree::DESCRIPTION,
    class_model::DESCRIPTION,
    generic::DESCRIPTION,
];

/// The minimum score for a document to be of a dialect.
const SCORE_MIN: f64 = 0.7;

/// Reads a document from a byte on, down to a depth; see [`extract`].
type Read = fn(&[u8], usize, usize, &'static Keys, &mut Scratch) -> Result<usize, SyntaxFault>;

/// Numbers, each with the words that have it.
pub(super) type Words = &'static [(u8, &'static str)];

/// The static description of a dialect.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) name: &'static str,
    /// The roles in the dialect, numbers from 1, each with its kinds of nodes.
    pub(super) kinds: Words,
    /// The numbers of its keys in the dialect, from 1, each with the keys.
    pub(super) keys: Words,
    /// For a dialect without a kind field: the numbers of its tags, each with the node's kind.
    pub(super) tags: &'static [(u8, &'static str)],
    /// How well a document fits: from 0 to 1.
    pub(super) score: fn(&Evidence) -> f64,
    /// The source's language, or `unknown`.
    pub(super) language: fn(&LanguageHints<'_>) -> &'static str,
    /// Reads a document as one of this dialect; returns its depth.
    pub(super) read: Read,
}

/// The evidence for a document's language.
#[derive(Debug, Clone, Copy)]
pub(super) struct LanguageHints<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) store: &'a Store,
    pub(super) doc: &'a [u8],
    /// The file's own path: used only if the content leaves it open.
    pub(super) path: &'a [u8],
}

impl LanguageHints<'_> {
    /// Returns whether some node is of this kind.
    pub(super) fn has_kind(&self, mut is_it: impl FnMut(&[u8]) -> bool) -> bool {
        self.evidence.kind_field().is_some_and(|(_, tally)| tally.kinds().any(|kind| is_it(kind.name)))
    }

    /// Returns the extension of the source that the document names.
    pub(super) fn source_extension(&self) -> &[u8] {
        extension(self.store.text(self.doc, self.store.source))
    }
}

/// Returns each word of a table with its number.
pub(super) fn numbered(words: Words) -> impl Iterator<Item = (&'static str, u8)> {
    words.iter().flat_map(|&(number, texts)| texts.split_ascii_whitespace().map(move |text| (text, number)))
}

/// Returns the language that a file's own name indicates.
pub(super) fn language_of(path: &[u8]) -> Option<&'static str> {
    language_of_extension(source_extension(path))
}

/// Returns the source's extension in a dump's name: `ts` of `a.ts.ast.json` and of `a.ts_ast.json`.
pub(super) fn source_extension(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    model::source_extension(name).unwrap_or_default()
}

fn extension(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|&byte| byte == b'/' || byte == b'\\').next().unwrap_or_default();
    model::extension_of(name).unwrap_or_default()
}

/// One reading of a document. Members of an object come in any order, children before their object
/// closes; see [`Frame`].
pub(super) trait Dialect: Default {
    /// Its index in `ALL`.
    const PLACE: usize;
    /// Whether `open` does something.
    const LOOKS_DOWN: bool = false;
    /// Whether keys determine what is a node, rather than a kind field.
    const HAS_TAGS: bool = false;

    /// Returns whether a place in the source, or another object that `whole` reads, may be under a key.
    fn is_whole(_field: u8) -> bool {
        false
    }

    /// Reads a member of the innermost object that begins at a byte, instead of visiting the object or array there
    /// and its contents: returns its number of values, and the position after it. It has no keys that indicate a
    /// dialect, and no objects inside. Returns `None` if it must be read as usual.
    fn whole(&mut self, _doc: &[u8], _at: usize, _frame: &mut Frame, _field: u8) -> Option<(u64, usize)> {
        None
    }

    /// Begins a document. If the language decides how it is read, records in the store which one is assumed.
    fn of(_store: &mut Store) -> Self {
        Self::default()
    }

    /// Handles an object that opens under `frame.slot` of its parent.
    fn open(&mut self, _frame: &mut Frame, _parent: &Frame) {}

    /// Handles an object or array that opens directly under any key of an object, in a dialect that has tags.
    fn holds(&mut self, _frame: &mut Frame, _field: u8, _is_array: bool) {}

    /// Handles a string under one of the dialect's keys, or in an array there.
    fn text(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, text: Span);

    /// Handles a whole number under one of the dialect's keys, or in an array there.
    fn number(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _field: u8, _number: u32) {}

    /// Handles `true` or `false` under one of the dialect's keys.
    fn truth(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _field: u8, _truth: bool) {}

    /// Handles an object that closes.
    fn close(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame);
}

/// Returns the keys of a dialect by its index.
pub(super) fn keys_of(dialect: usize) -> Option<&'static Keys> {
    static KEYS: LazyLock<Vec<Keys>> =
        LazyLock::new(|| ALL.iter().map(|dialect| Keys::new(dialect.keys)).collect());
    KEYS.get(dialect)
}

/// Returns whether a document is of a grammar unknown to its dialect. Only tree-sitter has many; documents of the
/// other dialects are recognised by their kinds.
pub(super) fn is_of_unknown_grammar(dialect: usize, hints: &LanguageHints<'_>) -> bool {
    dialect == tree_sitter::TreeSitter::PLACE && tree_sitter::is_foreign(hints)
}

/// Returns the dialect that the evidence indicates, by its index, and how well it fits: generic, with 0, if none
/// does.
pub(super) fn detect(evidence: &Evidence) -> (usize, f64) {
    let mut best = (DIALECTS - 1, 0.0);
    for (place, dialect) in ALL.iter().enumerate() {
        let score = (dialect.score)(evidence);
        if score >= SCORE_MIN && score > best.1 {
            best = (place, score);
        }
    }
    best
}
