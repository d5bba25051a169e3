//! Asked while a run holds the state, and after.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{StopAtEnd, midway, slow, wait_until};
use crate::support::{Promise, Record, ran, read_log};

#[test]
fn a_run_answers_for_the_state_that_it_holds() {
    let sandbox = slow(40);
    let (run, status) = midway(&sandbox);
    let running = &status["running"];
    let numbers =
        ["discovered", "ok", "failed", "unchanged", "pending"].map(|name| running[name].as_u64().unwrap());
    assert_eq!(numbers[0], numbers[1..].iter().sum::<u64>(), "{status}");
    assert_eq!(status["jobs"][0]["end"], "running");
    read_log(&sandbox.records(), Promise::of(&status).log).unwrap();

    let told = ran(&mut sandbox.command(["records"])).expect(0);
    assert!(!told.lines().is_empty(), "{told}");
    let records: Vec<Record> = told.lines().into_iter().map(|line| Record::parse(line).unwrap()).collect();
    let done = sandbox.explain(sandbox.root.join(String::from_utf8(records[0].path.clone()).unwrap()));
    assert_eq!((&done["state"], &done["scan"]), (&"ok".into(), &"ingested".into()));
    assert_eq!(done["record"], records[0].json);
    let due = sandbox.explain("tree/f0039.ast.json");
    assert_eq!(due["record"], serde_json::Value::Null, "{due}");
    run.end().expect(0);

    let after = sandbox.status();
    assert_eq!(after["running"], serde_json::Value::Null);
    assert_eq!((&after["total"]["ok"], &after["jobs"][0]["end"]), (&40.into(), &"completed".into()));
    sandbox.check();
}

#[test]
fn a_file_that_waits_is_explained_as_pending() {
    let sandbox = slow(24);
    let (run, _) = midway(&sandbox);
    run.signal(rustix::process::Signal::INT);
    run.end().expect(130);
    let pending = sandbox.explain(sandbox.root.join("f0023.ast.json"));
    assert_eq!((&pending["state"], &pending["scan"]), (&"pending".into(), &"ingested".into()), "{pending}");
}

#[test]
fn a_state_is_asked_again_and_again_while_runs_come_and_go() {
    let sandbox = slow(4);
    let enough = outlast::Stop::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !enough.is_requested() {
                // Whoever asks a state that nobody runs holds it for a moment.
                sandbox.run_ok(&["--reprocess"]);
            }
        });
        let _enough = StopAtEnd(enough.clone());
        wait_until("there is a state", || sandbox.state.join("state.json").exists().then_some(()));
        for _ in 0..10 {
            let told = ran(&mut sandbox.command(["status", "--format", "json"])).expect(0);
            told.json();
            let told = ran(&mut sandbox.command(["records"])).expect(0);
            assert!(told.lines().len() <= 4, "{told}");
        }
    });
}

#[test]
fn a_run_is_asked_about_names_that_are_no_text() {
    let sandbox = slow(16);
    let path = sandbox.write(OsStr::from_bytes(b"\xff.ast.json"), super::AST);
    let (run, _) = midway(&sandbox);
    let told = sandbox.explain(&path);
    assert_eq!(told["scan"], "ingested");
    run.end().expect(0);
}

#[test]
fn a_run_refuses_what_a_state_refuses() {
    let sandbox = slow(16);
    let (run, _) = midway(&sandbox);
    let ask = |since: &str| ran(&mut sandbox.command(["records", "--since", since]));
    let (beyond, within) = (ask("9:0"), ask("1:7"));
    run.end().expect(0);
    assert!(beyond.expect(2).stderr.contains("lies behind the end"));
    assert!(within.expect(2).stderr.contains("not the start of a record"));
}

#[test]
fn a_stopped_run_still_holds_the_state() {
    let sandbox = slow(12);
    let (run, _) = midway(&sandbox);
    run.signal(rustix::process::Signal::STOP);
    let told = sandbox.run(&[]);
    run.signal(rustix::process::Signal::CONT);
    told.expect(11);
    run.end().expect(0);
    sandbox.check();
}
