//! Every type of node of every parser of the ESTree family, as the parsers' own packages list them, against a table
//! of their roles: a type that the table lacks, a role that the dialect does not give, and a kind of the dialect's
//! that the table lacks all fail.

mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::golden::files;
use super::result_of;
use crate::process::ast::dialect::{ALL, numbered};
use shown::shown;

const FOLDER: &str = "data/node_types/estree";

/// The folders below `data/dialects/estree` that hold a parser's dumps, where they have other names.
const DUMPS: &[(&str, &[&str])] = &[
    ("acorn", &["acorn", "acorn-lines"]),
    ("babel", &["babel", "babel-flow"]),
    ("typescript-estree", &["estree", "estree-lines"]),
];

/// Types with a role that no dump of a parser holds, and why.
const WITHOUT_DUMP: &[(&str, &str, &str)] = &[
    ("acorn", "ParenthesizedExpression", "an option: the parentheses are left out else"),
    ("babel", "ParenthesizedExpression", "an option: the parentheses are left out else"),
    ("babel", "ImportExpression", "an option: a call of `Import` else"),
    ("babel", "ExportDefaultSpecifier", "a proposal"),
    ("flow", "ExportNamespaceSpecifier", "`export * as x` is an ExportAllDeclaration"),
    ("flow", "OptionalCallExpression", "an option: a ChainExpression else"),
    ("flow", "OptionalMemberExpression", "an option: a ChainExpression else"),
    ("hermes", "Decorator", "it reads none"),
    ("hermes", "OptionalCallExpression", "an option: a ChainExpression else"),
    ("hermes", "OptionalMemberExpression", "an option: a ChainExpression else"),
    ("oxc", "TSLiteralType", "no type in the samples is a literal"),
    ("swc", "ExportDefaultSpecifier", "a proposal"),
    ("swc", "Script", "the samples are modules"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER)
}

/// Returns the role of each type; `-` for none.
fn table() -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder().join("roles.tsv")).unwrap();
    let mut table = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<_> = line.split('\t').collect();
        assert!(columns.len() >= 2, "{line}");
        assert!(columns[1] != "-" || columns.get(2).is_some_and(|why| !why.is_empty()), "no reason: {line}");
        assert!(table.insert(columns[0].to_owned(), columns[1].to_owned()).is_none(), "twice: {line}");
    }
    table
}

/// Returns the types of each parser, by the parser's name.
fn lists() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = Vec::new();
    files(&folder(), &mut found);
    found.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let types = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    found.iter().map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), types(path))).collect()
}

/// Summarises a result.
fn reported(result: &Value, with_complexity: bool) -> Value {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut reported = Vec::new();
    for symbol in result["symbols"].as_array().unwrap() {
        let is_static = if symbol["static"] == true { "static " } else { "" };
        let from = symbol["line"].as_u64().map_or(String::new(), |line| format!(" from {line}"));
        reported.push(format!(
            "{is_static}{} {}{from}",
            text(&symbol["kind"]),
            text(&symbol["qualified_name"])
        ));
        if with_complexity && !symbol["complexity"].is_null() {
            reported.push(format!("complexity {}", symbol["complexity"]));
        }
    }
    for import in result["imports"].as_array().unwrap() {
        let alias = |one: &Value| one["alias"].as_str().map_or(String::new(), |alias| format!(" as {alias}"));
        let names: Vec<_> = import["names"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| text(&name["name"]) + &alias(name))
            .collect();
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        reported.push(format!("import {}{}{names}", text(&import["module"]), alias(import)));
    }
    reported.extend(
        result["calls"].as_array().unwrap().iter().map(|call| format!("call {}", text(&call["callee"]))),
    );
    json!(reported)
}

#[test]
fn each_type_of_each_parser_has_a_role_or_a_reason_for_none() {
    let table = table();
    let lists = lists();
    assert_eq!(lists.len(), 8, "{:?}", lists.keys());
    let missing: Vec<_> = (lists.iter())
        .flat_map(|(parser, types)| types.iter().map(move |kind| (parser, kind)))
        .filter(|(_, kind)| !table.contains_key(*kind))
        .collect();
    assert!(missing.is_empty(), "{FOLDER}/roles.tsv has no line for {missing:?}");
}

#[test]
fn each_kind_that_the_dialect_knows_is_in_the_table() {
    let table = table();
    let lists = lists();
    let dialect = ALL.iter().find(|dialect| dialect.name == "estree").unwrap();
    let known: BTreeSet<_> = numbered(dialect.kinds).map(|(kind, _)| kind).collect();
    let missing: Vec<_> = known.iter().filter(|&&kind| !table.contains_key(kind)).collect();
    assert!(missing.is_empty(), "{FOLDER}/roles.tsv has no line for {missing:?}");
    let dumped: Vec<_> = lists.keys().map(|parser| dumped(parser)).collect();
    let is_listed = |kind: &str| lists.values().chain(&dumped).any(|types| types.contains(kind));
    let stale: Vec<_> = table.keys().filter(|kind| !known.contains(&kind[..]) && !is_listed(kind)).collect();
    assert!(stale.is_empty(), "neither a parser nor the dialect knows {stale:?}");
}

#[test]
fn the_dialect_gives_each_type_the_role_that_the_table_says() {
    let mut wrong = Vec::new();
    for (kind, role) in table() {
        let (document, expected) = shown(&kind, &role);
        let result = result_of(document.to_string());
        let reported = reported(&result, expected.to_string().contains("complexity"));
        if result["dialect"] != "estree" || reported != expected {
            wrong.push(format!("{kind}, {role}: {reported} instead of {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Returns the types of nodes in the dumps of a parser.
fn dumped(parser: &str) -> BTreeSet<String> {
    fn gather(value: &Value, types: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                types.extend(members.get("type").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|value| gather(value, types));
            }
            Value::Array(elements) => elements.iter().for_each(|value| gather(value, types)),
            _ => {}
        }
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/dialects/estree");
    let mut found = Vec::new();
    let mut types = BTreeSet::new();
    let folders = DUMPS.iter().find(|(name, _)| *name == parser).map(|(_, folders)| folders.to_vec());
    for folder in folders.unwrap_or_else(|| vec![parser]) {
        files(&project.join(folder), &mut found);
    }
    for path in found {
        gather(&serde_json::from_slice(&fs::read(path).unwrap()).unwrap(), &mut types);
    }
    types
}

#[test]
fn each_type_with_a_role_is_in_a_dump_of_each_parser_that_has_it() {
    let table = table();
    let lists = lists();
    for (parser, types) in &lists {
        let dumped = dumped(parser);
        let unknown: Vec<_> = dumped.iter().filter(|kind| !table.contains_key(*kind)).collect();
        assert!(unknown.is_empty(), "{parser} writes {unknown:?}, of which the table says nothing");
        let excused: Vec<_> = WITHOUT_DUMP.iter().filter(|one| one.0 == parser).map(|one| one.1).collect();
        let has_role = |kind: &&String| table.get(*kind).is_some_and(|role| role != "-");
        let missing: Vec<_> = types
            .iter()
            .filter(has_role)
            .filter(|kind| !dumped.contains(*kind))
            .map(|kind| &kind[..])
            .collect();
        assert_eq!(
            missing,
            excused.iter().copied().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
            "{parser}"
        );
    }
}
