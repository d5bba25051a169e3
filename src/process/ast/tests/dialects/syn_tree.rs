//! The rules for Rust's syn, each with a small tree.

use serde_json::{Value, json};

use crate::process::ast::tests::{result_of, same_in_any_order};

/// Returns a file of these items. One more identifies it as syn's.
fn file(items: &str) -> Value {
    let last = r#"{"macro":{"path":{"segments":[{"ident":"vec"}]}}}"#;
    let result = same_in_any_order(format!(r#"{{"items":[{items},{last}]}}"#));
    assert_eq!((&result["dialect"], &result["language"]), (&json!("syn"), &json!("rust")));
    result
}

fn path(segments: &[&str]) -> String {
    let segments: Vec<_> = segments.iter().map(|ident| json!({"ident": ident})).collect();
    json!({"path": {"segments": segments}}).to_string()
}

/// Returns a function `f` with one statement.
fn function(expression: &str) -> Value {
    file(&format!(r#"{{"fn":{{"ident":"f","inputs":[],"stmts":[{{"expr":[{expression},true]}}]}}}}"#))
}

fn callees(expression: &str) -> Vec<String> {
    let result = function(expression);
    let calls = result["calls"].as_array().unwrap();
    calls.iter().map(|call| call["callee"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn items_are_symbols() {
    let result = file(
        r#"{"fn":{"vis":"pub","async":true,"ident":"run","inputs":[],"stmts":[]}},
        {"struct":{"vis":{"restricted":{"path":{"segments":[{"ident":"super"}]}}},"ident":"S","fields":"unit"}},
        {"union":{"ident":"U","fields":[]}},{"enum":{"vis":"crate","ident":"E","variants":[]}},
        {"type":{"ident":"T","ty":"infer"}},{"const":{"ident":"C","vis":"pub"}},{"const":{"ident":"_"}},
        {"static":{"ident":"V"}},{"mod":{"ident":"m","content":[{"static":{"ident":"W"}}]}},
        {"extern_crate":{"ident":"core","rename":"kernel"}}"#,
    );
    let symbols = json!([
        {"kind": "constant", "name": "C", "qualified_name": "C", "visibility": "public"},
        {"kind": "enum", "name": "E", "qualified_name": "E", "visibility": "package"},
        {"kind": "struct", "name": "S", "qualified_name": "S", "visibility": "package"},
        {"kind": "type_alias", "name": "T", "qualified_name": "T", "visibility": "private"},
        {"kind": "struct", "name": "U", "qualified_name": "U", "visibility": "private"},
        {"kind": "variable", "name": "V", "qualified_name": "V", "visibility": "private"},
        {"kind": "module", "name": "m", "qualified_name": "m", "visibility": "private"},
        {"kind": "variable", "name": "W", "qualified_name": "m.W", "visibility": "private"},
        {"kind": "function", "name": "run", "qualified_name": "run", "visibility": "public", "async": true,
            "complexity": 1},
    ]);
    assert_eq!(result["symbols"], symbols);
    assert_eq!(result["imports"], json!([{"module": "core", "names": [], "alias": "kernel"}]));
}

#[test]
fn members_of_traits_and_impls_are_methods() {
    let method = |name: &str, inputs: &str| {
        format!(r#"{{"fn":{{"vis":"pub","ident":"{name}","inputs":[{inputs}]}}}}"#)
    };
    let (own, made) =
        (method("own", r#"{"receiver":{"ref":true}}"#), method("made", r#"{"typed":{"pat":"wild"}}"#));
    let constant = r#"{"const":{"ident":"C"}}"#;
    let self_ty = r#"{"reference":{"elem":{"path":{"segments":[{"ident":"a"},{"ident":"S","arguments":{"angle_bracketed":
        {"args":[{"type":{"path":{"segments":[{"ident":"X"}]}}}]}}}]}}}}"#;
    let result = file(&format!(
        r#"{{"impl":{{"self_ty":{self_ty},"items":[{own},{made},{constant}]}}}},
        {{"impl":{{"trait":{{"segments":[{{"ident":"R"}}]}},"self_ty":{},"items":[{own}]}}}},
        {{"impl":{{"self_ty":{{"slice":{{"elem":{}}}}},"items":[{own}]}}}},
        {{"trait":{{"ident":"R","items":[{made},{{"type":{{"ident":"Item"}}}}]}}}}"#,
        path(&["P"]),
        path(&["Q"]),
    ));
    let symbols = json!([
        {"kind": "method", "name": "own", "qualified_name": "P.own", "complexity": 1},
        {"kind": "interface", "name": "R", "qualified_name": "R", "visibility": "private"},
        {"kind": "type_alias", "name": "Item", "qualified_name": "R.Item"},
        {"kind": "method", "name": "made", "qualified_name": "R.made", "static": true, "complexity": 1},
        {"kind": "method", "name": "made", "qualified_name": "S.made", "visibility": "public", "static": true,
            "complexity": 1},
        {"kind": "method", "name": "own", "qualified_name": "S.own", "visibility": "public", "complexity": 1},
        {"kind": "method", "name": "own", "qualified_name": "own", "visibility": "public", "complexity": 1},
    ]);
    assert_eq!(result["symbols"], symbols);
}

#[test]
fn use_trees_are_imports_by_their_paths() {
    let result = file(
        r#"{"use":{"tree":{"path":{"ident":"std","tree":{"group":[{"ident":"io"},{"path":{"ident":"fmt","tree":"*"}},
            {"rename":{"ident":"mem","rename":"memory"}},{"path":{"ident":"a","tree":{"path":{"ident":"b","tree":
            {"group":[{"ident":"self"},"*",{"group":[{"ident":"z"}]}]}}}}}]}}}}},
        {"use":{"tree":{"rename":{"ident":"serde","rename":"_"}}}},
        {"use":{"vis":{"restricted":{"path":{"segments":[{"ident":"crate"}]}}},"tree":{"group":[{"ident":"x"},{"path":
            {"ident":"y","tree":{"ident":"z"}}}]}}}"#,
    );
    let imports = json!([
        {"module": "serde", "names": [], "alias": "_"},
        {"module": "std", "names": [{"name": "io"}, {"name": "mem", "alias": "memory"}]},
        {"module": "std::a::b", "names": [{"name": "self"}, {"name": "*"}]},
        {"module": "std::a::b", "names": [{"name": "z"}]},
        {"module": "std::fmt", "names": [{"name": "*"}]},
        {"module": "x", "names": []},
        {"module": "y", "names": [{"name": "z"}]},
    ]);
    assert_eq!(result["imports"], imports);
    assert_eq!(result["symbols"], json!([]));
}

#[test]
fn a_module_that_is_too_long_for_a_name_is_no_import() {
    let used = |len: usize| {
        let tree = format!(
            r#"{{"path":{{"ident":"{}","tree":{{"path":{{"ident":"b","tree":{{"ident":"x"}}}}}}}}}}"#,
            "a".repeat(len)
        );
        file(&format!(r#"{{"use":{{"tree":{tree}}}}}"#))["totals"]["imports"].clone()
    };
    assert_eq!(used(1_021), 1);
    assert_eq!(used(1_022), 0);
    assert_eq!(used(2_000), 0);
    let deep = r#"{"path":{"ident":"a","tree":"#.repeat(900) + r#"{"ident":"x"}"# + &"}}".repeat(900);
    let doc = format!(r#"{{"items":[{{"use":{{"tree":{deep}}}}},{{"mod":{{"ident":"m"}}}}]}}"#);
    assert_eq!(result_of(doc)["totals"]["imports"], 0);
}

#[test]
fn callees_are_the_names_behind_the_last_computed_part() {
    let call = |func: &str| format!(r#"{{"call":{{"func":{func},"args":[]}}}}"#);
    let method = |receiver: &str, name: &str| {
        format!(r#"{{"method_call":{{"receiver":{receiver},"method":"{name}","args":[]}}}}"#)
    };
    let field = |base: &str, name: &str| format!(r#"{{"field":{{"base":{base},"ident":"{name}"}}}}"#);
    let x = path(&["x"]);
    assert_eq!(callees(&call(&path(&["a", "b"]))), ["a.b"]);
    assert_eq!(callees(&method(&field(&x, "y"), "z")), ["x.y.z"]);
    assert_eq!(callees(&method(&call(&x), "z")), ["x", "z"]);
    assert_eq!(callees(&call(&call(&x))), ["x"]);
    assert_eq!(
        callees(&method(&format!(r#"{{"try":{{"expr":{{"await":{{"base":{x}}}}}}}}}"#), "z")),
        ["x.z"]
    );
    assert_eq!(callees(&method(&format!(r#"{{"paren":{{"expr":{x}}}}}"#), "z")), ["x.z"]);
    assert_eq!(callees(&method(&format!(r#"{{"field":{{"base":{x},"index":0}}}}"#), "z")), ["z"]);
    assert_eq!(callees(&method(&format!(r#"{{"index":{{"expr":{x},"index":{x}}}}}"#), "z")), ["z"]);
    assert_eq!(callees(&call(&format!(r#"{{"reference":{{"expr":{x}}}}}"#))), [""; 0]);
    assert_eq!(callees(&format!(r#"{{"macro":{{"path":{x},"tokens":[{{"ident":"f"}}]}}}}"#)), [""; 0]);
}

#[test]
fn branches_belong_to_the_function_around() {
    let complexity = |expression: &str| function(expression)["symbols"][0]["complexity"].clone();
    let both = |op: &str| format!(r#"{{"binary":{{"left":{0},"op":"{op}","right":{0}}}}}"#, path(&["x"]));
    assert_eq!(complexity(&format!(r#"{{"if":{{"cond":{},"then_branch":[]}}}}"#, both("&&"))), 3);
    assert_eq!(complexity(&both("&")), 1);
    assert_eq!(
        complexity(
            r#"{"match":{"expr":{"lit":{"int":"1"}},"arms":[{"pat":"wild"},{"pat":"wild"},{"pat":"wild"}]}}"#
        ),
        3
    );
    assert_eq!(complexity(r#"{"match":{"expr":{"lit":{"int":"1"}},"arms":[]}}"#), 1);
    let closure = format!(r#"{{"closure":{{"body":{}}}}}"#, both("||"));
    let loops =
        format!(r#"{{"while":{{"cond":{closure},"body":[]}}}},true]}},{{"expr":[{{"loop":{{"body":[]}}}}"#);
    assert_eq!(complexity(&loops), 3);
    let nested =
        format!(r#"{{"fn":{{"ident":"g","inputs":[],"stmts":[{{"expr":[{},true]}}]}}}}"#, both("&&"));
    let result = function(&format!(r#"{{"block":{{"stmts":[{{"item":{nested}}}]}}}}"#));
    let found: Vec<_> = result["symbols"].as_array().unwrap().iter().map(|one| &one["complexity"]).collect();
    assert_eq!(found, [&json!(1), &json!(2)]);
    assert_eq!(result["symbols"][1]["qualified_name"], "f.g");
}

#[test]
fn constants_in_functions_and_closures_are_none() {
    let constant = r#"{"item":{"const":{"ident":"C"}}}"#;
    let block = format!(r#"{{"block":{{"stmts":[{constant}]}}}}"#);
    assert_eq!(function(&block)["totals"]["symbols"], 1);
    let count = |item: &str| file(item)["totals"]["symbols"].clone();
    assert_eq!(count(&format!(r#"{{"const":{{"ident":"_","expr":{block}}}}}"#)), 1);
    assert_eq!(count(&format!(r#"{{"const":{{"ident":"_","expr":{{"closure":{{"body":{block}}}}}}}}}"#)), 0);
}

#[test]
fn objects_with_one_key_are_nodes_by_it() {
    let result = same_in_any_order(
        r#"{"items":[{"const":{"ident":"C","expr":{"lit":{"bool":false}}}},{"const":{"ident":"D","expr":
        {"tuple":{"elems":[{"lit":{"byte":7}},{"expr":{}},{"block":[]},{"ident":"x"},{"const":{},"lit":{}}]}}}}]}"#,
    );
    let kinds = json!({"lit": 2, "const": 2, "block": 1, "bool": 1, "byte": 1, "tuple": 1});
    assert_eq!(
        (&result["kinds"], &result["nodes"], &result["kind_field"]),
        (&kinds, &json!(8), &Value::Null)
    );
}

#[test]
fn files_and_fragments_are_known_and_other_lists_of_items_are_not() {
    let dialect = |doc: &str| result_of(doc)["dialect"].clone();
    assert_eq!(dialect(r#"{"items":[{"mod":{"ident":"a"}},{"mod":{"ident":"b"}}]}"#), "syn");
    assert_eq!(dialect(r#"{"items":[]}"#), "generic");
    assert_eq!(dialect(r#"{"items":[{"ident":"a"},{"ident":"b"}]}"#), "generic");
    assert_eq!(dialect(r#"{"items":[{"path":"a","size":1},{"path":"b","size":2}]}"#), "generic");
    let call = r#"{"call":{"func":{"path":{"segments":[{"ident":"f"}]}},"args":[{"lit":{"int":"1"}}]}}"#;
    assert_eq!(dialect(call), "syn");
    assert_eq!(dialect(r#"{"path":"/a/b","segments":[{"name":"a"},{"name":"b"}]}"#), "generic");
    let rustc = r#"{"attrs":[],"items":[{"vis":{"kind":"Inherited","span":{"lo":0,"hi":0}},"ident":{"name":"a","span":
        {"lo":0,"hi":1}},"kind":{"variant":"Fn"}}],"span":{"lo":0,"hi":9}}"#;
    assert_eq!(dialect(rustc), "generic");
}
