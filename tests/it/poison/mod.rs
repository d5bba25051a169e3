//! Processors that fail, hang, or bring the whole process down: the rest completes.

mod at_once;
mod child;
mod stopped;

use std::time::{Duration, Instant};

use outlast::{BatchConfig, ErrorClass, ErrorMode, RetryPolicy};
use serde_json::Value;

use crate::support::{Sandbox, ran};
use child::{Child, Files, telling};

pub(crate) const AST: &str = r#"{"type":"Program","body":[{"type":"Name","id":"x"}]}"#;
/// Long enough for anything that is not stuck.
const LONG: Duration = Duration::from_secs(60);

fn config() -> BatchConfig {
    BatchConfig { worker_count: 2, ..BatchConfig::default() }
}

/// A tree of so many small files; `acts` are what some of them tell the processor, spread evenly.
fn tree(files: usize, acts: &[&str]) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new();
    let every = files / acts.len().max(1);
    let mut told = Vec::new();
    for number in 0..files {
        let path = format!("d{}/f{number:05}.ast.json", number / 500);
        match acts.get(number / every).filter(|_| number % every == every / 2) {
            Some(act) => {
                sandbox.write(&path, telling(act));
                told.push(path);
            }
            None => drop(sandbox.write(&path, AST)),
        }
    }
    assert_eq!(told.len(), acts.len());
    sandbox.settle();
    (sandbox, told)
}

/// The latest record of each path that failed: its class.
fn failed(sandbox: &Sandbox) -> Vec<(String, String)> {
    let told = ran(&mut sandbox.command(["records", "--status", "failed"])).expect(0);
    let record = |line: &[u8]| -> (String, String) {
        let record: Value = serde_json::from_slice(line).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&record["path"]), text(&record["error"]["class"]))
    };
    // In the order of the tree, which is not that of the text.
    let mut failed: Vec<_> = told.lines().into_iter().map(record).collect();
    failed.sort();
    failed
}

#[track_caller]
fn assert_counts(sandbox: &Sandbox, ok: usize, failed: usize) {
    let total = &sandbox.status()["total"];
    let counts = ["ok", "failed", "pending"].map(|name| total[name].as_u64().unwrap() as usize);
    assert_eq!(counts, [ok, failed, 0]);
}

/// Starts the child again and again until it comes to its end, as a supervisor would.
fn supervised(child: &Child<'_>, starts_max: u32) -> u32 {
    for start in 1..=starts_max {
        if child.run().code == Some(0) {
            return start;
        }
    }
    panic!("it did not come to its end with {starts_max} starts");
}

#[test]
fn ten_files_that_kill_the_process_are_found_among_ten_thousand() {
    let acts = ["abort", "exit", "overflow", "abort", "exit", "abort", "overflow", "exit", "abort", "abort"];
    let (sandbox, told) = tree(10_000, &acts);
    let child = Child::new(&sandbox, config());
    let starts = supervised(&child, 40);
    // Each kills it twice. Now and then two do so at the same moment, which takes a start less where both are noted, and one
    // more where a busy machine has noted neither.
    assert!((12..=30).contains(&starts), "{starts} starts");
    let mut expected: Vec<_> = told.iter().map(|path| (path.clone(), "crash".to_owned())).collect();
    expected.sort();
    assert_eq!(failed(&sandbox), expected);
    assert_counts(&sandbox, 9_990, 10);
    let more = u64::from(starts.saturating_sub(20));
    for (path, calls) in child.calls() {
        let allowed = if told.contains(&path) { 2..=2 + more } else { 1..=2 + more };
        assert!(allowed.contains(&calls), "{path} was processed {calls} times");
    }
    let again = child.run_ok();
    assert_eq!(again["unchanged"], 10_000, "a file that was found out is left alone: {again}");
}

#[test]
fn a_file_that_kills_without_a_word_stops_no_other() {
    let (sandbox, told) = tree(400, &["kill", "thread"]);
    let child = Child::new(&sandbox, config());
    // How a process dies without a word can't be told from outside: nobody is blamed. But the rest completes.
    for _ in 0..6 {
        assert_ne!(child.run().code, Some(0));
    }
    let status = sandbox.status();
    assert_eq!((&status["total"]["ok"], &status["total"]["pending"]), (&398.into(), &2.into()), "{status}");
    for path in told {
        let told = sandbox.explain(sandbox.root.join(path));
        assert_eq!((&told["state"], &told["attempts"]), (&"pending".into(), &0.into()));
    }
}

#[test]
fn panics_and_errors_fail_one_file_each() {
    let (sandbox, told) = tree(300, &["panic", "error", "panic"]);
    let result = Child::new(&sandbox, config()).run_ok();
    assert_eq!((&result["ok"], &result["failed"]), (&297.into(), &3.into()));
    let classes: Vec<_> = failed(&sandbox).into_iter().collect();
    let expected = ["panic", "processor", "panic"].map(str::to_owned);
    assert_eq!(classes, told.into_iter().zip(expected).collect::<Vec<_>>());
}

#[test]
fn files_that_never_come_back_fail_and_hold_nobody_up() {
    let (sandbox, told) = tree(600, &["hang", "hang", "hang", "hang", "hang"]);
    let child = Child::new(&sandbox, BatchConfig { timeout_seconds: 1, ..config() });
    let begun = Instant::now();
    let result = child.run_ok();
    assert!(begun.elapsed() < LONG, "it took {:?}", begun.elapsed());
    assert_eq!((&result["ok"], &result["failed"]), (&595.into(), &5.into()), "{result}");
    let expected: Vec<_> = told.into_iter().map(|path| (path, "timeout".to_owned())).collect();
    assert_eq!(failed(&sandbox), expected);
    assert!(child.calls().values().all(|&calls| calls == 1), "{:?}", child.calls());
}

#[test]
fn a_failure_that_may_pass_is_tried_again_on_a_schedule_that_a_kill_does_not_end() {
    tried_again_on_a_schedule(Files::One);
}

#[test]
fn so_is_a_failure_that_a_child_says_may_pass() {
    tried_again_on_a_schedule(Files::InChildren);
}

fn tried_again_on_a_schedule(files: Files) {
    let (sandbox, told) = tree(40, &["busy"]);
    let policy = RetryPolicy { attempts: 4, backoff_ms: 2_000, backoff_max_ms: 2_000 };
    let retry = [(ErrorClass::Processor, policy)].into();
    let child = Child::new(&sandbox, BatchConfig { retry, ..config() }).with(files);
    let mut attempts = 0;
    while attempts < 2 {
        let mut process = child.command().stderr(std::process::Stdio::null()).spawn().unwrap();
        // What is in another language takes longer to begin.
        let time = if matches!(files, Files::InChildren) { 1_500 } else { 400 };
        std::thread::sleep(Duration::from_millis(time));
        process.kill().unwrap();
        process.wait().unwrap();
        if ran(&mut sandbox.command(["status"])).code != Some(0) {
            continue;
        }
        let told = sandbox.explain(sandbox.root.join(&told[0]));
        let now = told["attempts"].as_u64().unwrap();
        assert!(now >= attempts, "{told}");
        attempts = now;
    }
    let result = child.run_ok();
    assert_eq!((&result["failed"], &result["pending"]), (&1.into(), &0.into()));
    let log = sandbox.log();
    let record = log.iter().find(|record| record["path"] == told[0]).unwrap();
    assert_eq!((&record["status"], &record["attempts"]), (&"failed".into(), &4.into()), "{record}");
    // Killed before the commit of an attempt, it is called again. A process of its own notes no calls.
    let calls = child.calls().get(&told[0]).copied();
    assert!(calls.is_none_or(|calls| (4..8).contains(&calls)), "{calls:?} calls");
    assert_eq!(calls.is_none(), matches!(files, Files::InChildren));
}

#[test]
fn what_is_quarantined_is_left_alone_by_a_run_that_would_try_it_again() {
    let (sandbox, told) = tree(20, &["hang"]);
    let config = BatchConfig { timeout_seconds: 1, on_error: ErrorMode::Quarantine, ..config() };
    let child = Child::new(&sandbox, config.clone());
    assert_eq!(child.run_ok()["failed"], 1);
    assert_eq!(child.run_ok()["unchanged"], 20, "a timeout is due again at the next run, but not this one");
    sandbox.write(&told[0], AST);
    assert_eq!(child.run_ok()["ok"], 1, "it has another content");
    let (sandbox, _) = tree(20, &["hang"]);
    let child = Child::new(&sandbox, BatchConfig { on_error: ErrorMode::Continue, ..config });
    assert_eq!(child.run_ok()["failed"], 1);
    assert_eq!(child.run_ok()["failed"], 1);
}

#[test]
fn a_run_that_is_to_stop_does_not_wait_for_what_hangs() {
    let (sandbox, told) = tree(200, &["hang"]);
    let config = BatchConfig { drain_seconds: 2, ..config() };
    let child = Child::new(&sandbox, config).stopped_after(Duration::from_secs(1));
    let begun = Instant::now();
    let result = child.run_ok();
    assert!(begun.elapsed() < Duration::from_secs(4), "it took {:?}", begun.elapsed());
    assert_eq!(
        (&result["interrupted"], &result["ok"], &result["pending"]),
        (&true.into(), &199.into(), &1.into())
    );
    let told = sandbox.explain(sandbox.root.join(&told[0]));
    assert_eq!((&told["state"], &told["attempts"]), (&"pending".into(), &0.into()));
}

#[test]
fn fifty_kills_in_a_row_count_as_no_attempt() {
    let (sandbox, told) = tree(60, &["sleep-120"; 10]);
    let child = Child::new(&sandbox, config());
    for kill in 0..50 {
        let mut process = child.command().stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 + kill * 3));
        process.kill().unwrap();
        process.wait().unwrap();
    }
    for path in &told {
        let told = sandbox.explain(sandbox.root.join(path));
        assert_eq!((&told["attempts"], &told["state"] == "failed"), (&0.into(), false), "{told}");
    }
    child.run_ok();
    assert_counts(&sandbox, 60, 0);
    let log = sandbox.log();
    assert_eq!(log.len(), 60);
    assert!(log.iter().all(|record| record["attempts"] == 1));
}
