//! The imports of a node.

mod names;
mod use_trees;

use names::{add_name, text};

use super::kinds::Grammar;
use super::parts::{Field, Node};
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::frame::{Frame, Span};

const STRINGS: &[&str] = &[
    "string",
    "string_literal",
    "interpreted_string_literal",
    "raw_string_literal",
    "encapsed_string",
    "system_lib_string",
];
const PATHS: &[&str] = &[
    "dotted_name",
    "scoped_identifier",
    "identifier",
    "qualified_name",
    "name",
    "namespace_name",
    "qualified_identifier",
    "stable_identifier",
    "nested_identifier",
    "alias_qualified_name",
];

/// Closes a node that imports by its kind.
pub(super) fn close(grammar: Grammar, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    match (grammar, node.kind()) {
        (Grammar::Python, "import_statement") => python_modules(node, facts, frame),
        (Grammar::Python, _) => python_names(node, facts, frame),
        (Grammar::JavaScript, "import_statement") => script_import(node, facts, frame),
        (Grammar::JavaScript, _) => script_export(node, facts, frame),
        (Grammar::Go, _) => {
            let path = node.field(Field::Path).or_else(|| node.first(STRINGS));
            let alias = node.first(&["package_identifier", "blank_identifier", "dot"]);
            import_string(path, alias, facts, frame);
        }
        (Grammar::Rust, "use_declaration") => use_trees::close(node, facts, frame),
        (Grammar::Rust, _) => {
            let mut names = node.children().filter(|part| part.is(&["identifier", "self"]));
            let module = names.next();
            let alias = names.next();
            let module = text(module, facts);
            let alias = text(alias, facts);
            facts.import_module(module, alias, frame);
        }
        (Grammar::Java | Grammar::Kotlin, _) => dotted(node, b'.', facts, frame),
        (Grammar::C, _) => {
            let path = node.field(Field::Path).or_else(|| node.first(STRINGS));
            import_string(path, None, facts, frame);
        }
        (Grammar::CSharp | Grammar::Swift, _) => whole(node, facts, frame),
        (Grammar::Php, "namespace_use_declaration") => php_use(node, facts, frame),
        (Grammar::Php, _) => {
            let mut named_node = node;
            while let Some(inner) = named_node.first(&["parenthesized_expression"]) {
                named_node = inner;
            }
            import_string(named_node.first(STRINGS), None, facts, frame);
        }
        (Grammar::Scala, _) => scala(node, facts, frame),
        _ => {}
    }
}

/// Returns whether a call is an import.
pub(super) fn called(grammar: Grammar, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) -> bool {
    let functions: &[&str] = match grammar {
        Grammar::JavaScript => &["require", "import"],
        Grammar::Ruby => &["require", "require_relative", "load"],
        Grammar::Lua => &["require"],
        Grammar::Bash => return bash_source(node, facts, frame),
        _ => return false,
    };
    let is_one = |function: Node<'_>| function.kind() == "import" || function.says(facts, functions);
    if !node.child(0).is_some_and(is_one) {
        return false;
    }
    let mut given = node.first(&["arguments", "argument_list"]);
    if let Some(list) = given.and_then(|given| given.first(&["expression_list"])) {
        given = Some(list);
    }
    let mut values = given.unwrap_or(node).children().filter(|child| !child.is(&["(", ")", ","]));
    if given.is_none() {
        values.next();
    }
    let value = values.next().filter(|value| value.is(STRINGS));
    // Further arguments of `import` say how to import the module.
    let is_import = node.child(0).is_some_and(|function| function.kind() == "import");
    if value.is_none() || !is_import && values.next().is_some() {
        return false;
    }
    import_string(value, None, facts, frame);
    true
}

fn bash_source(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) -> bool {
    let (Some(command), Some(path)) = (node.child(0), node.child(1)) else { return false };
    let is_constant = path.is(&["word", "string", "raw_string"])
        && path.first(&["simple_expansion", "expansion", "command_substitution"]).is_none();
    if !is_constant || !command.says(facts, &["source", "."]) {
        return false;
    }
    import_string(Some(path), None, facts, frame);
    true
}

fn import_string(path: Option<Node<'_>>, alias: Option<Node<'_>>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let module = unquoted(path, facts);
    let alias = text(alias, facts);
    facts.import_module(module, alias, frame);
}

/// Returns name and alias of `name as alias`.
fn aliased(node: Node<'_>, facts: &mut Facts<'_, '_>) -> (Span, Span) {
    let named = node.named(facts);
    let mut alias = if named.len() > 1 { named.last().copied() } else { None };
    if let Some(clause) = alias.filter(|alias| alias.kind() == "namespace_aliasing_clause") {
        alias = clause.named(facts).last().copied();
    }
    let name = text(named.first().copied(), facts);
    (name, text(alias, facts))
}

fn python_modules(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    for child in node.named(facts) {
        let (module, alias) = match child.kind() {
            "aliased_import" => aliased(child, facts),
            _ => (child.name(facts), Span::NONE),
        };
        facts.import_module(module, alias, frame);
    }
}

fn python_names(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let kinds = ["dotted_name", "relative_import", "aliased_import", "wildcard_import"];
    let mut parts = node.children().filter(|child| child.is(&kinds));
    let module = match node.kind() {
        "future_import_statement" => facts.make(b"__future__"),
        _ => text(parts.next(), facts),
    };
    for part in parts {
        let (name, alias) = match part.kind() {
            "aliased_import" => aliased(part, facts),
            "wildcard_import" => (facts.make(b"*"), Span::NONE),
            _ => (part.name(facts), Span::NONE),
        };
        add_name(name, alias, facts, frame);
    }
    facts.import(module, Span::NONE, frame);
}

fn script_import(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    if let Some(required) = node.first(&["import_require_clause"]) {
        return import_string(required.first(&["string"]), required.first(&["identifier"]), facts, frame);
    }
    for part in node.first(&["import_clause"]).into_iter().flat_map(Node::children) {
        match part.kind() {
            "identifier" => {
                add_name(facts.make(b"default"), part.name(facts), facts, frame);
            }
            "namespace_import" => {
                add_name(facts.make(b"*"), text(part.first(&["identifier"]), facts), facts, frame);
            }
            "named_imports" => add_differing(part, "import_specifier", facts, frame),
            _ => {}
        }
    }
    let source = node.first(&["string"]).map_or(Span::NONE, |source| source.unquoted(facts));
    facts.import(source, Span::NONE, frame);
}

fn script_export(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let Some(source) = node.first(&["string"]) else { return };
    match node.first(&["export_clause"]) {
        Some(clause) => add_differing(clause, "export_specifier", facts, frame),
        None => {
            let space = node.first(&["namespace_export"]);
            let alias = space.and_then(|space| space.first(&["identifier", "string"]));
            add_name(facts.make(b"*"), unquoted(alias, facts), facts, frame);
        }
    }
    let source = source.unquoted(facts);
    facts.import(source, Span::NONE, frame);
}

/// Adds names with their aliases, if these differ. Any word or string may be a name, also `default`.
fn add_differing(list: Node<'_>, kind: &str, facts: &mut Facts<'_, '_>, frame: &Frame) {
    for item in list.children().filter(|item| item.kind() == kind) {
        let mut names = item
            .children()
            .filter(|one| one.kind() == "string" || one.is_worded() && !one.is(&["as", "type", "typeof"]));
        let name = unquoted(names.next(), facts);
        let alias = unquoted(names.last(), facts);
        let is_same = facts.text(name) == facts.text(alias);
        add_name(name, if is_same { Span::NONE } else { alias }, facts, frame);
    }
}

fn unquoted(node: Option<Node<'_>>, facts: &mut Facts<'_, '_>) -> Span {
    node.map_or(Span::NONE, |node| node.unquoted(facts))
}

/// Adds `import a.b.C`, `use A\B\C as D`: the last name is what is imported.
fn dotted(node: Node<'_>, separator: u8, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let path = text(node.first(PATHS), facts);
    let mut alias = None;
    if let Some(clause) = node.first(&["import_alias", "namespace_aliasing_clause", "alias"]) {
        alias = clause.named(facts).last().copied();
    }
    if alias.is_none() && node.has_token("as") {
        alias = node.named(facts).last().copied();
    }
    let alias = text(alias, facts);
    let place = facts.text(path).iter().rposition(|&byte| byte == separator);
    if node.first(&["asterisk", "wildcard_import", "*", "namespace_wildcard"]).is_some() {
        let star = facts.make(b"*");
        add_name(star, Span::NONE, facts, frame);
        return facts.import(path, Span::NONE, frame);
    }
    let name = facts.part(path, place.map_or(0, |place| place + 1), usize::from(path.len));
    match place.filter(|&place| place > 0) {
        Some(place) => {
            add_name(name, alias, facts, frame);
            let module = facts.part(path, 0, place);
            facts.import(module, Span::NONE, frame);
        }
        None => facts.import_module(name, alias, frame),
    }
}

/// Adds `using A.B`, `import A`: all of it is the module.
fn whole(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let is_path = |child: &Node<'_>| child.is(PATHS) || child.is(&["generic_name", "predefined_type"]);
    let sign = node.children().position(|child| child.is(&["=", "name_equals"]));
    let alias = sign.and_then(|_| node.first(&["name_equals"]).unwrap_or(node).first(&["identifier"]));
    let module = node.children().skip(sign.map_or(0, |sign| sign + 1)).filter(is_path).last();
    let mut path = text(module, facts);
    if path.is_none() || facts.text(path).contains(&b'<') {
        // A generic type is without its arguments.
        path = module.map_or(Span::NONE, Node::path);
    }
    let alias = text(alias, facts);
    facts.import_module(path, alias, frame);
}

fn php_use(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let Some(group) = node.first(&["namespace_use_group"]) else {
        for clause in node.children().filter(|child| child.kind() == "namespace_use_clause") {
            dotted(clause, b'\\', facts, frame);
        }
        return;
    };
    let clauses = ["namespace_use_clause", "namespace_use_group_clause"];
    for item in group.children().filter(|item| item.is(&clauses)) {
        let (name, alias) = aliased(item, facts);
        add_name(name, alias, facts, frame);
    }
    let module = text(node.first(&["namespace_name"]), facts);
    facts.import(module, Span::NONE, frame);
}

/// Adds `import a.B, c._`: each is an import of its own.
fn scala(node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &Frame) {
    let parts: Vec<_> = node.children().collect();
    for parts in parts.split(|part| part.kind() == ",") {
        scala_path(parts, facts, frame);
    }
}

fn scala_path(parts: &[Node<'_>], facts: &mut Facts<'_, '_>, frame: &Frame) {
    let mut path = Span::NONE;
    let mut chosen = Vec::new();
    for part in parts.iter().filter(|part| part.is_worded() && part.kind() != "import") {
        match part.kind() {
            "identifier" | "type_identifier" | "stable_identifier" => {
                let name = part.name(facts);
                path = facts.join(path, ".", name);
            }
            "namespace_selectors" | "import_selectors" => chosen = part.named(facts),
            _ => chosen.push(*part),
        }
    }
    if chosen.is_empty() {
        let Some(dot) = facts.text(path).iter().rposition(|&byte| byte == b'.') else {
            return facts.import_module(path, Span::NONE, frame);
        };
        let name = facts.part(path, dot + 1, usize::from(path.len));
        add_name(name, Span::NONE, facts, frame);
        path = facts.part(path, 0, dot);
    }
    for item in chosen {
        let is_all = item.is(&["namespace_wildcard", "wildcard"]) || item.says(facts, &["_"]);
        let (name, alias) = match item.kind() {
            _ if is_all => (facts.make(b"*"), Span::NONE),
            "arrow_renamed_identifier" | "as_renamed_identifier" | "renamed_identifier" => {
                aliased(item, facts)
            }
            _ => (item.name(facts), Span::NONE),
        };
        add_name(name, alias, facts, frame);
    }
    facts.import(path, Span::NONE, frame);
}
