//! Files as they lie around: cut, compressed, in other encodings, of odd names, of monstrous size. Each has
//! one outcome, which tells what is wrong, where, and what to do.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;

use serde_json::{Value, json};

use crate::support::{Locked, Oddity, Record, Sandbox, current, ran, read_log};

/// `def f(x): return x + 1` as Python's own parser tells it.
const GOOD: &str = concat!(
    r#"{"_type": "Module", "body": [{"_type": "FunctionDef", "name": "f", "args": {"_type": "arguments", "#,
    r#""posonlyargs": [], "args": [{"_type": "arg", "arg": "x", "annotation": null, "type_comment": null, "#,
    r#""lineno": 1, "col_offset": 6, "end_lineno": 1, "end_col_offset": 7}], "vararg": null, "#,
    r#""kwonlyargs": [], "kw_defaults": [], "kwarg": null, "defaults": []}, "body": [{"_type": "Return", "#,
    r#""value": {"_type": "BinOp", "left": {"_type": "Name", "id": "x", "ctx": {"_type": "Load"}, "#,
    r#""lineno": 2, "col_offset": 9, "end_lineno": 2, "end_col_offset": 10}, "op": {"_type": "Add"}, "#,
    r#""right": {"_type": "Constant", "value": 1, "kind": null, "lineno": 2, "col_offset": 11, "#,
    r#""end_lineno": 2, "end_col_offset": 12}, "lineno": 2, "col_offset": 9, "end_lineno": 2, "#,
    r#""end_col_offset": 12}, "lineno": 2, "col_offset": 2, "end_lineno": 2, "end_col_offset": 12}], "#,
    r#""decorator_list": [], "returns": null, "type_comment": null, "lineno": 1, "col_offset": 0, "#,
    r#""end_lineno": 2, "end_col_offset": 12}], "type_ignores": []}"#,
);

/// What must become of a path.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// The good tree's result, and the notes.
    Good(&'static str),
    /// A sound document: dialect, number of values, notes.
    Sound(&'static str, u64, &'static str),
    /// A failure of class `parse`: words of the message, line, column.
    Fails(&'static str, u64, usize),
    /// Too deep at this column; once all levels are allowed, sound with this depth, or broken off at that column.
    Deep(usize, Result<u64, usize>),
    /// Good for whoever may read it.
    Guarded,
    /// Never opened, for this reason.
    Skipped(&'static str),
    /// No default glob matches.
    LeftOut,
}
use Fate::{Deep, Fails, Good, Guarded, LeftOut, Skipped, Sound};

type Row = (Vec<u8>, Oddity, Fate);

const CUT_STRING: &str = "expected the closing quote of the string, found the end of the file; was";
const CUT: &str = "found the end of the file; was it written completely?";
const NOT_UTF8: &str = "write the text as UTF-8";
const NULS: &str = "begins with NUL bytes; was it written completely?";
const MIB: u64 = 1 << 20;
/// The largest file of the set is read whole; this is for everything else.
const MEMORY_BESIDE: u64 = 64 * MIB;
const LARGEST: u64 = 300 * MIB;

fn row(name: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>, fate: Fate) -> Row {
    (name.as_ref().to_vec(), Oddity::Bytes(bytes.as_ref().to_vec()), fate)
}

/// The good tree with another function's name.
fn named(name: &[u8]) -> Vec<u8> {
    let at = GOOD.find("\"f\"").unwrap() + 1;
    [&GOOD.as_bytes()[..at], name, &GOOD.as_bytes()[at + 1..]].concat()
}

fn utf16(unit: fn(u16) -> [u8; 2], bom: &[u8]) -> Vec<u8> {
    bom.iter().copied().chain(GOOD.encode_utf16().flat_map(unit)).collect()
}

fn cut_and_foreign() -> Vec<Row> {
    let (good, len) = (GOOD.as_bytes(), GOOD.len());
    let name = GOOD.find("\"f\"").unwrap() + 2;
    vec![
        row("truncated.ast.json", &good[..len - 37], Fails(CUT_STRING, 1, len - 36)),
        row("truncated_in_string.ast.json", &good[..12], Fails(CUT_STRING, 1, 13)),
        row("empty.ast.json", "", Fails("the file is empty", 1, 1)),
        row("whitespace_only.ast.json", " \n\t\n", Fails("nothing but white space", 3, 1)),
        row("invalid_utf8.ast.json", named(b"\xff\xfe\xc3"), Fails(NOT_UTF8, 1, name)),
        row("overlong_utf8.ast.json", named(b"\xc0\xaf"), Fails(NOT_UTF8, 1, name)),
        row("cesu_surrogate_utf8.ast.json", named(b"\xed\xa0\x80"), Fails(NOT_UTF8, 1, name)),
        row(
            "utf16le.ast.json",
            utf16(u16::to_le_bytes, b"\xff\xfe"),
            Fails("UTF-16; write it as UTF-8", 1, 1),
        ),
        row("utf16be_nobom.ast.json", utf16(u16::to_be_bytes, b""), Fails("UTF-16; write it as UTF-8", 1, 1)),
        row("nul_bytes.ast.json", [&good[..20], b"\0\0", &good[20..]].concat(), Fails("U+0000", 1, 21)),
        row("nul_tail.ast.json", [good, &[0; 512]].concat(), Fails("was the file written comp", 1, len + 1)),
        row("all_nul.ast.json", [0; 4096], Fails(NULS, 1, 1)),
        row("json_lines.ast.json", format!("{GOOD}\n{GOOD}\n"), Fails("write one document a file", 2, 1)),
        row("trailing_comma.ast.json", r#"{"a":[1,2,],}"#, Fails("no comma may stand before it", 1, 11)),
        row("comments.ast.json", r#"/* c */ {"a":1} // x"#, Fails("JSON has no comments", 1, 1)),
        row("single_quotes.ast.json", "{'a':1}", Fails("double quotes only", 1, 2)),
        row("trailing_garbage.ast.json", format!("{GOOD}garbage"), Fails("found `g`", 1, len + 1)),
        row("not_json.ast.json", "<?xml version='1.0'?><a/>", Fails("XML or HTML", 1, 1)),
        row(
            "gzip.ast.json",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0C\xbf\xa6\xa3\x02\0\0\0",
            Fails("gzip; unpack", 1, 2),
        ),
        row("zlib.ast.json", b"\x78\x9c\xab\xae\x05\0\x01u\0\xf9", Fails("zlib; unpack", 1, 2)),
        row("num_leading_zero.ast.json", r#"{"v":007}"#, Fails("without a leading zero", 1, 6)),
        row("control_char.ast.json", b"{\"v\":\"a\tb\x01\"}", Fails("U+0009", 1, 8)),
    ]
}

fn unusual() -> Vec<Row> {
    let nines = format!("{{\"v\":{}}}", "9".repeat(5000));
    let python = |value: &str| format!(r#"{{"_type":"Constant","value":{value}}}"#);
    let doubled = r#"{"_type":"Module","_type":"Other","body":[],"body":[1]}"#;
    vec![
        row("bom.ast.json", format!("\u{feff}{GOOD}"), Good(r#"{"bom":true}"#)),
        row("duplicate_keys.ast.json", doubled, Sound("generic", 6, r#"{"duplicate_keys":2}"#)),
        row(
            "nan.ast.json",
            python(r#"NaN,"b":Infinity,"c":-Infinity"#),
            Sound("python-ast", 5, r#"{"non_finite_numbers":3}"#),
        ),
        row(
            "num_1e999.ast.json",
            python(r#"1e999,"n":-1e999"#),
            Sound("python-ast", 4, r#"{"numbers_beyond_f64":2}"#),
        ),
        row("num_big_int.ast.json", nines, Sound("generic", 2, r#"{"numbers_beyond_f64":1}"#)),
        row(
            "lone_surrogate.ast.json",
            python(r#""\ud800""#),
            Sound("python-ast", 3, r#"{"lone_surrogates":1}"#),
        ),
        row(
            "lone_surrogate_low.ast.json",
            python(r#""\udc00x""#),
            Sound("python-ast", 3, r#"{"lone_surrogates":1}"#),
        ),
        row(
            "top_array.ast.json",
            format!("[{GOOD},{GOOD}]"),
            Sound("python-ast", 129, r#"{"top_level":"array"}"#),
        ),
        row("top_scalar.ast.json", "42", Sound("generic", 1, r#"{"top_level":"number"}"#)),
        row("top_string.ast.json", "\"x\"", Sound("generic", 1, r#"{"top_level":"string"}"#)),
        row("top_null.ast.json", "null", Sound("generic", 1, r#"{"top_level":"null"}"#)),
    ]
}

fn names_and_kinds() -> Vec<Row> {
    let odd = |name: &str, oddity, fate| (name.as_bytes().to_vec(), oddity, fate);
    let mut rows: Vec<Row> = vec![
        row(b"bad\xff\xfename.ast.json", GOOD, Good("null")),
        row("n".repeat(240) + ".ast.json", GOOD, Good("null")),
        row(format!("{}deep.ast.json", ("d".repeat(60) + "/").repeat(60)), GOOD, Good("null")),
        odd("broken_link.ast.json", Oddity::Link("/nonexistent/target.ast.json"), Skipped("symlink")),
        odd("link_to_good.ast.json", Oddity::Link("good.ast.json"), Skipped("symlink")),
        odd("loop_a.ast.json", Oddity::Link("loop_b.ast.json"), Skipped("symlink")),
        odd("loop_b.ast.json", Oddity::Link("loop_a.ast.json"), Skipped("symlink")),
        odd("dirloop/up", Oddity::Link(".."), LeftOut),
        odd("fifo.ast.json", Oddity::Pipe, Skipped("fifo")),
        odd("unreadable.ast.json", Oddity::Unreadable(GOOD.into()), Guarded),
        row("nodir/z.ast.json", GOOD, Guarded),
    ];
    let ingested = ["good.ast.json", "good.syntax.json", "good_ast.json", "x.ast.json/inner.ast.json"];
    let odd_names =
        ["new\nline.ast.json", "quote\"back\\slash.ast.json", "unié😀.ast.json", "-dash.ast.json"];
    let further = ["sp ace\ttab.ast.json", "dirloop/y.ast.json"];
    rows.extend(
        ingested.into_iter().chain(odd_names).chain(further).map(|name| row(name, GOOD, Good("null"))),
    );
    let left_out = ["other.json", "GOOD.AST.JSON", "x.ast.json.tmp"];
    rows.extend(left_out.map(|name| row(name, GOOD, LeftOut)));
    rows
}

fn huge() -> Vec<Row> {
    let odd = |name: String, oddity, fate| (name.into_bytes(), oddity, fate);
    let mut rows = Vec::new();
    for (levels, size) in [(100_000, "1e5"), (1_000_000, "1e6")] {
        let closed = Oddity::Parts(vec![(b"[", levels), (b"]", levels)]);
        rows.push(odd(format!("deep_{size}.ast.json"), closed, Deep(10_001, Ok(levels as u64))));
        let open = Oddity::Parts(vec![(b"[", levels)]);
        rows.push(odd(format!("deep_{size}_open.ast.json"), open, Deep(10_001, Err(levels + 1))));
        let objects = Oddity::Parts(vec![(b"{\"a\":", levels), (b"1", 1), (b"}", levels)]);
        rows.push(odd(format!("deep_obj_{size}.ast.json"), objects, Deep(50_001, Ok(levels as u64))));
    }
    let wide = Oddity::Parts(vec![(b"[", 1), (b"0,", 4_999_999), (b"0]", 1)]);
    let array = Sound("generic", 5_000_001, r#"{"top_level":"array"}"#);
    rows.push(odd("wide_array_5m.ast.json".into(), wide, array));
    let keys = Sound("generic", 1_000_001, "null");
    rows.push(odd("many_keys_1m.ast.json".into(), Oddity::Keys(1_000_000), keys));
    let string =
        vec![(&b"{\"_type\":\"Constant\",\"value\":\""[..], 1), (&[b'x'; 1 << 20], 200), (b"\"}", 1)];
    let text = Sound("python-ast", 3, "null");
    rows.push(odd("huge_string_200m.ast.json".into(), Oddity::Parts(string), text));
    rows.push(odd("sparse_300m.ast.json".into(), Oddity::Sparse(LARGEST), Fails(NULS, 1, 1)));
    rows
}

fn set() -> Vec<Row> {
    [cut_and_foreign(), unusual(), names_and_kinds(), huge()].into_iter().flatten().collect()
}

fn assert_failed(record: &Record, words: &str, line: u64, column: usize) {
    let (error, name) = (&record.json["error"], record.name());
    assert_eq!(record.status, "failed", "{name}: {}", record.json);
    assert_eq!(error["class"], "parse", "{name}: {error}");
    assert!(error["message"].as_str().unwrap().contains(words), "{name}: {error}");
    assert_eq!((&error["line"], &error["column"]), (&line.into(), &column.into()), "{name}: {error}");
}

fn assert_sound(record: &Record, dialect: &str, values: u64, notes: &str) {
    let (result, name) = (&record.json["result"], record.name());
    assert_eq!(record.status, "ok", "{name}: {}", record.json);
    assert_eq!((&result["dialect"], &result["values"]), (&dialect.into(), &values.into()), "{name}");
    assert_eq!(result["notes"], serde_json::from_str::<Value>(notes).unwrap(), "{name}");
}

fn assert_good(record: &Record, notes: &str) {
    assert_sound(record, "python-ast", 64, notes);
    let result = &record.json["result"];
    let f = json!([{"kind": "function", "name": "f", "qualified_name": "f", "line": 1, "end_line": 2, "complexity": 1}]);
    assert_eq!((&result["symbols"], &result["nodes"]), (&f, &10.into()), "{}", record.name());
}

/// Compares every path with its row; `deep` says whether all levels are allowed.
fn compare(sandbox: &Sandbox, rows: &[Row], locked: &Locked, deep: bool) {
    let status = sandbox.status();
    let end = status["cursor"]["log"].clone();
    let end = (end["segment"].as_u64().unwrap(), end["offset"].as_u64().unwrap());
    let records = current(&read_log(&sandbox.records(), end).unwrap());
    let mut seen = 0;
    for (path, _, fate) in rows {
        let name = path.escape_ascii();
        let record = records.get(&("tree".to_owned(), path.clone()));
        seen += usize::from(record.is_some());
        let there = || record.unwrap_or_else(|| panic!("{name} has no record"));
        match *fate {
            Good(notes) => assert_good(there(), notes),
            Sound(dialect, values, notes) => assert_sound(there(), dialect, values, notes),
            Fails(words, line, column) => assert_failed(there(), words, line, column),
            Deep(column, _) if !deep => {
                assert_failed(there(), "the limit of 10000; raise the limit `depth`", 1, column);
            }
            Deep(_, Err(column)) => assert_failed(there(), CUT, 1, column),
            Deep(_, Ok(levels)) => assert_eq!(there().json["result"]["depth"], levels, "{name}"),
            Guarded if path.starts_with(b"nodir/") && locked.holds() => assert!(record.is_none(), "{name}"),
            Guarded if File::open(sandbox.root.join(OsStr::from_bytes(path))).is_ok() => {
                assert_good(there(), "null");
            }
            Guarded => assert_eq!(there().json["error"]["class"], "io-permanent", "{name}"),
            Skipped(_) | LeftOut => assert!(record.is_none(), "{name}"),
        }
    }
    assert_eq!(seen, records.len(), "there are records of paths that are not in the table");
}

fn assert_explained(sandbox: &Sandbox, rows: &[Row]) {
    for (path, _, fate) in rows {
        let words = match fate {
            Skipped(reason) => reason,
            LeftOut => "include",
            _ => continue,
        };
        let told = sandbox.explain(sandbox.root.join(OsStr::from_bytes(path)));
        assert!(told["scan"].as_str().unwrap().contains(words), "{}: {told}", path.escape_ascii());
    }
}

/// `inspect` tells of each file what its record tells.
fn assert_inspected(sandbox: &Sandbox) {
    let (log, mut inspected) = (sandbox.log(), 0);
    for record in log.iter().filter(|record| record["size"].as_u64() < Some(MIB)) {
        let record = Record::parse(record.to_string().as_bytes()).unwrap();
        let path = sandbox.root.join(OsStr::from_bytes(&record.path));
        let failed = record.status == "failed";
        let told = ran(sandbox.command(["inspect", "--format", "json"]).arg(path));
        let told = told.expect(if failed { 3 } else { 0 }).json();
        let expected =
            if failed { json!({"error": record.json["error"]}) } else { record.json["result"].clone() };
        assert_eq!(told, expected, "{}", record.name());
        inspected += 1;
    }
    assert!(inspected > 45, "only {inspected} were inspected");
}

#[test]
fn each_bad_file_has_the_outcome_that_a_careful_person_expects() {
    let sandbox = Sandbox::new();
    let rows = set();
    rows.iter().for_each(|(path, oddity, _)| oddity.make(&sandbox.root, path));
    let locked = Locked::new(sandbox.root.join("nodir"));
    sandbox.settle();
    let first = sandbox.run_code(&["--workers", "1"], 3);
    assert_eq!(first["skipped"], json!({"fifo": 1, "symlink": 4}));
    assert_eq!(
        (&first["filtered"], &first["unreadable_folders"]),
        (&json!({"include": 4}), &u64::from(locked.holds()).into())
    );
    assert!(first["peak_rss_bytes"].as_u64().unwrap() < LARGEST + MEMORY_BESIDE, "{first}");
    compare(&sandbox, &rows, &locked, false);
    assert_explained(&sandbox, &rows);
    assert_inspected(&sandbox);
    let deep = sandbox.run_code(&["--workers", "1", "--limit", "depth=1000000"], 3);
    assert_eq!(deep["unchanged"], 0, "other limits make all due again: {deep}");
    assert!(deep["peak_rss_bytes"].as_u64().unwrap() < LARGEST + MEMORY_BESIDE, "{deep}");
    compare(&sandbox, &rows, &locked, true);
}
