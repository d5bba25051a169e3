//! `outlast explain`: why a path is, or is not, among the records.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use crate::support::Sandbox;
use crate::user::{AST, BROKEN};

/// What the scan makes of it, and its state.
fn told(sandbox: &Sandbox, path: &str) -> (String, String) {
    let told = sandbox.explain(sandbox.root.join(path));
    (told["scan"].as_str().unwrap().to_owned(), told["state"].as_str().unwrap().to_owned())
}

fn everything() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("ok.ast.json", AST),
        ("bad.ast.json", BROKEN),
        ("notes.txt", "x"),
        ("build/out.ast.json", AST),
        ("old/gone.ast.json", AST),
        (".outlastignore", "old/\n"),
    ]);
    symlink("ok.ast.json", sandbox.root.join("link.ast.json")).unwrap();
    symlink("build", sandbox.root.join("way")).unwrap();
    symlink(".", sandbox.root.join("loop")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(sandbox.root.join("pipe.ast.json")).status();
    assert!(made.unwrap().success());
    drop(UnixListener::bind(sandbox.root.join("socket.ast.json")).unwrap());
    std::fs::create_dir(sandbox.root.join("folder.ast.json")).unwrap();
    sandbox
}

#[test]
fn every_path_has_its_reason() {
    let sandbox = everything();
    let summary = sandbox.run_code(&["--exclude", "build/"], 3);
    assert_eq!((&summary["ok"], &summary["failed"]), (&1.into(), &1.into()));
    assert_eq!(summary["skipped"], serde_json::json!({"fifo": 1, "socket": 1, "symlink": 1}));
    let cases = [
        ("ok.ast.json", "ingested", "ok"),
        ("bad.ast.json", "ingested", "failed"),
        ("notes.txt", "left out by include at notes.txt", "unknown"),
        ("build/out.ast.json", "left out by exclude:build/ at build", "unknown"),
        ("old/gone.ast.json", "left out by .outlastignore:old/ at old", "unknown"),
        ("link.ast.json", "skipped: link.ast.json is never opened (symlink)", "unknown"),
        ("pipe.ast.json", "skipped: pipe.ast.json is never opened (fifo)", "unknown"),
        ("socket.ast.json", "skipped: socket.ast.json is never opened (socket)", "unknown"),
        ("loop/ok.ast.json", "ingested", "ok"),
        ("folder.ast.json", "a folder that is visited", "unknown"),
        ("nowhere.ast.json", "not there", "unknown"),
        ("no/where.ast.json", "not there", "unknown"),
    ];
    for (path, scan, state) in cases {
        assert_eq!(told(&sandbox, path), (scan.to_owned(), state.to_owned()), "{path}");
    }
}

#[test]
fn the_answer_holds_the_record_and_the_version() {
    let sandbox = everything();
    sandbox.run_code(&[], 3);
    let told = sandbox.explain("tree/ok.ast.json");
    assert_eq!((&told["root"], &told["size"]), (&"tree".into(), &AST.len().into()));
    assert_eq!(told["record"]["path"], "ok.ast.json");
    assert_eq!(told["record"]["mtime"], told["mtime"]);
    let bad = sandbox.explain("tree/bad.ast.json");
    assert_eq!(bad["record"]["error"]["class"], "parse");
}

#[test]
fn a_path_outside_of_every_root() {
    let sandbox = everything();
    sandbox.run_code(&[], 3);
    for path in ["/etc/passwd", "elsewhere.ast.json", "tree/../treetop.ast.json"] {
        let told = sandbox.explain(path);
        assert_eq!((&told["root"], &told["state"]), (&serde_json::Value::Null, &"unknown".into()), "{told}");
        assert!(told["scan"].as_str().unwrap().contains("no root"), "{told}");
    }
}

#[test]
fn a_change_that_no_run_has_seen() {
    let sandbox = everything();
    sandbox.run_code(&[], 3);
    std::fs::remove_file(sandbox.root.join("ok.ast.json")).unwrap();
    assert_eq!(told(&sandbox, "ok.ast.json"), ("not there".to_owned(), "ok".to_owned()));
    sandbox.write("new.ast.json", AST);
    assert_eq!(told(&sandbox, "new.ast.json"), ("ingested".to_owned(), "unknown".to_owned()));
}

#[test]
fn the_root_itself() {
    let sandbox = everything();
    sandbox.run_code(&[], 3);
    assert_eq!(told(&sandbox, ""), ("a folder that is visited".to_owned(), "unknown".to_owned()));
}
