//! What is refused: each with its exit code, and a message that says what to do.

use std::fs;
use std::process::Command;

use crate::support::{Ran, Sandbox, ran, skip};
use crate::user::{AST, midway, slow};

/// It ended with this code, printed nothing, and said all of this.
#[track_caller]
fn refused(told: Ran, code: i32, words: &[&str]) {
    assert_eq!(told.code, Some(code), "{told}");
    assert!(told.stdout.is_empty(), "{told}");
    assert!(!told.crashed(), "{told}");
    for word in words {
        assert!(told.stderr.contains(word), "no {word:?}: {told}");
    }
}

fn one() -> Sandbox {
    Sandbox::with(&[("a.ast.json", AST)])
}

#[test]
fn a_root_that_is_a_file() {
    let sandbox = one();
    let told = ran(&mut sandbox.command(["run", "tree/a.ast.json"]));
    refused(told, 2, &["tree/a.ast.json", "is a file", "--include"]);
    assert!(!sandbox.state.exists(), "a refused run leaves nothing behind");
}

#[test]
fn a_root_that_is_not_there() {
    let sandbox = one();
    refused(ran(&mut sandbox.command(["run", "nowhere"])), 2, &["nowhere", "check the path"]);
    assert!(!sandbox.state.exists(), "a refused run leaves nothing behind");
}

#[test]
fn a_watch_that_can_not_begin_leaves_nothing_behind() {
    let sandbox = one();
    refused(ran(&mut sandbox.command(["watch"])), 2, &["no root is given"]);
    assert!(!sandbox.state.exists(), "a refused watch leaves nothing behind");
}

#[test]
fn a_file_where_a_folder_should_be() {
    let sandbox = one();
    fs::write(&sandbox.state, "mine").unwrap();
    refused(sandbox.run(&[]), 2, &["state", "not a folder", "--state"]);
    for asked in ["status", "records", "jobs", "failures", "repair", "compact", "retry"] {
        refused(ran(&mut sandbox.command([asked])), 2, &["not a folder"]);
    }
    assert_eq!(fs::read_to_string(&sandbox.state).unwrap(), "mine");
    fs::remove_file(&sandbox.state).unwrap();
    refused(sandbox.run(&["--out", "tree/a.ast.json"]), 2, &["a.ast.json", "not a folder", "--out"]);
    assert!(!sandbox.state.exists(), "a refused run leaves nothing behind");
}

#[test]
fn no_root_and_wrong_flags() {
    let sandbox = one();
    refused(ran(&mut sandbox.command(["run"])), 2, &["ROOT"]);
    refused(sandbox.run(&["--no-such-flag"]), 2, &["--no-such-flag", "--help"]);
    refused(sandbox.run(&["--order", "random"]), 2, &["random", "largest"]);
    refused(ran(&mut sandbox.command(["records", "--since", "here"])), 2, &["here", "1:0"]);
    refused(ran(&mut sandbox.command(["nonsense"])), 2, &["nonsense"]);
}

#[test]
fn settings_outside_their_limits() {
    let sandbox = one();
    refused(sandbox.run(&["--workers", "0"]), 2, &["--workers", "1 to 1024"]);
    refused(sandbox.run(&["--batch-size", "0"]), 2, &["--batch-size", "1 to 10000"]);
    refused(sandbox.run(&["--include", "a[b"]), 78, &["a[b", "include"]);
    refused(sandbox.run(&["--exclude", "{x"]), 78, &["{x", "exclude"]);
    refused(sandbox.run(&["--include", "folder/"]), 78, &["folder/**"]);
    let mut command = sandbox.command(["run", "--heartbeat", "0", "--format", "json"]);
    let told = ran(command.arg(&sandbox.root));
    refused(told, 2, &["--heartbeat", "10ms"]);
}

#[test]
fn no_state_to_ask() {
    let sandbox = one();
    for args in [&["status"][..], &["records"], &["explain", "tree/a.ast.json"]] {
        refused(ran(&mut sandbox.command(args)), 10, &["no state here", "outlast run"]);
    }
    assert!(!sandbox.state.exists(), "asking makes no state");
}

#[test]
fn a_folder_with_something_else_as_state() {
    let sandbox = one();
    let mut command = sandbox.command(["run"]);
    command.arg(&sandbox.root).env("OUTLAST_STATE", "ignored");
    fs::create_dir(&sandbox.state).unwrap();
    fs::write(sandbox.state.join("thesis.txt"), "dear to me").unwrap();
    refused(ran(&mut command), 2, &["not a state folder", "--state"]);
    assert_eq!(fs::read(sandbox.state.join("thesis.txt")).unwrap(), b"dear to me");
}

#[test]
fn a_state_that_another_run_holds() {
    let sandbox = slow(24);
    let (run, _) = midway(&sandbox);
    // However long the others take to start, it goes on for longer.
    run.signal(rustix::process::Signal::STOP);
    for args in [&["run", "tree"][..], &["run", "tree", "--dry-run"], &["repair"]] {
        refused(ran(&mut sandbox.command(args)), 11, &["in use", "--state"]);
    }
    run.signal(rustix::process::Signal::CONT);
    run.end().expect(0);
    sandbox.check();
}

#[test]
fn a_state_of_another_format() {
    let sandbox = one();
    sandbox.run_ok(&[]);
    let path = sandbox.state.join("state.json");
    let text = fs::read_to_string(&path).unwrap().replacen("\"format\": 2", "\"format\": 99", 1);
    // The last member is the checksum of all before it.
    let body = &text[..text.rfind(",\n  \"crc32\"").unwrap()];
    let sum = crc32fast::hash(body.as_bytes());
    fs::write(&path, format!("{body},\n  \"crc32\": \"{sum:08x}\"\n}}\n")).unwrap();
    let words = ["format 99", "reads format 5"];
    refused(sandbox.run(&[]), 12, &words);
    refused(ran(&mut sandbox.command(["status"])), 12, &words);
    refused(ran(&mut sandbox.command(["repair"])), 12, &words);
}

#[test]
fn another_record_folder_than_before() {
    let sandbox = one();
    sandbox.run_ok(&["--out", "elsewhere"]);
    assert!(sandbox.dir.path().join("elsewhere/records-000001.ndjson").exists());
    refused(sandbox.run(&["--out", "state/db"]), 78, &["out", "a folder of its own"]);
    assert_eq!(sandbox.run_ok(&[])["unchanged"], 1, "the state knows where its records are");
    refused(sandbox.run(&["--out", "third"]), 78, &["elsewhere", "third"]);
    assert_eq!(sandbox.run_ok(&["--out", "elsewhere"])["unchanged"], 1);
    sandbox.check();
}

#[test]
fn a_new_state_on_records_of_another() {
    let sandbox = one();
    sandbox.run_ok(&["--out", "shared"]);
    let before = fs::read(sandbox.dir.path().join("shared/records-000001.ndjson")).unwrap();
    let mut command = crate::support::outlast();
    command.current_dir(sandbox.dir.path()).args(["run", "tree", "--state", "second", "--out", "shared"]);
    refused(ran(&mut command), 12, &["shared", "elsewhere", "--out", "outlast repair"]);
    assert_eq!(fs::read(sandbox.dir.path().join("shared/records-000001.ndjson")).unwrap(), before);
}

#[test]
fn nothing_that_matches() {
    let sandbox = Sandbox::with(&[("notes.txt", "x")]);
    let summary = sandbox.run_code(&[], 4);
    assert_eq!((&summary["discovered"], &summary["filtered"]["include"]), (&0.into(), &1.into()));
}

#[test]
fn a_state_folder_that_cannot_be_written() {
    let sandbox = one();
    sandbox.run_ok(&[]);
    let chattr = |flag: &str| {
        let folder = [&sandbox.state, &sandbox.state.join("db")];
        Command::new("chattr").arg(flag).args(folder).arg(sandbox.state.join("lock")).output()
    };
    match chattr("+i") {
        Ok(output) if output.status.success() => {}
        _ => return skip("a read-only state needs chattr"),
    }
    let told = sandbox.run(&[]);
    chattr("-i").unwrap();
    refused(told, 1, &["state", "can't be written", "--state"]);
    assert_eq!(sandbox.run_ok(&[])["unchanged"], 1);
}
