//! Consumers of the record log, whose cursors the state keeps.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Background, Ran, Rng, Sandbox, ran, read_segments};
use crate::user::settings::config::refused;
use crate::user::{AST, OTHER, two_processed, wait_until};

fn command(sandbox: &Sandbox, args: &[&str]) -> Command {
    let mut command = sandbox.command(["records", "--consumer", "next"]);
    command.args(args);
    command
}

fn next(sandbox: &Sandbox, args: &[&str]) -> Ran {
    ran(&mut command(sandbox, args))
}

/// What comes next for the consumer: the paths, and the cursor behind them.
#[track_caller]
fn read(sandbox: &Sandbox) -> (Vec<String>, String) {
    let output = next(sandbox, &["--cursor"]).expect(0);
    let path =
        |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap()["path"].as_str().unwrap().to_owned();
    (output.lines().into_iter().map(path).collect(), output.stderr.lines().last().unwrap().to_owned())
}

/// What `status` says of the one consumer.
fn status(sandbox: &Sandbox) -> Value {
    let consumers = sandbox.status()["consumers"].as_array().unwrap().clone();
    assert_eq!(consumers.len(), 1, "{consumers:?}");
    consumers[0].clone()
}

/// Two files that were processed, and a consumer that has read nothing of them.
fn unread() -> Sandbox {
    let sandbox = two_processed();
    next(&sandbox, &["--commit", "1:0"]).expect(0);
    sandbox
}

#[test]
fn a_consumer_exists_once_something_is_committed_and_another_name_reads_nothing() {
    let sandbox = two_processed();
    let missing = next(&sandbox, &[]);
    let remedy = "`outlast records --consumer next --commit 1:0` makes one";
    refused(&missing, 2, &["there is no consumer next: `outlast status` lists them", remedy]);
    assert!(missing.stdout.is_empty(), "{missing}");
    assert_eq!(sandbox.status()["consumers"], Value::Array(Vec::new()));
    let made = next(&sandbox, &["--commit", "1:0"]).expect(0);
    assert!(made.stderr.contains("consumer next is new") && made.stdout.is_empty(), "{made}");
    assert_eq!(read(&sandbox).0.len(), 2);
    let mistyped = ran(&mut sandbox.command(["records", "--consumer", "nxet"]));
    refused(&mistyped, 2, &["there is no consumer nxet; did you mean next?"]);
    let _watch = Background::start(sandbox.command(["watch"]).arg(&sandbox.root));
    wait_until("it watches", || sandbox.status()["running"].is_object().then_some(()));
    refused(
        &ran(&mut sandbox.command(["records", "--consumer", "other"])),
        2,
        &["there is no consumer other:"],
    );
}

#[test]
fn a_consumer_goes_on_from_what_it_has_committed() {
    let sandbox = unread();
    let (paths, end) = read(&sandbox);
    assert_eq!(paths, ["a.ast.json", "b.ast.json"], "at first, from the start");
    assert_eq!(read(&sandbox).0.len(), 2, "what is not committed comes again");
    let output = next(&sandbox, &["--commit", &end]).expect(0);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output}");
    assert_eq!(read(&sandbox), (vec![], end.clone()));
    sandbox.write("b.ast.json", OTHER);
    sandbox.run_ok(&[]);
    let (paths, later) = read(&sandbox);
    assert_eq!(paths, ["b.ast.json"]);
    let before = status(&sandbox);
    assert_eq!((&before["name"], &before["cursor"]), (&"next".into(), &end.as_str().into()));
    assert!(before["behind_bytes"].as_u64().unwrap() > 100, "{before}");
    next(&sandbox, &["--commit", &later]).expect(0);
    assert_eq!(status(&sandbox)["behind_bytes"], 0);
    let output = ran(&mut sandbox.command(["status"])).expect(0).text();
    assert!(
        output.contains(&format!("consumer next at {later}, moved ")) && output.contains("has read all"),
        "{output}"
    );
    next(&sandbox, &["--commit", "1:0"]).expect(0);
    assert_eq!(read(&sandbox).0.len(), 3, "back to the start");
    next(&sandbox, &["--forget"]).expect(0);
    assert_eq!(sandbox.status()["consumers"], Value::Array(Vec::new()));
    let output = next(&sandbox, &["--forget"]).expect(4);
    assert!(output.stderr.contains("no consumer next"), "{output}");
}

#[test]
fn a_consumer_works_beside_a_process_and_what_it_has_committed_outlives_it() {
    let sandbox = unread();
    let mut watch = Background::start(sandbox.command(["watch"]).arg(&sandbox.root));
    let running = || sandbox.status()["running"].is_object().then_some(());
    wait_until("it watches", running);
    let (paths, end) = read(&sandbox);
    assert_eq!(paths.len(), 2);
    next(&sandbox, &["--commit", &end]).expect(0);
    assert_eq!((read(&sandbox).0, status(&sandbox)["behind_bytes"].as_u64()), (vec![], Some(0)));
    sandbox.write("c.ast.json", AST);
    wait_until("a record is behind", || (read(&sandbox).0 == ["c.ast.json"]).then_some(()));
    let output = next(&sandbox, &["--commit", "1:99999"]);
    refused(&output, 2, &["lies behind the end"]);
    let (_, later) = read(&sandbox);
    next(&sandbox, &["--commit", &later]).expect(0);
    assert!(!watch.has_ended());
    watch.signal(rustix::process::Signal::KILL);
    watch.end();
    assert_eq!(status(&sandbox)["cursor"], later.as_str());
    // Beside a run that begins and ends at any time.
    let run = Background::start(&mut sandbox.run_command(&[]));
    next(&sandbox, &["--forget"]).expect(0);
    run.end().expect(0);
    assert_eq!(sandbox.status()["consumers"], Value::Array(Vec::new()));
    sandbox.check();
}

#[test]
fn a_commit_that_is_killed_has_moved_the_consumer_or_not() {
    let sandbox = unread();
    let end = read(&sandbox).1;
    let start = format!("1:0@{}", end.split_once('@').unwrap().1);
    let mut rng = Rng::new(3);
    let mut watch = None;
    for round in 0..24 {
        if round == 12 {
            watch = Some(Background::start(sandbox.command(["watch"]).arg(&sandbox.root)));
            wait_until("it watches", || sandbox.status()["running"].is_object().then_some(()));
        }
        next(&sandbox, &["--commit", &start]).expect(0);
        let mut commit = command(&sandbox, &["--commit", &end]);
        let mut commit = commit.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(rng.time_up_to(Duration::from_millis(60)));
        commit.kill().unwrap();
        let is_done = commit.wait().unwrap().success();
        let cursor = status(&sandbox)["cursor"].clone();
        assert!(cursor == end.as_str() || !is_done && cursor == start.as_str(), "{cursor}, {is_done}");
    }
    watch.unwrap().signal(rustix::process::Signal::KILL);
}

/// Makes three records of one file, each in place of the one before.
fn change_thrice(sandbox: &Sandbox) {
    for text in [OTHER, AST, OTHER] {
        sandbox.write("a.ast.json", text);
        sandbox.settle();
        sandbox.run_ok(&[]);
    }
}

#[test]
fn a_consumer_that_is_further_behind_than_the_setting_says_holds_the_log_no_longer() {
    let sandbox = unread();
    change_thrice(&sandbox);
    let (behind, held) = (status(&sandbox)["behind_bytes"].clone(), status(&sandbox)["held_bytes"].clone());
    assert!(behind.as_u64().unwrap() > 500 && held == behind, "{behind}, {held}");
    let line = ran(&mut sandbox.command(["status"])).expect(0).text();
    assert!(line.contains("B behind, compaction leaves ") && !line.contains(" MB"), "{line}");
    let compact = |keep: &str| ran(sandbox.command(["compact"]).env("OUTLAST_CONSUMER_KEEP", keep)).expect(0);
    let kept = compact(&format!("{behind}B"));
    assert!(kept.text().contains("a consumer has not read") && kept.stderr.is_empty(), "{kept}");
    let dropped = compact("500B");
    assert!(dropped.text().contains("carried forward"), "{dropped}");
    let warning = format!("consumer next is {behind} bytes behind, more than consumer-keep");
    assert!(dropped.stderr.contains(&warning), "{dropped}");
    refused(&next(&sandbox, &[]), 13, &["consumer next", "compacted", "outlast records --cursor"]);
    assert_eq!(
        (&status(&sandbox)["behind_bytes"], &status(&sandbox)["held_bytes"]),
        (&Value::Null, &0.into())
    );
    // The limit is that of a run that compacts by itself, too.
    ran(&mut sandbox.command(["records", "--consumer", "next", "--forget"])).expect(0);
    let current = ran(&mut sandbox.command(["records", "--cursor"])).expect(0);
    next(&sandbox, &["--commit", current.stderr.lines().last().unwrap()]).expect(0);
    change_thrice(&sandbox);
    let rules = ["--compact-min", "1B", "--compact-above", "10"];
    sandbox.run_ok(&rules);
    next(&sandbox, &[]).expect(0);
    sandbox.run_ok(&[&rules[..], &["--consumer-keep", "500B"]].concat());
    refused(&next(&sandbox, &[]), 13, &["consumer next", "compacted"]);
    sandbox.check();
}

#[test]
fn what_a_consumer_has_not_read_stays_in_the_log() {
    let sandbox = unread();
    next(&sandbox, &["--commit", &read(&sandbox).1]).expect(0);
    change_thrice(&sandbox);
    let compact = || ran(&mut sandbox.command(["compact"])).expect(0).text();
    let before = read_segments(&sandbox.records());
    let output = compact();
    assert!(output.contains("a consumer has not read") && !output.contains("up to date"), "{output}");
    assert_eq!(read_segments(&sandbox.records()), before);
    sandbox.run_ok(&["--compact-min", "1B", "--compact-above", "10"]);
    let (paths, end) = read(&sandbox);
    assert_eq!(paths, ["a.ast.json"; 3], "each version once, also after a run that would compact");
    next(&sandbox, &["--commit", &end]).expect(0);
    assert!(compact().contains("carried forward"));
    assert_eq!(read(&sandbox).0, [""; 0], "copies are no news");
    // One that holds the log, and one that no longer does.
    sandbox.write("a.ast.json", AST);
    sandbox.run_ok(&[]);
    assert!(compact().contains("a consumer has not read"));
    next(&sandbox, &["--forget"]).expect(0);
    assert!(compact().contains("carried forward"));
    refused(&next(&sandbox, &["--commit", "1:0"]), 13, &["compacted", "outlast records --cursor"]);
    refused(&next(&sandbox, &["--commit", &end]), 13, &["compacted"]);
    let current = ran(&mut sandbox.command(["records", "--cursor"])).expect(0);
    next(&sandbox, &["--commit", current.stderr.lines().last().unwrap()]).expect(0);
    assert_eq!(read(&sandbox).0, [""; 0]);
    sandbox.check();
}

#[test]
fn a_consumer_of_a_repaired_state_has_to_start_over_and_holds_nothing() {
    let sandbox = unread();
    next(&sandbox, &["--commit", &read(&sandbox).1]).expect(0);
    ran(&mut sandbox.command(["repair"])).expect(0);
    sandbox.write("a.ast.json", OTHER);
    sandbox.run_ok(&[]);
    refused(&next(&sandbox, &[]), 13, &["consumer next", "another state"]);
    assert_eq!(status(&sandbox)["behind_bytes"], Value::Null);
    let output = ran(&mut sandbox.command(["status"])).expect(0).text();
    assert!(output.contains("has to start over"), "{output}");
    assert!(ran(&mut sandbox.command(["compact"])).expect(0).text().contains("carried forward"));
}

#[test]
fn what_is_no_name_and_what_does_not_go_together_is_refused() {
    let sandbox = two_processed();
    let long = "x".repeat(65);
    for name in ["", "a b", "a/b", "\u{e4}", long.as_str()] {
        refused(&ran(&mut sandbox.command(["records", "--consumer", name])), 2, &["1 to 64"]);
    }
    for args in [&["--commit", "1:0"][..], &["--forget"]] {
        refused(&ran(sandbox.command(["records"]).args(args)), 2, &["--consumer"]);
    }
    for args in
        [&["--since", "1:0"][..], &["--follow"], &["--status", "ok"], &["--commit", "1:0", "--forget"]]
    {
        refused(&next(&sandbox, args), 2, &["cannot be used with"]);
    }
    refused(&next(&sandbox, &["--format", "parquet", "--output", "t"]), 2, &["--consumer"]);
    refused(&next(&sandbox, &["--commit", "1:7"]), 2, &["not the start of a record"]);
    assert_eq!(sandbox.status()["consumers"], Value::Array(Vec::new()));
}
