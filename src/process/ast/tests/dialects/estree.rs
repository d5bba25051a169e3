//! ESTree's rules on documents of a few nodes. Whole trees of real parsers are compared in `golden`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::process::ast::tests::{result_of, same_in_any_order};
use crate::process::{AstProcessor, FileContent, Processor, ResultWriter};

/// Returns the result of a program of these statements.
fn program(statements: Value) -> Value {
    let result = same_in_any_order(json!({"type": "Program", "body": statements}).to_string());
    assert_eq!((&result["dialect"], &result["confidence"]), (&json!("estree"), &json!(1)));
    result
}

fn id(name: &str) -> Value {
    json!({"type": "Identifier", "name": name})
}

fn call(callee: Value, arguments: Value) -> Value {
    let call = json!({"type": "CallExpression", "callee": callee, "arguments": arguments});
    json!({"type": "ExpressionStatement", "expression": call})
}

fn function(name: &str, body: Value) -> Value {
    let body = json!({"type": "BlockStatement", "body": body});
    json!({"type": "FunctionDeclaration", "id": id(name), "params": [], "body": body})
}

fn variable(kind: &str, pattern: Value, init: Value) -> Value {
    let declarator = json!({"type": "VariableDeclarator", "id": pattern, "init": init});
    json!({"type": "VariableDeclaration", "kind": kind, "declarations": [declarator]})
}

/// Returns the symbols as `kind qualified_name`, in the record's order.
fn symbols(result: &Value) -> Vec<String> {
    let text = |symbol: &Value, name: &str| symbol[name].as_str().unwrap().to_owned();
    let symbols = result["symbols"].as_array().unwrap();
    symbols.iter().map(|symbol| text(symbol, "kind") + " " + &text(symbol, "qualified_name")).collect()
}

fn callees(result: &Value) -> Vec<&str> {
    result["calls"].as_array().unwrap().iter().map(|call| call["callee"].as_str().unwrap()).collect()
}

#[test]
fn only_variables_of_a_module_are_symbols() {
    let one = json!({"type": "Literal", "value": 1});
    let shorthand = json!({"type": "Property", "key": id("left"), "value": id("taken")});
    let with_default = json!({"type": "AssignmentPattern", "left": id("other"), "right": id("fallback")});
    let rest = json!({"type": "RestElement", "argument": id("rest")});
    let pattern = json!({"type": "ObjectPattern", "properties": [shorthand, rest, {"type": "Property", "key": id("k"),
            "value": {"type": "ArrayPattern", "elements": [null, with_default]}}]});
    let local = variable("let", id("local"), one.clone());
    let exported = json!({"type": "ExportNamedDeclaration", "specifiers": [],
        "declaration": variable("const", id("LIMIT"), one.clone())});
    let result = program(json!([
        variable("const", pattern, id("source")),
        exported,
        variable("var", id("plain"), one.clone()),
        function("f", json!([local])),
        {"type": "BlockStatement", "body": [local, {"type": "BlockStatement", "body": [local]}]},
        {"type": "WhileStatement", "test": one, "body": local},
        {"type": "ForOfStatement", "left": local, "right": id("all"), "body": {"type": "EmptyStatement"}},
    ]));
    let expected = [
        "constant LIMIT",
        "function f",
        "constant other",
        "variable plain",
        "constant rest",
        "constant taken",
    ];
    assert_eq!(symbols(&result), expected);
}

#[test]
fn a_variable_that_holds_a_function_or_class_is_one() {
    let branch = json!({"type": "ConditionalExpression", "test": id("a"), "consequent": id("b"), "alternate": id("c")});
    let arrow = json!({"type": "ArrowFunctionExpression", "async": true, "params": [], "body": branch});
    let method = json!({"type": "MethodDefinition", "key": {"type": "PrivateIdentifier", "name": "count"},
        "static": true, "value": {"type": "FunctionExpression", "id": null, "params": [],
            "body": {"type": "BlockStatement", "body": [call(id("tick"), json!([]))]}}});
    let handler = json!({"type": "PropertyDefinition", "key": id("handle"), "value": arrow});
    let field =
        json!({"type": "PropertyDefinition", "key": id("size"), "value": {"type": "Literal", "value": 1}});
    let class = json!({"type": "ClassExpression", "id": id("Inner"),
        "body": {"type": "ClassBody", "body": [method, handler, field]}});
    let result = program(json!([variable("const", id("run"), arrow), variable("const", id("Box"), class)]));
    let expected = json!([
        {"kind": "class", "name": "Box", "qualified_name": "Box"},
        {"kind": "method", "name": "#count", "qualified_name": "Box.#count", "visibility": "private",
            "static": true, "complexity": 1},
        {"kind": "method", "name": "handle", "qualified_name": "Box.handle", "async": true, "complexity": 2},
        {"kind": "function", "name": "run", "qualified_name": "run", "async": true, "complexity": 2},
    ]);
    assert_eq!(result["symbols"], expected);
    assert_eq!(result["calls"], json!([{"caller": "Box.#count", "callee": "tick", "count": 1}]));
}

#[test]
fn modules_come_by_imports_exports_and_require() {
    let string = |text: &str| json!({"type": "Literal", "value": text});
    let specifier = json!({"type": "ImportSpecifier", "imported": id("a"), "local": id("b"), "loc": {"start": {"line": 1}}});
    let result = program(json!([
        {"type": "ImportDeclaration", "source": string("m"), "specifiers": [
            {"type": "ImportDefaultSpecifier", "local": id("d")}, specifier,
            {"type": "ImportSpecifier", "imported": id("c"), "local": id("c")}],
            "loc": {"start": {"line": 1, "column": 0}, "end": {"line": 2, "column": 0}}},
        {"type": "ExportNamedDeclaration", "source": null, "specifiers": [
            {"type": "ExportSpecifier", "local": id("own"), "exported": id("own")}]},
        {"type": "ExportAllDeclaration", "source": string("n"), "exported": id("all")},
        call(id("require"), json!([string("o")])),
        call(id("require"), json!([string("p"), string("q")])),
        call(json!({"type": "Import"}), json!([string("r")])),
    ]));
    let expected = json!([
        {"module": "n", "names": [{"name": "*", "alias": "all"}]},
        {"module": "o", "names": []},
        {"module": "r", "names": []},
        {"module": "m", "names": [{"name": "default", "alias": "d"}, {"name": "a", "alias": "b"}, {"name": "c"}],
            "line": 1},
    ]);
    assert_eq!(result["imports"], expected);
    assert_eq!((callees(&result), &result["lines"]), (vec!["require"], &json!(2)));
}

#[test]
fn a_callee_is_the_names_behind_the_last_computed_part() {
    let member = |object: Value, name: &str| json!({"type": "MemberExpression", "object": object, "property": id(name)});
    let index = json!({"type": "MemberExpression", "object": id("a"), "property": id("i"), "computed": true});
    let chain =
        json!({"type": "ChainExpression", "expression": member(json!({"type": "ThisExpression"}), "queue")});
    let inner = json!({"type": "CallExpression", "callee": id("f"), "arguments": []});
    let result = program(json!([
        call(member(member(inner, "g"), "h"), json!([member(id("not"), "called")])),
        call(index.clone(), json!([])),
        call(member(index, "b"), json!([])),
        call(member(chain, "push"), json!([])),
    ]));
    assert_eq!(callees(&result), ["b", "f", "g.h", "this.queue.push"]);
    assert_eq!(result["totals"]["calls"], 4);
}

#[test]
fn methods_of_an_object_type_are_symbols_where_a_class_is_declared() {
    let method = |name: &str| {
        json!({"type": "ObjectTypeProperty", "key": id(name), "method": true, "kind": "init",
            "value": {"type": "FunctionTypeAnnotation", "params": []}})
    };
    let of = |members: Value| json!({"type": "ObjectTypeAnnotation", "properties": members});
    let inner =
        json!({"type": "ObjectTypeProperty", "key": id("held"), "value": of(json!([method("none")]))});
    let getter = json!({"type": "ObjectTypeProperty", "key": id("size"), "kind": "get", "static": true,
        "value": {"type": "FunctionTypeAnnotation"}});
    let result = program(json!([
        {"type": "DeclareClass", "id": id("Store"), "body": of(json!([method("find"), inner, getter]))},
        {"type": "DeclareInterface", "id": id("Reader"), "body": of(json!([method("read")]))},
        {"type": "TypeAlias", "id": id("Own"), "right": of(json!([method("run")]))},
        {"type": "TypeAlias", "id": id("Shape"),
            "right": {"type": "InterfaceTypeAnnotation", "body": of(json!([method("area")]))}},
    ]));
    let expected = [
        "type_alias Own",
        "interface Reader",
        "type_alias Shape",
        "class Store",
        "method Store.find",
        "method Store.size",
    ];
    assert_eq!(symbols(&result), expected);
    assert_eq!(result["symbols"][5]["static"], true);
}

#[test]
fn variables_of_a_declared_module_stand_in_the_block_that_is_its_body() {
    let declared = |name: &str| json!({"type": "DeclareVariable", "id": id(name), "kind": "const"});
    let local = variable("let", id("local"), json!({"type": "Literal", "value": 1}));
    let block = |body: Value| json!({"type": "BlockStatement", "body": body});
    let exported =
        json!({"type": "DeclareExportDeclaration", "declaration": declared("out"), "specifiers": []});
    let module = json!({"type": "DeclareModule", "id": {"type": "StringLiteral", "value": "lib"},
        "body": block(json!([declared("inner"), exported, block(json!([local])), variable("var", id("kept"), json!(null))]))});
    let function =
        json!({"type": "HookDeclaration", "id": id("useIt"), "body": block(json!([declared("none")]))});
    let result = program(json!([module, declared("top"), block(json!([local])), function]));
    let expected = [
        "module lib",
        "constant lib.inner",
        "variable lib.kept",
        "constant lib.out",
        "constant top",
        "function useIt",
    ];
    assert_eq!(symbols(&result), expected);
}

#[test]
fn a_namespace_of_several_names_is_one_symbol_however_it_is_written() {
    let inside = function("f", json!([call(id("g"), json!([]))]));
    let body =
        json!({"type": "TSModuleBlock", "body": [inside, variable("const", id("limit"), json!(null))]});
    let qualified =
        |left: Value, right: &str| json!({"type": "TSQualifiedName", "left": left, "right": id(right)});
    let name = qualified(qualified(id("A"), "B"), "C");
    let whole = json!({"type": "TSModuleDeclaration", "id": name, "body": body});
    let within = |kind: &str, name: &str, body: Value| json!({"type": kind, "id": id(name), "body": body});
    let babel = |name: &str, body: Value| within("TSModuleDeclaration", name, body);
    let nested = babel("A", babel("B", babel("C", body.clone())));
    let swc = |name: &str, body: Value| within("TsNamespaceDeclaration", name, body);
    let other = within("TsModuleDeclaration", "A", swc("B", swc("C", body)));
    for namespace in [whole, nested, other] {
        let result = program(json!([namespace]));
        assert_eq!(symbols(&result), ["module A.B.C", "function A.B.C.f", "constant A.B.C.limit"]);
        assert_eq!(result["symbols"][0]["name"], "C");
        assert_eq!(result["calls"], json!([{"caller": "A.B.C.f", "callee": "g", "count": 1}]));
    }
    let literal = json!({"type": "Literal", "value": "a.b"});
    let module =
        json!({"type": "TSModuleDeclaration", "id": literal, "body": {"type": "TSModuleBlock", "body": []}});
    assert_eq!(program(json!([module]))["symbols"][0]["name"], "a.b");
}

#[test]
fn a_type_alias_has_the_name_that_it_declares_whatever_it_stands_for() {
    let alias = |name: Value| json!({"type": "DeclareTypeAlias", "id": name, "right": id("other")});
    let literal = json!({"type": "Literal", "value": "lib"});
    let result = program(json!([alias(id("own")), alias(literal)]));
    assert_eq!(symbols(&result), ["type_alias lib", "type_alias own"]);
}

#[test]
fn cases_of_a_match_are_branches_but_what_everything_fits() {
    let case = |pattern: &str, guard: Value| json!({"type": "MatchExpressionCase", "pattern": {"type": pattern}, "guard": guard, "body": id("x")});
    let wildcard = "MatchWildcardPattern";
    let cases =
        [case("MatchLiteralPattern", json!(null)), case(wildcard, id("when")), case(wildcard, json!(null))];
    let matched = json!({"type": "MatchExpression", "argument": id("x"), "cases": cases});
    let result = program(json!([function("f", json!([{"type": "ReturnStatement", "argument": matched}]))]));
    assert_eq!(result["symbols"][0]["complexity"], 3);
}

#[test]
fn a_tag_is_called_and_a_type_may_import() {
    let string = |text: &str| json!({"type": "StringLiteral", "value": text});
    let tag = json!({"type": "MemberExpression", "object": id("styled"), "property": id("div")});
    let quasi = json!({"type": "TemplateLiteral", "quasis": [], "expressions": []});
    let literal = json!({"type": "TSLiteralType", "literal": string("b")});
    let result = program(json!([
        {"type": "ExpressionStatement", "expression": {"type": "TaggedTemplateExpression", "tag": tag, "quasi": quasi}},
        {"type": "TSImportType", "argument": string("a")},
        {"type": "TSImportType", "argument": literal, "qualifier": id("T")},
        {"type": "TSImportType", "source": string("c")},
        {"type": "ImportEqualsDeclaration", "id": id("own"),
            "moduleReference": {"type": "ExternalModuleReference", "expression": string("d")}},
    ]));
    let module = |name: &str| json!({"module": name, "names": []});
    let aliased = json!({"module": "d", "names": [], "alias": "own"});
    assert_eq!(result["imports"], json!([module("a"), module("b"), module("c"), aliased]));
    assert_eq!(callees(&result), ["styled.div"]);
}

#[test]
fn typescript_shows_in_the_kinds_or_in_the_file_name() {
    let any = json!([{"type": "ExpressionStatement", "expression": {"type": "TSAnyKeyword"}}]);
    assert_eq!(program(any)["language"], "typescript");
    assert_eq!(program(json!([]))["language"], "javascript");
    let mut result = ResultWriter::default();
    let content = FileContent { path: b"src/a.MTS.ast.json", bytes: br#"{"type":"Program","body":[]}"# };
    AstProcessor::new().process(&content, &mut result).unwrap();
    assert!(String::from_utf8_lossy(result.as_bytes()).contains(r#""language":"typescript""#));
}

#[test]
fn what_other_parsers_write_is_not_taken_for_it() {
    let trees = [
        json!({"type": "Chunk", "body": [call(id("print"), json!([]))]}),
        json!({"type": "SourceUnit", "children": [{"type": "Identifier", "name": "x"}]}),
        json!({"type": "StyleSheet", "children": [{"type": "Identifier", "name": "a"}, {"type": "Identifier"}]}),
        json!({"type": "Module", "body": [{"type": "Import", "names": [{"type": "alias", "name": "os"}]}]}),
        json!({"type": "Module", "body": []}),
        json!([{"type": "File", "name": "a"}, {"type": "File", "name": "b"}]),
        json!({"type": "program", "children": [{"type": "identifier", "text": "x"}]}),
        json!({"kind": "SourceFile", "statements": [{"kind": "Identifier", "escapedText": "x"}]}),
        json!({"type": "Parameter", "of": {"type": "String"}}),
    ];
    for tree in trees {
        assert_ne!(result_of(tree.to_string())["dialect"], "estree", "{tree}");
    }
    // With the places that SWC writes, it is SWC's dump of an empty file.
    let empty = json!({"type": "Module", "span": {"start": 1, "end": 1}, "body": [], "interpreter": null});
    assert_eq!(same_in_any_order(empty.to_string())["dialect"], "estree");
}

#[test]
fn whole_trees_give_the_same_in_any_order() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/dialects/estree");
    for sample in ["babel/flow.js.ast.json", "estree/shelf.ts.ast.json", "swc/lending.js.ast.json"] {
        same_in_any_order(fs::read(samples.join(sample)).unwrap());
    }
}
