//! Vyper: contracts whose compiler names most of its nodes as Python does, and adds its own.
//!
//! Source: the nodes of Vyper 0.2, 0.3 and 0.4, `vyper -f ast` and `annotated_ast`.

use super::{NEXT_FLAG, PLACE, key, name, role};
use crate::process::ast::detect::vocabulary::marker;
use crate::process::ast::dialect::{Facts, LanguageHints};
use crate::process::ast::facts::frame::{Frame, Span, Visibility};
use crate::process::ast::facts::symbol_kind::SymbolKind;

pub(super) const LANGUAGE: &str = "vyper";

/// In the tree of a module that the document holds beside its own.
pub(super) const ELSEWHERE: u32 = NEXT_FLAG;
/// In the type of something, where what looks like a call is a word of the language.
const IN_TYPE: u32 = NEXT_FLAG << 1;
/// Of a variable: it does not change. Of a word: it says so.
const FIXED: u32 = NEXT_FLAG << 2;

/// Returns whether a document is a contract: some node is Vyper's own, or has the member that only Vyper's nodes
/// have.
pub(super) fn is_it(hints: &LanguageHints<'_>) -> bool {
    let Some((field, tally)) = hints.evidence.kind_field() else { return false };
    field == "ast_type"
        && (hints.evidence.marker(const { marker("doc_string") }) > 0
            || tally.kinds().any(|kind| kind.roles.of(PLACE) >= role::VYPER))
}

pub(super) fn open(frame: &mut Frame, parent: &Frame) {
    frame.flags |= match frame.slot {
        key::IMPORTS => ELSEWHERE,
        key::ANNOTATION => IN_TYPE | parent.flags & ELSEWHERE,
        _ => parent.flags & (ELSEWHERE | IN_TYPE),
    };
}

/// Records a member that is true.
pub(super) fn mark(frame: &mut Frame, field: u8) {
    match field {
        key::IS_PUBLIC => frame.visibility = Visibility::Public,
        key::IS_FIXED => frame.set(FIXED, true),
        _ => {}
    }
}

/// Closes nodes in which Vyper differs from Python. Returns whether that was all.
pub(super) fn close(facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) -> bool {
    if frame.has(ELSEWHERE) {
        return true;
    }
    let own = frame.names[name::OWN];
    match frame.role {
        role::CALL if frame.has(IN_TYPE) => tell_word(facts, frame, parent),
        role::NAME if frame.slot == key::DECORATORS => {
            tell_visibility(facts, frame.names[name::ID], parent);
            return false;
        }
        role::FUNCTION => {
            if frame.visibility == Visibility::Unknown {
                frame.visibility = Visibility::Package;
            }
            return false;
        }
        role::IMPORT => facts.import_module(own, frame.names[name::ASNAME], frame),
        role::IMPORT_FROM => {
            facts.name(own, frame.names[name::ASNAME], &Frame { at: frame.at + 1, ..*frame });
            return false;
        }
        role::STRUCT => facts.symbol(SymbolKind::Struct, own, frame),
        role::ENUM => facts.symbol(SymbolKind::Enum, own, frame),
        role::INTERFACE => {
            facts.each_waiting(frame, |symbol| symbol.visibility = Visibility::Public);
            facts.symbol(SymbolKind::Interface, own, frame);
        }
        role::VARIABLE | role::ASSIGN => {
            close_variable(facts, frame);
            return false;
        }
        role::VYPER => {
            facts.drop_names(frame);
            return false;
        }
        _ => return false,
    }
    true
}

/// Records type words, such as `public(constant(uint256))`, which releases before 0.3 write as calls.
fn tell_word(facts: &Facts<'_, '_>, frame: &Frame, parent: &mut Frame) {
    match facts.text(frame.names[name::CALLEE]) {
        b"public" => parent.visibility = Visibility::Public,
        b"constant" | b"immutable" => parent.set(FIXED, true),
        _ => {}
    }
    if frame.visibility != Visibility::Unknown {
        parent.visibility = frame.visibility;
    }
    parent.set(FIXED, parent.has(FIXED) || frame.has(FIXED));
}

/// Sets a function's visibility from a decorator.
fn tell_visibility(facts: &Facts<'_, '_>, decorator: Span, function: &mut Frame) {
    match facts.text(decorator) {
        b"external" | b"public" | b"deploy" => function.visibility = Visibility::Public,
        b"internal" | b"private" => function.visibility = Visibility::Package,
        _ => {}
    }
}

fn close_variable(facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    if frame.visibility == Visibility::Unknown {
        frame.visibility = Visibility::Package;
    }
    let kind = if frame.has(FIXED) { SymbolKind::Constant } else { SymbolKind::Variable };
    while let Some(target) = facts.take_name(frame) {
        // `implements: Interface` is a declaration that looks like one of a variable.
        if facts.text(target.name) != b"implements" {
            facts.symbol(kind, target.name, frame);
        }
    }
}
