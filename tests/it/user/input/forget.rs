//! Records that are ended by hand, and roots that leave a state or move.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, ran};
use crate::user::{AST, OTHER};

fn told(sandbox: &Sandbox, args: &[&str]) -> Ran {
    ran(&mut sandbox.command([args, &["--format", "json"]].concat()))
}

#[track_caller]
fn current(sandbox: &Sandbox) -> Vec<String> {
    let told = ran(&mut sandbox.command(["records"])).expect(0);
    let record = |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap();
    let mut paths: Vec<String> =
        told.lines().into_iter().map(|line| record(line)["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

#[test]
fn records_of_files_that_a_rule_excludes_by_now_are_ended() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("old/b.ast.json", AST), ("old/c.ast.json", "{")]);
    sandbox.run_code(&[], 3);
    sandbox.run(&["--exclude", "old"]);
    assert_eq!(current(&sandbox).len(), 3);
    let asked = told(&sandbox, &["forget", "old/**", "--dry-run"]).expect(0).json();
    assert_eq!(asked, json!({"files": 2, "records": 2, "root": null, "dry_run": true}));
    assert_eq!(current(&sandbox).len(), 3);
    let folder = sandbox.root.join("old");
    let done = told(&sandbox, &["forget", folder.to_str().unwrap()]).expect(0).json();
    assert_eq!(done, json!({"files": 2, "records": 2, "root": null, "dry_run": false}));
    assert_eq!(current(&sandbox), ["a.ast.json"]);
    let removed = sandbox.log_brief().into_iter().filter(|(_, status)| status == "removed").count();
    assert_eq!(removed, 2);
    assert_eq!(told(&sandbox, &["failures"]).expect(0).json()["failed"], 0);
    assert_eq!(told(&sandbox, &["forget", "old/**"]).expect(4).json()["files"], 0);
    // What is still there and let in comes back.
    sandbox.run_code(&[], 3);
    assert_eq!(current(&sandbox).len(), 3);
    sandbox.check();
}

#[test]
fn a_whole_root_leaves_the_state_and_its_number_and_records_are_never_mixed_up() {
    let sandbox =
        Sandbox::with(&[("one/a.ast.json", AST), ("two/b.ast.json", OTHER), ("three/c.ast.json", AST)]);
    let roots = ["one", "two", "three"].map(|name| sandbox.root.join(name));
    let run = |at: usize| {
        let mut command = sandbox.command(["run", "--format", "json", "--progress", "never"]);
        ran(command.arg(&roots[at])).expect(0).json()
    };
    run(0);
    run(1);
    // Gone, and known only by its path.
    fs::remove_dir_all(&roots[1]).unwrap();
    let done = told(&sandbox, &["forget", roots[1].to_str().unwrap()]).expect(0).json();
    assert_eq!((&done["root"], &done["records"]), (&json!("two"), &json!(1)));
    assert_eq!(sandbox.status()["roots"].as_array().unwrap().len(), 1);
    assert_eq!(current(&sandbox), ["a.ast.json"]);
    run(2);
    assert_eq!(current(&sandbox), ["a.ast.json", "c.ast.json"]);
    let jobs = told(&sandbox, &["jobs", "--all"]).expect(0).json();
    let second = jobs["jobs"].as_array().unwrap().iter().find(|job| job["job_id"] == 2).unwrap();
    assert_ne!(second["roots"][0]["name"], "three", "{second}");
    // The log still has the `removed` record.
    ran(&mut sandbox.command(["repair"])).expect(0);
    assert_eq!(current(&sandbox), ["a.ast.json", "c.ast.json"]);
    assert_eq!(sandbox.status()["roots"].as_array().unwrap().len(), 2);
    ran(&mut sandbox.command(["compact"])).expect(0);
    assert_eq!(current(&sandbox), ["a.ast.json", "c.ast.json"]);
    assert_eq!(told(&sandbox, &["forget", roots[1].to_str().unwrap()]).expect(4).json()["root"], Value::Null);
    let told = ran(&mut sandbox.command(["forget", "x", "--state", "/nowhere/state"]));
    assert_eq!(told.code, Some(2), "given twice: {told}");
}

#[test]
fn a_tree_that_moved_keeps_its_records() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("d/b.ast.json", OTHER)]);
    sandbox.run_ok(&[]);
    let moved = sandbox.root.with_file_name("moved");
    let (old, new) = (sandbox.root.to_str().unwrap(), moved.to_str().unwrap());
    assert_eq!(told(&sandbox, &["move-root", old, new]).code, Some(2), "nothing is there yet");
    let copied = std::process::Command::new("cp").arg("-r").arg(old).arg(new).status().unwrap();
    assert!(copied.success());
    fs::remove_dir_all(old).unwrap();
    sandbox.settle();
    let done = told(&sandbox, &["move-root", old, new]).expect(0).json();
    assert_eq!((&done["name"], &done["to"], &done["files"]), (&json!("tree"), &json!(new), &json!(2)));
    let mut command = sandbox.command(["run", "--format", "json", "--progress", "never"]);
    let summary = ran(command.arg(new)).expect(0).json();
    assert_eq!(
        (&summary["unchanged"], &summary["ok"], &summary["removed"]),
        (&json!(2), &json!(0), &json!(0))
    );
    assert_eq!(sandbox.log().len(), 2, "no second record");
    assert_eq!(sandbox.status()["roots"][0]["path"], new);
    for words in [["move-root", old, new], ["move-root", new, new]] {
        told(&sandbox, &words).expect(2);
    }
    // A new tree at the old path is another root.
    fs::create_dir(old).unwrap();
    fs::write(sandbox.root.join("a.ast.json"), OTHER).unwrap();
    sandbox.run_ok(&[]);
    let names: Vec<_> =
        sandbox.status()["roots"].as_array().unwrap().iter().map(|root| root["name"].clone()).collect();
    assert!(names[0] != names[1], "{names:?}");
    let refused = told(&sandbox, &["move-root", new, old]).expect(2);
    assert!(refused.stderr.contains("outlast forget"), "{refused}");
}

#[test]
fn a_root_that_is_moved_to_another_tree_is_warned_of_and_the_remedies_work() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", AST)]);
    sandbox.run_ok(&[]);
    let wrong = sandbox.root.with_file_name("wrong");
    fs::create_dir(&wrong).unwrap();
    fs::write(wrong.join("c.ast.json"), AST).unwrap();
    let (old, new) = (sandbox.root.to_str().unwrap(), wrong.to_str().unwrap());
    let moved = told(&sandbox, &["move-root", old, new]).expect(0);
    assert_eq!(moved.json()["has_known_files"], false);
    let back = format!("`outlast move-root {new} {old}`");
    for part in ["none of the files", "mounted?", &back, "`--accept-empty`"] {
        assert!(moved.stderr.contains(part), "no {part}: {moved}");
    }
    let run = |args: &[&str]| told(&sandbox, &[&["run", new, "--progress", "never"], args].concat());
    let mut waiting = sandbox.command(["run", new, "--wait", "1s", "--heartbeat", "100ms"]);
    let waited = ran(&mut waiting).expect(75);
    for part in [new, "waiting for files", "mounted?", "`--accept-empty`", "`outlast move-root`"] {
        assert!(waited.stderr.contains(part), "no {part}: {waited}");
    }
    let back = told(&sandbox, &["move-root", new, old]).expect(0);
    assert!(back.json()["has_known_files"] == true && back.stderr.is_empty(), "{back}");
    assert_eq!(sandbox.run_ok(&[])["unchanged"], 2);
    told(&sandbox, &["move-root", old, new]).expect(0);
    let emptied = run(&["--accept-empty"]).expect(0).json();
    assert_eq!((&emptied["ok"], &emptied["removed"]), (&json!(1), &json!(2)));
}

#[test]
fn a_new_root_with_the_name_of_one_that_is_gone_is_told_of() {
    let sandbox = Sandbox::with(&[("one/asts/a.ast.json", AST)]);
    let [one, two] = ["one/asts", "two/asts"].map(|path| sandbox.root.join(path));
    let run =
        |root: &std::path::Path| ran(sandbox.command(["run", "--progress", "never"]).arg(root)).expect(0);
    run(&one);
    fs::create_dir(sandbox.root.join("two")).unwrap();
    fs::rename(&one, &two).unwrap();
    let told = run(&two);
    assert!(told.stderr.contains("outlast move-root") && told.stderr.contains("outlast forget"), "{told}");
}

#[test]
fn a_root_of_a_damaged_state_stays_where_it_is() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    sandbox.run_ok(&[]);
    let moved = sandbox.dir.path().join("moved");
    fs::create_dir(&moved).unwrap();
    let description = fs::read(sandbox.state.join("state.json")).unwrap();
    fs::write(sandbox.state.join("witness"), "").unwrap();
    let (old, new) = (sandbox.root.to_str().unwrap(), moved.to_str().unwrap());
    told(&sandbox, &["move-root", old, new]).expect(12);
    assert_eq!(fs::read(sandbox.state.join("state.json")).unwrap(), description);
}
