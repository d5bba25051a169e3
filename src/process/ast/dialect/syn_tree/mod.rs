//! Rust's syn, written by syn-serde: a tree without a kind field, in which keys determine what is under them.
//!
//! An item is an object under `items`, `content` or `item` with one key, which shows what it is; expressions and
//! types are written the same way everywhere.

mod uses;
mod words;

use super::{Description, Dialect, Facts, LanguageHints};
use crate::process::ast::detect::evidence::Evidence;
use crate::process::ast::detect::vocabulary::marker;
use crate::process::ast::facts::frame::{Frame, Span, Visibility, flag};
use crate::process::ast::facts::symbol_kind::SymbolKind;
use uses::Uses;
use words::{KEYS, TAGS, is_literal, is_tag, key};

#[derive(Debug, Default)]
pub(super) struct SynTree {
    uses: Uses,
}

const PLACE: usize = 4;

pub(super) const DESCRIPTION: Description = Description {
    name: "syn",
    kinds: &[],
    keys: &KEYS,
    tags: TAGS,
    score,
    language: |_: &LanguageHints<'_>| "rust",
    read: super::extract::<SynTree>,
};

/// Keys that syn never writes.
const FOREIGN: [u8; 15] = [
    marker("children"),
    marker("namedChildren"),
    marker("start_point"),
    marker("startPosition"),
    marker("text"),
    marker("inner"),
    marker("loc"),
    marker("filePath"),
    marker("packageName"),
    marker("imports"),
    marker("classes"),
    marker("methods"),
    marker("methodCalls"),
    marker("lineno"),
    marker("span"),
];

/// Scores a document. A file has items with identifiers, a fragment has paths; neither has many of the kind fields,
/// which mean other things here. A key that syn never writes makes it another parser's.
fn score(evidence: &Evidence) -> f64 {
    let idents = evidence.marker(const { marker("ident") });
    if idents == 0 {
        return 0.0;
    }
    let segments = evidence.marker(const { marker("segments") });
    let words = idents + segments + evidence.count(const { &[marker("path"), marker("lit")] });
    // In a list of something else, each element may have an identifier; here it is an object deeper.
    let is_nested = evidence.count(const { &[marker("segments"), marker("stmts"), marker("vis")] }) > 0
        || idents * 2 < evidence.objects;
    let is_file =
        evidence.has_on_top(const { marker("items") }) && is_nested && words * 10 >= evidence.objects;
    let has_paths = segments > 0 && evidence.marker(const { marker("path") }) > 0 && idents >= segments;
    let is_fragment = has_paths && words * 4 >= evidence.objects;
    if evidence.count(&FOREIGN) > 0 || !(is_file || is_fragment) {
        return 0.0;
    }
    let kinds = evidence.kind_field().map_or(0, |(_, tally)| tally.total());
    1.0 - (kinds as f64 / evidence.objects as f64).min(1.0)
}

/// The role of an object, by the keys above it.
mod role {
    pub(super) const ITEM: u8 = 1;
    pub(super) const FUNCTION: u8 = 2;
    pub(super) const STRUCT: u8 = 3;
    pub(super) const ENUM: u8 = 4;
    pub(super) const TRAIT: u8 = 5;
    pub(super) const TYPE: u8 = 6;
    pub(super) const MODULE: u8 = 7;
    pub(super) const CONSTANT: u8 = 8;
    pub(super) const STATIC: u8 = 9;
    pub(super) const IMPL: u8 = 10;
    pub(super) const EXTERN_CRATE: u8 = 11;
    pub(super) const USE: u8 = 12;
}

/// Which text a frame holds where.
mod name {
    /// `ident`.
    pub(super) const OWN: usize = 0;
    /// `rename`.
    pub(super) const ALIAS: usize = 1;
    pub(super) const METHOD: usize = 2;
    /// What is called, or the type that an `impl` is for, as far as it has been read.
    pub(super) const PATH: usize = 3;
}

/// The contents of an array under one of its keys come next.
const IN_ARRAY: u32 = flag::OWN;
/// A part of what is called, or of the type that an `impl` is for.
const IN_PATH: u32 = flag::OWN << 1;
const IN_TYPE: u32 = flag::OWN << 2;
/// A part of a `use`; `count` is the number of its path.
const IN_USE: u32 = flag::OWN << 3;
const IS_GLOB: u32 = flag::OWN << 4;
/// A member of a trait, or of an `impl`.
const OF_TRAIT: u32 = flag::OWN << 5;
const OF_IMPL: u32 = flag::OWN << 6;
const HAS_TRAIT: u32 = flag::OWN << 7;
const HAS_RECEIVER: u32 = flag::OWN << 8;
/// Its operator is `&&` or `||`.
const IS_LOGICAL: u32 = flag::OWN << 9;

impl Dialect for SynTree {
    const PLACE: usize = PLACE;
    const LOOKS_DOWN: bool = true;
    const HAS_TAGS: bool = true;

    #[inline(always)]
    fn holds(&mut self, frame: &mut Frame, field: u8, is_array: bool) {
        frame.set(IN_ARRAY, is_array);
        if is_tag(field) && (is_array || field != key::EXPR) {
            frame.tag = field;
        }
        match field {
            key::VIS => frame.visibility = Visibility::Package,
            key::TRAIT => frame.set(HAS_TRAIT, true),
            key::RECEIVER => frame.set(HAS_RECEIVER, true),
            key::GLOB => frame.set(IS_GLOB, true),
            _ => {}
        }
    }

    #[inline(always)]
    fn open(&mut self, frame: &mut Frame, parent: &Frame) {
        match frame.slot {
            0 => {}
            key::ITEMS | key::CONTENT if parent.has(IN_ARRAY) && !parent.has(IN_USE) => {
                frame.role = role::ITEM;
                frame.set(OF_TRAIT, parent.role == role::TRAIT);
                frame.set(OF_IMPL, parent.role == role::IMPL);
            }
            key::ITEM if !parent.has(IN_ARRAY) => frame.role = role::ITEM,
            key::FUNC => frame.flags = IN_PATH,
            key::RECEIVER if parent.slot == key::METHOD_CALL => frame.flags = IN_PATH,
            _ if parent.role > 0 => open_in_item(frame, parent),
            _ if parent.has(IN_PATH) => frame.flags = path_flags(frame.slot, parent),
            _ if parent.has(IN_USE) => self.open_in_use(frame, parent),
            _ => {}
        }
    }

    #[inline(always)]
    fn text(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, text: Span) {
        match field {
            key::IDENT => frame.names[name::OWN] = text,
            key::RENAME => frame.names[name::ALIAS] = text,
            key::METHOD => frame.names[name::METHOD] = text,
            key::OP => {
                frame.set(IS_LOGICAL, text.len == 2 && matches!(facts.text(text), b"&&" | b"||"));
            }
            key::VIS => frame.visibility = visibility(facts.text(text)),
            key::TREE | key::GROUP | key::ITEMS => self.glob(facts, frame, text),
            _ if is_literal(field) => frame.tag = field,
            _ => {}
        }
    }

    #[inline(always)]
    fn number(&mut self, _facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, _number: u32) {
        if is_literal(field) {
            frame.tag = field;
        }
    }

    #[inline(always)]
    fn truth(&mut self, _facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, truth: bool) {
        match field {
            key::ASYNC => frame.set(flag::ASYNC, truth),
            _ if is_literal(field) => frame.tag = field,
            _ => {}
        }
    }

    #[inline(always)]
    fn close(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
        if frame.members == 1 && frame.tag > 0 {
            facts.tag(frame.tag);
        }
        match frame.slot {
            key::IF | key::WHILE | key::FOR_LOOP => frame.branches += 1,
            key::BINARY if frame.has(IS_LOGICAL) => frame.branches += 1,
            key::ARMS => parent.count += 1,
            key::MATCH => frame.branches += frame.count.saturating_sub(1),
            key::CALL => facts.call(frame.names[name::PATH], frame),
            key::METHOD_CALL => {
                let callee = facts.join(frame.names[name::PATH], ".", frame.names[name::METHOD]);
                facts.call(callee, frame);
            }
            key::CLOSURE => facts.drop_variables(frame),
            key::INPUTS if frame.has(HAS_RECEIVER) => parent.set(HAS_RECEIVER, true),
            _ => {}
        }
        if frame.has(IN_PATH) {
            close_in_path(facts, frame, parent);
        } else if frame.role > role::ITEM {
            self.close_item(facts, frame);
        } else if frame.has(IN_USE) {
            self.close_in_use(facts, frame, parent);
        }
        parent.branches += frame.branches;
    }
}

fn visibility(word: &[u8]) -> Visibility {
    match word {
        b"pub" => Visibility::Public,
        b"crate" => Visibility::Package,
        _ => Visibility::Private,
    }
}

/// Determines what an item is by its only key, or what matters inside of some.
fn open_in_item(frame: &mut Frame, parent: &Frame) {
    if parent.role != role::ITEM {
        match (parent.role, frame.slot) {
            (role::USE, key::TREE) => frame.flags = IN_USE,
            (role::IMPL, key::SELF_TY) => frame.flags = IN_PATH | IN_TYPE,
            _ => {}
        }
        return;
    }
    frame.flags = parent.flags & (OF_TRAIT | OF_IMPL);
    frame.role = match frame.slot {
        key::FN | key::METHOD => role::FUNCTION,
        key::STRUCT | key::UNION => role::STRUCT,
        key::ENUM => role::ENUM,
        key::TRAIT => role::TRAIT,
        key::TYPE => role::TYPE,
        key::MOD => role::MODULE,
        key::CONST => role::CONSTANT,
        key::STATIC => role::STATIC,
        key::IMPL => role::IMPL,
        key::EXTERN_CRATE => role::EXTERN_CRATE,
        key::USE => role::USE,
        _ => 0,
    };
}

/// Returns the flags of an object that is a part of its parent's path: `a.b` of `a.b()`, but not `a` of `a()()`.
fn path_flags(slot: u8, parent: &Frame) -> u32 {
    let is_type = parent.has(IN_TYPE);
    let is_part = match parent.slot {
        key::PATH => slot == key::SEGMENTS,
        key::FIELD | key::TRY | key::AWAIT => matches!(slot, key::BASE | key::EXPR),
        key::PAREN | key::GROUP => {
            if is_type {
                slot == key::ELEM
            } else {
                matches!(slot, key::BASE | key::EXPR)
            }
        }
        key::REFERENCE | key::PTR => slot == key::ELEM,
        key::SEGMENTS => false,
        _ => match slot {
            key::PATH | key::PAREN | key::GROUP => true,
            key::FIELD | key::TRY | key::AWAIT => !is_type,
            key::REFERENCE | key::PTR => is_type,
            _ => false,
        },
    };
    if is_part { parent.flags & (IN_PATH | IN_TYPE) } else { 0 }
}

/// Passes the path, as far as it has been read, to the enclosing object.
#[inline(always)]
fn close_in_path(facts: &mut Facts<'_, '_>, frame: &Frame, parent: &mut Frame) {
    let path = frame.names[name::PATH];
    let own = frame.names[name::OWN];
    parent.names[name::PATH] = match frame.slot {
        key::SEGMENTS if frame.has(IN_TYPE) => own,
        key::SEGMENTS => facts.join(parent.names[name::PATH], ".", own),
        // A field without a name is a number.
        key::FIELD if own.is_none() => own,
        key::FIELD => facts.join(path, ".", own),
        key::FUNC | key::RECEIVER | key::BASE | key::EXPR if frame.members != 1 => Span::NONE,
        _ => path,
    };
}

impl SynTree {
    fn open_in_use(&mut self, frame: &mut Frame, parent: &Frame) {
        if matches!(frame.slot, key::TREE | key::PATH | key::GROUP | key::ITEMS | key::RENAME) {
            frame.flags = IN_USE;
            frame.count = parent.count;
            if frame.slot == key::PATH {
                frame.count = self.uses.begin_path(parent.count);
            }
        }
    }

    /// Handles `*`, as the tree of a path or `use`, or among others in braces.
    fn glob(&mut self, facts: &Facts<'_, '_>, frame: &Frame, text: Span) {
        if (frame.has(IN_USE) || frame.role == role::USE) && facts.text(text) == b"*" {
            self.uses.leaf(frame.at, frame.count, text, Span::NONE);
        }
    }

    fn close_in_use(&mut self, facts: &mut Facts<'_, '_>, frame: &Frame, parent: &mut Frame) {
        let own = frame.names[name::OWN];
        match frame.slot {
            key::PATH => self.uses.end_path(frame.count, own),
            key::RENAME => {
                parent.names[name::OWN] = own;
                parent.names[name::ALIAS] = frame.names[name::ALIAS];
            }
            slot => {
                let own = if frame.has(IS_GLOB) { facts.make(b"*") } else { own };
                let group = if slot == key::TREE { frame.at } else { parent.at };
                if own.is_some() {
                    self.uses.leaf(group, frame.count, own, frame.names[name::ALIAS]);
                }
            }
        }
    }

    fn close_item(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
        let is_member = frame.has(OF_TRAIT | OF_IMPL);
        frame.visibility = match frame.visibility {
            _ if frame.has(OF_TRAIT) => Visibility::Unknown,
            Visibility::Unknown => Visibility::Private,
            known => known,
        };
        let own = frame.names[name::OWN];
        let own = if facts.text(own) == b"_" { Span::NONE } else { own };
        let kind = match frame.role {
            role::FUNCTION if is_member => SymbolKind::Method,
            role::FUNCTION => SymbolKind::Function,
            role::STRUCT => SymbolKind::Struct,
            role::ENUM => SymbolKind::Enum,
            role::TRAIT => SymbolKind::Interface,
            role::TYPE => SymbolKind::TypeAlias,
            role::MODULE => SymbolKind::Module,
            role::CONSTANT | role::STATIC if is_member => return,
            role::CONSTANT => SymbolKind::Constant,
            role::STATIC => SymbolKind::Variable,
            role::IMPL => return close_impl(facts, frame),
            role::EXTERN_CRATE => return facts.import_module(own, frame.names[name::ALIAS], frame),
            _ => return self.uses.end(facts, frame),
        };
        frame.set(flag::STATIC, kind == SymbolKind::Method && !frame.has(HAS_RECEIVER));
        frame.set(flag::ASYNC, kind.is_callable() && frame.has(flag::ASYNC));
        facts.symbol(kind, own, frame);
        if let Some(symbol) = facts.newest(frame) {
            symbol.flags |= frame.flags & OF_IMPL;
        }
        if kind.is_callable() && own.is_none() {
            facts.drop_variables(frame);
        } else if !kind.is_variable() {
            frame.branches = 0;
        }
    }
}

/// Makes members of an implemented trait as visible as the trait.
fn close_impl(facts: &mut Facts<'_, '_>, frame: &Frame) {
    if frame.has(HAS_TRAIT) {
        facts.each_waiting(frame, |symbol| {
            if symbol.flags & OF_IMPL != 0 {
                symbol.visibility = Visibility::Unknown;
            }
        });
    }
    facts.symbol(SymbolKind::Scope, frame.names[name::PATH], frame);
}
