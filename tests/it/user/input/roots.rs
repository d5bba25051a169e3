//! More than one root, and roots in odd places.

use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::process::Signal;

use crate::support::{Background, Checker, Sandbox, ran, summary_adds_up};
use crate::user::{AST, BROKEN, OTHER, wait_until};

fn run_roots(sandbox: &Sandbox, roots: &[&Path]) -> serde_json::Value {
    let mut command = sandbox.command(["run", "--format", "json", "--progress", "never"]);
    let summary = ran(command.args(roots)).expect(0).json();
    summary_adds_up(&summary).unwrap();
    summary
}

#[test]
fn two_roots_go_into_one_state() {
    let sandbox = Sandbox::with(&[("one/a.ast.json", AST), ("two/a.ast.json", OTHER)]);
    let [one, two] = ["one", "two"].map(|name| sandbox.root.join(name));
    assert_eq!(run_roots(&sandbox, &[&one, &two])["ok"], 2);
    Checker::new(&sandbox.state, &[&one, &two]).assert();
    // One of them alone leaves the other as it is.
    std::fs::remove_file(two.join("a.ast.json")).unwrap();
    let summary = run_roots(&sandbox, &[&one]);
    assert_eq!((&summary["discovered"], &summary["removed"]), (&1.into(), &0.into()));
    assert_eq!(run_roots(&sandbox, &[&one, &two])["removed"], 1);
    Checker::new(&sandbox.state, &[&one, &two]).assert();
}

#[test]
fn roots_of_the_same_name_keep_apart() {
    let sandbox = Sandbox::with(&[("one/asts/a.ast.json", AST), ("two/asts/a.ast.json", OTHER)]);
    let [one, two] = ["one/asts", "two/asts"].map(|name| sandbox.root.join(name));
    run_roots(&sandbox, &[&one]);
    assert_eq!(run_roots(&sandbox, &[&one, &two])["ok"], 1);
    Checker::new(&sandbox.state, &[&one, &two]).assert();
    let log = sandbox.log();
    assert_ne!(log[0]["root"], log[1]["root"]);
}

#[test]
fn a_root_inside_a_root_is_a_root_of_its_own() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("inner/b.ast.json", OTHER)]);
    let inner = sandbox.root.join("inner");
    assert_eq!(run_roots(&sandbox, &[&sandbox.root, &inner])["ok"], 3);
    Checker::new(&sandbox.state, &[&sandbox.root, &inner]).assert();
    assert_eq!(run_roots(&sandbox, &[&inner, &sandbox.root])["unchanged"], 3);
    assert_eq!(sandbox.explain(inner.join("b.ast.json"))["root"], "inner");
}

#[test]
fn the_same_root_twice_or_by_another_name_is_one() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let link = sandbox.dir.path().join("link");
    symlink(&sandbox.root, &link).unwrap();
    let summary = run_roots(&sandbox, &[&sandbox.root, Path::new("tree"), &link, Path::new("./tree/.")]);
    assert_eq!((&summary["discovered"], &summary["ok"]), (&1.into(), &1.into()));
    assert_eq!(sandbox.status()["roots"].as_array().unwrap().len(), 1);
}

#[test]
fn a_state_in_the_tree_is_not_ingested() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let here = || {
        let mut command = crate::support::outlast();
        command.args(["run", ".", "--include", "*.json", "--include", "*.ndjson", "--format", "json"]);
        ran(command.args(["--progress", "never"]).current_dir(&sandbox.root)).expect(0).json()
    };
    assert_eq!(here()["discovered"], 1);
    let again = here();
    assert_eq!((&again["discovered"], &again["unchanged"]), (&1.into(), &1.into()));
    assert_eq!(again["filtered"]["state-folder"], 1);
}

/// A root that was ingested, with one file due again, and another, empty folder in its place.
fn emptied() -> Sandbox {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("bad.ast.json", BROKEN)]);
    sandbox.run_code(&[], 3);
    ran(&mut sandbox.command(["retry"])).expect(0);
    std::fs::rename(&sandbox.root, sandbox.dir.path().join("aside")).unwrap();
    std::fs::create_dir(&sandbox.root).unwrap();
    sandbox
}

#[test]
fn a_dry_run_takes_nothing_for_removed_that_a_run_would_wait_for() {
    let sandbox = emptied();
    let told = sandbox.run(&["--dry-run"]).expect(75);
    assert!(told.stderr.contains("mounted?") && told.stdout.is_empty(), "{told}");
    let told = sandbox.run(&["--dry-run", "--accept-empty"]);
    assert_eq!(told.json()["removed"], 2, "{told}");
}

#[test]
fn a_run_that_is_stopped_while_it_waits_for_its_root_tells_what_is_due() {
    let sandbox = emptied();
    let run = Background::start(&mut sandbox.run_command(&[]));
    let status = wait_until("it waits", || {
        let told = ran(&mut sandbox.command(["status", "--format", "json"]));
        let status = (told.code == Some(0)).then(|| told.json())?;
        (status["running"]["state"] == "waiting").then_some(status)
    });
    assert_eq!(status["running"]["pending"], 1, "{status}");
    run.signal(Signal::TERM);
    let summary = run.end().expect(143).json();
    summary_adds_up(&summary).unwrap();
    assert_eq!((&summary["discovered"], &summary["pending"]), (&1.into(), &1.into()), "{summary}");
}
