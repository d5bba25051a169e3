//! What the fuzzer found.

use super::{result_of, text_of};

/// Without lines, functions of one name were in the order of the keys above them.
#[test]
fn symbols_of_one_name_stand_in_an_order_of_their_own() {
    let declared = r#"{"type":"FunctionDeclaration","async":true,"id":{"type":"Identifier","name":"f"}}"#;
    let assigned = concat!(
        r#"{"type":"VariableDeclarator","id":{"type":"Identifier","name":"f"},"#,
        r#""init":{"type":"ArrowFunctionExpression"}}"#,
    );
    let one = text_of(format!(r#"{{"body":{declared},"test":{assigned}}}"#)).unwrap();
    assert_eq!(one, text_of(format!(r#"{{"test":{assigned},"body":{declared}}}"#)).unwrap());
    assert_eq!(one.matches(r#""name":"f""#).count(), 2, "{one}");

    let module = r#"{"mod":{"ident":"m"}}"#;
    let inside = format!(r#""trait":{{"items":[{module}]}}"#);
    let items = format!(r#""items":[{module}]"#);
    let one = text_of(format!(r#"{{"items":[{{{items},{inside}}}]}}"#)).unwrap();
    assert_eq!(one, text_of(format!(r#"{{"items":[{{{inside},{items}}}]}}"#)).unwrap());
    assert_eq!(one.matches(r#""name":"m""#).count(), 2, "{one}");
}

/// Each class's qualified name held all those around it: GB for a document of 4 MB.
#[test]
fn qualified_names_of_deep_nesting_are_bounded() {
    let levels = 2_000;
    let class = format!(r#"{{"_type":"ClassDef","name":"{}","body":["#, "a".repeat(1_000));
    let result = result_of(class.repeat(levels) + &"]}".repeat(levels));
    assert_eq!(result["totals"]["symbols"], levels);
    let longest =
        result["symbols"].as_array().unwrap().iter().map(|one| one["qualified_name"].as_str().unwrap().len());
    assert_eq!(longest.max(), Some(2_001));
}

/// Whether a variable belonged to a function depended on which was known first.
#[test]
fn a_function_without_a_name_has_its_variables_in_any_order() {
    let variable = r#""inner":[{"kind":"VarDecl","name":"most"}]"#;
    let one = text_of(format!(r#"{{{variable},"kind":"FunctionDecl"}}"#)).unwrap();
    assert_eq!(one, text_of(format!(r#"{{"kind":"FunctionDecl",{variable}}}"#)).unwrap());
    assert!(one.contains(r#""symbols":[]"#), "{one}");
}

/// Some dumps number their nodes under `id`, which is also where a name has its text.
#[test]
fn an_id_of_another_node_is_no_name() {
    let name = r#"{"_type":"Name","id":"g"}"#;
    let path = format!(r#"{{"_type":"Attribute","id":"n4","attr":"h","value":{name}}}"#);
    let call = format!(r#"{{"_type":"Expr","id":"n2","value":{{"_type":"Call","id":"n3","func":{path}}}}}"#);
    let function = format!(r#"{{"id":"n1","_type":"FunctionDef","name":"f","body":[{call}]}}"#);
    let result = super::same_in_any_order(function);
    assert_eq!(result["symbols"][0]["name"], "f");
    assert_eq!(result["calls"], serde_json::json!([{"caller": "f", "callee": "g.h", "count": 1}]));
}

/// A member's name and a string as its value were kept in one slot.
#[test]
fn a_string_as_a_members_value_is_no_name() {
    let method = r#"{"type":"MethodDefinition","value":"v","key":{"type":"Identifier","name":"k"}}"#;
    let result = super::same_in_any_order(method);
    assert_eq!(result["symbols"][0]["name"], "k");
}

/// A node of the source that begins in an included file had a line that is not the source's.
#[test]
fn lines_are_those_of_the_source_itself() {
    let place = r#"{"offset":1,"line":9,"includedFrom":{"file":"a.c"}}"#;
    let variable =
        format!(r#"{{"kind":"VarDecl","name":"v","loc":{{}},"range":{{"begin":{place},"end":{{}}}}}}"#);
    let result =
        super::same_in_any_order(format!(r#"{{"kind":"TranslationUnitDecl","inner":[{variable}]}}"#));
    assert_eq!(
        result["symbols"],
        serde_json::json!([{"kind": "variable", "name": "v", "qualified_name": "v"}])
    );
}
