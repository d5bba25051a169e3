//! Symbols determined by their kind, and the name of any.

use super::kinds::{Grammar, word};
use super::parts::{Field, Node};
use super::{
    LOOSE, NO_ACCESS, OF_TEMPLATE, QUALIFIED, Reading, c_calls, c_family, python, scripts, variables,
};
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::Symbol;
use crate::process::ast::facts::frame::{Frame, Span, Visibility, flag};
use crate::process::ast::facts::symbol_kind::SymbolKind;

/// What follows a declared name.
const BODY: &[&str] = &[
    "parameters",
    "formal_parameters",
    "parameter_list",
    "function_value_parameters",
    "parameter",
    "block",
    "declaration_list",
    "class_body",
    "struct_type",
    "interface_type",
    "=",
    "->",
    ":",
];

/// Closes a node that is a symbol by its kind.
pub(super) fn close(
    reading: Reading,
    kind: SymbolKind,
    node: Node<'_>,
    facts: &mut Facts<'_, '_>,
    frame: &mut Frame,
) {
    let (within, name) = match reading.grammar {
        Grammar::C if !c_family::is_defined(node) => return,
        Grammar::C => c_family::named(node, facts, frame),
        grammar => (Span::NONE, name(grammar, node, facts)),
    };
    if reading.grammar == Grammar::Python && python::calls_type(node, facts, frame) {
        return;
    }
    note(reading, kind, node, name, within, facts, frame);
}

/// Makes a symbol of a node; `within` is the scope that its name states.
pub(super) fn note(
    reading: Reading,
    mut kind: SymbolKind,
    node: Node<'_>,
    mut name: Span,
    mut within: Span,
    facts: &mut Facts<'_, '_>,
    frame: &mut Frame,
) {
    let grammar = reading.grammar;
    if name.is_none() {
        if kind.is_callable() {
            close_closure(facts, frame);
        } else if grammar == Grammar::C && kind.has_methods() {
            c_family::close_nameless(facts, frame);
        }
        return settle(reading, kind, node, facts, frame);
    }
    (kind, name, within) = qualified(grammar, kind, node, (name, within), facts, frame);
    if kind.is_callable() {
        drop_loose(facts, frame, grammar == Grammar::C);
    }
    settle(reading, kind, node, facts, frame);
    let words = match grammar {
        // What follows the name belongs to the constructor.
        Grammar::Scala => node.words_until(|child| child.is_name()),
        _ => node.words(),
    };
    frame.visibility = visibility(grammar, node, name, words, facts);
    frame.set(flag::ASYNC, frame.has(flag::ASYNC) || words & word::ASYNC != 0);
    let is_static = kind != SymbolKind::Module && words & word::STATIC != 0;
    let is_static = is_static && !matches!(grammar, Grammar::Rust | Grammar::Python | Grammar::Go);
    let is_singleton =
        node.kind() == "singleton_method" || grammar == Grammar::Ruby && frame.has(flag::STATIC);
    frame.set(flag::STATIC, is_static || is_singleton);
    let is_free = grammar == Grammar::Rust && kind == SymbolKind::Function && !takes_self(node);
    frame.set(LOOSE, frame.has(LOOSE) || is_free);
    if node.kind() == "file_scoped_namespace_declaration" {
        // Some releases put what follows inside: it begins with the last of that at the latest.
        let at = node.last().map_or(frame.at, Node::at);
        add(kind, name, facts, &Frame { at, end_line: frame.line, ..*frame });
    } else if within.is_some() {
        add(kind, name, facts, &Frame { at: frame.at + 1, ..*frame });
        facts.symbol(SymbolKind::Scope, within, frame);
    } else {
        add(kind, name, facts, frame);
    }
    frame.branches = 0;
}

/// Splits a name that holds the one of what it stands in: the kind, the last name, and where it stands.
fn qualified(
    grammar: Grammar,
    mut kind: SymbolKind,
    node: Node<'_>,
    (mut name, mut within): (Span, Span),
    facts: &mut Facts<'_, '_>,
    frame: &mut Frame,
) -> (SymbolKind, Span, Span) {
    match grammar {
        Grammar::JavaScript if kind == SymbolKind::Module && node.first(&["nested_identifier"]).is_some() => {
            let dot = facts.text(name).iter().rposition(|&byte| byte == b'.').unwrap_or_default();
            within = facts.part(name, 0, dot);
            name = facts.part(name, dot + 1, usize::from(name.len));
        }
        Grammar::Go if node.kind() == "method_declaration" => within = receiver(node, facts),
        Grammar::Lua => {
            if let Some(dot) = facts.text(name).iter().rposition(|&byte| byte == b'.') {
                within = facts.part(name, 0, dot);
                name = facts.part(name, dot + 1, usize::from(name.len));
            }
            let is_method = |name: Node<'_>| name.kind() == "method_index_expression" || name.has_token(":");
            if node.first(&["method_index_expression", "variable"]).is_some_and(is_method) {
                kind = SymbolKind::Method;
            }
            frame.set(flag::FREE, kind == SymbolKind::Function);
        }
        _ => {}
    }
    (kind, name, within)
}

/// Handles Ruby's `define_method(:name) { ... }`: a method of that name.
pub(super) fn defined_by_call(
    reading: Reading,
    node: Node<'_>,
    facts: &mut Facts<'_, '_>,
    frame: &mut Frame,
) {
    let named_node =
        node.first(&["argument_list"]).and_then(|given| given.children().find(|one| one.kind() != "("));
    let named_node = named_node.filter(|named_node| named_node.is(&["simple_symbol", "string"]));
    let (Some(named_node), Some(_)) = (named_node, node.first(&["block", "do_block"])) else { return };
    if !node.child(0).is_some_and(|called| called.says(facts, &["define_method", "define_singleton_method"]))
    {
        return;
    }
    let text = named_node.unquoted(facts);
    let colon = usize::from(named_node.kind() == "simple_symbol");
    let name = facts.part(text, colon, usize::from(text.len));
    frame.set(
        flag::STATIC,
        node.child(0).is_some_and(|called| called.says(facts, &["define_singleton_method"])),
    );
    note(reading, SymbolKind::Function, node, name, Span::NONE, facts, frame);
}

/// Makes a symbol, which keeps the flags that make it depend on its surroundings.
pub(super) fn add(kind: SymbolKind, name: Span, facts: &mut Facts<'_, '_>, frame: &Frame) {
    facts.symbol(kind, name, frame);
    if frame.has(LOOSE | QUALIFIED | OF_TEMPLATE)
        && let Some(symbol) = facts.newest(frame)
    {
        symbol.flags |= frame.flags & (LOOSE | QUALIFIED | OF_TEMPLATE);
    }
}

/// Closes a function without a name, with what began inside.
pub(super) fn close_closure(facts: &mut Facts<'_, '_>, frame: &Frame) {
    facts.drop_variables(frame);
    drop_loose(facts, frame, true);
    // A class inside is not a member of the class around.
    facts.each_waiting(frame, |symbol| symbol.flags |= NO_ACCESS);
}

/// Drops declarations that don't count inside a function.
fn drop_loose(facts: &mut Facts<'_, '_>, frame: &Frame, are_none: bool) {
    if are_none {
        facts.drop_if(frame, |symbol| symbol.flags & LOOSE != 0);
    }
}

/// Applies what a symbol changes in those directly inside.
fn settle(reading: Reading, kind: SymbolKind, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let change: fn(&mut Symbol) = match (reading.grammar, kind) {
        (Grammar::Java, SymbolKind::Interface) => |symbol| {
            if symbol.visibility == Visibility::Package {
                symbol.visibility = Visibility::Public;
            }
        },
        (Grammar::Rust, SymbolKind::Interface) => |symbol| {
            symbol.visibility = Visibility::Unknown;
            settle_static(symbol);
        },
        (Grammar::C, SymbolKind::Class | SymbolKind::Struct) if node.kind() == "class_specifier" => {
            |symbol| {
                if symbol.visibility == Visibility::Unknown && symbol.flags & NO_ACCESS == 0 {
                    symbol.visibility = Visibility::Private;
                }
            }
        }
        (Grammar::C, SymbolKind::Struct) if reading.is_cpp => |symbol| {
            if symbol.visibility == Visibility::Unknown && symbol.flags & NO_ACCESS == 0 {
                symbol.visibility = Visibility::Public;
            }
        },
        _ => return,
    };
    facts.each_waiting(frame, change);
}

/// Marks Rust's methods without `self` as static.
pub(super) fn settle_static(symbol: &mut Symbol) {
    if symbol.flags & LOOSE != 0 {
        symbol.flags |= flag::STATIC;
    }
}

fn takes_self(node: Node<'_>) -> bool {
    // `self: Box<Self>` is a parameter like others.
    let is_self = |one: Node<'_>| one.kind() == "self_parameter" || one.first(&["self"]).is_some();
    node.first(&["parameters"]).is_some_and(|parameters| parameters.children().any(is_self))
}

fn visibility(
    grammar: Grammar,
    node: Node<'_>,
    name: Span,
    words: u16,
    facts: &mut Facts<'_, '_>,
) -> Visibility {
    match grammar {
        Grammar::Go | Grammar::Rust => return variables::visibility(grammar, node, name, facts),
        Grammar::C | Grammar::Python | Grammar::Ruby | Grammar::Bash | Grammar::Lua => {
            return Visibility::Unknown;
        }
        _ => {}
    }
    if facts.text(name).starts_with(b"#") {
        return Visibility::Private;
    }
    let has_internal = matches!(grammar, Grammar::CSharp | Grammar::Kotlin | Grammar::Swift);
    match words {
        _ if words & word::PUBLIC != 0 => Visibility::Public,
        _ if words & word::PROTECTED != 0 => Visibility::Protected,
        _ if words & word::PRIVATE != 0 => Visibility::Private,
        _ if words & word::INTERNAL != 0 && has_internal => Visibility::Package,
        _ if grammar == Grammar::Java => Visibility::Package,
        _ => Visibility::Unknown,
    }
}

/// Returns the type of a Go method's receiver.
fn receiver(node: Node<'_>, facts: &mut Facts<'_, '_>) -> Span {
    let types = ["type_identifier", "generic_type", "pointer_type", "parenthesized_type"];
    let declared = node.first(&["parameter_list"]).and_then(|list| list.first(&["parameter_declaration"]));
    let mut named_node = declared.and_then(Node::last);
    while let Some(node) = named_node.filter(|node| node.kind() != "type_identifier") {
        named_node = node.first(&types);
    }
    named_node.map_or(Span::NONE, |named_node| named_node.name(facts))
}

/// Returns the name that a node declares.
pub(super) fn name(grammar: Grammar, node: Node<'_>, facts: &mut Facts<'_, '_>) -> Span {
    let kind = node.kind();
    match kind {
        "init_declaration" => return facts.make(b"init"),
        "deinit_declaration" => return facts.make(b"deinit"),
        "secondary_constructor" => return facts.make(b"constructor"),
        _ => {}
    }
    let named_node = node.field(Field::Name).or_else(|| python::aliased_type(node));
    let Some(mut named_node) = named_node.or_else(|| unfielded(grammar, node)) else { return Span::NONE };
    match named_node.kind() {
        "string" | "string_literal" => return named_node.unquoted(facts),
        "computed_property_name" | "number" => return Span::NONE,
        "nested_identifier" => return named_node.path(),
        _ => {}
    }
    if let Some(generic) =
        named_node.child(0).filter(|child| named_node.kind() == "type" && child.is_through())
    {
        named_node = generic;
    }
    if (named_node.is_through() || named_node.kind() == "type") && !named_node.is_leaf() {
        named_node = named_node.first_name().unwrap_or(named_node);
    }
    let name = named_node.name(facts);
    match grammar {
        Grammar::CSharp if kind == "destructor_declaration" && name.is_some() => {
            let tilde = facts.make(b"~");
            facts.join(tilde, "", name)
        }
        Grammar::C | Grammar::Php | Grammar::Lua | Grammar::Ruby => dotted(name, facts),
        _ => name,
    }
}

/// Returns a name with dots in place of other separators.
fn dotted(name: Span, facts: &mut Facts<'_, '_>) -> Span {
    let text = facts.text(name);
    if !text.iter().any(|byte| matches!(byte, b':' | b'\\')) {
        return name;
    }
    let mut made = Vec::with_capacity(text.len());
    // Before the outermost name they mark it as such.
    let from = text.iter().take_while(|byte| matches!(byte, b':' | b'\\')).count();
    for (place, &byte) in text.iter().enumerate().skip(from) {
        let is_second = byte == b':' && place > 0 && text.get(place - 1) == Some(&b':');
        match byte {
            b':' | b'\\' if !is_second => made.push(b'.'),
            b':' => {}
            _ => made.push(byte),
        }
    }
    facts.make(&made)
}

/// Returns the name before parameters and body, if no field holds it.
fn unfielded(grammar: Grammar, node: Node<'_>) -> Option<Node<'_>> {
    let joined = [
        "scope_resolution",
        "nested_namespace_specifier",
        "qualified_name",
        "namespace_name",
        "dot_index_expression",
        "method_index_expression",
        "variable",
        "string",
        "operator",
        "setter",
        "nested_identifier",
    ];
    let mut is_first = true;
    let before =
        node.children().take_while(|child| std::mem::replace(&mut is_first, false) || !child.is(BODY));
    let mut fits = before.filter(|child| child.is_name() || child.is(&joined));
    match grammar {
        Grammar::CSharp | Grammar::Java | Grammar::Kotlin => fits.last(),
        _ => fits.next(),
    }
}

/// Applies what a node changes in those that began inside.
pub(super) fn change(reading: Reading, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    match reading.grammar {
        Grammar::Python => python::close_decorated(node, facts, frame),
        Grammar::JavaScript => scripts::change(reading, node, facts, frame),
        Grammar::C if node.kind() == "field_declaration_list" => give_access(node, facts, frame),
        Grammar::C => c_calls::drop_attribute(facts, frame),
        Grammar::Ruby => facts.each_waiting(frame, |symbol| {
            if symbol.kind == SymbolKind::Function {
                symbol.flags |= flag::STATIC;
            }
        }),
        Grammar::Bash if declares_constants(node, facts) => {
            facts.each_variable(frame, |symbol| {
                if symbol.kind == SymbolKind::Variable {
                    symbol.kind = SymbolKind::Constant;
                }
            });
        }
        Grammar::Lua => variables::change_chunk(facts, frame),
        _ => {}
    }
}

/// Returns whether it is `readonly`, or `declare -r`.
fn declares_constants(node: Node<'_>, facts: &mut Facts<'_, '_>) -> bool {
    let mut options = node.children().filter(|child| child.kind() == "word");
    node.has_token("readonly")
        || options.any(|option| {
            let text = option.name(facts);
            facts.text(text).starts_with(b"-") && facts.text(text).contains(&b'r')
        })
}

/// Sets the access of what follows C++'s `private:` and the like.
fn give_access(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let mut access = Vec::new();
    for child in node.children().filter(|child| child.kind() == "access_specifier") {
        let text = child.name(facts);
        let text = facts.text(text);
        let words = text.split(|byte| !byte.is_ascii_alphabetic());
        let found = words.map(Visibility::of_word).find(|&word| word != Visibility::Unknown);
        access.extend(found.map(|found| (child.at(), found)));
    }
    let mut access = access.into_iter().peekable();
    let mut current = None;
    facts.each_waiting(frame, |symbol| {
        while let Some(next) = access.next_if(|next| next.0 < symbol.at) {
            current = Some(next.1);
        }
        if let Some(current) = current
            && symbol.visibility == Visibility::Unknown
            && symbol.flags & NO_ACCESS == 0
        {
            symbol.visibility = current;
        }
    });
}
