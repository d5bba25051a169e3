//! Python: releases of its `ast`, and the records of them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::process::ast::dialect::{ALL, numbered};
use crate::process::ast::tests::{result_of, same_in_any_order};
use crate::process::{AstProcessor, FileContent, Processor, ResultWriter};

/// A kind of node of some releases: its fields, and what is computed from them.
struct Node {
    kind: String,
    fields: Vec<String>,
    computed: Vec<String>,
}

/// Returns all kinds listed by `data/tools/list_python_nodes.py`.
fn nodes() -> Vec<Node> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/node_types/python/nodes.txt");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let node = |line: &str| {
        let (node, _releases) = line.split_once(" : ").unwrap();
        let (fields, computed) = node.split_once(" =").unwrap();
        let mut fields = words(fields);
        Node { kind: fields.remove(0), fields, computed: words(computed) }
    };
    fs::read_to_string(list).unwrap().lines().map(node).collect()
}

#[test]
fn every_node_of_every_release_is_known() {
    let known = |node: &Node| numbered(ALL[0].kinds).any(|(kind, _)| kind == node.kind);
    let unknown: Vec<_> = nodes().into_iter().filter(|node| !known(node)).map(|node| node.kind).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// Returns a function whose body is this expression.
fn function(expression: &Value) -> Value {
    json!({"_type": "Module", "body": [{"_type": "FunctionDef", "name": "f", "lineno": 1, "end_lineno": 9, "body": [
        {"_type": "Expr", "lineno": 2, "value": expression}
    ]}]})
}

fn call(name: &str) -> Value {
    json!({"_type": "Call", "func": {"_type": "Name", "id": name}, "args": [
        {"_type": "IfExp", "test": {"_type": "Call", "func": {"_type": "Name", "id": "in_call"}}}
    ]})
}

/// Returns the reported calls and branches of an expression.
fn reported(expression: &Value) -> (Value, Value) {
    let result = same_in_any_order(function(expression).to_string());
    (result["calls"].clone(), result["symbols"].clone())
}

#[test]
fn a_computed_attribute_repeats_nothing() {
    let all = nodes();
    let computing: Vec<_> = all.iter().filter(|node| !node.computed.is_empty()).collect();
    assert_eq!(computing.len(), 7);
    for node in computing {
        // Values of constants are not nodes; those of a tuple are.
        let value = if node.kind == "Tuple" { json!([call("g"), call("h")]) } else { json!("text") };
        let mut plain = json!({"_type": node.kind});
        for field in &node.fields {
            plain[field] = value.clone();
        }
        let mut whole = plain.clone();
        for name in &node.computed {
            whole[name] = value.clone();
        }
        assert_eq!(reported(&whole), reported(&plain), "{}", node.kind);
    }
}

#[test]
fn elements_of_tuples_within_tuples_count_once() {
    let tuple = |elements: Value| json!({"_type": "Tuple", "dims": elements, "elts": elements, "ctx": {"_type": "Load"}});
    let inner = tuple(json!([call("g"), tuple(json!([call("h")]))]));
    let (calls, symbols) = reported(&tuple(json!([inner, call("g")])));
    let call = |callee: &str, count: u64| json!({"caller": "f", "callee": callee, "count": count});
    assert_eq!(calls, json!([call("in_call", 3), call("g", 2), call("h", 1)]));
    assert_eq!(symbols[0]["complexity"], 4);
}

#[test]
fn dims_of_an_ext_slice_are_real() {
    let slice = |name: &str| json!({"_type": "Index", "value": call(name)});
    let tuple = json!({"_type": "Tuple", "elts": [
        {"_type": "Subscript", "value": {"_type": "Name", "id": "a"}, "slice": {"_type": "ExtSlice", "dims": [slice("g"), slice("h")]}},
        {"_type": "Tuple", "elts": [call("g")], "dims": [call("g")]}
    ]});
    let (calls, symbols) = reported(&tuple);
    let call = |callee: &str, count: u64| json!({"caller": "f", "callee": callee, "count": count});
    assert_eq!(calls, json!([call("in_call", 3), call("g", 2), call("h", 1)]));
    assert_eq!(symbols[0]["complexity"], 4);
}

#[test]
fn branches_of_a_type_alias_are_its_own() {
    let alias =
        json!({"_type": "TypeAlias", "name": {"_type": "Name", "id": "T"}, "value": {"_type": "IfExp"}});
    let (_, symbols) = reported(&json!({"_type": "Await", "value": alias}));
    assert_eq!(
        symbols[1],
        json!({"kind": "function", "name": "f", "qualified_name": "f", "line": 1, "end_line": 9, "complexity": 1})
    );
}

/// Returns a contract with one item.
fn contract(what: &Value, imports: &Value) -> Value {
    json!({"ast": {"ast_type": "Module", "doc_string": null, "body": [what]}, "imports": imports})
}

fn external(name: &str, line: u32) -> Value {
    let decorator = json!({"ast_type": "Name", "id": "external"});
    json!({"ast_type": "FunctionDef", "name": name, "lineno": line, "decorator_list": [decorator], "body": []})
}

#[test]
fn a_contract_is_vyper_whatever_was_read_before() {
    let python =
        json!({"ast_type": "Module", "body": [{"ast_type": "FunctionDef", "name": "f", "body": []}]});
    for _ in 0..2 {
        assert_eq!(result_of(contract(&external("f", 1), &json!([])).to_string())["language"], "vyper");
        assert_eq!(result_of(python.to_string())["language"], "python");
    }
    let event =
        json!({"ast_type": "Module", "body": [{"ast_type": "EventDef", "name": "Moved", "lineno": 1}]});
    assert_eq!(same_in_any_order(event.to_string())["language"], "vyper");
    let symbols = &same_in_any_order(contract(&external("f", 1), &json!([])).to_string())["symbols"];
    let name = json!({"kind": "function", "name": "f", "qualified_name": "f", "line": 1, "visibility": "public", "complexity": 1});
    assert_eq!(*symbols, json!([name]));
}

#[test]
fn modules_beside_a_contract_are_not_part_of_it() {
    let alone = same_in_any_order(contract(&external("f", 3), &json!([])).to_string());
    let module = json!({"ast_type": "Module", "doc_string": null, "lineno": 90, "body": [external("g", 91), {
        "ast_type": "Import", "name": "other", "alias": null, "lineno": 92
    }]});
    let beside = same_in_any_order(contract(&external("f", 3), &json!([module])).to_string());
    for member in ["lines", "symbols", "imports", "calls", "totals"] {
        assert_eq!(beside[member], alone[member], "{member}");
    }
}

#[test]
fn words_around_a_type_are_no_calls() {
    let word = |name: &str, given: Value| json!({"ast_type": "Call", "func": {"ast_type": "Name", "id": name}, "args": [given]});
    let of_type = |annotation: Value| {
        let target = json!({"ast_type": "Name", "id": "rate"});
        let declared =
            json!({"ast_type": "AnnAssign", "target": target, "annotation": annotation, "lineno": 1});
        same_in_any_order(contract(&declared, &json!([])).to_string())
    };
    let number = || json!({"ast_type": "Name", "id": "uint256"});
    for (annotation, kind, visibility) in [
        (number(), "variable", "package"),
        (word("public", number()), "variable", "public"),
        (word("immutable", number()), "constant", "package"),
        (word("public", word("constant", number())), "constant", "public"),
        (word("constant", word("public", number())), "constant", "public"),
    ] {
        let result = of_type(annotation);
        assert_eq!(
            (&result["symbols"][0]["kind"], &result["symbols"][0]["visibility"]),
            (&json!(kind), &json!(visibility))
        );
        assert_eq!(result["calls"], json!([]));
    }
}

#[test]
fn the_files_name_tells_where_python_s_nodes_stand_for_another_language() {
    let bytes = br#"{"_type":"Module","body":[{"_type":"FunctionDef","name":"f","body":[]}]}"#;
    for (path, language) in
        [("BUILD.bzl", "unknown"), ("a.py", "python"), ("a.go", "python"), ("a", "python")]
    {
        let mut result = ResultWriter::default();
        let path = format!("{path}.ast.json");
        AstProcessor::new().process(&FileContent { path: path.as_bytes(), bytes }, &mut result).unwrap();
        let result: Value = serde_json::from_slice(result.as_bytes()).unwrap();
        assert_eq!(
            (&result["language"], &result["symbols"][0]["name"]),
            (&json!(language), &json!("f")),
            "{path}"
        );
    }
}
