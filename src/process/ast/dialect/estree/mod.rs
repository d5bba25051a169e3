//! The family of trees for JavaScript and TypeScript that follow ESTree: acorn, espree, Babel, Flow, Hermes,
//! typescript-estree, SWC, oxc.
//!
//! Sources: the ESTree specification to ES2025 with JSX, and each parser's own list of its types, which are in
//! `data/node_types/estree` with the role of each.

mod kinds;
mod nodes;

use super::{Description, Dialect, Facts, LanguageHints, language_of};
use crate::process::ast::detect::evidence::Evidence;
use crate::process::ast::detect::vocabulary::marker;
use crate::process::ast::facts::frame::{Frame, Span, Visibility, flag};
use crate::process::ast::json::{self, PlaceKey};
use kinds::{KINDS, role};

#[derive(Debug, Default)]
pub(super) struct Estree {
    unsettled: Unsettled,
}

/// Range of variables not yet known to be at the top of a module: that depends on the kind of the enclosing node,
/// and kinds may come last.
#[derive(Debug, Default)]
struct Unsettled {
    /// Where the first one began, 0 if there is none.
    first: u32,
    /// None began after this.
    last: u32,
}

const PLACE: usize = 1;

pub(super) const DESCRIPTION: Description = Description {
    name: "estree",
    kinds: KINDS,
    keys: KEYS,
    tags: &[],
    score,
    language,
    read: super::extract::<Estree>,
};

/// Roots of trees that share many kinds with ESTree: those of luaparse, Solidity, css-tree, Glimmer, and of
/// compilers.
const FOREIGN: [&[u8]; 7] = [
    b"Chunk",
    b"SourceUnit",
    b"SourceFile",
    b"CompilationUnit",
    b"TranslationUnit",
    b"StyleSheet",
    b"Template",
];

/// Scores by the share of known kinds, squared: ESTree has them all, and some other trees have most of them. Kinds
/// common to many formats count neither for nor against.
fn score(evidence: &Evidence) -> f64 {
    let Some(("type", tally)) = evidence.kind_field() else { return 0.0 };
    let has_spans = evidence.marker(const { marker("span") }) > 0;
    let mut known = 0;
    let mut telling = tally.total();
    for kind in tally.kinds() {
        match kind.roles.of(PLACE) {
            0 if FOREIGN.contains(&kind.name) => return 0.0,
            0 if !is_extension(kind.name, b"TS") && !is_extension(kind.name, b"JSX") => {}
            role::ANYBODYS | role::IMPORT_WORD => telling -= kind.count,
            // The only node of an empty file, for SWC; Python has one of this name, too.
            role::MODULE_OR_SCRIPT if !has_spans => telling -= kind.count,
            _ => known += kind.count,
        }
    }
    let share = if known == 0 { 0.0 } else { known as f64 / telling as f64 };
    share * share
}

/// Returns whether a kind begins with a prefix, in capitals or like a word, followed by a capital letter.
fn is_extension(kind: &[u8], prefix: &[u8]) -> bool {
    kind.split_at_checked(prefix.len()).is_some_and(|(start, rest)| {
        start.first() == prefix.first()
            && start.eq_ignore_ascii_case(prefix)
            && rest.first().is_some_and(u8::is_ascii_uppercase)
    })
}

fn language(hints: &LanguageHints<'_>) -> &'static str {
    let is_named = language_of(hints.path) == Some("typescript");
    if is_named || hints.has_kind(|kind| is_extension(kind, b"TS")) { "typescript" } else { "javascript" }
}

words! {
    mod key, KEYS;
    NAME = "name escapedText",
    VALUE = "value defaultValue",
    KEY = "key",
    PROPERTY = "property field",
    LOCAL = "local orig",
    LEFT = "left",
    ID = "id identifier",
    RIGHT = "right",
    EXTERN = "imported exported",
    OBJECT = "object obj",
    CALLEE = "callee tag",
    EXPRESSION = "expression base",
    SOURCE = "source",
    ARGUMENTS = "arguments",
    MODULE_REFERENCE = "moduleReference moduleRef",
    SPREAD = "spread",
    TEST = "test guard",
    INIT = "init",
    FUNCTION = "function",
    DEFAULT = "decl",
    PROPERTIES = "properties",
    ELEMENTS = "elements",
    ARGUMENT = "argument parameter",
    DECLARATIONS = "declarations decls",
    DECLARATION = "declaration",
    BODY = "body",
    OTHER = "stmts consequent alternate block params update",
    LOC = "loc",
    START = "start",
    END = "end",
    LINE = "line",
    OPERATOR = "operator",
    KIND = "kind",
    ACCESSIBILITY = "accessibility",
    COMPUTED = "computed",
    ASYNC = "async",
    STATIC = "static isStatic",
    METHOD = "method",
    PATTERN = "pattern",
    LITERAL = "literal",
}

/// Which text a frame holds where.
mod name {
    /// `name`, `right` of a qualified name.
    pub(super) const NAME: usize = 0;
    /// `key`, `property`, `local`, `left`.
    pub(super) const FIRST: usize = 1;
    /// `id`, `imported`; the path of what is called, or of the object.
    pub(super) const SECOND: usize = 2;
    /// A string: `source`, the first of `arguments`, `expression`.
    pub(super) const STRING: usize = 3;
    /// `value`, of a string or of SWC's identifiers.
    pub(super) const VALUE: usize = 4;
}

mod bit {
    use super::flag;

    /// It is called, or is the object or the like that the callee is taken from.
    pub(super) const IN_CALLEE: u32 = flag::OWN;
    /// Inside the pattern that binds a variable at the top.
    pub(super) const IN_PATTERN: u32 = flag::OWN << 1;
    /// No variable inside can be one of a module.
    pub(super) const NOT_TOP: u32 = flag::OWN << 2;
    pub(super) const COMPUTED: u32 = flag::OWN << 3;
    pub(super) const PRIVATE_KEY: u32 = flag::OWN << 4;
    /// `value` or `init` is a function.
    pub(super) const INNER_FUNCTION: u32 = flag::OWN << 5;
    pub(super) const INNER_CLASS: u32 = flag::OWN << 6;
    pub(super) const INNER_ASYNC: u32 = flag::OWN << 7;
    pub(super) const HAS_TEST: u32 = flag::OWN << 8;
    pub(super) const LOGICAL: u32 = flag::OWN << 9;
    pub(super) const CONST: u32 = flag::OWN << 10;
    pub(super) const SPREAD: u32 = flag::OWN << 11;
    /// A plain name is called.
    pub(super) const CALLS_NAME: u32 = flag::OWN << 12;
    pub(super) const CALLS_IMPORT: u32 = flag::OWN << 13;
    /// A member of an object type is a method; of a symbol: it is one where its type is the body of a class.
    pub(super) const TYPE_METHOD: u32 = flag::OWN << 14;
    pub(super) const TYPE_ACCESSOR: u32 = flag::OWN << 15;
    /// The body is another namespace, and this one is the first part of its name.
    pub(super) const IS_PREFIX: u32 = flag::OWN << 16;
    /// The name is one of several parts.
    pub(super) const HAS_PARTS: u32 = flag::OWN << 19;
    /// Everything fits the case's pattern.
    pub(super) const FITS_ALL: u32 = flag::OWN << 17;
    /// Of a variable: it is in the block that is a body.
    pub(super) const IN_BLOCK: u32 = flag::OWN << 18;
}

/// What a place in the source has; the index only for Babel.
const PLACE_KEYS: [PlaceKey; 3] =
    [PlaceKey::of("\"line\":"), PlaceKey::of("\"column\":"), PlaceKey::of("\"index\":")];

impl Dialect for Estree {
    const PLACE: usize = PLACE;
    const LOOKS_DOWN: bool = true;

    fn is_whole(field: u8) -> bool {
        matches!(field, key::START | key::END)
    }

    #[inline(always)]
    fn whole(&mut self, doc: &[u8], at: usize, frame: &mut Frame, field: u8) -> Option<(u64, usize)> {
        let place = json::place(doc, at, &PLACE_KEYS)?;
        let line = place.numbers[0].unwrap_or_default();
        *(if field == key::START { &mut frame.line } else { &mut frame.end_line }) = line;
        Some((place.values, place.end))
    }

    #[inline(always)]
    fn open(&mut self, frame: &mut Frame, parent: &Frame) {
        let inherits = |bits: u32| bit::NOT_TOP | parent.flags & bits;
        frame.flags = match frame.slot {
            0 | key::BODY | key::DECLARATION => parent.flags & bit::NOT_TOP,
            key::CALLEE => bit::NOT_TOP | bit::IN_CALLEE,
            key::OBJECT | key::EXPRESSION | key::PROPERTY => inherits(bit::IN_CALLEE),
            key::DECLARATIONS if matches!(parent.slot, key::BODY | key::DECLARATION) => {
                parent.flags & bit::NOT_TOP
            }
            key::ID if !parent.has(bit::NOT_TOP) => bit::NOT_TOP | bit::IN_PATTERN,
            key::VALUE | key::PROPERTIES | key::ELEMENTS | key::LEFT | key::ARGUMENT => {
                inherits(bit::IN_PATTERN)
            }
            _ => bit::NOT_TOP,
        };
    }

    #[inline(always)]
    fn text(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, text: Span) {
        match field {
            key::NAME => frame.names[name::NAME] = text,
            key::VALUE => frame.names[name::VALUE] = text,
            key::OPERATOR => frame.set(bit::LOGICAL, matches!(facts.text(text), b"&&" | b"||" | b"??")),
            key::KIND => {
                let word = facts.text(text);
                frame.set(bit::CONST, word == b"const");
                frame.set(bit::TYPE_ACCESSOR, matches!(word, b"get" | b"set"));
            }
            key::ACCESSIBILITY => frame.visibility = Visibility::of_word(facts.text(text)),
            _ => {}
        }
    }

    #[inline(always)]
    fn number(&mut self, _facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, number: u32) {
        if field == key::LINE && matches!(frame.slot, key::START | key::END) {
            frame.line = number;
        }
    }

    #[inline(always)]
    fn truth(&mut self, _facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, truth: bool) {
        match field {
            key::COMPUTED => frame.set(bit::COMPUTED, truth),
            key::ASYNC => frame.set(flag::ASYNC, truth),
            key::STATIC => frame.set(flag::STATIC, truth),
            key::METHOD => frame.set(bit::TYPE_METHOD, truth),
            _ => {}
        }
    }

    #[inline(always)]
    fn close(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
        match frame.role {
            0 => nodes::close_bare(facts, frame, parent),
            role::IDENTIFIER => nodes::close_identifier(facts, frame, parent),
            role::STRING => nodes::close_string(frame, parent),
            role::MEMBER_EXPRESSION => nodes::close_member_expression(facts, frame, parent),
            role::CALL | role::NEW => nodes::close_call(facts, frame),
            role::BRANCH => frame.branches += 1,
            role::PLAIN
            | role::BLOCK
            | role::ANYBODYS
            | role::PROGRAM
            | role::MODULE_OR_SCRIPT
            | role::EXPORT_OF => {}
            _ => self.close_other(facts, frame, parent),
        }
        match frame.slot {
            key::ARGUMENTS => parent.count += 1,
            key::TEST => parent.set(bit::HAS_TEST, true),
            _ => {}
        }
        parent.branches += frame.branches;
        if self.unsettled.last > frame.at {
            self.unsettled.settle(facts, frame);
        }
    }
}
