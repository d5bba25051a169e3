//! Python: releases of its `ast`, and what is written of them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::super::dialect::ALL;
use super::same_in_any_order;

/// A kind of node of some releases: its fields, and what is computed from them.
struct Node {
    kind: String,
    fields: Vec<String>,
    computed: Vec<String>,
}

/// All kinds that `data/tools/list_python_nodes.py` has told.
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
    let known = |node: &Node| ALL[0].kinds.iter().any(|(kind, _)| *kind == node.kind);
    let unknown: Vec<_> = nodes().into_iter().filter(|node| !known(node)).map(|node| node.kind).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// A function whose body is this expression.
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

/// What is told of what an expression calls, and of its branches.
fn told(expression: &Value) -> (Value, Value) {
    let result = same_in_any_order(function(expression).to_string());
    (result["calls"].clone(), result["symbols"].clone())
}

#[test]
fn a_computed_attribute_repeats_nothing() {
    let all = nodes();
    let computing: Vec<_> = all.iter().filter(|node| !node.computed.is_empty()).collect();
    assert_eq!(computing.len(), 7);
    for node in computing {
        // Values of constants are no nodes; those of a tuple are.
        let value = if node.kind == "Tuple" { json!([call("g"), call("h")]) } else { json!("text") };
        let mut plain = json!({"_type": node.kind});
        for field in &node.fields {
            plain[field] = value.clone();
        }
        let mut whole = plain.clone();
        for name in &node.computed {
            whole[name] = value.clone();
        }
        assert_eq!(told(&whole), told(&plain), "{}", node.kind);
    }
}

#[test]
fn elements_of_tuples_within_tuples_count_once() {
    let tuple = |elements: Value| json!({"_type": "Tuple", "dims": elements, "elts": elements, "ctx": {"_type": "Load"}});
    let inner = tuple(json!([call("g"), tuple(json!([call("h")]))]));
    let (calls, symbols) = told(&tuple(json!([inner, call("g")])));
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
    let (calls, symbols) = told(&tuple);
    let call = |callee: &str, count: u64| json!({"caller": "f", "callee": callee, "count": count});
    assert_eq!(calls, json!([call("in_call", 3), call("g", 2), call("h", 1)]));
    assert_eq!(symbols[0]["complexity"], 4);
}

#[test]
fn branches_of_a_type_alias_are_its_own() {
    let alias =
        json!({"_type": "TypeAlias", "name": {"_type": "Name", "id": "T"}, "value": {"_type": "IfExp"}});
    let (_, symbols) = told(&json!({"_type": "Await", "value": alias}));
    assert_eq!(
        symbols[1],
        json!({"kind": "function", "name": "f", "qualified_name": "f", "line": 1, "end_line": 9, "complexity": 1})
    );
}
