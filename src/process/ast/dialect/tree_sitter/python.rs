//! Python: where its grammar reads differently from Python.

use super::parts::{Field, Node};
use super::{ENDS_EARLY, ENDS_IN_COMMENT};
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::frame::{Frame, flag};
use crate::process::ast::facts::symbol_kind::SymbolKind;

/// Returns the left side of what the grammar takes for the declaration of a type.
pub(super) fn aliased_type(node: Node<'_>) -> Option<Node<'_>> {
    let is_side =
        |child: &Node<'_>| child.kind() == "identifier" || child.kind() == "type" && !child.is_leaf();
    let is_it = node.kind() == "type_alias_statement";
    is_it.then(|| node.field(Field::Left).or_else(|| node.children().find(is_side))).flatten()
}

/// Returns whether what the grammar takes for the declaration of a type is `type(a).b = c`, with a call.
pub(super) fn calls_type(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) -> bool {
    let Some(left) = aliased_type(node) else { return false };
    let is_name = |named: Node<'_>| named.is(&["identifier", "generic_type"]);
    let function = node.child(0).filter(|child| child.says(facts, &["type"]));
    let function = function.filter(|_| !is_name(left) && !left.child(0).is_some_and(is_name));
    function.is_some_and(|function| {
        let name = function.name(facts);
        facts.call(name, frame);
        true
    })
}

/// Assigns Python's decorators to what they decorate, which they precede.
pub(super) fn close_decorated(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    facts.give_to_waiting(frame);
    let decorators = node.children().filter(|child| child.kind() == "decorator");
    let is_mark = |named: Node<'_>| matches!(facts.text(named.path()), b"staticmethod" | b"classmethod");
    if decorators.flat_map(Node::children).any(is_mark) {
        facts.each_waiting(frame, |symbol| {
            if symbol.kind == SymbolKind::Function {
                symbol.flags |= flag::STATIC;
            }
        });
    }
}

/// Ends a block before its trailing comments. If indentation alone ends a block, the grammar includes comments
/// after the last statement. The source does not: the block's owner ends with the statement.
#[inline(always)]
pub(super) fn end_before_comments(kind: &str, frame: &mut Frame, parent: &mut Frame) {
    if frame.count > 0 && (frame.has(ENDS_EARLY) || frame.has(ENDS_IN_COMMENT) && kind == "block") {
        frame.end_line = frame.count;
        frame.set(ENDS_EARLY, true);
    }
    let is_comment = kind == "comment";
    parent.set(ENDS_IN_COMMENT, is_comment);
    if !is_comment {
        parent.set(ENDS_EARLY, frame.has(ENDS_EARLY));
        parent.count = frame.end_line;
    }
}
