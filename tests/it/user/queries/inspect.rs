//! `outlast inspect`: what the processor sees in one file.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use crate::support::{Ran, Sandbox, ran};
use crate::user::BROKEN;

/// A class with a method that is async, an import, and calls.
const PYTHON: &str = concat!(
    r#"{"_type":"Module","body":["#,
    r#"{"_type":"Import","lineno":1,"names":[{"_type":"alias","name":"os.path","asname":"p"}]},"#,
    r#"{"_type":"ClassDef","name":"Server","lineno":3,"end_lineno":9,"body":["#,
    r#"{"_type":"AsyncFunctionDef","name":"run","lineno":4,"end_lineno":9,"body":["#,
    r#"{"_type":"If","body":[{"_type":"Call","func":{"_type":"Name","id":"stop"}}]},"#,
    r#"{"_type":"Call","func":{"_type":"Name","id":"stop"}}]}]}]}"#,
);

fn inspect(sandbox: &Sandbox, args: &[&str]) -> Ran {
    ran(sandbox.command(["inspect"]).args(args))
}

#[test]
fn people_see_symbols_imports_and_calls() {
    let sandbox = Sandbox::with(&[("any name", PYTHON)]);
    let told = inspect(&sandbox, &["tree/any name"]).expect(0);
    assert!(told.stderr.is_empty() && !sandbox.state.exists(), "{told}");
    let expected = [
        &format!("tree/any name: {} bytes", PYTHON.len()),
        "dialect python-ast, confidence 1",
        "language python",
        "counts 36 values, 10 nodes, 10 levels, up to line 9",
        "kinds 8, named by _type",
        "2 Call",
        "symbols 2",
        "class Server lines 3-9",
        "method run lines 4-9 complexity 2 async",
        "imports 1",
        "line 1 os.path as p",
        "calls 2",
        "2 stop from Server.run",
    ];
    let text = told.text();
    let lines: Vec<_> =
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let mut rest = lines.iter();
    for line in expected {
        assert!(rest.any(|told| told == line), "no {line:?} in its place:\n{text}");
    }
    let indent = |words: &str| text.lines().find(|line| line.contains(words)).unwrap().find(words);
    assert!(indent("method run") > indent("class Server"), "{text}");
}

#[test]
fn programs_get_what_the_record_holds() {
    let sandbox = Sandbox::with(&[("a.ast.json", PYTHON), ("b.ast.json", BROKEN)]);
    sandbox.run_code(&[], 3);
    let log = sandbox.log();
    assert_eq!(
        inspect(&sandbox, &["--format", "json", "tree/a.ast.json"]).expect(0).json(),
        log[0]["result"]
    );
    let failed = inspect(&sandbox, &["--format", "json", "tree/b.ast.json"]).expect(3).json();
    assert_eq!(failed, serde_json::json!({"error": log[1]["error"]}));
}

#[test]
fn a_fault_is_shown_in_its_place() {
    let sandbox = Sandbox::with(&[("x", "{\n  \"a\": [1,\x1b2]\n}")]);
    let told = inspect(&sandbox, &["tree/x"]).expect(3);
    let expected = concat!(
        "tree/x: 17 bytes\n",
        "  failed     parse: expected a value, found the character U+001B\n",
        "  at         line 2, column 11\n",
        "      \"a\": [1,\\u{1b}2]\n",
        "              ^\n",
    );
    assert_eq!((told.text().as_str(), told.stderr.as_str()), (expected, ""));
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let sandbox = Sandbox::with(&[("a.ast.json", PYTHON)]);
    let at = |name: &str| sandbox.root.join(name);
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RWXU).unwrap();
    drop(UnixListener::bind(at("socket")).unwrap());
    symlink("pipe", at("to-pipe")).unwrap();
    symlink("nowhere", at("broken")).unwrap();
    symlink("a.ast.json", at("to-file")).unwrap();
    let begun = Instant::now();
    for (path, words) in [
        ("tree/none", "check the path"),
        ("tree/a.ast.json/x", "check the path"),
        ("tree/broken", "check the path"),
        ("tree", "is a folder"),
        ("tree/pipe", "is a pipe"),
        ("tree/to-pipe", "is a pipe"),
        ("tree/socket", "is a socket"),
        ("/dev/zero", "is a device"),
    ] {
        let told = inspect(&sandbox, &[path]).expect(2);
        assert!(told.stdout.is_empty() && !told.crashed(), "{told}");
        assert!(told.stderr.contains(words) && told.stderr.contains(path), "{told}");
    }
    inspect(&sandbox, &["tree/to-file"]).expect(0);
    assert!(begun.elapsed() < Duration::from_secs(60));
}
