//! The names of an import.

use crate::process::ast::dialect::tree_sitter::Node;
use crate::process::ast::facts::Facts;
use crate::process::ast::facts::frame::{Frame, Span};

pub(super) fn text(node: Option<Node<'_>>, facts: &mut Facts<'_, '_>) -> Span {
    node.map_or(Span::NONE, |node| node.name(facts))
}

/// Adds an imported name, with its alias.
pub(super) fn add_name(name: Span, alias: Span, facts: &mut Facts<'_, '_>, frame: &Frame) {
    facts.name(name, alias, &Frame { at: frame.at + 1, ..*frame });
}
