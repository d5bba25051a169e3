//! What the source says, separated from what clang adds and repeats.

use serde_json::{Value, json};

use super::dialects::clang::{names, places, unit};

/// Returns `range` of a node by the bytes of its first and its last token.
fn range(begin: u32, end: u32) -> String {
    format!(r#""range":{{"begin":{{"offset":{begin},"line":3}},"end":{{"offset":{end}}}}}"#)
}

fn callee(name: &str, at: u32) -> String {
    format!(r#"{{"kind":"DeclRefExpr",{},"referencedDecl":{{"name":"{name}"}}}}"#, range(at, at))
}

fn call(id: &str, name: &str, at: u32, end: u32) -> String {
    format!(r#"{{"id":"{id}","kind":"CallExpr",{},"inner":[{}]}}"#, range(at, end), callee(name, at))
}

/// Returns a function that holds these expressions.
fn function(parts: &[String]) -> Value {
    unit(&format!(
        r#"{{"id":"0x2","kind":"FunctionDecl",{},"name":"f","inner":[{}]}}"#,
        places(1, 5),
        parts.join(",")
    ))
}

fn called(result: &Value) -> Vec<(&str, u64)> {
    let calls = result["calls"].as_array().unwrap();
    calls.iter().map(|call| (call["callee"].as_str().unwrap(), call["count"].as_u64().unwrap())).collect()
}

#[test]
fn what_is_written_counts_once_and_nothing_else_does() {
    let result = function(&[
        // Repeated, made by the compiler, and a default argument.
        call("0x10", "once", 10, 15),
        call("0x10", "once", 10, 15),
        call("0x11", "made", 20, 20),
        format!(r#"{{"kind":"CXXDefaultArgExpr","inner":[{}]}}"#, call("0x12", "default", 30, 35)),
        format!(
            r#"{{"kind":"CoawaitExpr","inner":[{},{}]}}"#,
            call("0x13", "operand", 40, 45),
            call("0x14", "repeated", 40, 46)
        ),
        // One token, and yet a call.
        format!(
            r#"{{"id":"0x15","kind":"UserDefinedLiteral",{},"inner":[{}]}}"#,
            range(50, 50),
            callee("operator_kg", 50)
        ),
    ]);
    assert_eq!(called(&result), [("once", 1), ("operand", 1), ("operator_kg", 1)]);
}

#[test]
fn a_template_of_a_variable_is_a_variable() {
    let result = unit(&format!(
        r#"{{"id":"0x3","kind":"VarTemplateDecl",{at},"name":"v","inner":[
             {{"id":"0x4","kind":"VarDecl",{at},"name":"v","TemplateInstantiationPattern":"0x4"}}]}}"#,
        at = places(7, 7)
    ));
    assert_eq!(names(&result), [("v", 7, 7)]);
}

#[test]
fn braces_construct_what_is_named_in_front_of_them() {
    let construct = |id: u32, list: bool, begin: u32, end: u32| {
        format!(
            r#"{{"id":"0x{id}","kind":"CXXConstructExpr","type":{{"qualType":"ns::T{id}"}},"list":{list},{},"inner":[
                {{"kind":"IntegerLiteral",{}}}]}}"#,
            range(begin, end),
            range(begin + 1, begin + 1)
        )
    };
    let through =
        |inner: String| format!(r#"{{"kind":"ExprWithCleanups",{},"inner":[{inner}]}}"#, range(1, 9));
    let of = |kind: &str, inner: String| format!(r#"{{"kind":"{kind}","inner":[{inner}]}}"#);
    let result = function(&[
        construct(1, false, 10, 15),
        construct(2, true, 10, 15),
        of(r#"CXXNewExpr","type":{"qualType":"ns::T3 *"},"of":"a list"#, construct(3, true, 10, 15)),
        of(r#"CXXNewExpr","type":{"qualType":"T10 *"},"of":"a template"#, of("ParenListExpr", String::new())),
        of(r#"CXXNewExpr","type":{"qualType":"T11 **"},"of":"pointers"#, of("ParenListExpr", String::new())),
        of(
            "CXXFunctionalCastExpr",
            of(r#"InitListExpr","type":{"qualType":"T12"},"of":"no constructor"#, String::new()),
        ),
        of("CXXCtorInitializer", through(construct(4, true, 10, 15))),
        of("CXXFunctionalCastExpr", construct(5, true, 10, 15)),
        of(r#"VarDecl","name":"a","init":"list"#, through(construct(6, true, 10, 15))),
        of(r#"VarDecl","name":"b","init":"c"#, construct(7, true, 10, 15)),
        of("CXXCtorInitializer", of("InitListExpr", construct(8, true, 10, 15))),
        // The argument of a call does not affect its callee.
        format!(
            r#"{{"kind":"CallExpr",{},"inner":[{},{}]}}"#,
            range(20, 30),
            callee("g", 20),
            construct(9, true, 22, 26)
        ),
    ]);
    let expected = [("T1", 1), ("T10", 1), ("T12", 1), ("T3", 1), ("T4", 1), ("T5", 1), ("T6", 1), ("g", 1)];
    assert_eq!(called(&result), expected);
}

#[test]
fn a_lambda_is_what_its_class_holds() {
    let local = format!(
        r#"{{"id":"0x20","kind":"CXXRecordDecl",{},"name":"Local","tagUsed":"struct","completeDefinition":true,"inner":[
            {{"id":"0x21","kind":"CXXMethodDecl",{},"name":"m","inner":[{}]}}]}}"#,
        places(2, 3),
        places(2, 2),
        call("0x22", "of_local", 60, 65)
    );
    let body = format!(
        r#"{{"id":"0x23","kind":"CompoundStmt","inner":[{local},{{"id":"0x24","kind":"IfStmt"}},{}]}}"#,
        call("0x25", "of_body", 70, 75)
    );
    let parameter =
        format!(r#"{{"id":"0x26","kind":"ParmVarDecl","inner":[{}]}}"#, call("0x27", "default", 50, 55));
    let operator = format!(
        r#"{{"id":"0x28","kind":"CXXMethodDecl","loc":{{"offset":40,"line":2}},{},"name":"operator()",
            "inner":[{parameter},{body}]}}"#,
        range(48, 80)
    );
    let made = r#"{"id":"0x29","kind":"CXXConversionDecl","isImplicit":true,"name":"operator void (*)()"}"#;
    let class = format!(
        r#"{{"id":"0x30","kind":"CXXRecordDecl",{},"isImplicit":true,"tagUsed":"class","completeDefinition":true,
            "definitionData":{{"isLambda":true}},"inner":[{operator},{made}]}}"#,
        places(2, 3)
    );
    let capture = call("0x31", "captured", 42, 46);
    let result =
        function(&[format!(r#"{{"id":"0x32","kind":"LambdaExpr","inner":[{class},{capture},{body}]}}"#)]);
    assert_eq!(names(&result), [("f", 1, 5), ("f.Local", 2, 3), ("f.Local.m", 2, 2)]);
    assert_eq!(called(&result), [("captured", 1), ("default", 1), ("of_body", 1), ("of_local", 1)]);
    assert_eq!((&result["symbols"][0]["complexity"], &result["totals"]["calls"]), (&json!(2), &json!(4)));
}

#[test]
fn what_is_declared_elsewhere_has_the_name_that_it_is_declared_by() {
    let result = unit(&format!(
        r#"{{"id":"0x2","kind":"NamespaceDecl",{at},"name":"ns","inner":[
             {{"id":"0x3","kind":"CXXRecordDecl",{at},"name":"R","tagUsed":"class","completeDefinition":true}}]}},
           {{"id":"0x4","kind":"CXXRecordDecl",{at},"name":"In","tagUsed":"class","completeDefinition":true,
             "parentDeclContextId":"0x3","inner":[
             {{"id":"0x5","kind":"CXXConversionDecl",{at},"name":"operator type-parameter-0-0 *","type":{{"qualType":"ns::T *() const"}}}}]}},
           {{"id":"0x6","kind":"VarDecl",{at},"name":"v","type":{{"qualType":"int"}},"parentDeclContextId":"0x2"}},
           {{"id":"0x7","kind":"EnumDecl",{at},"name":"E","parentDeclContextId":"0x2","inner":[{{"kind":"EnumConstantDecl"}}]}},
           {{"id":"0x8","kind":"EnumDecl","loc":{{"offset":9}},"range":{{"begin":{{"offset":4}},"end":{{"offset":9}}}},"name":"none"}}"#,
        at = places(8, 8)
    ));
    let reported: Vec<_> = names(&result).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(reported, ["ns", "ns.E", "ns.R", "ns.R.In", "ns.R.In.operator T*", "ns.v"]);
}

#[test]
fn what_a_binding_names_is_a_variable() {
    let result = unit(&format!(
        r#"{{"id":"0x2","kind":"DecompositionDecl",{at},"inner":[{},
             {{"id":"0x3","kind":"BindingDecl",{at},"name":"a","type":{{"qualType":"const int"}},"inner":[{}]}}]}}"#,
        call("0x4", "pair", 10, 15),
        call("0x5", "get", 20, 25),
        at = places(3, 3)
    ));
    assert_eq!((&result["symbols"][0]["kind"], called(&result)), (&json!("variable"), vec![("pair", 1)]));
}

#[test]
fn a_scope_is_known_by_each_of_its_declarations() {
    let made = r#"{"id":"0x4","kind":"ClassTemplateSpecializationDecl","name":"Box","tagUsed":"struct"}"#;
    let result = unit(&format!(
        r#"{{"id":"0x2","kind":"NamespaceDecl",{at},"name":"ns","inner":[
             {{"id":"0x3","kind":"CXXRecordDecl",{at},"name":"Later","tagUsed":"class"}},
             {{"id":"0x10","kind":"ClassTemplateDecl",{at},"name":"Box","inner":[{made}]}},
             {{"id":"0x5","kind":"CXXMethodDecl",{at},"name":"put","parentDeclContextId":"0x4"}},
             {{"id":"0x6","kind":"CXXMethodDecl",{at},"name":"run","parentDeclContextId":"0x3"}},{made}]}}"#,
        at = places(3, 3)
    ));
    let reported: Vec<_> = names(&result).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(reported, ["ns", "ns.Box.put", "ns.Later.run"]);
}
