//! What the grammars of C and C++ read as a call although it is not.

use super::DIRECTIVE;
use super::parts::Node;
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::frame::Frame;

/// Keywords before brackets.
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

/// Returns whether a callee converts a value to another type (`static_cast<T>`, `int`), or is a keyword.
pub(super) fn is_none(callee: Node<'_>, facts: &mut Facts<'_, '_>) -> bool {
    let casts = ["static_cast", "dynamic_cast", "const_cast", "reinterpret_cast"];
    match callee.kind() {
        "primitive_type" => true,
        "identifier" => callee.says(facts, &WORDS),
        "template_function" => callee.first_name().is_some_and(|name| name.says(facts, &casts)),
        _ => false,
    }
}

/// Drops the contents of an attribute: it names something, `aligned(8)`, and calls nothing.
pub(super) fn drop_attribute(facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    facts.forget(frame.at);
    frame.branches = 0;
}

/// Marks the rest of a directive as read only by the preprocessor: from `#if` to the end of its line.
pub(super) fn pass_directive(token: &str, parent: &mut Frame) {
    match token {
        "#if" | "#elif" => parent.flags |= DIRECTIVE,
        "\n" => parent.set(DIRECTIVE, false),
        _ => {}
    }
}
