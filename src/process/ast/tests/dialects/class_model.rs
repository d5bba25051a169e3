//! The rules for class models, each with a small one.

use serde_json::{Value, json};

use crate::process::ast::tests::{result_of, same_in_any_order};

/// Returns a model of one class with these members.
fn model(members: &str) -> Value {
    same_in_any_order(format!(r#"{{"filePath":"/srv/A.java","classes":[{{"name":"A",{members}}}]}}"#))
}

fn imports(imports: &str) -> Value {
    same_in_any_order(format!(r#"{{"filePath":"A","classes":[],"imports":[{imports}]}}"#))
}

#[test]
fn a_class_with_its_members() {
    let result = model(
        r#""qualifiedName":"shop.A","modifiers":["public","final"],"startLine":3,"endLine":9,
        "fields":[{"name":"x","type":"int","line":4}],
        "constructors":[{"name":"A","line":5,"modifiers":"[protected ]"}],
        "methods":[{"name":"run","qualifiedName":"shop.A.run","modifiers":"[private , static ]","line":7,
            "cyclomaticComplexity":4,
            "methodCalls":[{"methodName":"println","type":"CALL","lineNumber":12},{"name":"now","object":"this.clock"}]}]"#,
    );
    assert_eq!(result["dialect"], "class-model");
    assert_eq!(result["language"], "java");
    assert_eq!(result["lines"], 12);
    assert_eq!(result["nodes"], 6);
    assert_eq!(result["kind_field"], Value::Null);
    let kinds = json!({"method_call": 2, "class": 1, "constructor": 1, "field": 1, "method": 1});
    assert_eq!(result["kinds"], kinds);
    let symbols = json!([
        {"kind": "class", "name": "A", "qualified_name": "shop.A", "line": 3, "end_line": 9, "visibility": "public"},
        {"kind": "method", "name": "A", "qualified_name": "shop.A.A", "line": 5, "visibility": "protected"},
        {"kind": "method", "name": "run", "qualified_name": "shop.A.run", "line": 7, "visibility": "private",
            "static": true, "complexity": 4},
    ]);
    assert_eq!(result["symbols"], symbols);
    let calls = json!([
        {"caller": "shop.A.run", "callee": "println", "count": 1},
        {"caller": "shop.A.run", "callee": "this.clock.now", "count": 1},
    ]);
    assert_eq!(result["calls"], calls);
}

#[test]
fn classes_in_classes_are_enums_and_interfaces_too() {
    let result = model(
        r#""isStatic":false,"innerClasses":[{"name":"E","isEnum":true,"isInterface":false,"isStatic":true}],
        "nestedClasses":[{"name":"I","isInterface":true,"classes":[{"name":"N","isAnnotation":true,"isInterface":false}]}]"#,
    );
    let symbols = json!([
        {"kind": "class", "name": "A", "qualified_name": "A"},
        {"kind": "enum", "name": "E", "qualified_name": "A.E", "static": true},
        {"kind": "interface", "name": "I", "qualified_name": "A.I"},
        {"kind": "interface", "name": "N", "qualified_name": "A.I.N"},
    ]);
    assert_eq!(result["symbols"], symbols);
}

#[test]
fn the_visibility_wins_over_modifiers_and_empty_modifiers_mean_the_package() {
    let seen = |members: &str| model(members)["symbols"][0]["visibility"].clone();
    assert_eq!(seen(r#""modifiers":["static"],"visibility":"PRIVATE""#), "private");
    assert_eq!(seen(r#""modifiers":"[public , static ]","visibility":"odd""#), "public");
    assert_eq!(seen(r#""modifiers":[]"#), "package");
    assert_eq!(seen(r#""modifiers":"""#), "package");
    assert_eq!(seen(r#""modifiers":["publicly"]"#), "package");
    assert_eq!(seen(r#""modifiers":null"#), Value::Null);
}

#[test]
fn the_first_of_three_members_tells_the_line_and_only_with_it_there_is_a_last_one() {
    let lines = |members: &str| {
        let symbol = model(members)["symbols"][0].clone();
        (symbol["line"].as_u64(), symbol["end_line"].as_u64())
    };
    assert_eq!(lines(r#""lineNumber":7,"line":5,"startLine":3,"endLine":9"#), (Some(3), Some(9)));
    assert_eq!(lines(r#""lineNumber":7,"line":5,"startLine":0"#), (Some(5), None));
    assert_eq!(lines(r#""lineNumber":7,"line":null"#), (Some(7), None));
    assert_eq!(lines(r#""line":-1,"endLine":9"#), (None, None));
}

#[test]
fn imports_are_names_or_whole_statements() {
    let result = imports(
        r#""import java.sql.Connection;","java.util.*","  import static java.lang.Math.max ; ","os","a.b as c","a as b",
        "using System.IO;",{"name":"kotlin.io.File","line":4},7"#,
    );
    let expected = json!([
        {"module": "System.IO", "names": []},
        {"module": "a", "names": [], "alias": "b"},
        {"module": "a", "names": [{"name": "b", "alias": "c"}]},
        {"module": "java.lang.Math", "names": [{"name": "max"}]},
        {"module": "java.sql", "names": [{"name": "Connection"}]},
        {"module": "java.util", "names": [{"name": "*"}]},
        {"module": "os", "names": []},
        {"module": "kotlin.io", "names": [{"name": "File"}], "line": 4},
    ]);
    assert_eq!(result["imports"], expected);
    assert_eq!(result["language"], "java");
}

#[test]
fn a_computed_object_leaves_the_method_alone() {
    let result = model(
        r#""methods":[{"name":"m","methodCalls":[{"name":"a","object":"f()"},{"name":"b","object":"x.y"},
        {"name":"c","object":""},{"name":"d","object":"1.x"},{"object":"e"},{"name":"n","methodName":"f","object":"$g"}]}]"#,
    );
    let calls = result["calls"].as_array().unwrap();
    let callees: Vec<_> = calls.iter().map(|call| call["callee"].as_str().unwrap()).collect();
    assert_eq!(callees, ["$g.f", "a", "c", "d", "x.y.b"]);
}

#[test]
fn a_document_with_classes_needs_more_to_be_a_model() {
    let dialect = |doc: &str| result_of(doc)["dialect"].clone();
    assert_eq!(dialect(r#"{"packageName":"a","classes":[]}"#), "class-model");
    assert_eq!(dialect(r#"{"imports":[],"classes":[{"name":"A","methods":[]}]}"#), "class-model");
    assert_eq!(dialect(r#"{"imports":["os"],"classes":["A"]}"#), "generic");
    assert_eq!(dialect(r#"{"classes":[{"name":"A","methods":[]}]}"#), "generic");
    assert_eq!(dialect(r#"[{"packageName":"a","classes":[]}]"#), "generic");
    assert_eq!(
        dialect(r#"{"filePath":"a","classes":[],"root":{"loc":{},"children":[{"children":[]}]}}"#),
        "generic"
    );
}

#[test]
fn only_elements_of_lists_are_nodes() {
    let result = model(r#""methods":{"name":"m"},"fields":[{"name":"f"}]"#);
    assert_eq!(result["kinds"], json!({"class": 1, "field": 1}));
    assert_eq!(result["totals"]["symbols"], 1);
}

#[test]
fn a_repeated_key_leaves_a_class_what_it_is() {
    let doc = r#"{"filePath":"A.java","classes":[{"type":"x","name":"B","type":"y","name":"A"}]}"#;
    assert_eq!(result_of(doc)["symbols"][0]["name"], "A");
}
