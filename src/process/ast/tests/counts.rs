//! What is counted.

use serde_json::json;

use super::{counts_of, result_of, same_in_any_order, text_of};
use crate::process::ast::output::limits::Limits;
use crate::process::{AstProcessor, FileContent, Processor, ResultWriter};

#[test]
fn values_and_depth_of_documents() {
    let table = [
        ("null", 1, 0),
        (" true ", 1, 0),
        ("\"x\"", 1, 0),
        ("-0.5e+10", 1, 0),
        ("[]", 1, 1),
        ("{}", 1, 1),
        ("[1, 2 ,3]", 4, 1),
        ("[[],{},[[]]]", 5, 3),
        (r#"{"a":1,"b":[true,false,null],"c":{"d":"e"}}"#, 8, 2),
        ("\n{\r\n\t\"a\" : [ ]\n}\n", 2, 2),
        (r#"["\"\\\/\b\f\n\r\t\u00e9","é😀",""]"#, 4, 1),
        ("[1e999,123456789012345678901234567890,-0,0.10]", 5, 1),
        (r#"{"":{"":{}}}"#, 3, 3),
        ("\u{feff}[1]", 2, 1),
        (r#"["\ud800","\udc00x"]"#, 3, 1),
    ];
    for (doc, values, depth) in table {
        let expected = json!({"values": values, "depth": depth, "nodes": 0, "kind_field": null, "kinds": {}});
        assert_eq!(counts_of(doc), expected, "{doc}");
    }
}

#[test]
fn kinds_of_documents() {
    let table = [
        (r#"{"type":"A","body":[{"type":"B"},{"type":"B"}]}"#, "type", json!({"B": 2, "A": 1})),
        (r#"{"_type":"A","x":{"kind":"k"},"type":1}"#, "_type", json!({"A": 1})),
        (r#"[{"kind":"k"},{"kind":"k","type":"A"}]"#, "kind", json!({"k": 2})),
        (r#"[{"nodeType":"A"},{"node_type":"B"},{"_kind":"C"}]"#, "node_type", json!({"B": 1})),
        (r#"{"type":["A"],"kind":{"a":"b"}, "_kind":"C"}"#, "_kind", json!({"C": 1})),
        (r#"{"x":[{"type":1},"s"],"kind":"K"}"#, "kind", json!({"K": 1})),
        (r#"[{"type":"A"},{"type":"\u0041"},{"t\u0079pe":"A"}]"#, "type", json!({"A": 3})),
        (r#"{"type":""}"#, "type", json!({"": 1})),
        (r#"{"type":"q\"\\\n\u0001é"}"#, "type", json!({"q\"\\\n\u{1}é": 1})),
        (r#"{"types":"A","typ":"B","type ":"C","kind":"D"}"#, "kind", json!({"D": 1})),
    ];
    for (doc, field, kinds) in table {
        let result = result_of(doc);
        assert_eq!(result["kind_field"], field, "{doc}");
        assert_eq!(result["kinds"], kinds, "{doc}");
        let nodes: u64 = kinds.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(result["nodes"], nodes, "{doc}");
    }
}

#[test]
fn of_a_key_held_twice_the_last_one_counts() {
    let table = [
        (r#"{"type":"A","type":"B"}"#, json!({"B": 1})),
        (r#"{"type":"A","x":{"type":"C"},"typ\u0065":"B"}"#, json!({"B": 1, "C": 1})),
        (r#"[{"type":"A","type":1},{"type":"B"}]"#, json!({"B": 1})),
        (r#"[{"type":"\u0041","type":null,"type":"A"},{"type":"A"}]"#, json!({"A": 2})),
        (r#"{"type":"A","type":null}"#, json!({})),
    ];
    for (doc, kinds) in table {
        assert_eq!(result_of(doc)["kinds"], kinds, "{doc}");
    }
}

#[test]
fn keys_come_in_a_fixed_order_and_kinds_by_count_then_name() {
    let doc = r#"[{"type":"b"},{"type":"ab"},{"type":"ab\u0000"},{"type":"c"},{"type":"c"}]"#;
    let expected = concat!(
        r#"{"dialect":"generic","confidence":0,"language":"unknown","values":11,"depth":2,"nodes":5,"#,
        r#""kind_field":"type","kinds":{"c":2,"ab":1,"ab\u0000":1,"b":1},"symbols":[],"imports":[],"#,
        r#""calls":[],"totals":{"symbols":0,"imports":0,"calls":0},"notes":{"top_level":"array"}}"#
    );
    assert_eq!(text_of(doc).unwrap(), expected);
}

#[test]
fn a_record_names_a_thousand_kinds_and_counts_the_rest() {
    let mut doc = "[".to_owned();
    for n in 0..1_500 {
        doc += &format!(r#"{{"type":"k{n:04}"}},"#);
    }
    let long = "x".repeat(300);
    doc += &format!(r#"{{"type":"k1499"}},{{"type":"{long}"}}]"#);
    let result = result_of(&doc);
    assert_eq!(result["nodes"], 1_502);
    assert_eq!(result["kinds"].as_object().unwrap().len(), 1_000);
    assert_eq!(result["kinds"]["k1499"], 2);
    assert_eq!(result["kinds"]["k0998"], 1);
    assert_eq!(result["kinds_omitted"], 501);
}

#[test]
fn wide_and_deep_documents_within_the_limit() {
    let wide = format!("[{}1]", "1,".repeat(300_000));
    assert_eq!(result_of(wide)["values"], 300_002);
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    assert_eq!(result_of(deep)["depth"], 10_000);
    let objects = r#"{"type":"A","x":"#.repeat(9_999) + "{}" + &"}".repeat(9_999);
    assert_eq!(result_of(objects)["nodes"], 9_999);
    let scalars = AstProcessor::with_limits(Limits { depth: 0, ..Limits::default() });
    let mut result = ResultWriter::default();
    assert!(scalars.process(&FileContent { path: b"", bytes: b"1" }, &mut result).is_ok());
    assert!(scalars.process(&FileContent { path: b"", bytes: b"[]" }, &mut result).is_err());
}

#[test]
fn a_failure_leaves_nothing_behind_for_the_next_document() {
    let doc = r#"{"type":"A","b":[1]}"#;
    let fresh = text_of(doc).unwrap();
    assert!(text_of(r#"[{"type":"Z","kind":"Y","x":[[[[tru"#).is_err());
    assert_eq!(text_of(doc).unwrap(), fresh);
}

/// Chunked reading must not depend on where a token is, or on how close the end is.
#[test]
fn tokens_of_every_length_at_every_offset() {
    for len in 0..40 {
        for pad in 0..18 {
            let space = " ".repeat(pad);
            let name = "n".repeat(len);
            let digits = "7".repeat(len + 1);
            let doc = format!(
                "{space}[\"{name}\",{digits},{{\"type\":{space}\"{name}\"}},\n\t\t{space}-{digits}.{digits}]"
            );
            let result = result_of(&doc);
            assert_eq!((&result["values"], &result["depth"]), (&json!(6), &json!(2)), "{doc}");
            assert_eq!(result["kinds"][&name], 1, "{doc}");
            let cut = doc.get(..doc.len() - 1).unwrap();
            assert!(text_of(cut).is_err(), "{cut}");
        }
    }
}

#[test]
fn what_is_unusual_is_noted_and_not_refused() {
    let table = [
        ("{}", json!(null)),
        ("\u{feff}{}", json!({"bom": true})),
        ("\u{feff} [ ]", json!({"bom": true, "top_level": "array"})),
        ("42", json!({"top_level": "number"})),
        ("\"x\"", json!({"top_level": "string"})),
        ("true", json!({"top_level": "boolean"})),
        ("null", json!({"top_level": "null"})),
        ("NaN", json!({"top_level": "number", "non_finite_numbers": 1})),
        (r#"{"a":NaN,"b":[Infinity,-Infinity],"c":1}"#, json!({"non_finite_numbers": 3})),
        (
            r#"{"a":1e999,"b":-1E+400,"c":1e-999,"d":0e-999,"e":1e308,"f":2e-310}"#,
            json!({"numbers_beyond_f64": 3}),
        ),
        (
            r#"{"a":1.7976931348623157e308,"b":1.8e308,"c":0.0,"d":-0,"e":5e-324,"f":1E3}"#,
            json!({"numbers_beyond_f64": 1}),
        ),
        (r#"{"a":"\ud800","\udc00":"\ud83d\ude00","b":"\\ud800"}"#, json!({"lone_surrogates": 2})),
        (r#"{"a":1,"b":2,"a":3,"a":4}"#, json!({"duplicate_keys": 2})),
        (r#"{"a":1,"\u0061":2}"#, json!({"duplicate_keys": 1})),
        (r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#, json!(null)),
        (r#"{"_type":"A","_type":"B","body":[],"body":[{"x":1,"x":1}]}"#, json!({"duplicate_keys": 3})),
    ];
    for (doc, notes) in table {
        assert_eq!(result_of(doc)["notes"], notes, "{doc}");
    }
    let digits = format!("[{},{}]", "9".repeat(309), "9".repeat(308));
    assert_eq!(result_of(digits)["notes"]["numbers_beyond_f64"], 1);
    let many: Vec<_> = (0..1_000).map(|n| format!("\"k{}\":0", n % 900)).collect();
    assert_eq!(result_of(format!("{{{}}}", many.join(",")))["notes"]["duplicate_keys"], 100);
}

/// Which of two fields holds the kind must not depend on the one that comes last.
#[test]
fn repetitions_count_in_objects_of_any_number_of_keys_whatever_was_read_before() {
    for (at, distinct) in [1, 40, 254, 255, 256, 300, 700, 40, 300].into_iter().enumerate() {
        let members: Vec<String> = (0..distinct).map(|key| format!(r#""{at}-{key}":0"#)).collect();
        let twice = &members[..distinct / 2];
        let inner = format!("{{{}}}", [&members[..], twice].concat().join(","));
        let outer = format!(r#"{{"a":{inner},"b":{inner},"a":0}}"#);
        let repeated = result_of(outer)["notes"]["duplicate_keys"].as_u64();
        assert_eq!(repeated, Some(twice.len() as u64 * 2 + 1), "{distinct}");
    }
}

#[test]
fn of_two_kind_fields_in_one_object_the_first_of_them_tells_what_it_is() {
    let result = same_in_any_order(r#"[{"_type":"FunctionDef","type":"ClassDef","kind":"Call","name":"f"}]"#);
    assert_eq!((&result["kind_field"], &result["symbols"][0]["kind"]), (&json!("_type"), &json!("function")));
    let held_twice = r#"[{"_type":"FunctionDef","type":"ClassDef","type":1,"name":"f"}]"#;
    assert_eq!(result_of(held_twice)["symbols"][0]["kind"], "function");
}

#[test]
fn numbers_of_strangers_add_up_without_overflow() {
    let one = r#"{"_type":"BoolOp","level":999999999}"#;
    let doc = format!(r#"{{"_type":"FunctionDef","name":"f","body":[{}]}}"#, [one; 9].join(","));
    assert_eq!(result_of(doc)["symbols"][0]["complexity"], 1 + 9 * 15);
}
