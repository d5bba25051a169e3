//! tree-sitter's trees, rule by rule.

use serde_json::{Value, json};

use crate::process::ast::tests::{result_of, same_in_any_order};

/// Returns a leaf with a text.
fn leaf(kind: &str, text: &str) -> Value {
    json!({"type": kind, "start_point": [0, 0], "end_point": [0, 1], "text": text})
}

/// Returns a node with a place on one line.
fn node(kind: &str, line: u32, children: &[Value]) -> Value {
    json!({"type": kind, "start_point": [line - 1, 0], "end_point": [line - 1, 9], "children": children})
}

fn read(root: &Value) -> Value {
    same_in_any_order(root.to_string())
}

fn python_function(name: &str, body: &[Value]) -> Value {
    let block = node("block", 2, body);
    node(
        "function_definition",
        1,
        &[leaf("def", "def"), leaf("identifier", name), node("parameters", 1, &[leaf("(", "(")]), block],
    )
}

fn python_call(name: &str) -> Value {
    node("call", 2, &[leaf("identifier", name), node("argument_list", 2, &[leaf("(", "("), leaf(")", ")")])])
}

/// Adds kinds to a tree that show its language.
fn python(mut children: Vec<Value>) -> Value {
    children.push(node("elif_clause", 1, &[]));
    children.push(node("except_clause", 1, &[]));
    node("module", 1, &children)
}

#[test]
fn a_function_has_calls_and_branches_of_its_own() {
    let branch = node("if_statement", 2, &[python_call("inner")]);
    let root = python(vec![python_function("run", &[branch]), python_call("run")]);
    let result = read(&root);
    assert_eq!(result["dialect"], "tree-sitter");
    assert_eq!(result["language"], "python");
    let run =
        json!([{"kind":"function","name":"run","qualified_name":"run","line":1,"end_line":1,"complexity":2}]);
    assert_eq!(result["symbols"], run);
    let calls = json!([{"callee":"run","count":1},{"caller":"run","callee":"inner","count":1}]);
    assert_eq!(result["calls"], calls);
}

#[test]
fn a_decorator_beside_makes_a_method_static() {
    let mark = node("decorator", 1, &[leaf("@", "@"), leaf("identifier", "staticmethod")]);
    let decorated = node("decorated_definition", 1, &[mark, python_function("make", &[])]);
    let class = node(
        "class_definition",
        1,
        &[leaf("class", "class"), leaf("identifier", "Shelf"), node("block", 1, &[decorated])],
    );
    let result = read(&python(vec![class]));
    assert_eq!(result["symbols"][1]["qualified_name"], "Shelf.make");
    assert_eq!(result["symbols"][1]["kind"], "method");
    assert_eq!(result["symbols"][1]["static"], true);
}

#[test]
fn variables_stand_at_the_top_only() {
    let assign =
        |name| node("assignment", 3, &[leaf("identifier", name), leaf("=", "="), leaf("integer", "1")]);
    let result =
        read(&python(vec![assign("SIZE"), assign("size"), python_function("run", &[assign("inner")])]));
    let names: Vec<_> =
        result["symbols"].as_array().unwrap().iter().map(|one| [&one["kind"], &one["name"]]).collect();
    assert_eq!(json!(names), json!([["function", "run"], ["constant", "SIZE"], ["variable", "size"]]));
}

#[test]
fn a_path_names_what_stands_behind_its_last_computed_part() {
    let object = node("call", 2, &[leaf("identifier", "f"), node("argument_list", 2, &[leaf("(", "(")])]);
    let inner = node("attribute", 2, &[object, leaf(".", "."), leaf("identifier", "g")]);
    let outer = node("attribute", 2, &[inner, leaf(".", "."), leaf("identifier", "h")]);
    let result = read(&python(vec![node("call", 2, &[outer, node("argument_list", 2, &[])])]));
    assert_eq!(result["calls"], json!([{"callee":"f","count":1},{"callee":"g.h","count":1}]));
}

#[test]
fn without_text_there_are_lines_but_no_names() {
    let bare = |kind| json!({"type": kind, "start_point": [1, 0], "end_point": [3, 0], "children": []});
    let function = node("function_definition", 1, &[bare("identifier"), bare("block")]);
    let result = read(&python(vec![function]));
    assert_eq!(result["lines"], 3, "an end in column 0 is the end of the line before");
    assert_eq!(result["symbols"], json!([]));
    assert_eq!(result["language"], "python");
}

#[test]
fn points_are_known_in_each_style() {
    let styles = [
        ("start_point", "end_point", json!([4, 2])),
        ("startPosition", "endPosition", json!({"row": 4, "column": 2})),
        ("start", "end", json!([4, 2])),
    ];
    for (start, end, point) in styles {
        let name = json!({"type": "identifier", start: point, end: point, "text": "f"});
        let body = json!({"type": "elif_clause", start: point, end: point, "children": []});
        let more = json!({"type": "except_clause", start: point, end: point, "children": []});
        let root =
            json!({"type": "class_definition", start: point, end: point, "children": [name, body, more]});
        let result = read(&root);
        assert_eq!(result["symbols"][0]["line"], 5, "{start}");
        assert_eq!(result["confidence"], 1.0);
    }
}

#[test]
fn a_language_that_grew_from_another_needs_kinds_of_its_own() {
    let include = node("preproc_include", 1, &[leaf("string_literal", "\"a.h\"")]);
    let plain = node("translation_unit", 1, std::slice::from_ref(&include));
    assert_eq!(read(&plain)["language"], "c");
    let space = node(
        "namespace_definition",
        2,
        &[leaf("namespace_identifier", "a"), node("declaration_list", 2, &[])],
    );
    let result = read(&node("translation_unit", 1, &[include, space]));
    assert_eq!(result["language"], "c++");
    assert_eq!(result["imports"], json!([{"module":"a.h","names":[],"line":1}]));
    assert_eq!(result["symbols"][0]["kind"], "module");
}

#[test]
fn a_language_is_left_open_rather_than_guessed() {
    let root = node("program", 1, &[leaf("identifier", "x")]);
    let result = read(&root);
    assert_eq!(result["language"], "unknown");
    assert_eq!(result["dialect"], "tree-sitter");
    assert_eq!(result["totals"], json!({"symbols":0,"imports":0,"calls":0}));
}

#[test]
fn named_children_beside_all_of_them_do_not_count() {
    let dumped = |children: &Value, named: &Value| json!({"type":"module","start_point":[0,0],"end_point":[0,9],"children":children,"namedChildren":named});
    let call = python_call("run");
    let marks = [node("elif_clause", 1, &[]), node("except_clause", 1, &[])];
    let [children, named] = [vec![call.clone(), python_call("stop")], vec![call]]
        .map(|calls| json!([&calls[..], &marks[..]].concat()));
    let both = read(&dumped(&children, &named));
    assert_eq!(both["calls"], json!([{"callee":"run","count":1},{"callee":"stop","count":1}]));
    let only = dumped(&named, &json!([])).to_string().replace(r#","namedChildren":[]"#, "");
    let only = same_in_any_order(only.replace("\"children\"", "\"namedChildren\""));
    assert_eq!(only["calls"], json!([{"callee":"run","count":1}]), "after one that had both");
    assert_eq!(read(&dumped(&json!([]), &named))["calls"], json!([]));
}

#[test]
fn access_in_a_class_is_what_was_said_last() {
    let method = |name| {
        let declarator =
            node("function_declarator", 3, &[leaf("field_identifier", name), node("parameter_list", 3, &[])]);
        node("field_declaration", 3, &[leaf("primitive_type", "void"), declarator])
    };
    let access = node("access_specifier", 3, &[leaf("public", "public"), leaf(":", ":")]);
    let list = node("field_declaration_list", 2, &[method("a"), access, method("b")]);
    let class = node("class_specifier", 2, &[leaf("class", "class"), leaf("type_identifier", "Loan"), list]);
    let result = read(&node("translation_unit", 1, &[class]));
    let symbols = result["symbols"].as_array().unwrap();
    let seen: Vec<_> = symbols.iter().map(|one| [&one["qualified_name"], &one["visibility"]]).collect();
    assert_eq!(json!(seen), json!([["Loan", null], ["Loan.a", "private"], ["Loan.b", "public"]]));
}

#[test]
fn a_use_tree_is_one_import_for_each_path() {
    let path = node(
        "scoped_identifier",
        1,
        &[leaf("identifier", "std"), leaf("::", "::"), leaf("identifier", "io")],
    );
    let alias =
        node("use_as_clause", 1, &[leaf("identifier", "Read"), leaf("as", "as"), leaf("identifier", "R")]);
    let list = node(
        "use_list",
        1,
        &[leaf("{", "{"), alias, leaf(",", ","), leaf("identifier", "Write"), leaf("}", "}")],
    );
    let tree = node("scoped_use_list", 1, &[path, leaf("::", "::"), list]);
    let using = node("use_declaration", 1, &[leaf("use", "use"), tree]);
    let result = read(&node("source_file", 1, &[using]));
    assert_eq!(result["language"], "rust");
    let names = json!([{"name":"Read","alias":"R"},{"name":"Write"}]);
    assert_eq!(result["imports"], json!([{"module":"std::io","names":names,"line":1}]));
}

#[test]
fn other_trees_are_not_taken_for_it() {
    let others = [
        json!({"type":"Program","start":0,"end":1,"body":[{"type":"Identifier","start":0,"end":1,"name":"x"}]}),
        json!({"type":"root","children":[{"type":"text","value":"x","position":{"start":{"line":1}}}]}),
        json!({"type":"root","children":[],"position":{"start":{"line":1,"column":1},"end":{"line":1,"column":9}}}),
        json!({"type":"Fragment","start":0,"end":9,"children":[{"type":"Text","start":0,"end":9,"data":"x","text":"x"}]}),
        json!([{"type":"segment","start":0,"end":2,"text":"x"},{"type":"segment","start":2,"end":3,"text":"y"}]),
        json!({"type":"rule","start":0,"stop":9,"children":[{"type":"token","text":"x","start":0,"stop":9}]}),
    ];
    for other in others {
        assert_ne!(result_of(other.to_string())["dialect"], "tree-sitter", "{other}");
    }
}

#[test]
fn deep_trees_are_read_without_a_deep_stack() {
    let mut open = String::new();
    let mut close = String::new();
    for _ in 0..4_000 {
        open.push_str(r#"{"type":"object_pattern","start":[0,0],"end":[0,1],"children":["#);
        close.push_str("]}");
    }
    let doc = format!(r#"{open}{{"type":"identifier","start":[0,0],"end":[0,1],"text":"a"}}{close}"#);
    assert_eq!(result_of(doc)["dialect"], "tree-sitter");
}

/// Returns a tree recognisable as JavaScript, with these statements.
fn script(mut statements: Vec<Value>) -> Value {
    statements.push(node("lexical_declaration", 9, &[]));
    statements.push(node("statement_block", 9, &[node("template_string", 9, &[])]));
    node("program", 1, &statements)
}

fn script_call(name: &str) -> Value {
    node("call_expression", 2, &[leaf("identifier", name), node("arguments", 2, &[])])
}

fn script_method(name: &str, line: u32, body: &[Value]) -> Value {
    let parameters = node("formal_parameters", line, &[]);
    let body = node("statement_block", line, body);
    node("method_definition", line, &[leaf("property_identifier", name), parameters, body])
}

fn script_class(name: &str, members: &[Value]) -> Value {
    node("class_declaration", 1, &[leaf("type_identifier", name), node("class_body", 1, members)])
}

#[test]
fn methods_of_an_object_are_no_symbols_and_leave_what_is_in_them() {
    let inner = node(
        "function_declaration",
        3,
        &[leaf("identifier", "inner"), node("formal_parameters", 3, &[]), script_call("deep")],
    );
    let branch = node("ternary_expression", 3, &[script_call("seen")]);
    let of_class =
        node("class", 4, &[node("class_body", 4, &[script_method("held", 4, &[script_call("kept")])])]);
    let members = [script_method("lost", 3, &[branch, inner]), node("pair", 4, &[of_class])];
    let object = node("object", 3, &members);
    let outer = node(
        "function_declaration",
        1,
        &[leaf("identifier", "outer"), node("formal_parameters", 1, &[]), object],
    );
    let result = read(&script(vec![outer]));
    let reported = |name: &str| {
        let symbols = result["symbols"].as_array().unwrap();
        symbols.iter().find(|symbol| symbol["name"] == name).cloned().unwrap_or_default()
    };
    assert_eq!(result["totals"]["symbols"], 3);
    assert_eq!(reported("outer")["complexity"], 2);
    assert_eq!(reported("inner")["qualified_name"], "outer.inner");
    assert_eq!(
        (&reported("held")["kind"], &reported("held")["qualified_name"]),
        (&json!("method"), &json!("outer.held"))
    );
    let expected = json!([
        {"caller": "outer", "callee": "seen", "count": 1},
        {"caller": "outer.held", "callee": "kept", "count": 1},
        {"caller": "outer.inner", "callee": "deep", "count": 1},
    ]);
    assert_eq!(result["calls"], expected);
}

#[test]
fn decorators_beside_a_member_belong_to_it() {
    let decorator = |line: u32, inside: Value| node("decorator", line, &[leaf("@", "@"), inside]);
    let chosen = node("ternary_expression", 3, &[script_call("chosen")]);
    let field = node("public_field_definition", 7, &[leaf("property_identifier", "size")]);
    let members = [
        leaf("{", "{"),
        decorator(2, script_call("first")),
        decorator(3, chosen),
        leaf("comment", "// of the method"),
        script_method("run", 4, &[script_call("inside")]),
        script_method("plain", 5, &[]),
        decorator(6, script_call("of_field")),
        field,
    ];
    let exported = node(
        "export_statement",
        1,
        &[decorator(1, script_call("of_class")), leaf("export", "export"), script_class("Shelf", &members)],
    );
    let result = read(&script(vec![exported]));
    let run = json!({"kind": "method", "name": "run", "qualified_name": "Shelf.run", "line": 2, "end_line": 4,
        "complexity": 2});
    assert_eq!(result["symbols"][1], run);
    assert_eq!(result["symbols"][2]["complexity"], 1);
    let call = |caller: &str, callee: &str| json!({"caller": caller, "callee": callee, "count": 1});
    let expected = [
        call("Shelf", "of_class"),
        call("Shelf", "of_field"),
        call("Shelf.run", "chosen"),
        call("Shelf.run", "first"),
        call("Shelf.run", "inside"),
    ];
    assert_eq!(result["calls"], json!(expected));
}

#[test]
fn variables_of_a_script_have_the_lines_of_their_declarators() {
    let declarator = |line: u32, name: &str, value: Value| {
        node("variable_declarator", line, &[leaf("identifier", name), leaf("=", "="), value])
    };
    let arrow = node("arrow_function", 3, &[leaf("async", "async"), node("formal_parameters", 3, &[])]);
    let wrapped = node("parenthesized_expression", 3, &[leaf("(", "("), arrow, leaf(")", ")")]);
    let declaration = node(
        "lexical_declaration",
        1,
        &[leaf("const", "const"), declarator(2, "_", leaf("number", "1")), declarator(3, "run", wrapped)],
    );
    let ambient = node("ambient_declaration", 4, &[leaf("declare", "declare"), declaration.clone()]);
    let case = node("switch_case", 5, std::slice::from_ref(&declaration));
    let expected = json!([
        {"kind": "constant", "name": "_", "qualified_name": "_", "line": 2, "end_line": 2},
        {"kind": "function", "name": "run", "qualified_name": "run", "line": 3, "end_line": 3, "async": true, "complexity": 1},
    ]);
    for holder in [declaration, ambient] {
        assert_eq!(read(&script(vec![holder]))["symbols"], expected);
    }
    let switch = node("switch_statement", 5, &[node("switch_body", 5, &[case])]);
    assert_eq!(read(&script(vec![switch]))["symbols"], json!([expected[1]]));
}

#[test]
fn a_word_that_is_no_identifier_may_be_imported() {
    let specifier = |parts: &[Value]| node("import_specifier", 1, parts);
    let names = [
        specifier(&[leaf("default", "default"), leaf("as", "as"), leaf("identifier", "own")]),
        specifier(&[leaf("type", "type"), leaf("identifier", "Kind")]),
        specifier(&[leaf("string", "'a-b'"), leaf("as", "as"), leaf("identifier", "ab")]),
    ];
    let clause = node("import_clause", 1, &[node("named_imports", 1, &names)]);
    let import = node("import_statement", 1, &[leaf("import", "import"), clause, leaf("string", "'m'")]);
    let given = node(
        "arguments",
        2,
        &[leaf("(", "("), leaf("string", "'n'"), leaf(",", ","), node("object", 2, &[])],
    );
    let dynamic = node("call_expression", 2, &[leaf("import", "import"), given]);
    let result = read(&script(vec![import, dynamic]));
    let names =
        json!([{"name": "default", "alias": "own"}, {"name": "Kind"}, {"name": "a-b", "alias": "ab"}]);
    let expected =
        json!([{"module": "m", "names": names, "line": 1}, {"module": "n", "names": [], "line": 2}]);
    assert_eq!(result["imports"], expected);
}
