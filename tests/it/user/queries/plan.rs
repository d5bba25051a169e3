//! `outlast plan`: how files would be cut into batches.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, ran};
use crate::user::{AST, midway, slow, two_processed};

fn planned(sandbox: &Sandbox, extra: &[&str]) -> Ran {
    let mut command = sandbox.command(["plan", "--format", "json"]);
    ran(command.args(extra).arg(&sandbox.root))
}

#[track_caller]
fn plan(sandbox: &Sandbox, extra: &[&str]) -> Value {
    planned(sandbox, extra).expect(0).json()
}

/// The paths of each batch.
fn paths(plan: &Value) -> Vec<Vec<String>> {
    let path = |file: &Value| file["path"].as_str().unwrap().to_owned();
    let batches = plan["batches"].as_array().unwrap().iter();
    batches.map(|batch| batch["files"].as_array().unwrap().iter().map(path).collect()).collect()
}

#[test]
fn a_plan_has_each_file_once_in_batches_of_the_strategy_and_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    for number in 0..10_usize {
        sandbox.write(format!("f{number}.ast.json"), " ".repeat(number));
    }
    sandbox.write("g.txt", "x");
    symlink("f1.ast.json", sandbox.root.join("l.ast.json")).unwrap();
    let plan = plan(&sandbox, &["--strategy", "count", "--batch-size", "4", "--order", "largest"]);
    let expected = [vec!["f9", "f8", "f7", "f6"], vec!["f5", "f4", "f3", "f2"], vec!["f1", "f0"]];
    let expected =
        expected.map(|batch| batch.into_iter().map(|name| format!("{name}.ast.json")).collect::<Vec<_>>());
    assert_eq!(paths(&plan), expected);
    assert_eq!([&plan["files"], &plan["total_size"], &plan["unreadable_folders"]], [10, 45, 0]);
    assert_eq!((&plan["skipped"], &plan["filtered"]), (&json!({"symlink": 1}), &json!({"include": 1})));
    let batch = &plan["batches"][0];
    assert_eq!([&batch["batch_id"], &batch["total_size"]], [1, 30]);
    assert_eq!(batch["priority"], "normal");
    assert!(batch["estimated_processing_time"].as_f64().unwrap() > 0.0, "{batch}");
    assert!(batch["created_at"].as_str().unwrap().ends_with('Z'), "{batch}");
    let abs = sandbox.root.join("f9.ast.json");
    assert_eq!(batch["files"][0], json!({"root": "tree", "path": "f9.ast.json", "abs": abs, "size": 9}));
    assert!(!sandbox.state.exists());
}

#[test]
fn a_batch_has_files_of_one_priority_and_the_highest_comes_first() {
    let sandbox =
        Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", AST), ("c.ast.json", AST), ("d.ast.json", AST)]);
    let plan = plan(&sandbox, &["--priority", "c*=high,a*=low"]);
    let classes: Vec<_> =
        plan["batches"].as_array().unwrap().iter().map(|batch| &batch["priority"]).collect();
    let flat: Vec<String> = paths(&plan).concat();
    assert_eq!(flat, ["c.ast.json", "b.ast.json", "d.ast.json", "a.ast.json"]);
    assert_eq!((classes.first().unwrap(), classes.last().unwrap()), (&&json!("high"), &&json!("low")));
}

#[test]
fn files_are_planned_whether_done_or_not_and_those_of_a_list_alone() {
    let sandbox = two_processed();
    let name = std::ffi::OsStr::from_bytes(b"c\xff.ast.json");
    fs::write(sandbox.root.join(name), AST).unwrap();
    let before = fs::read(sandbox.state.join("state.json")).unwrap();
    assert_eq!(plan(&sandbox, &[])["files"], 3);
    let list = sandbox.dir.path().join("list");
    fs::write(&list, b"b.ast.json\0c\xff.ast.json\0none\0").unwrap();
    let listed = plan(&sandbox, &["--files-from", "list", "--strategy", "size"]);
    assert_eq!(paths(&listed), [["b.ast.json", "c\u{fffd}.ast.json"]]);
    let file = &listed["batches"][0]["files"][1];
    assert_eq!(file["path_bytes"], "Y/8uYXN0Lmpzb24=");
    assert!(file["abs_bytes"].is_string(), "{file}");
    assert_eq!(listed["skipped"], json!({"not-there": 1}));
    assert_eq!(planned(&sandbox, &["--include", "*.none"]).expect(4).json()["batches"], json!([]));
    fs::write(&list, "../x").unwrap();
    planned(&sandbox, &["--files-from", "list"]).expect(2);
    assert_eq!(fs::read(sandbox.state.join("state.json")).unwrap(), before);
}

#[test]
fn a_plan_with_a_command_as_the_processor_needs_no_state_that_a_run_holds() {
    let sandbox = slow(40);
    let (run, _) = midway(&sandbox);
    let exec = ["--include", "*", "--exec", "cat {}"];
    assert_eq!(plan(&sandbox, &exec)["files"], 40);
    sandbox.run(&exec).expect(11);
    run.signal(Signal::TERM);
    run.end().expect(143);
}

#[test]
fn people_read_a_table() {
    let sandbox = two_processed();
    let told = ran(sandbox.command(["plan", "--strategy", "size"]).arg(&sandbox.root)).expect(0).text();
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("  batch  priority    files"), "{told}");
    assert!(lines[1].starts_with("      1  normal "), "{told}");
    assert_eq!(lines.last().unwrap(), &"2 files, 104 B, 1 batch", "{told}");
}
