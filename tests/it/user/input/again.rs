//! The second run, after nothing or something has changed.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use crate::support::{Sandbox, Tree, ran};
use crate::user::{AST, BROKEN, OTHER};

fn three() -> Sandbox {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("src/b.ast.json", AST), ("src/c.ast.json", AST)]);
    sandbox.run_ok(&[]);
    sandbox
}

/// What the second run added to the log: path and status.
fn news(sandbox: &Sandbox) -> Vec<(String, String)> {
    sandbox.check();
    sandbox.log_brief().split_off(3)
}

fn pair(path: &str, status: &str) -> (String, String) {
    (path.to_owned(), status.to_owned())
}

#[test]
fn when_nothing_changed_nothing_is_read() {
    let sandbox = Sandbox::new();
    Tree::grow(&sandbox.root, 5, 120);
    sandbox.settle();
    let first = sandbox.run_code(&[], 3);
    assert_eq!(first["resumed"], false);
    let log = fs::read(sandbox.records().join("records-000001.ndjson")).unwrap();
    let second = sandbox.run_code(&[], 3);
    assert_eq!(second["unchanged"], first["discovered"]);
    assert_eq!(second["bytes"], 0);
    assert_eq!(second["failed_earlier"], first["failed"]);
    assert_eq!(fs::read(sandbox.records().join("records-000001.ndjson")).unwrap(), log);
}

#[test]
fn the_first_summary_says_where_the_records_are() {
    let sandbox = three();
    let told = |state: &str| {
        let mut command = crate::support::outlast();
        command.current_dir(sandbox.dir.path()).args([
            "run",
            "tree",
            "--progress",
            "never",
            "--state",
            state,
        ]);
        ran(&mut command).expect(0).text()
    };
    let first = told(".outlast");
    assert!(first.contains("\n  records: .outlast/records; to read them: outlast records\n"), "{first}");
    assert!(!told(".outlast").contains("records"), "it is known by then");
    let named = told("a state");
    let command = named.split("to read them: ").nth(1).unwrap().trim();
    assert_eq!(command, "outlast records --state 'a state'");
}

#[test]
fn a_changed_file_gets_its_own_record() {
    let sandbox = three();
    sandbox.write("src/b.ast.json", OTHER);
    let summary = sandbox.run_ok(&[]);
    assert_eq!((&summary["ok"], &summary["unchanged"]), (&1.into(), &2.into()));
    assert_eq!(news(&sandbox), [pair("src/b.ast.json", "ok")]);
}

#[test]
fn a_change_that_keeps_size_and_time_is_noticed() {
    let sandbox = three();
    let path = sandbox.root.join("a.ast.json");
    let modified = path.metadata().unwrap().modified().unwrap();
    sandbox.write("a.ast.json", AST.replace('x', "y"));
    File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    sandbox.run_ok(&[]);
    assert_eq!(news(&sandbox), [pair("a.ast.json", "ok")]);
}

#[test]
fn a_touched_file_is_read_once_more_and_gets_no_record() {
    let sandbox = three();
    let file = File::options().write(true).open(sandbox.root.join("a.ast.json")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(1000)).unwrap();
    sandbox.settle();
    let second = sandbox.run_ok(&[]);
    assert_eq!((&second["unchanged"], &second["bytes"]), (&3.into(), &AST.len().into()));
    assert_eq!(news(&sandbox), []);
    assert_eq!(sandbox.run_ok(&[])["bytes"], 0);
}

#[test]
fn a_removed_file_is_recorded_as_removed() {
    let sandbox = three();
    fs::remove_file(sandbox.root.join("src/c.ast.json")).unwrap();
    assert_eq!(sandbox.run_ok(&[])["removed"], 1);
    assert_eq!(news(&sandbox), [pair("src/c.ast.json", "removed")]);
    assert_eq!(sandbox.explain(sandbox.root.join("src/c.ast.json"))["state"], "unknown");
    sandbox.run_ok(&[]);
    assert_eq!(news(&sandbox).len(), 1, "not removed twice");
    sandbox.write("src/c.ast.json", AST);
    sandbox.run_ok(&[]);
    assert_eq!(news(&sandbox)[1..], [pair("src/c.ast.json", "ok")]);
}

#[test]
fn a_renamed_file_is_removed_and_new() {
    let sandbox = three();
    fs::rename(sandbox.root.join("a.ast.json"), sandbox.root.join("z.ast.json")).unwrap();
    sandbox.run_ok(&[]);
    let mut news = news(&sandbox);
    news.sort();
    assert_eq!(news, [pair("a.ast.json", "removed"), pair("z.ast.json", "ok")]);
}

#[test]
fn a_renamed_folder_takes_its_files_along() {
    let sandbox = three();
    fs::rename(sandbox.root.join("src"), sandbox.root.join("lib")).unwrap();
    let summary = sandbox.run_ok(&[]);
    assert_eq!((&summary["ok"], &summary["removed"]), (&2.into(), &2.into()));
    sandbox.check();
}

#[test]
fn a_file_that_becomes_a_folder_and_a_folder_that_becomes_a_file() {
    let sandbox = Sandbox::with(&[("x.ast.json", AST), ("y.ast.json/in.ast.json", AST)]);
    sandbox.run_ok(&[]);
    fs::remove_file(sandbox.root.join("x.ast.json")).unwrap();
    fs::remove_dir_all(sandbox.root.join("y.ast.json")).unwrap();
    sandbox.write("x.ast.json/in.ast.json", AST);
    sandbox.write("y.ast.json", AST);
    let summary = sandbox.run_ok(&[]);
    assert_eq!((&summary["ok"], &summary["removed"]), (&2.into(), &2.into()));
    sandbox.check();
}

#[test]
fn a_tree_that_was_emptied_leaves_no_current_records() {
    let sandbox = three();
    fs::remove_dir_all(&sandbox.root).unwrap();
    fs::create_dir(&sandbox.root).unwrap();
    // Another empty folder in the place of the tree could be a mount point without its file system.
    let summary = sandbox.run_code(&["--accept-empty"], 4);
    assert_eq!(summary["removed"], 3, "nothing matched, and that shows");
    assert_eq!(ran(&mut sandbox.command(["records"])).expect(0).lines().len(), 0);
    sandbox.run_code(&[], 4);
}

#[test]
fn a_failed_file_is_told_each_time_until_it_is_mended() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("bad.ast.json", BROKEN)]);
    let first = sandbox.run_code(&[], 3);
    assert_eq!((&first["ok"], &first["failed"]), (&1.into(), &1.into()));
    let record = &sandbox.log()[1];
    assert_eq!((&record["status"], &record["error"]["class"]), (&"failed".into(), &"parse".into()));
    assert_eq!((&record["error"]["line"], &record["error"]["column"]), (&1.into(), &27.into()));
    assert!(!record["error"]["message"].as_str().unwrap().is_empty());
    let second = sandbox.run_code(&[], 3);
    assert_eq!((&second["unchanged"], &second["failed_earlier"]), (&2.into(), &1.into()));
    sandbox.write("bad.ast.json", AST);
    assert_eq!(sandbox.run_ok(&[])["ok"], 1);
    sandbox.check();
}

#[test]
fn a_summary_counts_one_of_a_thing_in_the_singular() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let mut command = sandbox.command(["run", "--progress", "never"]);
    let summary = ran(command.arg(&sandbox.root)).expect(0).text();
    assert!(summary.contains(", 1 batch, ") && !summary.contains(" 1 ticks"), "{summary}");
}
