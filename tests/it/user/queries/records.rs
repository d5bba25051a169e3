//! `outlast records`, as a stage behind Outlast uses it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::{Sandbox, Tree, assert_record, copy, ran};
use crate::user::{AST, OTHER};

fn two() -> Sandbox {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", AST)]);
    sandbox.run_ok(&[]);
    sandbox
}

fn cursor(told: &crate::support::Ran) -> String {
    told.stderr.lines().last().unwrap().to_owned()
}

#[test]
fn a_cursor_gives_each_record_once() {
    let sandbox = two();
    let first = ran(&mut sandbox.command(["records", "--since", "1:0", "--cursor"])).expect(0);
    assert_eq!(first.lines().len(), 2);
    let since =
        |cursor: &str| ran(&mut sandbox.command(["records", "--cursor", "--since", cursor])).expect(0);
    let end = cursor(&first);
    assert_eq!(since(&end).lines().len(), 0);
    assert_eq!(cursor(&since(&end)), end);
    sandbox.write("b.ast.json", OTHER);
    sandbox.run_ok(&[]);
    let next = since(&end);
    assert_eq!(next.lines().len(), 1);
    assert!(next.text().contains("\"b.ast.json\""), "{next}");
    assert_ne!(cursor(&next), end);
}

#[test]
fn the_cursor_of_the_current_records_goes_on_from_them() {
    let sandbox = two();
    let current = ran(&mut sandbox.command(["records", "--cursor"])).expect(0);
    assert_eq!(current.lines().len(), 2);
    std::fs::remove_file(sandbox.root.join("a.ast.json")).unwrap();
    sandbox.run_ok(&[]);
    let next = ran(&mut sandbox.command(["records", "--since", &cursor(&current)])).expect(0);
    assert_eq!(next.lines().len(), 1);
    assert!(next.text().contains("\"removed\""), "{next}");
}

#[test]
fn each_line_has_the_cursor_behind_it_if_that_is_wanted() {
    let sandbox = two();
    let with = |args: &[&str]| {
        let told = ran(sandbox.command(["records", "--cursors"]).args(args)).expect(0);
        let records = told.lines().into_iter().map(|line| serde_json::from_slice(line).unwrap());
        records.collect::<Vec<serde_json::Value>>()
    };
    let log = with(&["--since", "1:0"]);
    let [first, second] = log.as_slice() else { panic!("{log:?}") };
    let behind = |record: &serde_json::Value| with(&["--since", record["cursor"].as_str().unwrap()]);
    assert_eq!(behind(first), std::slice::from_ref(second));
    assert!(behind(second).is_empty());
    let current = with(&[]);
    assert!(current.iter().all(|record| record["cursor"] == second["cursor"]), "{current:?}");
}

#[test]
fn a_cursor_of_a_state_that_was_made_anew_or_repaired_is_refused() {
    let sandbox = two();
    let since = |cursor: &str, code| {
        ran(&mut sandbox.command(["records", "--cursor", "--since", cursor])).expect(code)
    };
    let old = cursor(&since("1:0", 0));
    assert!(old.contains('@'), "{old}");
    assert_eq!(sandbox.status()["records_end"], old.as_str());
    std::fs::remove_dir_all(&sandbox.state).unwrap();
    sandbox.run_ok(&[]);
    let mut now = cursor(&since("1:0", 0));
    for is_repaired in [false, true] {
        let before = if is_repaired { now.clone() } else { old.clone() };
        if is_repaired {
            ran(&mut sandbox.command(["repair"])).expect(0);
            now = cursor(&since("1:0", 0));
        }
        let refused = since(&before, 13);
        assert!(
            refused.stdout.is_empty() && refused.stderr.contains("outlast records --cursor"),
            "{refused}"
        );
        assert!(refused.stderr.contains("another state"), "{refused}");
        let start = format!("1:0@{}", before.split_once('@').unwrap().1);
        since(&start, 13);
        let mut follow = sandbox.command(["records", "--follow", "--since", &before]);
        ran(&mut follow).expect(13);
        assert_eq!(cursor(&since(&now, 0)), now);
    }
}

#[test]
fn a_cursor_that_names_no_state_is_taken_with_a_warning() {
    let sandbox = two();
    let told = ran(&mut sandbox.command(["records", "--since", "1:0", "--cursor"])).expect(0);
    assert_eq!(told.stderr.lines().count(), 1, "the start is any state's: {told}");
    let whole = cursor(&told);
    let bare = whole.split_once('@').unwrap().0;
    let told = ran(&mut sandbox.command(["records", "--since", bare, "--cursor"])).expect(0);
    assert!(told.stderr.contains("names no state"), "{told}");
    assert_eq!(cursor(&told), whole);
}

#[test]
fn a_state_without_an_id_gets_one_from_the_next_run_and_its_cursors_go_on() {
    let sandbox = two();
    let description = sandbox.state.join("state.json");
    let text = std::fs::read_to_string(&description).unwrap();
    let body: String = text
        .lines()
        .filter(|line| !line.contains("\"id\": \"") && !line.contains("crc32"))
        .map(|line| format!("{line}\n"))
        .collect();
    let body = body.trim_end().strip_suffix('}').unwrap().trim_end().trim_end_matches(',').to_owned();
    let crc = crc32fast::hash(body.as_bytes());
    std::fs::write(&description, format!("{body},\n  \"crc32\": \"{crc:08x}\"\n}}\n")).unwrap();
    let since =
        |cursor: &str| ran(&mut sandbox.command(["records", "--cursor", "--since", cursor])).expect(0);
    let bare = cursor(&since("1:0"));
    assert!(!bare.contains('@'), "{bare}");
    sandbox.run_ok(&[]);
    assert!(cursor(&since(&bare)).starts_with(&format!("{bare}@")));
}

#[test]
fn a_cursor_beyond_the_end_is_refused() {
    let sandbox = two();
    for since in ["1:99999", "7:0"] {
        let told = ran(&mut sandbox.command(["records", "--since", since])).expect(2);
        assert!(told.stderr.contains("lies behind the end") && told.stdout.is_empty(), "{told}");
    }
}

#[test]
fn a_cursor_that_is_ahead_of_an_earlier_copy_of_the_state_is_gone() {
    let sandbox = two();
    let copied = sandbox.dir.path().join("copied");
    copy(&sandbox.state, &copied);
    sandbox.write("c.ast.json", AST);
    sandbox.run_ok(&[]);
    let end = cursor(&ran(&mut sandbox.command(["records", "--cursor"])).expect(0));
    std::fs::remove_dir_all(&sandbox.state).unwrap();
    std::fs::rename(&copied, &sandbox.state).unwrap();
    let told = ran(&mut sandbox.command(["records", "--since", &end])).expect(13);
    assert!(told.stderr.contains("earlier copy") && told.stdout.is_empty(), "{told}");
}

#[test]
fn a_cursor_in_the_middle_of_a_line_is_refused() {
    let sandbox = two();
    let told = ran(&mut sandbox.command(["records", "--since", "1:7"]));
    assert_ne!(told.code, Some(0), "half a record was printed: {told}");
    assert!(!told.crashed() && told.stdout.is_empty(), "{told}");
}

#[test]
fn following_prints_what_later_runs_commit() {
    let sandbox = two();
    let mut command = sandbox.command(["records", "--follow", "--since", "1:0"]);
    let mut follower = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || {
        let line: String = lines.next().unwrap().unwrap();
        assert_record(line.as_bytes());
        line
    };
    assert!(next().contains("\"a.ast.json\""));
    assert!(next().contains("\"b.ast.json\""));
    sandbox.write("c.ast.json", AST);
    sandbox.run_ok(&[]);
    assert!(next().contains("\"c.ast.json\""));
    std::fs::remove_file(sandbox.root.join("a.ast.json")).unwrap();
    sandbox.run_ok(&[]);
    let removed = next();
    follower.kill().unwrap();
    follower.wait().unwrap();
    assert!(removed.contains("\"a.ast.json\"") && removed.contains("\"removed\""), "{removed}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sandbox = Sandbox::new();
    Tree::grow(&sandbox.root, 4, 700);
    sandbox.run(&[]);
    let mut command = sandbox.command(["records"]);
    let mut records = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::with_capacity(64, records.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let told: crate::support::Ran = records.wait_with_output().unwrap().into();
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{told}");
}
