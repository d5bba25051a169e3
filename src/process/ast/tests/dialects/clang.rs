//! clang's dumps, rule by rule.

use serde_json::{Value, json};

use crate::process::ast::tests::same_in_any_order;

/// Creates a translation unit of these declarations.
pub(crate) fn unit(declarations: &str) -> Value {
    same_in_any_order(format!(
        r#"{{"id":"0x1","kind":"TranslationUnitDecl","loc":{{}},"range":{{"begin":{{}},"end":{{}}}},
            "inner":[{declarations}]}}"#
    ))
}

/// Returns `loc` and `range` of a node that names its line once, and its last one if it differs.
pub(crate) fn places(first: u32, last: u32) -> String {
    let end = if last == first { String::new() } else { format!(r#","line":{last}"#) };
    format!(
        r#""loc":{{"offset":4,"line":{first},"col":5}},
           "range":{{"begin":{{"offset":0,"col":1}},"end":{{"offset":9,"col":9{end}}}}}"#
    )
}

/// Returns `range` of a node in the line before.
const SAME_LINE: &str = r#""range":{"begin":{"offset":5},"end":{"offset":6}}"#;

pub(crate) fn names(result: &Value) -> Vec<(&str, u64, u64)> {
    let symbols = result["symbols"].as_array().unwrap();
    let line = |symbol: &Value, name: &str| symbol[name].as_u64().unwrap_or(0);
    let tell = |one: &'_ Value| (line(one, "line"), line(one, "end_line"));
    symbols.iter().map(|one| (one["qualified_name"].as_str().unwrap(), tell(one).0, tell(one).1)).collect()
}

#[test]
fn lines_are_carried_from_place_to_place() {
    let field = format!(r#"{{"id":"0x4","kind":"FieldDecl",{},"name":"a"}}"#, places(5, 5));
    let result = unit(&format!(
        r#"{{"id":"0x2","kind":"EnumDecl",{},"name":"e"}},
           {{"id":"0x3","kind":"TypedefDecl","loc":{{"offset":1}},{SAME_LINE},"name":"t"}},
           {{"id":"0x5","kind":"RecordDecl",{},"name":"r","tagUsed":"struct","completeDefinition":true,"inner":[{field}]}},
           {{"id":"0x6","kind":"TypedefDecl","loc":{{"offset":1}},{SAME_LINE},"name":"after_field"}}"#,
        places(2, 3),
        places(4, 6),
    ));
    // What follows a node is after the last line named inside of it.
    assert_eq!(names(&result), [("e", 2, 3), ("t", 3, 3), ("r", 4, 6), ("after_field", 5, 5)]);
    assert_eq!(result["lines"], 6);
    assert_eq!((&result["dialect"], &result["confidence"]), (&json!("clang"), &json!(1)));
}

#[test]
fn a_line_that_no_place_has_named_stays_unknown() {
    let result = unit(&format!(
        r#"{{"id":"0x2","kind":"EnumDecl","loc":{{"offset":1}},{SAME_LINE},"name":"e"}},
           {{"id":"0x3","kind":"EnumDecl",{},"name":"f"}}"#,
        places(7, 7)
    ));
    assert_eq!(names(&result), [("e", 0, 0), ("f", 7, 7)]);
}

#[test]
fn what_a_macro_makes_stands_where_it_is_used() {
    let place = r#"{"spellingLoc":{"offset":1,"line":2},"expansionLoc":{"offset":50,"line":9}}"#;
    let result = unit(&format!(
        r#"{{"id":"0x2","kind":"EnumDecl","loc":{place},"range":{{"begin":{place},"end":{place}}},"name":"e",
              "inner":[{{"kind":"EnumConstantDecl"}}]}},
           {{"id":"0x3","kind":"EnumDecl","loc":{{"offset":60}},{SAME_LINE},"name":"f"}}"#,
    ));
    assert_eq!(names(&result), [("e", 9, 9), ("f", 9, 9)]);
    assert_eq!(result["lines"], 9);
}

#[test]
fn implicit_and_included_parts_are_left_out_but_carry_lines() {
    let call =
        r#"{"id":"0x9","kind":"CallExpr","inner":[{"kind":"DeclRefExpr","referencedDecl":{"name":"g"}}]}"#;
    let included = r#""loc":{"offset":1,"line":90,"includedFrom":{"file":"a.c"}},
        "range":{"begin":{"offset":1,"includedFrom":{"file":"a.c"}},"end":{"offset":3,"line":99}}"#;
    let result = unit(&format!(
        r#"{{"id":"0x2","kind":"FunctionDecl",{included},"name":"out","inner":[{call}]}},
           {{"id":"0x3","kind":"FunctionDecl",{},"name":"made","isImplicit":true,"inner":[{call}]}},
           {{"id":"0x4","kind":"FunctionDecl","loc":{{"offset":1}},{SAME_LINE},"name":"own","inner":[{call}]}}"#,
        places(12, 12)
    ));
    assert_eq!(names(&result), [("own", 12, 12)]);
    assert_eq!(result["calls"], json!([{"caller": "own", "callee": "g", "count": 1}]));
    assert_eq!(result["lines"], 12);
}

#[test]
fn members_have_the_access_that_the_record_says() {
    let method =
        |name: &str| format!(r#"{{"id":"{name}","kind":"CXXMethodDecl",{},"name":"{name}"}}"#, places(4, 4));
    let record = |tag: &str| {
        format!(
            r#"{{"id":"0x2","kind":"CXXRecordDecl",{},"name":"R","tagUsed":"{tag}","completeDefinition":true,"inner":[
            {},{{"id":"0x8","kind":"AccessSpecDecl","access":"protected"}},
            {{"id":"0x9","kind":"FunctionTemplateDecl","inner":[{},{}]}}]}}"#,
            places(3, 9),
            method("a"),
            method("b"),
            method("an_instance_of_b"),
        )
    };
    for (tag, first) in [("class", "private"), ("struct", "public")] {
        let result = unit(&record(tag));
        let reported: Vec<_> =
            result["symbols"].as_array().unwrap().iter().map(|one| &one["visibility"]).collect();
        assert_eq!(reported, [&Value::Null, &json!(first), &json!("protected")], "{tag}");
        assert_eq!(result["symbols"][0]["kind"], tag);
        assert_eq!(result["language"], "c++");
    }
}

#[test]
fn a_method_belongs_to_its_class_wherever_it_is_defined() {
    let included = r#""loc":{"offset":1,"line":3,"includedFrom":{"file":"a.cpp"}}"#;
    let result = unit(&format!(
        r#"{{"id":"0x2","kind":"NamespaceDecl",{included},"name":"ns","inner":[
             {{"id":"0x3","kind":"CXXRecordDecl",{included},"name":"R","tagUsed":"class","completeDefinition":true}}]}},
           {{"id":"0x4","kind":"CXXMethodDecl",{at},"name":"run","parentDeclContextId":"0x3"}},
           {{"id":"0x5","kind":"VarDecl",{at},"name":"member","parentDeclContextId":"0x3","type":{{"qualType":"int"}}}},
           {{"id":"0x6","kind":"VarDecl",{at},"name":"own","parentDeclContextId":"0x2","type":{{"qualType":"const int"}}}},
           {{"id":"0x7","kind":"FunctionDecl",{at},"name":"free","parentDeclContextId":"0x99"}}"#,
        at = places(8, 8)
    ));
    assert_eq!(names(&result), [("free", 8, 8), ("ns.R.run", 8, 8), ("ns.own", 8, 8)]);
    assert_eq!(result["symbols"][2]["kind"], "constant");
}

#[test]
fn documents_in_one_array_have_numbers_of_their_own() {
    let unit = |declaration: &str| {
        format!(
            r#"{{"id":"0x1","kind":"TranslationUnitDecl","loc":{{}},"range":{{}},"inner":[{declaration}]}}"#
        )
    };
    let class = format!(
        r#"{{"id":"0x3","kind":"CXXRecordDecl",{},"name":"R","tagUsed":"class","completeDefinition":true}}"#,
        places(1, 2)
    );
    let method = format!(
        r#"{{"id":"0x4","kind":"CXXMethodDecl",{},"name":"run","parentDeclContextId":"0x3"}}"#,
        places(8, 8)
    );
    let result = same_in_any_order(format!("[{},{}]", unit(&class), unit(&method)));
    assert_eq!(names(&result), [("R", 1, 2), ("run", 8, 8)]);
    let result = same_in_any_order(format!("[{}]", unit(&format!("{class},{method}"))));
    assert_eq!(names(&result), [("R", 1, 2), ("R.run", 8, 8)]);
}

#[test]
fn functions_count_their_branches_and_name_what_they_call() {
    let reference =
        r#"{"kind":"ImplicitCastExpr","inner":[{"kind":"DeclRefExpr","referencedDecl":{"name":"a"}}]}"#;
    let member = format!(r#"{{"kind":"MemberExpr","name":"b","inner":[{reference}]}}"#);
    let implied = r#"{"kind":"MemberExpr","name":"c","inner":[{"kind":"CXXThisExpr","implicit":true}]}"#;
    let this = r#"{"kind":"MemberExpr","name":"d","inner":[{"kind":"CXXThisExpr"}]}"#;
    let computed = format!(
        r#"{{"kind":"MemberExpr","name":"e","inner":[{{"kind":"CallExpr","inner":[{reference}]}}]}}"#
    );
    let calls: Vec<_> = [reference, &member, implied, this, &computed, r#"{"kind":"LambdaExpr"}"#]
        .iter()
        .map(|callee| {
            format!(r#"{{"kind":"CallExpr","inner":[{callee},{{"kind":"MemberExpr","name":"x"}}]}}"#)
        })
        .collect();
    let result = unit(&format!(
        r#"{{"id":"0x2","kind":"FunctionDecl",{},"name":"f","storageClass":"static","inner":[
            {{"kind":"IfStmt"}},{{"kind":"BinaryOperator","opcode":"&&"}},{{"kind":"BinaryOperator","opcode":"&"}},
            {{"kind":"LambdaExpr","inner":[{{"kind":"VarDecl","name":"local"}},{{"kind":"CaseStmt"}}]}},
            {{"kind":"VarDecl","name":"local"}},
            {{"kind":"CXXConstructExpr","type":{{"qualType":"const ns::Box<int>"}}}},{}]}}"#,
        places(1, 5),
        calls.join(","),
    ));
    let symbol = json!({"kind": "function", "name": "f", "qualified_name": "f", "line": 1, "end_line": 5,
        "static": true, "complexity": 4});
    assert_eq!(result["symbols"], json!([symbol]));
    let called: Vec<_> = result["calls"].as_array().unwrap().iter().map(|call| &call["callee"]).collect();
    assert_eq!(called, ["a", "Box", "a.b", "c", "e", "this.d"]);
    assert_eq!(result["totals"]["calls"], 7);
}

#[test]
fn messages_are_calls() {
    let message = |members: &str| format!(r#"{{"kind":"ObjCMessageExpr",{members},{SAME_LINE}}}"#);
    let object = r#"{"kind":"DeclRefExpr","referencedDecl":{"name":"shelf"}}"#;
    let messages = [
        message(r#""selector":"new","receiverKind":"class","classType":{"qualType":"Shelf"}"#),
        message(r#""selector":"init","receiverKind":"super (instance)""#),
        message(&format!(r#""selector":"put:at:","receiverKind":"instance","inner":[{object}]"#)),
    ];
    let result = unit(&format!(
        r#"{{"id":"0x2","kind":"ObjCImplementationDecl",{at},"name":"Shelf","inner":[
            {{"id":"0x3","kind":"ObjCMethodDecl",{at},"name":"make","instance":false,"inner":[{}]}}]}}"#,
        messages.join(","),
        at = places(2, 8)
    ));
    assert_eq!(names(&result), [("Shelf.make", 2, 8)]);
    assert_eq!((&result["symbols"][0]["static"], &result["language"]), (&json!(true), &json!("objective-c")));
    let called: Vec<_> = result["calls"].as_array().unwrap().iter().map(|call| &call["callee"]).collect();
    assert_eq!(called, ["Shelf.new", "shelf.put:at:", "super.init"]);
}

#[test]
fn what_the_compiler_made_of_a_template_is_left_out() {
    let class = |kind: &str| {
        format!(
            r#"{{"kind":"{kind}",{},"name":"Box","tagUsed":"struct","completeDefinition":true,"inner":[
                {{"kind":"CXXMethodDecl",{SAME_LINE},"name":"put","inner":[{{"kind":"IfStmt"}}]}}]}}"#,
            places(4, 6)
        )
    };
    let written = class("CXXRecordDecl");
    let made = class("ClassTemplateSpecializationDecl");
    let inside = unit(&format!(
        r#"{{"id":"0x2","kind":"ClassTemplateDecl",{},"inner":[{written},{made},{made}]}}"#,
        places(3, 6)
    ));
    assert_eq!(names(&inside), [("Box", 4, 6), ("Box.put", 6, 6)]);
    // One that is on its own was written.
    assert_eq!(names(&unit(&format!("{written},{made}"))).len(), 4);
}
