//! Nodes whose kind leaves open what they declare.

use super::super::{Facts, Frame, Span};
use super::kinds::{Grammar, word};
use super::parts::{Field, Node};
use super::symbols::{close_closure, name, note, settle_static};
use super::variables;
use super::{LOOSE, Reading, scripts};
use crate::process::ast::facts::SymbolKind;
use crate::process::ast::frame::Visibility;

const DECLARATORS: &[&str] = &[
    "function_declarator",
    "pointer_declarator",
    "reference_declarator",
    "parenthesized_declarator",
    "init_declarator",
    "array_declarator",
    "attributed_declarator",
];

/// A node that may be a symbol.
pub(super) fn close(reading: Reading, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    match (reading.grammar, node.kind()) {
        (Grammar::Go, _) => {
            let is_any = |kind: &'static str| node.first(&[kind]).is_some();
            let kind = match () {
                () if is_any("struct_type") => SymbolKind::Struct,
                () if is_any("interface_type") => SymbolKind::Interface,
                () => SymbolKind::TypeAlias,
            };
            let name = name(reading.grammar, node, facts);
            note(reading, kind, node, name, Span::NONE, facts, frame);
        }
        (Grammar::Swift, _) if node.has_token("extension") => {
            let named = node.first(&["user_type", "type_identifier"]);
            let path = named.map_or(Span::NONE, Node::path);
            close_scope(path, facts, frame);
        }
        // Of an object or a type without a name, too.
        (
            Grammar::Kotlin | Grammar::Scala,
            "class_body" | "enum_class_body" | "template_body" | "with_template_body",
        ) => close_scope(Span::NONE, facts, frame),
        (Grammar::CSharp, _) => {
            let is_struct = node.words() & word::STRUCT != 0;
            let kind = if is_struct { SymbolKind::Struct } else { SymbolKind::Class };
            let name = name(reading.grammar, node, facts);
            note(reading, kind, node, name, Span::NONE, facts, frame);
        }
        (Grammar::Kotlin | Grammar::Swift, _) => {
            let words = node.words();
            let kind = match words {
                _ if words & word::INTERFACE != 0 => SymbolKind::Interface,
                _ if words & word::ENUM != 0 => SymbolKind::Enum,
                _ if words & word::STRUCT != 0 => SymbolKind::Struct,
                _ => SymbolKind::Class,
            };
            let name = name(reading.grammar, node, facts);
            note(reading, kind, node, name, Span::NONE, facts, frame);
        }
        (Grammar::Rust, _) => close_impl(node, facts, frame),
        (Grammar::C, _) => close_c(reading, node, facts, frame),
        (Grammar::JavaScript, _) => scripts::close_member(reading, node, facts, frame),
        _ => {}
    }
}

/// A scope that is no symbol: functions inside are methods, also where it has no name.
fn close_scope(name: Span, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    if name.is_some() {
        return facts.symbol(SymbolKind::Scope, name, frame);
    }
    facts.drop_variables(frame);
    facts.each_waiting(frame, |symbol| {
        if symbol.kind == SymbolKind::Function {
            symbol.kind = SymbolKind::Method;
        }
    });
}

fn close_impl(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    let is_type = |child: &Node<'_>| child.kind().contains("type") && child.kind() != "type_parameters";
    let mut told = node.field(Field::Type).or_else(|| node.children().filter(is_type).last());
    while let Some(node) = told.filter(|node| node.is(&["reference_type", "pointer_type", "generic_type"])) {
        told = node.first(&["type_identifier", "scoped_type_identifier", "generic_type", "reference_type"]);
    }
    let path = told.map_or(Span::NONE, Node::path);
    let dot = facts.text(path).iter().rposition(|&byte| byte == b'.');
    let name = facts.part(path, dot.map_or(0, |dot| dot + 1), usize::from(path.len));
    let is_of_trait = node.has_token("for");
    facts.each_waiting(frame, |symbol| {
        settle_static(symbol);
        if is_of_trait {
            symbol.visibility = Visibility::Unknown;
        }
    });
    close_scope(name, facts, frame);
}

fn close_c(reading: Reading, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    let Some(function) = node.children().find_map(function_declarator) else {
        match node.kind() {
            "declaration" => variables::close(reading, node, facts, frame),
            "function_definition" => close_closure(facts, frame),
            _ => {}
        }
        return;
    };
    let mut told = function.child(0);
    while let Some(node) = told.filter(|node| node.is(DECLARATORS)) {
        told = declared(node);
    }
    let mut names = Vec::new();
    match told {
        Some(node) if node.kind() == "qualified_identifier" => spread(node, &mut names),
        Some(node) => names.push(node),
        None => return,
    }
    let Some(last) = names.pop().filter(|last| last.kind() != "primitive_type") else { return };
    let mut within = Span::NONE;
    for name in names {
        let name = name.name(facts);
        within = facts.join(within, ".", name);
    }
    let kind = if within.is_some() { SymbolKind::Method } else { SymbolKind::Function };
    frame.set(LOOSE, node.kind() == "declaration");
    let name = last.name(facts);
    note(reading, kind, node, name, within, facts, frame);
}

/// What a chain of declarators ends in.
fn declared(node: Node<'_>) -> Option<Node<'_>> {
    let mut told = Some(node);
    while let Some(node) = told.filter(|node| node.is(DECLARATORS)) {
        told = node
            .children()
            .find(|child| child.is(DECLARATORS) || child.is_name() || child.kind() == "qualified_identifier");
    }
    told
}

/// The name that a type definition gives: that of its last declarator.
pub(super) fn defined(node: Node<'_>, facts: &mut Facts<'_, '_>) -> Span {
    let is_declarator =
        |child: &Node<'_>| child.is(DECLARATORS) || child.is(&["type_identifier", "primitive_type"]);
    let last = node.children().filter(is_declarator).last();
    last.and_then(declared).map_or(Span::NONE, |told| told.name(facts))
}

/// The function declarator in a chain of them. None for a pointer to a function.
fn function_declarator(node: Node<'_>) -> Option<Node<'_>> {
    let mut told = Some(node);
    while let Some(node) = told.filter(|node| node.is(DECLARATORS) && node.kind() != "function_declarator") {
        told = node.children().find(|child| child.is(DECLARATORS));
    }
    let is_pointer =
        |node: Node<'_>| node.child(0).is_some_and(|first| first.kind() == "parenthesized_declarator");
    told.filter(|node| node.kind() == "function_declarator" && !is_pointer(*node))
}

/// The names of a qualified one; of templates without their arguments.
fn spread<'p>(node: Node<'p>, names: &mut Vec<Node<'p>>) {
    let mut inner = Some(node);
    // The rest of the names is the last part of each.
    while let Some(node) = inner.take() {
        for child in node.children() {
            match child.kind() {
                "qualified_identifier" => inner = Some(child),
                "template_type" | "template_function" => names.extend(child.child(0)),
                _ if child.is_worded() => names.push(child),
                _ => {}
            }
        }
    }
}
