//! Rust's `use` trees: the leaves directly in a group are one import.

use super::names::{add_name, text};
use crate::process::ast::dialect::tree_sitter::parts::Node;
use crate::process::ast::facts::Facts;
use crate::process::ast::facts::frame::{Frame, Span};

/// A name with the path before it in its own leaf.
struct Leaf {
    ahead: Span,
    name: Span,
    alias: Span,
}

pub(super) fn close(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let mut waiting = vec![(Span::NONE, parts_of(node))];
    while let Some((path, parts)) = waiting.pop() {
        let mut direct = Vec::new();
        for part in parts {
            if part.is(&["scoped_use_list", "use_list"]) {
                waiting.push(group(path, part, facts));
                continue;
            }
            let Some(leaf) = leaf(part, facts) else { continue };
            let module = facts.join(path, "::", leaf.ahead);
            if module.is_none() {
                facts.import_module(leaf.name, leaf.alias, frame);
            } else if leaf.ahead.is_none() {
                direct.push(leaf);
            } else {
                add_name(leaf.name, leaf.alias, facts, frame);
                facts.import(module, Span::NONE, frame);
            }
        }
        if !direct.is_empty() {
            direct.iter().for_each(|leaf| add_name(leaf.name, leaf.alias, facts, frame));
            facts.import(path, Span::NONE, frame);
        }
    }
}

/// Returns the children that are paths or trees, including `self`, `super` and `crate`.
fn parts_of(node: Node<'_>) -> Vec<Node<'_>> {
    let is_part =
        |child: &Node<'_>| child.is_worded() && !child.is(&["use", "as", "pub", "visibility_modifier"]);
    node.children().filter(is_part).collect()
}

/// Returns the path of a group, and its contents.
fn group<'p>(path: Span, part: Node<'p>, facts: &mut Facts<'_, '_>) -> (Span, Vec<Node<'p>>) {
    let parts = parts_of(part);
    if part.kind() == "use_list" {
        return (path, parts);
    }
    let ahead = parts.first().copied().filter(|first| first.kind() != "use_list");
    let ahead = text(ahead, facts);
    let inner = part.first(&["use_list"]).map(parts_of).unwrap_or_default();
    (facts.join(path, "::", ahead), inner)
}

fn leaf(part: Node<'_>, facts: &mut Facts<'_, '_>) -> Option<Leaf> {
    let (whole, alias) = match part.kind() {
        "use_as_clause" => {
            let parts = parts_of(part);
            (text(parts.first().copied(), facts), text(parts.last().copied(), facts))
        }
        "use_wildcard" => {
            let ahead = parts_of(part).first().copied();
            return Some(Leaf { ahead: text(ahead, facts), name: facts.make(b"*"), alias: Span::NONE });
        }
        _ => (part.name(facts), Span::NONE),
    };
    if whole.is_none() {
        return None;
    }
    let colons = facts.text(whole).windows(2).rposition(|two| two == b"::");
    let ahead = colons.map_or(Span::NONE, |place| facts.part(whole, 0, place));
    let name = facts.part(whole, colons.map_or(0, |place| place + 2), usize::from(whole.len));
    Some(Leaf { ahead, name, alias })
}
