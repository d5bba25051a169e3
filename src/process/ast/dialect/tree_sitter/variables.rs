//! Variables and constants at the top level.

use super::kinds::Grammar;
use super::parts::{Field, Node};
use super::symbols::{add, note};
use super::{LOOSE, Reading, scripts};
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::frame::{Frame, Span, Visibility};
use crate::process::ast::facts::symbol_kind::SymbolKind;

impl Grammar {
    /// Returns whether only what is directly at the top is a variable.
    pub(super) fn keeps_variables_close(self) -> bool {
        matches!(self, Self::Ruby | Self::Kotlin | Self::Swift)
    }
}

/// Drops the variables inside a node that is not the top.
#[inline(always)]
pub(super) fn drop_far(grammar: Grammar, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let is_top = match grammar {
        Grammar::Ruby => node.is(&["program", "body_statement", "module"]),
        _ => node.kind() == "source_file",
    };
    if !is_top {
        facts.drop_variables(frame);
    }
}

/// Closes a node that declares variables, or assigns to them.
pub(super) fn close(reading: Reading, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    match reading.grammar {
        Grammar::Python => {
            for name in pattern(node.child(0)) {
                let name = name.name(facts);
                let text = facts.text(name);
                let is_loud =
                    text.iter().any(u8::is_ascii_uppercase) && !text.iter().any(u8::is_ascii_lowercase);
                declare(is_loud, name, facts, frame);
            }
        }
        Grammar::JavaScript => scripts::close_variables(node, facts, frame),
        Grammar::Go => {
            for child in node.children().filter(|child| child.kind() == "identifier") {
                let name = declared_name(child, facts);
                frame.visibility = visibility(Grammar::Go, node, name, facts);
                declare(node.kind() == "const_spec", name, facts, frame);
            }
        }
        Grammar::Rust => {
            let named = node.field(Field::Name).or_else(|| node.first(&["identifier"]));
            let name = named.map_or(Span::NONE, |named| declared_name(named, facts));
            frame.visibility = visibility(Grammar::Rust, node, name, facts);
            declare(node.kind() == "const_item", name, facts, frame);
        }
        Grammar::Ruby => {
            for left in pattern(node.child(0)) {
                let name = left.name(facts);
                declare(left.kind() == "constant", name, facts, frame);
            }
        }
        Grammar::Php => {
            for element in node.children().filter(|child| child.kind() == "const_element") {
                let name = element.child(0).map_or(Span::NONE, |named| named.name(facts));
                declare(true, name, facts, frame);
            }
        }
        Grammar::Bash => {
            let name = node.first(&["variable_name"]).map_or(Span::NONE, |named| named.name(facts));
            declare(false, name, facts, frame);
        }
        Grammar::Kotlin | Grammar::Swift => close_property(node, facts, frame),
        Grammar::Scala => close_scala(node, facts, frame),
        Grammar::Lua => {
            // The enclosing node knows whether it is at the top; `local` makes a variable anywhere.
            frame.set(LOOSE, !node.is(&["local_variable_declaration", "variable_declaration"]));
            facts.each_variable(frame, |symbol| symbol.flags &= !LOOSE);
            close_lua(reading, node, facts, frame);
        }
        _ => {}
    }
}

fn close_scala(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    let named = node.field(Field::Pattern).or_else(|| node.first(&["identifier"]));
    let is_name = named.is_some_and(|named| named.is(&["identifier", "identifiers"]));
    for name in pattern(named) {
        let name = declared_name(name, facts);
        // In a pattern, a capital letter makes it a value to compare with.
        let text = std::str::from_utf8(facts.text(name)).unwrap_or_default();
        if is_name || !text.starts_with(char::is_uppercase) {
            declare(node.kind() == "val_definition", name, facts, frame);
        }
    }
}

fn declare(is_constant: bool, name: Span, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let kind = if is_constant { SymbolKind::Constant } else { SymbolKind::Variable };
    add(kind, name, facts, frame);
}

/// Returns the name, in a language whose `_` is not a name.
fn declared_name(named: Node<'_>, facts: &mut Facts<'_, '_>) -> Span {
    let name = named.name(facts);
    if facts.text(name) == b"_" { Span::NONE } else { name }
}

/// Returns the visibility of a declaration, if the name or the node itself shows it.
pub(super) fn visibility(
    grammar: Grammar,
    node: Node<'_>,
    name: Span,
    facts: &mut Facts<'_, '_>,
) -> Visibility {
    if grammar == Grammar::Go {
        let text = std::str::from_utf8(facts.text(name)).unwrap_or_default();
        let is_capital = text.chars().next().is_some_and(char::is_uppercase);
        return if is_capital { Visibility::Public } else { Visibility::Package };
    }
    match node.first(&["visibility_modifier"]) {
        None => Visibility::Private,
        Some(seen) if seen.says(facts, &["pub"]) => Visibility::Public,
        Some(seen) => match seen.name(facts) {
            Span::NONE => Visibility::Private,
            _ => Visibility::Package,
        },
    }
}

/// Returns the names that a pattern binds.
pub(super) fn pattern(node: Option<Node<'_>>) -> Vec<Node<'_>> {
    let mut names = Vec::new();
    let mut waiting = Vec::from_iter(node);
    while let Some(node) = waiting.pop() {
        match node.kind() {
            "identifier" | "constant" | "simple_identifier" | "shorthand_property_identifier_pattern" => {
                names.push(node);
            }
            "pattern_list"
            | "tuple_pattern"
            | "list_pattern"
            | "list_splat_pattern"
            | "object_pattern"
            | "array_pattern"
            | "rest_pattern"
            | "expression_list"
            | "variable_list"
            | "left_assignment_list"
            | "rest_assignment"
            | "destructured_left_assignment"
            | "multi_variable_declaration"
            | "identifiers"
            | "case_class_pattern"
            | "capture_pattern"
            | "pattern" => {
                let first = waiting.len();
                waiting.extend(node.children());
                waiting.get_mut(first..).unwrap_or_default().reverse();
            }
            "assignment_pattern" | "object_assignment_pattern" | "typed_pattern" => {
                waiting.extend(node.child(0));
            }
            "infix_pattern" => waiting.extend([node.last(), node.child(0)].into_iter().flatten()),
            "pair_pattern" => waiting.extend(node.last()),
            // With a type, or with an attribute.
            "variable_declaration" => waiting.extend(node.first(&["simple_identifier", "identifier"])),
            "variable" if node.children().all(|child| child.is(&["identifier", "attribute"])) => {
                waiting.extend(node.child(0));
            }
            _ => {}
        }
    }
    names
}

/// Closes Kotlin's and Swift's declarations: `val` and `let` make a constant.
fn close_property(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    if frame.outer == 0 {
        return;
    }
    let mut is_constant = false;
    for child in node.children() {
        is_constant |= child.says(facts, &["val", "let"]);
        is_constant |= child.children().any(|below| below.says(facts, &["val", "let"]));
    }
    let bound = ["variable_declaration", "multi_variable_declaration", "pattern"];
    for names in node.children().filter(|child| child.is(&bound)) {
        let mut found = pattern(Some(names));
        if names.is_leaf() {
            found.push(names);
        }
        for name in found {
            let name = declared_name(name, facts);
            declare(is_constant, name, facts, frame);
        }
    }
}

/// Closes Lua's assignment: a function that is assigned to a name is a function of that name.
fn close_lua(reading: Reading, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    let Some(names) = node.first(&["variable_list", "identifier"]) else { return };
    let mut values = node.first(&["expression_list"]).into_iter().flat_map(Node::children);
    let is_function = values.next().is_some_and(|value| value.kind() == "function_definition");
    if is_function && values.next().is_none() && names.children().count() < 2 {
        let named = names.child(0).unwrap_or(names);
        let name = named.path();
        frame.set(LOOSE, false);
        return note(reading, SymbolKind::Function, node, name, Span::NONE, facts, frame);
    }
    for name in pattern(Some(names)) {
        let name = name.name(facts);
        declare(false, name, facts, frame);
    }
}

/// Settles Lua's assignments: at the top they make a variable, in a block not.
pub(super) fn change_chunk(facts: &mut Facts<'_, '_>, frame: &Frame) {
    facts.drop_if(frame, |symbol| symbol.kind.is_variable() && symbol.flags & LOOSE != 0);
    facts.each_variable(frame, |symbol| symbol.flags &= !LOOSE);
}
