//! What is specific to JavaScript and TypeScript.

use super::kinds::{Shape, word};
use super::parts::{self, Field, Node};
use super::symbols::{add, name, note};
use super::variables::pattern;
use super::{LOOSE, Reading};
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::frame::{Frame, Span, flag};
use crate::process::ast::facts::symbol_kind::SymbolKind;

const FUNCTIONS: &[&str] = &["arrow_function", "function_expression", "generator_function", "function"];
const CLASSES: &[&str] = &["class", "class_expression"];

/// Closes members and declarators whose value is a function or a class; methods and signatures.
pub(super) fn close_member(reading: Reading, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    if node.is(&["method_definition", "method_signature"]) {
        let name = name(reading.grammar, node, facts);
        // A member of a class: the body of an interface, or an object, takes it back.
        frame.set(LOOSE, true);
        return note(reading, SymbolKind::Method, node, name, Span::NONE, facts, frame);
    }
    let is_declarator = node.kind() == "variable_declarator";
    let value = node.children().filter(|child| child.kind() != "comment").last().map(bare);
    let value = value.filter(|value| !value.is_leaf());
    let (is_function, is_class) =
        value.map_or((false, false), |value| (value.is(FUNCTIONS), value.is(CLASSES)));
    let named = if is_declarator {
        node.child(0).filter(|named| named.kind() == "identifier")
    } else {
        let named = node.field(Field::Name).or_else(|| node.field(Field::Property));
        named.or_else(|| node.first(&["property_identifier", "private_property_identifier"]))
    };
    let kind = if is_declarator && is_function && named.is_some() {
        SymbolKind::Function
    } else if is_declarator && is_class && named.is_some() {
        SymbolKind::Class
    } else if is_declarator {
        return bind(node, facts, frame);
    } else if is_function {
        SymbolKind::Method
    } else {
        return;
    };
    let name = named.map_or(Span::NONE, |named| named.name(facts));
    let words = value.and_then(Node::part).map_or(0, |part| part.words);
    frame.set(flag::ASYNC, words & word::ASYNC != 0);
    note(reading, kind, node, name, Span::NONE, facts, frame);
}

/// Adds the variables of a declarator.
fn bind(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    for name in pattern(node.child(0)) {
        let name = name.name(facts);
        add(SymbolKind::Variable, name, facts, frame);
    }
}

/// Strips parentheses.
fn bare(mut node: Node<'_>) -> Node<'_> {
    while node.kind() == "parenthesized_expression" {
        let Some(inner) = node.children().find(|child| !child.is(&["(", ")", "comment"])) else { break };
        node = inner;
    }
    node
}

/// Closes a declaration of variables.
pub(super) fn close_variables(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    if frame.outer == 0 {
        // A fragment: its context is not known.
        return facts.drop_variables(frame);
    }
    if node.has_token("const") {
        facts.each_variable(frame, |symbol| {
            if symbol.kind == SymbolKind::Variable {
                symbol.kind = SymbolKind::Constant;
            }
        });
    }
}

/// Applies what a node changes in those inside: signatures and methods of objects are not symbols, variables in
/// blocks are not the module's.
pub(super) fn change(reading: Reading, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    match node.kind() {
        "class_body" => facts.each_waiting(frame, |symbol| symbol.flags &= !LOOSE),
        "object" => facts.dissolve(frame, |symbol| symbol.flags & LOOSE != 0),
        "ambient_declaration" => {
            if node.has_token("global") {
                let name = facts.make(b"global");
                note(reading, SymbolKind::Module, node, name, Span::NONE, facts, frame);
            }
        }
        "interface_body" | "object_type" => facts.drop_if(frame, |symbol| symbol.flags & LOOSE != 0),
        "program" | "statement_block" => drop_in_blocks(node, facts, frame),
        "if_statement" | "for_statement" | "for_in_statement" | "while_statement" | "do_statement"
        | "catch_clause" | "switch_case" => {
            frame.branches += 1;
            facts.drop_variables(frame);
        }
        _ => facts.drop_variables(frame),
    }
}

/// Drops the variables of the blocks among the children; those of a module are its own.
fn drop_in_blocks(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    if node.first(&["statement_block"]).is_none() {
        return;
    }
    let mut children = node.children().peekable();
    let mut is_in_block = false;
    let mut last = 0;
    facts.drop_if(frame, |symbol| {
        if symbol.at < last {
            // The variables come after all others.
            children = node.children().peekable();
            is_in_block = false;
        }
        last = symbol.at;
        while let Some(child) = children.next_if(|child| child.at() <= symbol.at) {
            is_in_block = child.kind() == "statement_block";
        }
        is_in_block && symbol.kind.is_variable()
    });
}

/// Reads a node as a callee, or a part of one. TypeScript's grammar takes a whole operation for the left side of a
/// `!` or of type arguments: it reads `-a!.b()` as `(-a)!.b()`, and `await a<T>()` as `(await a)<T>()`.
pub(super) fn path_of(node: Node<'_>, facts: &mut Facts<'_, '_>) -> Span {
    match node.part().map(|part| part.kind.shape) {
        Some(Shape::Operation | Shape::Assert) => node.last().map_or(Span::NONE, Node::operand),
        Some(Shape::Through) if node.kind() == "non_null_expression" => {
            node.child(0).map_or(Span::NONE, Node::operand)
        }
        _ => parts::path_of(node, facts),
    }
}

/// Decorators beside what they decorate: their calls and branches belong to it.
#[derive(Debug, Default)]
pub(super) struct Decorators {
    runs: Vec<Run>,
}

/// Consecutive decorators.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Where the enclosing node begins.
    around: u32,
    /// Where the first of them begins.
    at: u32,
    line: u32,
    /// Branches that the enclosing node had before.
    branches: u32,
}

impl Decorators {
    /// Handles a closing node: it is a decorator, or what the decorators before it decorate.
    #[inline(always)]
    pub(super) fn pass(
        &mut self,
        kind: &str,
        is_node: bool,
        facts: &mut Facts<'_, '_>,
        frame: &mut Frame,
        parent: &mut Frame,
    ) {
        if !self.runs.is_empty() || kind == "decorator" {
            self.note(kind, is_node, facts, frame, parent);
        }
    }

    #[inline(never)]
    fn note(
        &mut self,
        kind: &str,
        is_node: bool,
        facts: &mut Facts<'_, '_>,
        frame: &mut Frame,
        parent: &mut Frame,
    ) {
        while self.runs.pop_if(|run| run.around > parent.at).is_some() {}
        let run = self.runs.last().copied().filter(|run| run.around == parent.at);
        match (kind, run) {
            ("decorator", None) => {
                let Frame { at, line, .. } = *frame;
                self.runs.push(Run { around: parent.at, at, line, branches: parent.branches });
            }
            ("decorator" | "comment", _) | (_, None) => {}
            (_, Some(run)) if is_node => {
                // Everything pending is theirs: what is decorated has taken its own.
                if let Some(symbol) = facts.newest(frame) {
                    symbol.line = run.line;
                    symbol.complexity += std::mem::replace(&mut parent.branches, run.branches) - run.branches;
                    facts.give_to_newest(run.at);
                }
                self.runs.pop();
            }
            _ => {}
        }
    }
}
