//! The published form of a record. Every record that a test reads is held against it, too: see
//! `support::schema`.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Sandbox, ran, schema};

/// The current records of a run over the samples of every language and dialect.
fn records_of_the_samples() -> Vec<Value> {
    let sandbox = Sandbox::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let mut run = sandbox.command(["run", "--progress", "never", "--format", "json"]);
    ran(run.arg(data.join("sample")).arg(data.join("dialects"))).expect(0);
    let told = ran(&mut sandbox.command(["records"])).expect(0);
    told.lines().into_iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// A record with every member that one can have.
fn full() -> Value {
    json!({
        "root": "asts", "path": "a\u{fffd}.ast.json", "path_bytes": "Yf8uYXN0Lmpzb24=", "status": "ok",
        "size": 12, "mtime": "2026-11-24T22:33:41.011975005Z", "digest": "0123456789abcdef".repeat(4),
        "processor": "ast/2;depth=1;symbols=1;imports=1;calls=1;kinds=1", "attempts": 1,
        "result": {
            "dialect": "estree", "confidence": 0.97, "language": "typescript", "values": 9, "depth": 3,
            "nodes": 7, "kind_field": "type", "kinds": {"Identifier": 4}, "kinds_omitted": 3, "lines": 20,
            "symbols": [{
                "kind": "method", "name": "#run", "qualified_name": "Queue.#run", "line": 3, "end_line": 9,
                "visibility": "private", "async": true, "static": true, "complexity": 2
            }],
            "imports": [{
                "module": "./a.js", "names": [{"name": "default", "alias": "a"}], "alias": "b", "line": 1
            }],
            "calls": [{"caller": "Queue.#run", "callee": "a.b", "count": 2}],
            "totals": {"symbols": 2, "imports": 1, "calls": 2},
            "notes": {
                "bom": true, "duplicate_keys": 1, "non_finite_numbers": 1, "numbers_beyond_f64": 1,
                "lone_surrogates": 1, "top_level": "array"
            }
        },
        "committed_tick": 17
    })
}

fn failed() -> Value {
    json!({
        "root": "asts", "path": "b", "status": "failed", "size": 12, "mtime": "1970-01-01T00:00:00.000000001Z",
        "processor": "ast/2", "attempts": 2,
        "error": {"class": "parse", "message": "expected a value", "line": 1, "column": 13},
        "committed_tick": 17
    })
}

fn removed() -> Value {
    json!({"root": "asts", "path": "c", "status": "removed", "committed_tick": 17})
}

/// Sets the member that a pointer names, or drops it.
fn change(record: &mut Value, pointer: &str, to: Option<Value>) {
    let (place, name) = pointer.rsplit_once('/').unwrap();
    let object = record.pointer_mut(place).and_then(Value::as_object_mut).unwrap();
    match to {
        Some(value) => drop(object.insert(name.to_owned(), value)),
        None => assert!(object.remove(name).is_some(), "{pointer}: nothing to drop"),
    }
}

/// Pointers of all members below a value.
fn members(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut add = |name: &str, value| {
        let pointer = format!("{at}/{name}");
        members(value, &pointer, found);
        if !name.starts_with(char::is_numeric) {
            found.push(pointer);
        }
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| add(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| add(&at.to_string(), value)),
        _ => {}
    }
}

#[test]
fn every_record_of_the_samples_fits() {
    let records = records_of_the_samples();
    assert!(records.len() > 100, "only {} records", records.len());
    let wrong: Vec<_> = records.iter().filter_map(|record| schema().check(record).err()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let processor = records[0]["processor"].as_str().unwrap();
    assert_eq!(processor, format!("ast/{}", schema().version()), "the schema is of another version");
}

#[test]
fn all_that_a_record_can_say_fits() {
    for record in [full(), failed(), removed()] {
        assert_eq!(schema().check(&record), Ok(()), "{record}");
    }
}

#[test]
fn a_processor_of_ones_own_answers_as_it_likes() {
    let mut record = full();
    change(&mut record, "/processor", Some("lines/1".into()));
    for result in [json!(null), json!(7), json!([]), json!({"dialect": "none"})] {
        change(&mut record, "/result", Some(result));
        assert_eq!(schema().check(&record), Ok(()));
    }
    change(&mut record, "/processor", Some("ast/3".into()));
    assert!(schema().check(&record).is_err());
}

/// Members of records that can be absent.
const OPTIONAL: [&str; 20] = [
    "/path_bytes",
    "/digest",
    "/result/kinds/Identifier",
    "/result/kinds_omitted",
    "/result/lines",
    "/result/symbols/0/line",
    "/result/symbols/0/end_line",
    "/result/symbols/0/visibility",
    "/result/symbols/0/async",
    "/result/symbols/0/static",
    "/result/symbols/0/complexity",
    "/result/imports/0/names/0/alias",
    "/result/imports/0/alias",
    "/result/imports/0/line",
    "/result/calls/0/caller",
    "/result/notes",
    "/result/notes/bom",
    "/result/notes/duplicate_keys",
    "/result/notes/non_finite_numbers",
    "/result/notes/numbers_beyond_f64",
];

#[test]
fn a_record_without_a_member_that_it_needs_is_refused() {
    for record in [full(), failed(), removed()] {
        let mut all = Vec::new();
        members(&record, "", &mut all);
        for pointer in all {
            let mut less = record.clone();
            change(&mut less, &pointer, None);
            let is_optional = OPTIONAL.contains(&pointer.as_str())
                && !(pointer == "/digest" && record["status"] == "ok")
                || pointer.starts_with("/result/notes/");
            assert_eq!(schema().check(&less).is_ok(), is_optional, "without {pointer}: {record}");
        }
    }
}

#[test]
fn a_member_of_another_kind_or_one_too_many_is_refused() {
    for record in [full(), failed(), removed()] {
        let mut all = Vec::new();
        members(&record, "", &mut all);
        for pointer in &all {
            for wrong in [json!({"x": {}}), json!([[]]), json!(-1), json!(0.5), json!(false)] {
                let mut other = record.clone();
                change(&mut other, pointer, Some(wrong.clone()));
                let fits = pointer == "/result/confidence" && wrong == 0.5;
                assert_eq!(schema().check(&other).is_ok(), fits, "{pointer} {wrong}");
            }
        }
        // Beside each member, and in the document itself, there is no room for a new one.
        for pointer in all.iter().filter(|pointer| !pointer.starts_with("/result/kinds/")) {
            let mut more = record.clone();
            let place = pointer.rsplit_once('/').unwrap().0;
            change(&mut more, &format!("{place}/extra"), Some(1.into()));
            assert!(schema().check(&more).is_err(), "{place}/extra");
        }
    }
}

#[test]
#[rustfmt::skip]
fn wrong_words_and_numbers_are_refused() {
    let table: &[(&str, Value)] = &[
        ("/status", json!("done")), ("/status", json!("failed")), ("/status", json!("removed")),
        ("/path", json!("")), ("/path_bytes", json!("no base64!")), ("/mtime", json!("yesterday")),
        ("/mtime", json!("2026-11-24T22:33:41Z")), ("/digest", json!("0123")), ("/digest", json!("G".repeat(64))),
        ("/attempts", json!(0)), ("/attempts", json!(65536)), ("/committed_tick", json!(0)),
        ("/error", failed()["error"].clone()), ("/result", json!(null)), ("/result/dialect", json!("json")),
        ("/result/dialect", json!("generic")), ("/result/dialect", json!("syn")), ("/result/confidence", json!(1.01)),
        ("/result/language", json!("")), ("/result/values", json!(0)), ("/result/kind_field", json!("class")),
        ("/result/kinds", json!({"Name": 0})), ("/result/kinds_omitted", json!(0)), ("/result/lines", json!(0)),
        ("/result/symbols/0/kind", json!("field")), ("/result/symbols/0/kind", json!("class")),
        ("/result/symbols/0/name", json!("")), ("/result/symbols/0/line", json!(0)),
        ("/result/symbols/0/visibility", json!("internal")), ("/result/symbols/0/async", json!(false)),
        ("/result/symbols/0/complexity", json!(0)), ("/result/imports/0/names", json!(["a"])),
        ("/result/imports/0/module", json!("")), ("/result/calls/0/count", json!(0)), ("/result/calls/0/callee", json!("")),
        ("/result/notes", json!({})), ("/result/notes/top_level", json!("object")),
    ];
    for (pointer, wrong) in table {
        let mut record = full();
        change(&mut record, pointer, Some(wrong.clone()));
        assert!(schema().check(&record).is_err(), "{pointer} {wrong}");
    }
    let table = [
        ("/error/class", json!("oops")), ("/error/line", json!(0)), ("/result", json!(1)), ("/status", json!("ok")),
        ("/status", json!("removed")), ("/size", json!(-1)),
    ];
    for (pointer, wrong) in table {
        let mut record = failed();
        change(&mut record, pointer, Some(wrong.clone()));
        assert!(schema().check(&record).is_err(), "{pointer} {wrong}");
    }
    for (name, wrong) in full().as_object().unwrap().iter().filter(|(name, _)| removed().get(name).is_none()) {
        let mut record = removed();
        change(&mut record, &format!("/{name}"), Some(wrong.clone()));
        assert_eq!(schema().check(&record).is_ok(), name == "path_bytes", "{name} {wrong}");
    }
}
