//! Rust's `use` trees: leaves that share a path are one import.

use super::super::{Facts, Frame, Span};
use super::imports::{add_name, aliased, text};
use super::parts::Node;

/// A name with the path ahead of it.
struct Leaf {
    module: Span,
    name: Span,
    alias: Span,
}

pub(super) fn close(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let mut waiting = vec![(Span::NONE, parts_of(node))];
    while let Some((path, parts)) = waiting.pop() {
        let mut leaves = Vec::new();
        for part in parts {
            match part.kind() {
                "scoped_use_list" | "use_list" => waiting.push(group(path, part, facts)),
                _ => leaves.extend(leaf(path, part, facts)),
            }
        }
        import(&mut leaves, facts, frame);
    }
}

/// The children that are paths or trees: `self`, `super` and `crate` are such, too.
fn parts_of(node: Node<'_>) -> Vec<Node<'_>> {
    let is_part =
        |child: &Node<'_>| child.is_worded() && !child.is(&["use", "as", "pub", "visibility_modifier"]);
    node.children().filter(is_part).collect()
}

/// The path of a group, and what stands in it.
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

fn leaf(path: Span, part: Node<'_>, facts: &mut Facts<'_, '_>) -> Option<Leaf> {
    let (whole, alias) = match part.kind() {
        "use_as_clause" => aliased(part, facts),
        "use_wildcard" => {
            let ahead = parts_of(part).first().copied();
            let ahead = text(ahead, facts);
            let (module, name) = (facts.join(path, "::", ahead), facts.make(b"*"));
            return Some(Leaf { module, name, alias: Span::NONE });
        }
        _ => (part.name(facts), Span::NONE),
    };
    if whole.is_none() {
        return None;
    }
    let colons = facts.text(whole).windows(2).rposition(|two| two == b"::");
    let ahead = colons.map_or(Span::NONE, |place| facts.part(whole, 0, place));
    let name = facts.part(whole, colons.map_or(0, |place| place + 2), usize::from(whole.len));
    Some(Leaf { module: facts.join(path, "::", ahead), name, alias })
}

fn import(leaves: &mut [Leaf], facts: &mut Facts<'_, '_>, frame: &Frame) {
    leaves.sort_by(|a, b| facts.text(a.module).cmp(facts.text(b.module)));
    let mut leaves = leaves.iter().peekable();
    while let Some(leaf) = leaves.next() {
        if leaf.module.is_none() {
            facts.import_module(leaf.name, leaf.alias, frame);
            continue;
        }
        add_name(leaf.name, leaf.alias, facts, frame);
        if leaves.peek().is_none_or(|next| facts.text(next.module) != facts.text(leaf.module)) {
            facts.import(leaf.module, Span::NONE, frame);
        }
    }
}
