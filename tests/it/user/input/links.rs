//! Roots that are given through a link, and links that are changed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::{Ran, Sandbox, ran, summary_adds_up};
use crate::user::{AST, OTHER};

/// Two releases beside each other, and a link to the first of them.
fn releases() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let base = sandbox.root.parent().unwrap().to_owned();
    for (path, text) in [
        ("rel1/same.ast.json", AST),
        ("rel1/d/changes.ast.json", AST),
        ("rel1/goes.ast.json", AST),
        ("rel2/same.ast.json", AST),
        ("rel2/d/changes.ast.json", OTHER),
        ("rel2/comes.ast.json", OTHER),
    ] {
        fs::create_dir_all(base.join(path).parent().unwrap()).unwrap();
        fs::write(base.join(path), text).unwrap();
    }
    symlink("rel1", base.join("current")).unwrap();
    sandbox.settle();
    let current = base.join("current");
    (sandbox, current)
}

fn lead(link: &Path, to: &str) {
    let fresh = link.with_file_name("fresh");
    symlink(to, &fresh).unwrap();
    fs::rename(fresh, link).unwrap();
}

fn run(sandbox: &Sandbox, root: &Path) -> Ran {
    let mut command = sandbox.command(["run", "--format", "json", "--progress", "never"]);
    ran(command.arg(root))
}

/// What a run did: ok, unchanged, removed.
#[track_caller]
fn did(told: &Ran) -> [u64; 3] {
    let summary = told.json();
    summary_adds_up(&summary).unwrap();
    ["ok", "unchanged", "removed"].map(|name| summary[name].as_u64().unwrap())
}

#[track_caller]
fn current(sandbox: &Sandbox) -> Vec<String> {
    let told = ran(&mut sandbox.command(["records"])).expect(0);
    let mut paths: Vec<String> = told
        .lines()
        .into_iter()
        .map(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap())
        .map(|record| format!("{}/{}", record["root"].as_str().unwrap(), record["path"].as_str().unwrap()))
        .collect();
    paths.sort();
    paths
}

#[test]
fn a_link_that_leads_elsewhere_shows_a_tree_that_has_changed() {
    let (sandbox, link) = releases();
    assert_eq!(did(&run(&sandbox, &link).expect(0)), [3, 0, 0]);
    lead(&link, "rel2");
    assert_eq!(did(&run(&sandbox, &link).expect(0)), [2, 1, 1]);
    let there = ["current/comes.ast.json", "current/d/changes.ast.json", "current/same.ast.json"];
    assert_eq!(current(&sandbox), there);
    assert_eq!(did(&run(&sandbox, &link).expect(0)), [0, 3, 0]);
    let status = sandbox.status();
    assert_eq!(status["roots"][0]["path"], link.to_str().unwrap());
    assert_eq!(status["roots"].as_array().unwrap().len(), 1);
    // By each of its paths.
    let base = sandbox.root.parent().unwrap();
    for path in [link.join("comes.ast.json"), base.join("rel2/comes.ast.json")] {
        assert_eq!(sandbox.explain(&path)["state"], "ok", "{}", path.display());
    }
    assert_eq!(sandbox.explain(base.join("rel1/goes.ast.json"))["root"], serde_json::Value::Null);
}

#[test]
fn a_link_in_a_folder_above_is_one_as_well_and_two_links_in_a_row() {
    let (sandbox, link) = releases();
    let base = sandbox.root.parent().unwrap();
    for rel in ["rel1", "rel2"] {
        fs::create_dir_all(base.join(rel).join("app")).unwrap();
        fs::write(base.join(rel).join("app/x.ast.json"), rel_text(rel)).unwrap();
    }
    symlink("current", base.join("latest")).unwrap();
    let below = base.join("latest/app");
    assert_eq!(did(&run(&sandbox, &below).expect(0)), [1, 0, 0]);
    lead(&link, "rel2");
    assert_eq!(did(&run(&sandbox, &below).expect(0)), [1, 0, 0]);
    assert_eq!(current(&sandbox), ["app/x.ast.json"]);
}

fn rel_text(rel: &str) -> &'static str {
    if rel == "rel1" { AST } else { OTHER }
}

#[test]
fn a_link_that_shares_no_file_with_before_is_meant_and_one_to_nothing_is_not() {
    let (sandbox, link) = releases();
    let base = sandbox.root.parent().unwrap();
    run(&sandbox, &link).expect(0);
    fs::create_dir_all(base.join("rel3")).unwrap();
    lead(&link, "rel3");
    let told = ran(sandbox.command(["run", "--wait", "0s", "--progress", "never"]).arg(&link)).expect(75);
    assert!(told.stderr.contains("leads to another folder than before, and that is empty"), "{told}");
    assert_eq!(current(&sandbox).len(), 3);
    fs::write(base.join("rel3/other.ast.json"), AST).unwrap();
    assert_eq!(did(&run(&sandbox, &link).expect(0)), [1, 0, 3]);
    lead(&link, "rel9");
    let told = run(&sandbox, &link).expect(2);
    assert!(told.stderr.contains("link that leads to nothing"), "{told}");
    lead(&link, "current");
    assert!(run(&sandbox, &link).expect(2).stderr.contains("can't be opened"));
    assert_eq!(current(&sandbox), ["current/other.ast.json"]);
}

#[test]
fn a_root_is_one_however_its_path_is_written() {
    let (sandbox, link) = releases();
    let base = sandbox.root.parent().unwrap().to_owned();
    run(&sandbox, &link).expect(0);
    let text = link.to_str().unwrap();
    let ways = ["current".to_owned(), format!("{text}/"), format!("{text}//."), format!("{text}/../current")];
    for way in ways.iter().map(Path::new).chain([Path::new("./rel1/../current")]) {
        let mut command = sandbox.command(["run", "--format", "json", "--progress", "never"]);
        let told = ran(command.arg(way).current_dir(&base)).expect(0);
        assert_eq!(did(&told), [0, 3, 0], "{}: {told}", way.display());
    }
    // In the folder, as a shell enters it.
    let mut command = sandbox.command(["run", "--format", "json", "--progress", "never"]);
    let told = ran(command.arg(".").current_dir(&link).env("PWD", &link)).expect(0);
    assert_eq!(did(&told), [0, 3, 0], "{told}");
    assert_eq!(sandbox.status()["roots"].as_array().unwrap().len(), 1);
    // `..` behind a link means what the system makes of it, and a wrong $PWD is not believed.
    fs::create_dir_all(base.join("far/away")).unwrap();
    fs::rename(base.join("rel2"), base.join("far/rel2")).unwrap();
    symlink(base.join("far/away"), base.join("near")).unwrap();
    let mut command = sandbox.command(["run", "--format", "json", "--progress", "never"]);
    let told = ran(command.arg("near/../rel2").current_dir(&base).env("PWD", &link)).expect(0);
    assert_eq!(did(&told), [3, 0, 0], "{told}");
    assert_eq!(sandbox.status()["roots"][1]["path"], base.join("far/rel2").to_str().unwrap());
}

#[test]
fn roots_that_share_files_are_told_of() {
    let (sandbox, link) = releases();
    let base = sandbox.root.parent().unwrap();
    let mut command = sandbox.command(["run", "--progress", "never"]);
    let told = ran(command.arg(&link).arg(base.join("rel1/d"))).expect(0);
    assert!(told.stderr.contains("lies in"), "{told}");
    let told = run(&sandbox, &base.join("rel1")).expect(0);
    assert!(told.stderr.contains("share files"), "{told}");
}

#[test]
fn a_state_in_a_root_that_is_given_through_a_link_is_not_ingested() {
    let (_sandbox, link) = releases();
    let state = link.join("state");
    let run = || {
        let mut command = crate::support::outlast();
        command.args(["run", "--include", "*.json", "--include", "*.ndjson", "--format", "json"]);
        ran(command.args(["--progress", "never", "--state"]).arg(&state).arg(&link)).expect(0)
    };
    assert_eq!(did(&run()), [3, 0, 0]);
    assert_eq!(did(&run()), [0, 3, 0]);
}

#[test]
fn the_same_files_in_another_folder_are_known_also_where_the_first_of_them_went() {
    let sandbox = Sandbox::new();
    for number in 0..300 {
        sandbox.write(format!("a/{number}.ast.json"), AST);
        sandbox.write(format!("b/{number}.ast.json"), AST);
    }
    sandbox.settle();
    sandbox.run_ok(&[]);
    let copy = sandbox.root.with_file_name("copy");
    let copied = std::process::Command::new("cp").arg("-a").arg(&sandbox.root).arg(&copy).status().unwrap();
    assert!(copied.success());
    fs::remove_dir_all(&sandbox.root).unwrap();
    fs::remove_dir_all(copy.join("a")).unwrap();
    fs::rename(&copy, &sandbox.root).unwrap();
    let summary = sandbox.run_ok(&["--wait", "0s"]);
    assert_eq!((&summary["unchanged"], &summary["removed"]), (&300.into(), &300.into()));
    sandbox.check();
}
