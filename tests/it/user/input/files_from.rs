//! Runs on the files of a list.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Background, Ran, Sandbox, ran, summary_adds_up};
use crate::user::{AST, OTHER, slow, wait_until};

/// Runs with a list on stdin.
fn run_on(sandbox: &Sandbox, list: impl AsRef<[u8]>, extra: &[&str]) -> Ran {
    let mut command = sandbox.run_command(&[&["--files-from", "-"], extra].concat());
    let mut run =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = run.stdin.take().unwrap();
    let list = list.as_ref().to_vec();
    // A list that is refused is not read to its end.
    let writing = std::thread::spawn(move || drop(stdin.write_all(&list)));
    let ran = Ran::from(run.wait_with_output().unwrap());
    writing.join().unwrap();
    ran
}

#[track_caller]
fn summary(sandbox: &Sandbox, list: impl AsRef<[u8]>, code: i32) -> Value {
    let summary = run_on(sandbox, list, &[]).expect(code).json();
    summary_adds_up(&summary).unwrap();
    summary
}

fn paths(sandbox: &Sandbox) -> Vec<String> {
    let mut paths: Vec<_> = sandbox.log_brief().into_iter().map(|(path, _)| path).collect();
    paths.sort();
    paths
}

/// Five files, all done.
fn five() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("a.ast.json", AST),
        ("b.ast.json", AST),
        ("d/a.ast.json", AST),
        ("d/b.ast.json", AST),
        ("d/e/c.ast.json", AST),
    ]);
    sandbox.run_ok(&[]);
    sandbox
}

#[test]
fn only_files_that_the_list_names_are_looked_at() {
    let sandbox = five();
    for path in ["a.ast.json", "b.ast.json", "d/e/c.ast.json"] {
        sandbox.write(path, OTHER);
    }
    for path in ["d/a.ast.json", "d/b.ast.json"] {
        fs::remove_file(sandbox.root.join(path)).unwrap();
    }
    sandbox.write("new.ast.json", AST);
    sandbox.write("d/new.ast.json", AST);
    sandbox.settle();
    let done = summary(&sandbox, "d/e/c.ast.json\nd/new.ast.json\nb.ast.json\nd/b.ast.json\n", 0);
    assert_eq!([&done["discovered"], &done["ok"], &done["removed"], &done["unchanged"]], [3, 3, 1, 0]);
    let log: Vec<_> = sandbox.log_brief().split_off(5);
    let mut found: Vec<_> = log.iter().map(|(path, status)| (path.as_str(), status.as_str())).collect();
    found.sort_unstable();
    let expected = [
        ("b.ast.json", "ok"),
        ("d/b.ast.json", "removed"),
        ("d/e/c.ast.json", "ok"),
        ("d/new.ast.json", "ok"),
    ];
    assert_eq!(found, expected);
    assert_eq!(summary(&sandbox, "b.ast.json", 0)["unchanged"], 1);
    let rest = sandbox.run_ok(&[]);
    assert_eq!([&rest["ok"], &rest["removed"], &rest["unchanged"]], [2, 1, 3], "what was not named");
    sandbox.check();
}

#[test]
fn a_path_may_be_written_in_any_way_and_more_than_once() {
    let sandbox = Sandbox::with(&[
        ("a.ast.json", AST),
        ("d/b.ast.json", AST),
        ("d/c.ast.json", AST),
        ("e.ast.json", AST),
    ]);
    let absolute = sandbox.root.join("d/../d/c.ast.json");
    let list = format!(
        "./a.ast.json\r\n\r\na.ast.json\n\nd//b.ast.json\nd/./b.ast.json\nd/x/../b.ast.json\n../tree/a.ast.json\n{}",
        absolute.display()
    );
    let done = summary(&sandbox, list, 0);
    assert_eq!([&done["discovered"], &done["ok"]], [3, 3]);
    assert_eq!(paths(&sandbox), ["a.ast.json", "d/b.ast.json", "d/c.ast.json"]);
}

#[test]
fn names_of_any_bytes_come_with_zero_bytes_behind_them() {
    let sandbox = Sandbox::new();
    let name = std::ffi::OsStr::from_bytes(b"a\xff\nb.ast.json");
    fs::write(sandbox.root.join(name), AST).unwrap();
    sandbox.write("b.ast.json", AST);
    let done = summary(&sandbox, b"a\xff\nb.ast.json\0b.ast.json\0\0", 0);
    assert_eq!([&done["discovered"], &done["ok"]], [2, 2]);
    assert_eq!(summary(&sandbox, b"a\xff\nb.ast.json\0", 0)["unchanged"], 1);
    sandbox.check();
}

#[test]
fn a_list_with_a_path_outside_the_roots_is_refused_as_a_whole_by_the_line() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    for (path, why) in [
        ("../other", "lies outside the roots of this run"),
        ("d/../../tree2/a.ast.json", "lies outside the roots of this run"),
        ("/etc/passwd", "lies outside the roots of this run"),
    ] {
        let refused = run_on(&sandbox, format!("a.ast.json\n\n{path}\n"), &[]).expect(2);
        assert_eq!(refused.stderr, format!("outlast: stdin: line 3: {path}: {why}\n"));
    }
    let list = sandbox.dir.path().join("list");
    fs::write(&list, "a.ast.json\0/etc/passwd\0").unwrap();
    let refused = sandbox.run(&["--files-from", "list"]).expect(2);
    assert_eq!(refused.stderr, "outlast: list: entry 2: /etc/passwd: lies outside the roots of this run\n");
    let refused = sandbox.run(&["--files-from", "nowhere"]).expect(2);
    assert!(refused.stderr.starts_with("outlast: nowhere: can't be read: No such file"), "{refused}");
    let refused = sandbox.run(&["--files-from", "tree"]).expect(2);
    assert!(refused.stderr.starts_with("outlast: tree: can't be read: Is a directory"), "{refused}");
    assert!(!sandbox.state.exists());
}

#[test]
fn a_relative_path_needs_one_root_and_an_absolute_one_is_of_the_innermost() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let other = sandbox.dir.path().canonicalize().unwrap().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("b.ast.json"), AST).unwrap();
    let link = sandbox.dir.path().join("link");
    symlink(&other, &link).unwrap();
    let run = |list: String| {
        fs::write(sandbox.dir.path().join("list"), list).unwrap();
        let mut command = sandbox.run_command(&["--files-from", "list", "--root", "linked=link"]);
        ran(&mut command)
    };
    let refused = run("b.ast.json".to_owned()).expect(2);
    assert_eq!(
        refused.stderr,
        "outlast: list: line 1: b.ast.json: is relative to one of several roots; write absolute paths\n"
    );
    let done = run(format!(
        "{}/a.ast.json\n{0}/none.ast.json\n{1}/b.ast.json\n{2}/b.ast.json\n",
        sandbox.root.display(),
        other.display(),
        sandbox.dir.path().canonicalize().unwrap().join("link").display()
    ));
    let done = done.expect(0).json();
    assert_eq!([&done["discovered"], &done["ok"]], [3, 2]);
    assert_eq!(done["skipped"], json!({"not-there": 1}));
    let roots: Vec<_> =
        sandbox.log().iter().map(|record| record["root"].as_str().unwrap().to_owned()).collect();
    assert_eq!(roots.iter().filter(|root| *root == "linked").count(), 1, "{roots:?}");
}

#[test]
fn filters_hold_and_what_is_no_file_is_told() {
    let sandbox = Sandbox::with(&[
        ("a.ast.json", AST),
        ("b.txt", AST),
        ("build/c.ast.json", AST),
        ("ignored/d.ast.json", AST),
        ("dir.ast.json/e.ast.json", AST),
        ("ignored/.outlastignore", "d.*\n"),
    ]);
    symlink("a.ast.json", sandbox.root.join("link.ast.json")).unwrap();
    symlink("build", sandbox.root.join("through")).unwrap();
    let list = "a.ast.json\nb.txt\nbuild/c.ast.json\nignored/d.ast.json\ndir.ast.json\ndir.ast.json/\nlink.ast.json\n\
                through/c.ast.json\nnone.ast.json\nnone/x.ast.json\na.ast.json/x.ast.json\n.\n";
    let run = run_on(&sandbox, list, &["--exclude", "build/"]).expect(0);
    let done = run.json();
    summary_adds_up(&done).unwrap();
    assert_eq!([&done["discovered"], &done["ok"]], [7, 1]);
    assert_eq!(done["skipped"], json!({"folder": 1, "not-there": 3, "symlink": 2}));
    assert_eq!(done["filtered"], json!({"exclude:build/": 1, "include": 1, "ignored/.outlastignore:d.*": 1}));
    for told in ["names a file that is not there", "none/x.ast.json", "names folders", "names a root itself"]
    {
        assert!(run.stderr.contains(told), "{told}: {run}");
    }
    assert_eq!(
        sandbox.explain(sandbox.root.join("build/c.ast.json"))["scan"],
        "left out by exclude:build/ at build"
    );
}

#[test]
fn a_list_without_a_file_matches_nothing_and_one_of_deleted_files_is_done() {
    let sandbox = five();
    for list in ["", "\n\n", "none.ast.json\n", "d\n"] {
        assert_eq!(summary(&sandbox, list, 4)["ok"], 0, "{list:?}");
    }
    fs::remove_file(sandbox.root.join("d/a.ast.json")).unwrap();
    assert_eq!(summary(&sandbox, "d/a.ast.json\n", 0)["removed"], 1);
    assert_eq!(summary(&sandbox, "d/a.ast.json\n", 4)["skipped"], json!({"not-there": 1}));
}

#[test]
fn a_known_file_in_a_folder_that_a_rule_excludes_stays_until_it_is_deleted() {
    let sandbox = five();
    let extra = ["--exclude", "d/"];
    let run = |code| run_on(&sandbox, "d/a.ast.json\nd/e/c.ast.json\na.ast.json", &extra).expect(code).json();
    assert_eq!(run(0)["filtered"], json!({"exclude:d/": 2}));
    fs::remove_dir_all(sandbox.root.join("d/e")).unwrap();
    let done = run(0);
    assert_eq!([&done["removed"], &done["unchanged"], &done["discovered"]], [1, 1, 1]);
}

#[test]
fn a_dry_run_tells_what_would_come_of_a_list_and_changes_nothing() {
    let sandbox = five();
    sandbox.write("a.ast.json", OTHER);
    sandbox.write("b.ast.json", OTHER);
    let list = "a.ast.json\nd/a.ast.json\nnew.ast.json\n";
    for _ in 0..2 {
        let seen = run_on(&sandbox, list, &["--dry-run"]).expect(0).json();
        assert_eq!([&seen["discovered"], &seen["pending"], &seen["unchanged"]], [3, 1, 1]);
        assert_eq!(seen["skipped"], json!({"not-there": 1}));
    }
    assert_eq!(sandbox.log().len(), 5);
    let refused = run_on(&sandbox, list, &["--reprocess"]).expect(2);
    assert!(refused.stderr.contains("--reprocess"), "{refused}");
}

/// Killed with some of the list done: any later run does the rest, once.
#[test]
fn what_a_killed_run_has_found_of_a_list_is_done_by_any_later_run() {
    for again in [&["--files-from", "list"][..], &[]] {
        let sandbox = slow(60);
        let list: String = (0..40).map(|number| format!("f{number:04}.ast.json\n")).collect();
        fs::write(sandbox.dir.path().join("list"), list).unwrap();
        let mut command = sandbox.run_command(&["--workers", "1", "--files-from", "list"]);
        let run = Background::start(&mut command);
        wait_until("some files are done and some are not", || {
            let told = ran(&mut sandbox.command(["status", "--format", "json"]));
            let status = (told.code == Some(0)).then(|| told.json())?;
            (status["total"]["ok"].as_u64()? > 0 && status["total"]["pending"].as_u64()? > 0).then_some(())
        });
        drop(run);
        let pending = sandbox.status()["total"]["pending"].as_u64().unwrap();
        assert!((1..40).contains(&pending), "{pending}");
        let done = sandbox.run_ok(again);
        let expected = if again.is_empty() { 60 } else { 40 };
        assert_eq!((&done["discovered"], &done["resumed"]), (&json!(expected), &json!(true)), "{done}");
        let paths = paths(&sandbox);
        assert_eq!(paths.len(), expected);
        assert!(paths.windows(2).all(|pair| pair[0] != pair[1]), "none twice");
    }
}
