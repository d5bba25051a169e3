//! Class models: what tools for Java and related languages say of a file, its classes with their members.
//!
//! What an object is follows from the keys above it, so it is known as soon as the object opens.

use std::ops::Range;

use super::{Description, Dialect, Facts, LanguageHints, language_of_extension, source_extension};
use crate::process::ast::detect::evidence::Evidence;
use crate::process::ast::detect::vocabulary::marker;
use crate::process::ast::facts::frame::{Frame, Span, Visibility, flag};
use crate::process::ast::facts::symbol_kind::SymbolKind;

#[derive(Debug, Default)]
pub(super) struct ClassModel;

const PLACE: usize = 5;

pub(super) const DESCRIPTION: Description = Description {
    name: "class-model",
    kinds: &[],
    keys: KEYS,
    tags: &[
        (key::CLASSES, "class"),
        (key::FIELDS, "field"),
        (key::CONSTRUCTORS, "constructor"),
        (key::METHODS, "method"),
        (key::METHOD_CALLS, "method_call"),
    ],
    score,
    language,
    read: super::extract::<ClassModel>,
};

/// Keys that syntax trees are made of.
const FOREIGN: [u8; 8] = [
    marker("children"),
    marker("namedChildren"),
    marker("inner"),
    marker("loc"),
    marker("range"),
    marker("span"),
    marker("segments"),
    marker("lineno"),
];

/// Scores a document. A model names its file or package, or at least has methods; it has none of the keys that
/// syntax trees are made of.
fn score(evidence: &Evidence) -> f64 {
    let names_origin = evidence.has_on_top(const { marker("filePath") })
        || evidence.has_on_top(const { marker("packageName") });
    let lists_imports =
        evidence.has_on_top(const { marker("imports") }) && evidence.marker(const { marker("methods") }) > 0;
    if !evidence.has_on_top(const { marker("classes") }) || !(names_origin || lists_imports) {
        return 0.0;
    }
    1.0 - (evidence.count(&FOREIGN) as f64 / evidence.objects as f64).min(1.0)
}

/// Languages that no dumper of class models is known for. A name with an extension of theirs, such as the model's own
/// `Shelf.json`, shows nothing.
pub(super) const WITHOUT_MODELS: [&str; 14] = [
    "html", "css", "json", "yaml", "toml", "sql", "haskell", "elixir", "ocaml", "dart", "zig", "julia",
    "vyper", "unknown",
];

fn language(hints: &LanguageHints<'_>) -> &'static str {
    let shown = |extension| language_of_extension(extension).filter(|name| !WITHOUT_MODELS.contains(name));
    let known = shown(hints.source_extension()).or_else(|| shown(source_extension(hints.path)));
    let packages: [&[u8]; 4] = [b"java.", b"javax.", b"jakarta.", b"android."];
    let is_java = || {
        let mut modules = hints.store.imports.iter().map(|import| hints.store.text(hints.doc, import.module));
        modules.any(|module| packages.iter().any(|package| module.starts_with(package)))
    };
    known.unwrap_or_else(|| if is_java() { "java" } else { "unknown" })
}

words! {
    mod key, KEYS;
    NAME = "name",
    QUALIFIED = "qualifiedName",
    CLASSES = "classes innerClasses nestedClasses",
    FIELDS = "fields",
    CONSTRUCTORS = "constructors",
    METHODS = "methods",
    METHOD_CALLS = "methodCalls",
    IMPORTS = "imports",
    FILE_PATH = "filePath",
    MODIFIERS = "modifiers",
    VISIBILITY = "visibility",
    IS_STATIC = "isStatic",
    IS_ENUM = "isEnum",
    IS_INTERFACE = "isInterface isAnnotation",
    START_LINE = "startLine",
    LINE = "line",
    LINE_NUMBER = "lineNumber",
    END_LINE = "endLine",
    COMPLEXITY = "cyclomaticComplexity",
    METHOD_NAME = "methodName",
    OBJECT = "object",
}

mod role {
    pub(super) const DOCUMENT: u8 = 1;
    pub(super) const CLASS: u8 = 2;
    pub(super) const METHOD: u8 = 3;
    pub(super) const CALL: u8 = 4;
    pub(super) const IMPORT: u8 = 5;
}

/// Which text a frame holds where.
mod name {
    pub(super) const OWN: usize = 0;
    pub(super) const QUALIFIED: usize = 1;
    /// Of a call.
    pub(super) const METHOD: usize = 2;
    pub(super) const OBJECT: usize = 3;
}

/// The contents of an array under one of its keys come next.
const IN_ARRAY: u32 = flag::OWN;
/// Its line is that of `startLine`, or of `line`.
const HAS_START: u32 = flag::OWN << 1;
const HAS_LINE: u32 = flag::OWN << 2;
const HAS_MODIFIERS: u32 = flag::OWN << 3;
/// What its modifiers hold.
const PUBLIC: u32 = flag::OWN << 4;
const PROTECTED: u32 = flag::OWN << 5;
const PRIVATE: u32 = flag::OWN << 6;
const ENUM: u32 = flag::OWN << 7;
const INTERFACE: u32 = flag::OWN << 8;

impl Dialect for ClassModel {
    const PLACE: usize = PLACE;
    const LOOKS_DOWN: bool = true;
    const HAS_TAGS: bool = true;

    #[inline(always)]
    fn holds(&mut self, frame: &mut Frame, field: u8, is_array: bool) {
        frame.set(IN_ARRAY, is_array);
        if is_array && field == key::MODIFIERS {
            frame.set(HAS_MODIFIERS, true);
        }
    }

    #[inline(always)]
    fn open(&mut self, frame: &mut Frame, parent: &Frame) {
        if parent.has(IN_ARRAY) && matches!(frame.slot, key::CLASSES..=key::METHOD_CALLS) {
            frame.tag = frame.slot;
        }
        frame.role = match (parent.role, frame.slot) {
            _ if parent.at == 0 => role::DOCUMENT,
            _ if !parent.has(IN_ARRAY) => 0,
            (role::DOCUMENT | role::CLASS, key::CLASSES) => role::CLASS,
            (role::CLASS, key::CONSTRUCTORS | key::METHODS) => role::METHOD,
            (role::METHOD, key::METHOD_CALLS) => role::CALL,
            (role::DOCUMENT, key::IMPORTS) => role::IMPORT,
            _ => 0,
        };
    }

    #[inline(always)]
    fn text(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, text: Span) {
        match field {
            key::NAME => frame.names[name::OWN] = text,
            key::QUALIFIED => frame.names[name::QUALIFIED] = text,
            key::METHOD_NAME => frame.names[name::METHOD] = text,
            key::OBJECT => frame.names[name::OBJECT] = text,
            key::VISIBILITY => frame.visibility = Visibility::of_word(facts.text(text)),
            key::MODIFIERS => modifiers(facts, frame, text),
            key::IMPORTS if frame.role == role::DOCUMENT => {
                import(facts, text, &Frame { at: frame.at, ..Frame::default() });
            }
            key::FILE_PATH if frame.role == role::DOCUMENT => facts.store.source = text,
            _ => {}
        }
    }

    #[inline(always)]
    fn number(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, number: u32) {
        match field {
            key::COMPLEXITY => frame.count = number,
            key::START_LINE..=key::END_LINE if number > 0 => line(facts, frame, field, number),
            _ => {}
        }
    }

    #[inline(always)]
    fn truth(&mut self, _facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, truth: bool) {
        match field {
            key::IS_STATIC if truth => frame.set(flag::STATIC, true),
            key::IS_ENUM => frame.set(ENUM, truth),
            key::IS_INTERFACE if truth => frame.set(INTERFACE, true),
            _ => {}
        }
    }

    #[inline(always)]
    fn close(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, _parent: &mut Frame) {
        if frame.tag > 0 {
            facts.tag(frame.tag);
        }
        match frame.role {
            role::CALL => close_call(facts, frame),
            role::CLASS | role::METHOD => close_symbol(facts, frame),
            role::IMPORT => import(facts, frame.names[name::OWN], frame),
            _ => {}
        }
    }
}

/// Reads a member that may hold the line: the first of `startLine`, `line`, `lineNumber` counts.
fn line(facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, number: u32) {
    facts.line(number);
    match field {
        key::END_LINE => frame.end_line = number,
        key::START_LINE => {
            frame.line = number;
            frame.set(HAS_START, true);
        }
        _ if frame.has(HAS_START) || field == key::LINE_NUMBER && frame.has(HAS_LINE) => {}
        _ => {
            frame.line = number;
            frame.set(HAS_LINE, field == key::LINE);
        }
    }
}

/// Reads `public`, or `[public , static ]`.
fn modifiers(facts: &Facts<'_, '_>, frame: &mut Frame, text: Span) {
    frame.set(HAS_MODIFIERS, true);
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    for word in facts.text(text).split(|byte| !is_part(byte)) {
        match word {
            b"public" => frame.set(PUBLIC, true),
            b"protected" => frame.set(PROTECTED, true),
            b"private" => frame.set(PRIVATE, true),
            b"static" => frame.set(flag::STATIC, true),
            _ => {}
        }
    }
}

fn visibility(frame: &Frame) -> Visibility {
    match frame.visibility {
        Visibility::Unknown if frame.has(PUBLIC) => Visibility::Public,
        Visibility::Unknown if frame.has(PROTECTED) => Visibility::Protected,
        Visibility::Unknown if frame.has(PRIVATE) => Visibility::Private,
        Visibility::Unknown if frame.has(HAS_MODIFIERS) => Visibility::Package,
        known => known,
    }
}

fn close_symbol(facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    frame.visibility = visibility(frame);
    if frame.line == 0 {
        frame.end_line = 0;
    }
    let kind = match frame.role {
        role::METHOD => SymbolKind::Method,
        _ if frame.has(ENUM) => SymbolKind::Enum,
        _ if frame.has(INTERFACE) => SymbolKind::Interface,
        _ => SymbolKind::Class,
    };
    facts.symbol(kind, frame.names[name::OWN], frame);
    if let Some(symbol) = facts.newest(frame) {
        symbol.qualified = frame.names[name::QUALIFIED];
        symbol.complexity = frame.count;
    }
}

fn close_call(facts: &mut Facts<'_, '_>, frame: &Frame) {
    let method = frame.names[name::METHOD].or(frame.names[name::OWN]);
    let object = frame.names[name::OBJECT];
    let callee = if is_path(facts.text(object)) && method.is_some() {
        facts.join(object, ".", method)
    } else {
        method
    };
    facts.call(callee, frame);
}

/// Returns whether a text is names with dots between them.
fn is_path(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    let is_name =
        |name: &[u8]| name.first().is_some_and(|byte| !byte.is_ascii_digit()) && name.iter().all(is_part);
    text.split(|&byte| byte == b'.').all(is_name)
}

/// Reads `java.util.List`, or a whole statement: `import static java.lang.Math.*;`, `using System.IO`.
fn import(facts: &mut Facts<'_, '_>, span: Span, frame: &Frame) {
    let text = facts.text(span);
    let mut all = trimmed(text, 0..text.len());
    if text.get(..all.end).unwrap_or_default().ends_with(b";") {
        all = trimmed(text, all.start..all.end - 1);
    }
    let using = without(text, all.clone(), b"using ");
    let is_using = using != all;
    all = without(text, without(text, using, b"import "), b"static ");
    let whole = text.get(all.clone()).unwrap_or_default();
    let mut alias = 0..0;
    let mut dot = whole.iter().rposition(|&byte| byte == b'.');
    if let Some(at) = whole.windows(4).position(|word| word == b" as ") {
        alias = trimmed(text, all.start + at + 4..all.end);
        all = trimmed(text, all.start..all.start + at);
        dot = whole.iter().take(at).rposition(|&byte| byte == b'.');
    }
    let part = |range: Range<usize>| facts.part(span, range.start, range.end);
    let whole = part(all.clone());
    let alias = part(alias);
    match dot.filter(|_| !is_using) {
        Some(dot) => {
            let dot = all.start + dot;
            let module = part(all.start..dot);
            facts.name(part(dot + 1..all.end), alias, &Frame { at: u32::MAX, ..Frame::default() });
            facts.import(module, Span::NONE, frame);
        }
        None => facts.import_module(whole, alias, frame),
    }
}

/// Returns a part of a text, without surrounding white space.
fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    let from = range.start + part.len() - part.trim_ascii_start().len();
    from..from + part.trim_ascii().len()
}

/// Returns a part of a text without a leading word.
fn without(text: &[u8], range: Range<usize>, word: &[u8]) -> Range<usize> {
    let begins = text.get(range.clone()).is_some_and(|part| part.starts_with(word));
    trimmed(text, if begins { range.start + word.len()..range.end } else { range })
}
