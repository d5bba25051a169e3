//! Roots that the settings name.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Background, Ran, Sandbox, ran};
use crate::user::{AST, wait_until};

/// Two trees, `one` and `two`, and no root yet.
fn trees() -> (Sandbox, [PathBuf; 2]) {
    let sandbox = Sandbox::with(&[("one/a.ast.json", AST), ("two/b.ast.json", AST)]);
    let trees = ["one", "two"].map(|name| sandbox.root.join(name));
    (sandbox, trees)
}

fn configured(sandbox: &Sandbox, text: &str) {
    fs::write(sandbox.dir.path().join("outlast.toml"), text).unwrap();
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Ran {
    ran(sandbox.command(["run", "--format", "json", "--progress", "never"]).args(args))
}

/// Name of the root of each record, in the order of the names.
fn names(sandbox: &Sandbox) -> Vec<String> {
    let output = ran(&mut sandbox.command(["records"])).expect(0);
    let name =
        |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap()["root"].as_str().unwrap().to_owned();
    let mut names: Vec<String> = output.lines().into_iter().map(name).collect();
    names.sort();
    names
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn refused(output: Ran, code: i32, parts: &[&str]) {
    let output = output.expect(code);
    let missing: Vec<_> = parts.iter().filter(|part| !output.stderr.contains(**part)).collect();
    assert!(missing.is_empty(), "no {missing:?}: {output}");
}

const TWO: &str = "[root.first]\npath = \"tree/one\"\n[root.second]\npath = \"tree/two\"\n";

#[test]
fn a_run_without_a_folder_takes_those_of_the_file_and_their_names() {
    let (sandbox, [_, two]) = trees();
    refused(run(&sandbox, &[]), 2, &["ROOT", "[root.NAME]"]);
    configured(&sandbox, TWO);
    let dry = run(&sandbox, &["--dry-run"]).expect(0).json();
    assert_eq!(dry["discovered"], 2, "{dry}");
    assert_eq!(run(&sandbox, &[]).expect(0).json()["ok"], 2);
    assert_eq!(names(&sandbox), ["first", "second"]);
    // A folder that is given is instead of them, and is known.
    let again = run(&sandbox, &[text(&two)]).expect(0).json();
    assert_eq!((&again["discovered"], &again["unchanged"]), (&1.into(), &1.into()));
    assert_eq!(names(&sandbox), ["first", "second"]);
}

#[test]
fn a_folder_that_is_given_without_a_name_has_that_of_the_file() {
    let (sandbox, [one, _]) = trees();
    configured(&sandbox, TWO);
    run(&sandbox, &[text(&one)]).expect(0);
    assert_eq!(names(&sandbox), ["first"]);
}

#[test]
fn a_flag_names_a_root_beside_the_folders_that_are_given_and_in_place_of_the_files() {
    let (sandbox, [one, two]) = trees();
    configured(&sandbox, "[root.other]\npath = \"nowhere\"\n");
    run(&sandbox, &["--root", &format!("named={}", text(&one)), text(&two)]).expect(0);
    assert_eq!(names(&sandbox), ["named", "two"]);
}

#[test]
fn a_name_stays_and_the_message_says_what_can_be_done() {
    let (sandbox, [one, two]) = trees();
    let named = |name: &str, path: &Path| run(&sandbox, &["--root", &format!("{name}={}", text(path))]);
    named("first", &one).expect(0);
    refused(named("second", &one), 2, &["is first in its records", "call it first", "`outlast forget /"]);
    let move_root = format!("`outlast move-root {} {}`", text(&one), text(&two));
    refused(named("first", &two), 2, &["the name first is that of the root", &move_root]);
    assert_eq!(names(&sandbox), ["first"], "a refused run leaves all as it was");
    named("first", &one).expect(0);
    // Both remedies work.
    fs::remove_dir_all(&two).unwrap();
    fs::rename(&one, &two).unwrap();
    ran(sandbox.command(["move-root"]).args([&one, &two])).expect(0);
    named("first", &two).expect(0);
    assert_eq!(names(&sandbox), ["first"]);
    ran(sandbox.command(["forget"]).arg(&two)).expect(0);
    named("second", &two).expect(0);
    assert_eq!(names(&sandbox), ["second"]);
    // A repaired state has lost the paths of its roots at worst.
    fs::write(sandbox.state.join("state.json"), "{").unwrap();
    ran(&mut sandbox.command(["repair"])).expect(0);
    named("second", &two).expect(0);
    assert_eq!(names(&sandbox), ["second"]);
}

#[test]
fn every_mistake_in_the_file_is_told_with_its_line() {
    let (sandbox, _) = trees();
    configured(
        &sandbox,
        "[root.\"a b\"]\npath = \"x\"\n[root.b]\n[root.c]\npath = \"x\"\nglob = 1\n[root.d]\npath = \"tree/one\"\n\
         [root.e]\npath = \"tree/./one\"\n[roots.f]\npath = \"x\"\n",
    );
    let output = ran(&mut sandbox.command(["config", "check"])).expect(78).text();
    for part in [
        ":1: root: \"a b\" is no name of a root: expected 1 to 64 of",
        ":3: root.b has no path: write path = \"/srv/b\" below it",
        ":4: root.c.glob is no setting; a root has a path alone",
        "which is root d already; leave one out",
        ":11: roots is no setting; did you mean root?",
    ] {
        assert!(output.contains(part), "no {part:?}: {output}");
    }
    configured(&sandbox, "");
    let twice = ["--root", "a=tree/one", "--root", "a=tree/two"];
    refused(run(&sandbox, &twice), 78, &["flag --root: root a is both tree/one and tree/two"]);
    refused(run(&sandbox, &["--root", "tree/one"]), 78, &["must be NAME=PATH, such as asts=/srv/asts"]);
}

#[test]
fn a_watcher_serves_the_roots_of_the_file_also_one_that_comes_later() {
    let (sandbox, [_, two]) = trees();
    let aside = sandbox.dir.path().join("aside");
    fs::rename(&two, &aside).unwrap();
    configured(&sandbox, TWO);
    let watch =
        Background::start(sandbox.command(["watch", "--progress", "never"]).args(["--poll-interval", "1s"]));
    let has = |wanted: &[&str]| {
        let output = ran(&mut sandbox.command(["records"]));
        (output.code == Some(0) && names(&sandbox) == wanted).then_some(())
    };
    wait_until("the first root has no record", || has(&["first"]));
    fs::rename(&aside, &two).unwrap();
    wait_until("the second root has no record", || has(&["first", "second"]));
    watch.signal(rustix::process::Signal::TERM);
    watch.end().expect(143);
}

#[test]
fn a_root_that_is_added_has_the_name_that_is_given_or_that_of_the_settings() {
    let (sandbox, [one, two]) = trees();
    let third = sandbox.dir.path().join("x=y");
    fs::create_dir(&third).unwrap();
    fs::write(third.join("c.ast.json"), AST).unwrap();
    configured(&sandbox, "[root.first]\npath = \"tree/one\"\n");
    let watch = Background::start(sandbox.command(["watch", "--progress", "never"]).arg("x=y"));
    let has = |wanted: &[&str]| {
        let output = ran(&mut sandbox.command(["records"]));
        (output.code == Some(0) && names(&sandbox) == wanted).then_some(())
    };
    wait_until("the folder has no record, although it is named by its path", || has(&["x=y"]));
    let ctl = |args: &[&str]| ran(sandbox.command(["ctl"]).args(args));
    // Whoever asks knows no settings: those of the process count.
    ctl(&["add", text(&one), "--config", "/dev/null"]).expect(0);
    wait_until("the first root has no record", || has(&["first", "x=y"]));
    refused(ctl(&["add", "other=tree/one"]), 2, &["this root is first in its records"]);
    refused(ctl(&["add", "first=tree/two"]), 2, &["the name first is that of the root"]);
    let output = ctl(&["add", &format!("first={}", text(&one))]).expect(0).text();
    assert!(output.contains("is served already"), "{output}");
    ctl(&["add", "second=tree/two"]).expect(0);
    wait_until("the second root has no record", || has(&["first", "second", "x=y"]));
    // By their names they are known from then on.
    for name in ["second", "first"] {
        assert!(ctl(&["remove", name]).expect(0).text().contains("not served any more"));
    }
    refused(ctl(&["remove", "third"]), 2, &["third: is no root that is served"]);
    let output = ctl(&["add", "first"]).expect(0).text();
    assert!(output.contains("the first scan of") && output.contains(text(&one)), "{output}");
    watch.signal(rustix::process::Signal::TERM);
    watch.end().expect(143);
    fs::rename(&two, two.with_file_name("moved")).unwrap();
    let moved = ran(&mut sandbox.command(["move-root", "second", "tree/moved"])).expect(0).text();
    assert!(moved.contains(&format!("root second: {} is ", text(&two))), "{moved}");
}
