//! What the exit code says of failures that are known from an earlier run.

use std::fs::File;
use std::time::SystemTime;

use serde_json::Value;

use crate::support::{Sandbox, ran};
use crate::user::{AST, BROKEN, midway, slow, wait_until};

const OK: &[&str] = &["--known-failures", "ok"];

/// New and known failures of a summary.
fn failures(summary: &Value) -> (u64, u64) {
    let number = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(
        number("new_failures") + number("known_failures"),
        number("failed") + number("failed_earlier"),
        "{summary}"
    );
    (number("new_failures"), number("known_failures"))
}

/// Runs with known failures accepted.
#[track_caller]
fn daily(sandbox: &Sandbox, code: i32) -> (u64, u64) {
    sandbox.settle();
    failures(&sandbox.run_code(OK, code))
}

fn one_broken() -> Sandbox {
    Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", BROKEN)])
}

#[test]
fn a_daily_run_ends_with_3_for_new_failures_only() {
    let sandbox = one_broken();
    assert_eq!(daily(&sandbox, 3), (1, 0));
    assert_eq!(daily(&sandbox, 0), (0, 1));
    assert_eq!(failures(&sandbox.run_code(&[], 3)), (0, 1), "by default any failure counts");
    sandbox.write("c.ast.json", BROKEN);
    assert_eq!(daily(&sandbox, 3), (1, 1));
    assert_eq!(daily(&sandbox, 0), (0, 2));
    let mut command = sandbox.command(["run", "--progress", "never", "--dry-run"]);
    command.arg(&sandbox.root).env("OUTLAST_KNOWN_FAILURES", "ok");
    let text = ran(&mut command).expect(0).text();
    assert!(text.contains("\n  failures: 0 new, 2 known from an earlier run\n"), "{text}");
}

#[test]
fn a_file_that_fails_again_after_a_change_is_new_and_one_that_was_only_touched_is_known() {
    let sandbox = one_broken();
    assert_eq!(daily(&sandbox, 3), (1, 0));
    sandbox.write("b.ast.json", "{\"broken in another way\": ");
    assert_eq!(daily(&sandbox, 3), (1, 0));
    let file = File::options().write(true).open(sandbox.root.join("b.ast.json")).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
    assert_eq!(daily(&sandbox, 0), (0, 1));
    let all_again = sandbox.run_code(&[OK, &["--reprocess"]].concat(), 0);
    assert_eq!((failures(&all_again), &all_again["failed"]), ((0, 1), &1.into()));
    sandbox.write("b.ast.json", AST);
    assert_eq!(daily(&sandbox, 0), (0, 0));
}

#[test]
fn what_each_run_tries_again_stays_known_while_it_fails_for_the_same_reason() {
    let sandbox = one_broken();
    let large = File::create(sandbox.root.join("large.ast.json")).unwrap();
    large.set_len(64 << 20).unwrap();
    let small = [OK, &["--memory-limit", "96MiB"]].concat();
    sandbox.settle();
    assert_eq!(failures(&sandbox.run_code(&small, 3)), (2, 0));
    let second = sandbox.run_code(&small, 0);
    assert_eq!((failures(&second), &second["failed"]), ((0, 2), &1.into()));
    // It is read now, and is no JSON.
    assert_eq!(daily(&sandbox, 3), (1, 1));
    assert_eq!(daily(&sandbox, 0), (0, 2));
}

#[test]
fn a_failure_that_a_client_has_tried_again_is_new() {
    let sandbox = one_broken();
    assert_eq!(daily(&sandbox, 3), (1, 0));
    ran(&mut sandbox.command(["retry", "b.ast.json"])).expect(0);
    assert_eq!(daily(&sandbox, 3), (1, 0));
    assert_eq!(daily(&sandbox, 0), (0, 1));
}

#[test]
fn the_failures_of_a_killed_run_are_new_to_the_run_that_resumes_it() {
    let sandbox = slow(60);
    sandbox.write("a.ast.json", BROKEN);
    let (run, _) = midway(&sandbox);
    wait_until("the failure is committed", || (sandbox.status()["total"]["failed"] == 1).then_some(()));
    drop(run);
    let next = sandbox.run_code(OK, 3);
    assert_eq!((&next["failed"], &next["failed_earlier"]), (&0.into(), &1.into()), "it is not read again");
    assert_eq!(failures(&next), (1, 0));
    assert_eq!(daily(&sandbox, 0), (0, 1));
}
