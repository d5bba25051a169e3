//! What is pulled away from under a run, or put back as it was long ago.

use std::fs;
use std::process::Command;

use crate::support::{Ran, Sandbox, outlast, ran};
use crate::user::{AST, midway, midway_with, slow};

fn refused_with(told: Ran, code: i32, words: &[&str]) {
    assert_eq!(told.code, Some(code), "{told}");
    assert!(!told.crashed(), "{told}");
    for word in words {
        assert!(told.stderr.contains(word), "no {word:?}: {told}");
    }
}

#[test]
fn a_root_that_is_renamed_under_a_run_loses_no_record() {
    let sandbox = slow(24);
    let (run, _) = midway_with(&sandbox, &["--wait", "1s"]);
    let away = sandbox.dir.path().join("away");
    fs::rename(&sandbox.root, &away).unwrap();
    refused_with(run.end(), 75, &["renamed, replaced or unmounted", "run again"]);
    let log = fs::read_to_string(sandbox.records().join("records-000001.ndjson")).unwrap();
    assert!(!log.contains("\"removed\""), "{log}");
    assert_eq!(sandbox.status()["jobs"][0]["end"], "failed");
    fs::rename(&away, &sandbox.root).unwrap();
    let next = sandbox.run_ok(&[]);
    assert_eq!((&next["discovered"], &next["resumed"]), (&24.into(), &true.into()));
    sandbox.check();
}

#[test]
fn a_record_file_that_is_deleted_under_a_run_is_noticed() {
    let sandbox = slow(24);
    let (run, _) = midway(&sandbox);
    fs::remove_file(sandbox.records().join("records-000001.ndjson")).unwrap();
    refused_with(run.end(), 12, &["records-000001.ndjson", "outlast repair"]);
    ran(&mut sandbox.command(["repair"])).expect(0);
    sandbox.run_ok(&[]);
    sandbox.check();
}

#[test]
fn an_older_copy_of_the_state_cuts_nothing_off() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    sandbox.run_ok(&["--out", "elsewhere"]);
    let copy = sandbox.dir.path().join("copy");
    let copied = Command::new("cp").arg("-a").arg(&sandbox.state).arg(&copy).status();
    assert!(copied.unwrap().success());
    sandbox.write("b.ast.json", AST);
    sandbox.run_ok(&[]);
    let log = sandbox.dir.path().join("elsewhere/records-000001.ndjson");
    let before = fs::read(&log).unwrap();
    let in_copy = |args: &[&str]| {
        let mut command = outlast();
        command.current_dir(sandbox.dir.path()).args(args).arg("--state").arg(&copy);
        ran(&mut command)
    };
    in_copy(&["status"]).expect(0);
    refused_with(in_copy(&["run", "tree"]), 12, &["older copy", "outlast repair"]);
    assert_eq!(fs::read(&log).unwrap(), before);
    sandbox.check();
}

#[test]
fn a_record_folder_that_another_run_writes() {
    let sandbox = slow(24);
    let (run, _) = midway(&sandbox);
    let mut command = outlast();
    command.current_dir(sandbox.dir.path()).args(["run", "tree", "--state", "second", "--out"]);
    refused_with(ran(command.arg(sandbox.records())), 12, &["--out"]);
    run.end().expect(0);
    sandbox.check();
}
