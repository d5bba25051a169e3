use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::{Field, Row};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::*;

/// Returns the rows of a table made of these lines, as JSON.
fn table_of(lines: &[String]) -> Vec<Value> {
    rows(&bytes_of(lines))
}

fn bytes_of(lines: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ParquetWriter::new(Path::new("table"), &mut bytes).unwrap();
    for line in lines {
        writer.push(&RecordHead::parse(line.as_bytes()).unwrap()).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

fn rows(table: &[u8]) -> Vec<Value> {
    let reader = SerializedFileReader::new(Bytes::copy_from_slice(table)).unwrap();
    reader.get_row_iter(None).unwrap().map(|row| object(&row.unwrap())).collect()
}

fn object(row: &Row) -> Value {
    row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect::<Map<_, _>>().into()
}

fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => json!(value),
        Field::Int(value) => json!(value),
        Field::Long(value) | Field::TimestampMicros(value) => json!(value),
        Field::Double(value) => json!(value),
        Field::Str(value) => json!(value),
        Field::Bytes(value) => json!(value.data()),
        Field::Group(row) => object(row),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        other => panic!("no column has a {other:?}"),
    }
}

fn ok(path: &str, processor: &str, result: &str) -> String {
    format!(
        r#"{{"root":"asts","path":"{path}","status":"ok","size":12,"mtime":"2026-11-24T22:33:41.011975005Z","digest":"ab12","processor":"{processor}","attempts":2,"result":{result},"committed_tick":3}}"#
    )
}

const FULL: &str = r#"{"dialect":"python-ast","confidence":0.97,"language":"python","values":40,"depth":9,"nodes":12,
    "kind_field":"_type","kinds":{"Name":7,"Call":5},"kinds_omitted":2,"lines":31,
    "symbols":[
        {"kind":"class","name":"A","qualified_name":"A","line":3,"end_line":9,"visibility":"public"},
        {"kind":"method","name":"\"q\"\n","qualified_name":"A.q","line":4,"async":true,"static":true,"complexity":2}],
    "imports":[
        {"module":"os","names":[],"alias":"o","line":1},
        {"module":".x","names":[{"name":"a","alias":"b"},{"name":"c"}],"line":2},
        {"module":"y","names":[{"name":"*"}]}],
    "calls":[{"caller":"A.q","callee":"os.path.join","count":3},{"callee":"f","count":1}],
    "totals":{"symbols":20,"imports":30,"calls":40},
    "notes":{"bom":true,"lone_surrogates":4,"top_level":"array","grammar":"unknown"},
    "of_a_later_version":{"deep":[[1],{}]}}"#;

#[test]
fn every_member_of_a_result_has_its_column() {
    let rows = table_of(&[ok("a", "ast/2", FULL)]);
    let expected = json!({
        "root": "asts", "path": "a", "path_bytes": null, "status": "ok", "size": 12,
        "mtime": 1_795_559_621_011_975_i64, "digest": "ab12", "processor": "ast/2", "attempts": 2,
        "committed_tick": 3,
        "error_class": null, "error_message": null, "error_line": null, "error_column": null,
        "dialect": "python-ast", "confidence": 0.97, "language": "python",
        "values": 40, "depth": 9, "nodes": 12, "kind_field": "_type", "lines": 31,
        "kinds": [{"kind": "Name", "count": 7}, {"kind": "Call", "count": 5}], "kinds_omitted": 2,
        "symbols": [
            {"kind": "class", "name": "A", "qualified_name": "A", "line": 3, "end_line": 9,
                "visibility": "public", "async": false, "static": false, "complexity": null},
            {"kind": "method", "name": "\"q\"\n", "qualified_name": "A.q", "line": 4, "end_line": null,
                "visibility": null, "async": true, "static": true, "complexity": 2},
        ],
        "imports": [
            {"module": "os", "names": [], "alias": "o", "line": 1},
            {"module": ".x", "names": [{"name": "a", "alias": "b"}, {"name": "c", "alias": null}],
                "alias": null, "line": 2},
            {"module": "y", "names": [{"name": "*", "alias": null}], "alias": null, "line": null},
        ],
        "calls": [
            {"caller": "A.q", "callee": "os.path.join", "count": 3},
            {"caller": null, "callee": "f", "count": 1},
        ],
        "symbols_total": 20, "imports_total": 30, "calls_total": 40,
        "notes": {"bom": true, "duplicate_keys": null, "non_finite_numbers": null,
            "numbers_beyond_f64": null, "lone_surrogates": 4, "top_level": "array", "grammar": "unknown"},
        "result_json": null,
    });
    assert_eq!(rows, [expected]);
}

#[test]
fn what_a_result_does_not_tell_is_null_and_what_is_empty_is_empty() {
    let short = r#"{"dialect":"generic","language":"unknown","values":1,"depth":0,"nodes":0,"kind_field":null,"kinds":{}}"#;
    let empty = short.replace("{}}", r#"{},"symbols":[],"imports":[],"calls":[]}"#);
    let rows = table_of(&[ok("a", "ast/1", short), ok("b", "ast/2", &empty)]);
    for name in ["symbols", "imports", "calls"] {
        assert_eq!((&rows[0][name], &rows[1][name]), (&Value::Null, &json!([])), "{name}");
    }
    for name in ["notes", "symbols_total", "lines", "confidence", "kind_field", "result_json"] {
        assert!(rows.iter().all(|row| row[name].is_null()), "{name}");
    }
    assert_eq!((&rows[0]["kinds"], &rows[0]["kinds_omitted"]), (&json!([]), &json!(0)));
}

#[test]
fn other_results_are_told_as_they_are() {
    let results = [
        ("lines/1", "42"),
        ("lines/1", r#"{"dialect":"mine"}"#),
        ("ast/9", r#"{"dialect":"generic","kinds":["a new shape"]}"#),
        ("ast/9", "[null]"),
        ("ast/2", &FULL.replace("\n", " ").replace("\"values\":40", "\"values\":18446744073709551615")),
    ];
    let lines: Vec<_> = results.iter().map(|(processor, result)| ok("a", processor, result)).collect();
    for (row, (processor, result)) in table_of(&lines).iter().zip(results) {
        assert_eq!((&row["processor"], &row["result_json"]), (&json!(processor), &json!(result)));
        assert!(row["dialect"].is_null() && row["kinds"].is_null() && row["symbols"].is_null(), "{row}");
    }
}

#[test]
fn failures_removals_and_names_that_are_no_text() {
    let rows = table_of(&[
        r#"{"root":"r","path":"a","status":"failed","size":18446744073709551615,"mtime":"1969-12-31T23:59:59.999999999Z","processor":"ast/1","attempts":1,"error":{"class":"parse","message":"odd","line":1,"column":13},"committed_tick":17}"#.to_owned(),
        r#"{"root":"r","path":"b\ufffd","path_bytes":"Yv8=","status":"removed","committed_tick":18}"#.to_owned(),
    ]);
    let failed = json!({
        "status": "failed", "size": i64::MAX, "mtime": -1, "digest": null, "error_class": "parse",
        "error_message": "odd", "error_line": 1, "error_column": 13, "dialect": null, "result_json": null,
    });
    for (name, value) in failed.as_object().unwrap() {
        assert_eq!(&rows[0][name], value, "{name}");
    }
    assert_eq!(rows[1]["path_bytes"], json!(b"b\xff"));
    for name in ["size", "mtime", "processor", "attempts", "error_class"] {
        assert!(rows[1][name].is_null(), "{name}");
    }
}

#[test]
fn no_records_are_a_table_without_rows() {
    let table = bytes_of(&[]);
    let reader = SerializedFileReader::new(Bytes::from(table.clone())).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    assert_eq!(reader.metadata().file_metadata().schema_descr().column(0).name(), "root");
    assert!(rows(&table).is_empty());
}

#[test]
fn many_records_are_in_row_groups_and_none_is_lost() {
    let count = ROWS_MAX + 7;
    let full = FULL.replace('\n', " ");
    let lines: Vec<_> = (0..count)
        .map(|number| ok(&number.to_string(), "ast/2", if number % 1_000 == 0 { &full } else { "{}" }))
        .collect();
    let table = bytes_of(&lines);
    let reader = SerializedFileReader::new(Bytes::from(table.clone())).unwrap();
    let sizes: Vec<_> = reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(sizes, [ROWS_MAX as i64, 7]);
    for (number, row) in rows(&table).iter().enumerate() {
        assert_eq!(row["path"], json!(number.to_string()));
        assert_eq!(row["imports"].is_null(), number % 1_000 != 0);
    }
}

#[test]
fn large_records_fill_a_row_group_by_their_bytes() {
    let text = format!("\"{}\"", "x".repeat(BYTES_MAX / 2));
    let table = bytes_of(&vec![ok("a", "own/1", &text); 5]);
    let reader = SerializedFileReader::new(Bytes::from(table)).unwrap();
    assert_eq!(reader.num_row_groups(), 3);
}

#[test]
fn a_full_disk_is_told_with_the_file_and_a_remedy() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut writer = ParquetWriter::new(Path::new("my.parquet"), full).unwrap();
    writer.push(&RecordHead::parse(ok("a", "ast/2", FULL).as_bytes()).unwrap()).unwrap();
    let text = writer.finish().unwrap_err().to_string();
    assert!(text.starts_with("my.parquet: can't be written") && text.contains("free some space"), "{text}");
}
