//! What the grammars of C and C++ read as a call, and is none.

use super::DIRECTIVE;
use super::parts::Node;
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::frame::Frame;

/// Words of the language in front of brackets.
const WORDS: [&str; 11] = [
    "short",
    "long",
    "signed",
    "unsigned",
    "noexcept",
    "_Static_assert",
    "static_assert",
    "typeid",
    "__builtin_va_arg",
    "__builtin_choose_expr",
    "__builtin_types_compatible_p",
];

/// Whether a callee makes another type of a value (`static_cast<T>`, `int`), or is a word of the language.
pub(super) fn is_none(callee: Node<'_>, facts: &mut Facts<'_, '_>) -> bool {
    let casts = ["static_cast", "dynamic_cast", "const_cast", "reinterpret_cast"];
    match callee.kind() {
        "primitive_type" => true,
        "identifier" => callee.says(facts, &WORDS),
        "template_function" => callee.first_name().is_some_and(|name| name.says(facts, &casts)),
        _ => false,
    }
}

/// Drops what stands in an attribute: it names something, `aligned(8)`, and calls nothing.
pub(super) fn drop_attribute(facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    facts.forget(frame.at);
    frame.branches = 0;
}

/// Passes on to what follows in a directive whether only the preprocessor reads it: from `#if` to the end of its line.
pub(super) fn pass_directive(token: &str, parent: &mut Frame) {
    match token {
        "#if" | "#elif" => parent.flags |= DIRECTIVE,
        "\n" => parent.set(DIRECTIVE, false),
        _ => {}
    }
}
