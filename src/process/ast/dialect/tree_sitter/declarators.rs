//! Nodes whose kind leaves open what they declare.

use super::kinds::{Grammar, word};
use super::parts::{Field, Node};
use super::symbols::{name, note, settle_static};
use super::{Reading, c_family, scripts};
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::frame::{Frame, Span, Visibility};
use crate::process::ast::facts::symbol_kind::SymbolKind;

/// Closes a node that may be a symbol.
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
        // Also for an object or a type without a name.
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
        (Grammar::C, _) => c_family::close(reading, node, facts, frame),
        (Grammar::JavaScript, _) => scripts::close_member(reading, node, facts, frame),
        _ => {}
    }
}

/// Closes a scope that is not a symbol: functions inside are methods, even if it has no name.
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
    let mut named_node = node.field(Field::Type).or_else(|| node.children().filter(is_type).last());
    while let Some(node) =
        named_node.filter(|node| node.is(&["reference_type", "pointer_type", "generic_type"]))
    {
        let within =
            ["primitive_type", "type_identifier", "scoped_type_identifier", "generic_type", "reference_type"];
        named_node = node.first(&within);
    }
    let path = named_node.map_or(Span::NONE, Node::path);
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
