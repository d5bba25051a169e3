//! What C and C++ declare: a declarator determines the name, and whether it is a function.

use std::collections::HashMap;

use super::parts::{Field, Node};
use super::symbols::{add, close_closure, note};
use super::{LOOSE, NO_ACCESS, OF_TEMPLATE, QUALIFIED, Reading};
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::Symbol;
use crate::process::ast::facts::frame::{Frame, Span, flag};
use crate::process::ast::facts::symbol_kind::SymbolKind;

const DECLARATORS: &[&str] = &[
    "function_declarator",
    "pointer_declarator",
    "reference_declarator",
    "parenthesized_declarator",
    "init_declarator",
    "array_declarator",
    "attributed_declarator",
    "pointer_type_declarator",
];
const TYPES: &[&str] = &[
    "primitive_type",
    "sized_type_specifier",
    "type_identifier",
    "template_type",
    "qualified_identifier",
    "dependent_type",
    "placeholder_type_specifier",
    "decltype",
    "struct_specifier",
    "union_specifier",
    "class_specifier",
    "enum_specifier",
];
/// What a declarator can end in, beside names.
const DECLARED: &[&str] =
    &["qualified_identifier", "template_function", "operator_cast", "structured_binding_declarator"];

/// Closes a node that declares something.
pub(super) fn close(reading: Reading, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    match node.kind() {
        "type_definition" => {
            for declared in declared(node) {
                let name = declared.name.name(facts);
                note(reading, SymbolKind::TypeAlias, node, name, Span::NONE, facts, frame);
            }
        }
        "namespace_definition" => close_namespace(reading, node, facts, frame),
        "friend_declaration" => facts.each_waiting(frame, |symbol| {
            symbol.flags |= flag::OUTSIDE | NO_ACCESS;
            symbol.flags |= if symbol.kind == SymbolKind::Function { flag::FREE } else { 0 };
        }),
        "template_declaration" => {
            // `template <>` belongs to any name.
            let parameters = node.first(&["template_parameter_list"]);
            let has_none =
                parameters.is_some_and(|list| !list.is_leaf() && !list.children().any(Node::is_worded));
            let inside = facts.store.symbols.iter_mut().rev().take_while(|symbol| symbol.at > frame.at);
            inside
                .filter(|symbol| has_none || symbol.flags & OF_TEMPLATE != 0)
                .filter(|symbol| is_declared_by(node, symbol.at))
                .for_each(|symbol| symbol.line = frame.line);
        }
        "translation_unit" => settle_scopes(facts),
        _ => close_declaration(reading, node, facts, frame),
    }
}

fn close_declaration(reading: Reading, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    let is_definition = node.kind() == "function_definition";
    let is_variable = node.kind() == "declaration";
    let mut has_function = false;
    for declared in declared(node) {
        if declared.is_function {
            has_function = true;
            close_function(reading, node, declared.name, facts, frame);
        } else if is_variable {
            close_variable(node, declared, facts, frame);
        }
    }
    if is_definition && !has_function {
        close_closure(facts, frame);
    }
}

fn close_function(
    reading: Reading,
    node: Node<'_>,
    named_node: Node<'_>,
    facts: &mut Facts<'_, '_>,
    frame: &mut Frame,
) {
    let Some((within, last)) = within(named_node, facts) else { return };
    let kind = if within.is_some() { SymbolKind::Method } else { SymbolKind::Function };
    frame.set(LOOSE, node.kind() == "declaration");
    frame.set(OF_TEMPLATE, is_of_template(named_node));
    let name = name(last, facts);
    note(reading, kind, node, name, within, facts, frame);
}

fn close_variable(node: Node<'_>, declared: Declared<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    let is_fixed = match declared.pointer {
        Some(pointer) => qualifies(pointer, &["const"], facts),
        None => qualifies(node, &["const"], facts),
    };
    let is_reference = declared.pointer.is_some_and(|pointer| pointer.kind() == "reference_declarator");
    let is_constant = is_fixed || !is_reference && qualifies(node, &["constexpr"], facts);
    let kind = if is_constant { SymbolKind::Constant } else { SymbolKind::Variable };
    frame.set(flag::STATIC, node.words() & super::word::STATIC != 0);
    if declared.name.kind() == "structured_binding_declarator" {
        for name in declared.name.children().filter(|child| child.kind() == "identifier") {
            let name = name.name(facts);
            add(SymbolKind::Variable, name, facts, frame);
        }
        return;
    }
    let Some((within, last)) = within(declared.name, facts) else { return };
    let name = name(last, facts);
    frame.set(QUALIFIED, within.is_some());
    frame.set(OF_TEMPLATE, is_of_template(declared.name));
    let name = facts.join(within, ".", name);
    add(kind, name, facts, frame);
    frame.set(QUALIFIED | OF_TEMPLATE, false);
}

fn qualifies(node: Node<'_>, words: &[&str], facts: &mut Facts<'_, '_>) -> bool {
    let mut qualifiers = node.children().filter(|child| child.kind() == "type_qualifier");
    qualifiers.any(|qualifier| qualifier.says(facts, words))
}

/// Closes a namespace: `namespace a::b` is `b` in `a`.
fn close_namespace(reading: Reading, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    let mut names = Vec::new();
    let mut named_node = node
        .field(Field::Name)
        .or_else(|| node.first(&["namespace_identifier", "nested_namespace_specifier", "identifier"]));
    while let Some(node) = named_node.take() {
        if node.kind() != "nested_namespace_specifier" {
            names.push(node);
            break;
        }
        names.extend(node.children().filter(|child| child.is(&["namespace_identifier", "identifier"])));
        named_node = node.first(&["nested_namespace_specifier"]);
    }
    // Inner ones begin after those around: no child begins as early.
    for (place, named_node) in names.iter().enumerate().rev() {
        let name = named_node.name(facts);
        let mut frame = Frame { at: frame.at + place as u32, ..*frame };
        note(reading, SymbolKind::Module, node, name, Span::NONE, facts, &mut frame);
    }
    frame.branches = if names.is_empty() { frame.branches } else { 0 };
}

/// Closes a class without a name.
pub(super) fn close_nameless(facts: &mut Facts<'_, '_>, frame: &Frame) {
    facts.each_waiting(frame, |symbol| {
        if symbol.kind == SymbolKind::Function && symbol.flags & flag::FREE == 0 {
            symbol.kind = SymbolKind::Method;
        }
    });
}

/// Returns the scope and the own name of a class, struct, union or enum.
pub(super) fn named(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) -> (Span, Span) {
    let named_node = node.field(Field::Name).or_else(|| {
        node.children().find(|child| child.is(&["type_identifier", "qualified_identifier", "template_type"]))
    });
    let Some((within, last)) = named_node.and_then(|named_node| within(named_node, facts)) else {
        return (Span::NONE, Span::NONE);
    };
    frame.set(OF_TEMPLATE, named_node.is_some_and(is_of_template));
    (within, name(last, facts))
}

/// Returns whether a class, struct, union or enum is defined, rather than only named: an enum also if its type
/// follows.
pub(super) fn is_defined(node: Node<'_>) -> bool {
    match node.kind() {
        "struct_specifier" | "union_specifier" | "class_specifier" => {
            node.first(&["field_declaration_list"]).is_some()
        }
        "enum_specifier" => {
            let types = node.children().filter(|child| child.is(TYPES));
            node.first(&["enumerator_list"]).is_some() || types.count() > 1
        }
        _ => true,
    }
}

/// What a declarator declares.
#[derive(Debug, Clone, Copy)]
struct Declared<'p> {
    /// The name, or the node that holds it.
    name: Node<'p>,
    is_function: bool,
    /// The pointer or reference next to the name.
    pointer: Option<Node<'p>>,
}

/// Returns what a declaration declares: its declarators follow the type, if it has one.
fn declared(node: Node<'_>) -> impl Iterator<Item = Declared<'_>> {
    let mut has_type = false;
    let is_typedef = node.kind() == "type_definition";
    node.children().filter_map(move |child| {
        let is_type = child.is(TYPES);
        if child.is(DECLARATORS)
            || child.is(&["identifier", "field_identifier"])
            || has_type && is_type && is_typedef
        {
            return declarator(child, has_type);
        }
        let is_declared = child.is(DECLARED) && (has_type || ends_in_conversion(child));
        has_type |= is_type;
        if is_declared { declarator(child, has_type) } else { None }
    })
}

/// Follows a chain of declarators to the name at its end. The one next to the name, ignoring round brackets,
/// decides: `(*f)(int)` is a pointer, `(*f(int))(int)` and `(f)(int)` are functions.
fn declarator(node: Node<'_>, has_type: bool) -> Option<Declared<'_>> {
    let mut named_node = node;
    let mut nearest = "";
    let mut pointer = None;
    let mut is_guide = false;
    loop {
        if let Some(member) = pointer_to_member(named_node) {
            named_node = member;
        }
        if !named_node.is(DECLARATORS) {
            break;
        }
        match named_node.kind() {
            kind @ "function_declarator" => {
                nearest = kind;
                // Without a preceding type, `A(int) -> A<int>` is not a function.
                is_guide = !has_type && named_node.first(&["trailing_return_type"]).is_some();
            }
            kind @ ("pointer_declarator" | "reference_declarator" | "pointer_type_declarator") => {
                nearest = kind;
                pointer = Some(named_node);
            }
            kind @ "array_declarator" => nearest = kind,
            _ => {}
        }
        named_node = named_node
            .children()
            .find(|child| child.is(DECLARATORS) || child.is(DECLARED) || child.is_name())?;
    }
    let is_function = nearest == "function_declarator" || ends_in_conversion(named_node);
    (!is_guide).then_some(Declared { name: named_node, is_function, pointer })
}

/// Returns whether a template is that of a symbol's declaration.
fn is_declared_by(node: Node<'_>, symbol: u32) -> bool {
    node.children().any(|child| match child.kind() {
        "template_declaration" => is_declared_by(child, symbol),
        _ => (child.at()..=child.at() + 1).contains(&symbol),
    })
}

/// Returns what follows the scope in `A::*name`.
fn pointer_to_member(node: Node<'_>) -> Option<Node<'_>> {
    let mut named_node = Some(node);
    while let Some(node) = named_node.filter(|node| node.kind() == "qualified_identifier") {
        named_node = node.first(&["pointer_type_declarator", "qualified_identifier"]);
    }
    named_node.filter(|named_node| named_node.kind() == "pointer_type_declarator")
}

/// Returns whether the template before a declaration belongs to its name: then the declaration begins there.
fn is_of_template(named_node: Node<'_>) -> bool {
    named_node.is(&["qualified_identifier", "template_function", "template_type"])
}

fn ends_in_conversion(node: Node<'_>) -> bool {
    let mut named_node = Some(node);
    while let Some(node) = named_node.filter(|node| node.kind() == "qualified_identifier") {
        named_node = node.children().find(|child| child.is(&["operator_cast", "qualified_identifier"]));
    }
    named_node.is_some_and(|node| node.kind() == "operator_cast")
}

/// Returns the scope that a name states, and its last part. Templates are without their arguments.
fn within<'p>(named_node: Node<'p>, facts: &mut Facts<'_, '_>) -> Option<(Span, Node<'p>)> {
    let mut names = Vec::new();
    let mut inner = Some(named_node);
    // The remaining name is the last part of each.
    while let Some(node) = inner.take() {
        match node.kind() {
            "qualified_identifier" => {
                for child in node.children() {
                    match child.kind() {
                        "qualified_identifier" => inner = Some(child),
                        "template" => {}
                        _ if child.is_worded() => names.push(child),
                        _ => {}
                    }
                }
            }
            _ => names.push(node),
        }
    }
    let plain = |node: Node<'p>| if node.is_through() { node.first_name().unwrap_or(node) } else { node };
    let last = names.pop().map(plain).filter(|last| last.kind() != "primitive_type")?;
    let mut within = Span::NONE;
    for name in names {
        let name = plain(name).name(facts);
        within = facts.join(within, ".", name);
    }
    Some((within, last))
}

/// Returns the text of a name. Operators have a space only between two words: `operator new[]`,
/// `operator const char*`; a conversion is without parameters, scopes and template arguments.
fn name(node: Node<'_>, facts: &mut Facts<'_, '_>) -> Span {
    let mut texts = Vec::new();
    match node.kind() {
        "operator_name" => texts.extend(node.children()),
        "operator_cast" => converted(node, &mut texts, facts),
        _ => return node.name(facts),
    }
    if texts.is_empty() {
        texts.push(node);
    }
    let mut made: Vec<u8> = Vec::new();
    for node in texts {
        let Some(text) = node.text(facts) else { return Span::NONE };
        for word in facts.text(text).split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
            let meets = made.last().is_some_and(is_word) && word.first().is_some_and(is_word);
            made.extend_from_slice(if meets { b" " } else { b"" });
            made.extend_from_slice(word);
        }
    }
    facts.make(&made)
}

/// Collects the words of a conversion: `operator`, its type, and the pointers after that.
fn converted<'p>(node: Node<'p>, texts: &mut Vec<Node<'p>>, facts: &mut Facts<'_, '_>) {
    let mut inner = Some(node);
    while let Some(node) = inner.take() {
        for child in node.children() {
            match child.kind() {
                "abstract_pointer_declarator" | "abstract_reference_declarator" => inner = Some(child),
                "sized_type_specifier" => texts.extend(child.children()),
                "struct_specifier" | "union_specifier" | "class_specifier" | "enum_specifier" => {
                    texts.extend(child.first(&["type_identifier"]));
                }
                _ if child.is(TYPES) => {
                    let child = if child.kind() == "dependent_type" { child.last() } else { Some(child) };
                    texts.extend(
                        child.and_then(|child| within(child, facts)).map_or(child, |(_, last)| Some(last)),
                    );
                }
                "abstract_function_declarator" => {}
                _ => texts.push(child),
            }
        }
    }
}

/// Resolves the scope of each qualified name, searching outwards from there. In a namespace of the document a
/// function is not a method, and a variable is the file's; otherwise the scope is taken for a class where it is
/// written.
fn settle_scopes(facts: &mut Facts<'_, '_>) {
    let symbols = &facts.store.symbols;
    let outer = |symbol: &Symbol| (symbol.outer as usize).checked_sub(1).and_then(|outer| symbols.get(outer));
    let is_open = |symbol: &Symbol| {
        symbol.flags & QUALIFIED != 0 || outer(symbol).is_some_and(|outer| outer.kind == SymbolKind::Scope)
    };
    let open: Vec<_> =
        (0..).zip(symbols).filter(|(_, symbol)| is_open(symbol)).map(|(number, _)| number).collect();
    if open.is_empty() {
        return;
    }
    let is_home = |symbol: &Symbol| symbol.kind == SymbolKind::Module || symbol.kind.has_methods();
    let homes = (0..).zip(symbols).filter(|(_, symbol)| is_home(symbol) && symbol.kind != SymbolKind::Scope);
    let homes: HashMap<_, _> = homes.map(|(number, symbol)| (path_of(number, facts), symbol.kind)).collect();
    for number in open {
        let path = path_of(number, facts);
        let Some(symbol) = facts.store.symbols.get(number).copied() else { continue };
        let name = facts.text(symbol.name);
        let dot = name.iter().rposition(|&byte| byte == b'.').filter(|_| symbol.flags & QUALIFIED != 0);
        let own = facts.part(symbol.name, dot.map_or(0, |dot| dot + 1), usize::from(symbol.name.len));
        let around = path.get(..path.len().saturating_sub(usize::from(own.len) + 1)).unwrap_or_default();
        let written = match dot {
            Some(dot) => dot,
            None => outer_name_len(symbol, facts),
        };
        let mut kind = symbol.kind;
        let mut qualified = symbol.qualified;
        let is_variable = kind.is_variable();
        let found = outwards(around, written).find_map(|home| Some((homes.get(&home).copied()?, home)));
        match found {
            Some((home, mut path)) => {
                let is_module = home == SymbolKind::Module;
                path.push(b'.');
                path.extend_from_slice(facts.text(own));
                qualified = facts.make(&path);
                kind = match kind {
                    SymbolKind::Method if is_module => SymbolKind::Function,
                    _ if is_variable && !is_module => SymbolKind::Dropped,
                    _ => kind,
                };
            }
            None if is_variable => kind = SymbolKind::Dropped,
            None => {}
        }
        if let Some(symbol) = facts.store.symbols.get_mut(number) {
            symbol.kind = kind;
            symbol.qualified = qualified;
            symbol.name = own;
        }
    }
}

fn outer_name_len(symbol: Symbol, facts: &Facts<'_, '_>) -> usize {
    let outer = (symbol.outer as usize).checked_sub(1).and_then(|outer| facts.store.symbols.get(outer));
    outer.map_or(0, |outer| usize::from(outer.name.len))
}

/// Returns where a name of this many bytes at the end of a path can be: there, and in each outer scope.
fn outwards(path: &[u8], written: usize) -> impl Iterator<Item = Vec<u8>> {
    let (around, written) = path.split_at(path.len().saturating_sub(written));
    let around = around.strip_suffix(b".").unwrap_or(around);
    let mut ends: Vec<_> = (0..around.len()).filter(|&at| around.get(at) == Some(&b'.')).collect();
    ends.push(around.len());
    let within = move |end: usize| [around.get(..end).unwrap_or_default(), b".", written].concat();
    let inner = ends.into_iter().rev().filter(|end| *end > 0).map(within);
    inner.chain(std::iter::once(written.to_vec()))
}

/// Returns the names of a symbol and of those around it.
fn path_of(number: usize, facts: &Facts<'_, '_>) -> Vec<u8> {
    let mut names = Vec::new();
    let mut next = Some(number);
    while let Some(symbol) = next.and_then(|number| facts.store.symbols.get(number)) {
        names.push(facts.text(symbol.name));
        next = (symbol.outer as usize).checked_sub(1);
    }
    names.reverse();
    names.join(&b'.')
}
