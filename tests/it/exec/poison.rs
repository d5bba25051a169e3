//! Files that make their child fail in every way: each has one outcome, the others have theirs, and nothing is left
//! running.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{child, outcomes, processes, run_command, wait_until};
use crate::support::{Background, Sandbox, ran};

/// The time limit of a file.
const LIMIT: Duration = Duration::from_secs(6);

/// What the name of a file makes its child do, the class that follows, and a part of the message.
const BAD: &[(&str, &str, &str)] = &[
    ("exit7", "crash", "ended with exit code 7"),
    ("segfault-1", "crash", "killed by signal 11"),
    ("segfault-2", "crash", "killed by signal 11"),
    ("segfault-3", "crash", "killed by signal 11"),
    ("killed", "crash", "so it ended 3 times"),
    ("forked-exit8", "crash", "ended with exit code 8"),
    ("forked-killed", "crash", "so it ended 3 times"),
    ("half", "crash", "ended with exit code 0"),
    ("wrong-id", "crash", "was next"),
    ("close", "crash", "closed its socket"),
    ("grandchild", "crash", "ended with exit code 1"),
    ("long-line", "crash", "longer than 64 MiB"),
    ("not-utf8", "crash", "no JSON message"),
    ("hang", "timeout", "took longer than 6 s"),
    ("nan", "processor", "NaN"),
    ("error", "parse", "bad"),
];

#[test]
fn each_bad_file_has_its_own_failure_and_all_others_their_result() {
    let sandbox = Sandbox::new();
    for (number, (name, ..)) in BAD.iter().enumerate() {
        sandbox.write(name, "x");
        for good in 0..6 {
            sandbox.write(format!("good-{number}-{good}"), "content");
        }
    }
    for good in ["print", "slow", "allocate"] {
        sandbox.write(good, "content");
    }
    sandbox.settle();
    let begun = Instant::now();
    let exec = child(&[r#"{"window": 16}"#, "", "mark-poison-set"]);
    let ran = ran(&mut run_command(&sandbox, &exec, &["--timeout", "6", "--workers", "2"])).expect(3);
    // Two limits for the file that hangs, once alone and once beside others; the rest takes little.
    assert!(begun.elapsed() < 3 * LIMIT + Duration::from_secs(90), "{:?}", begun.elapsed());
    assert!(processes("mark-poison-set").is_empty(), "{ran}");
    let outcomes = outcomes(&sandbox);
    assert_eq!(outcomes.len(), BAD.len() * 7 + 3);
    for (name, class, part) in BAD {
        let (is, message) = &outcomes[*name];
        assert!(is == class && message.as_str().unwrap().contains(part), "{name}: {is}: {message}");
    }
    for (name, (is, result)) in outcomes.iter().filter(|(name, _)| !BAD.iter().any(|(bad, ..)| bad == name)) {
        assert!(is == "ok" && *result == 7, "{name}: {is}: {result}");
    }
}

#[test]
fn much_in_and_much_out_at_once_blocks_nobody() {
    const SIZE: usize = 8 << 20;
    let sandbox = Sandbox::new();
    for number in 0..20 {
        sandbox.write(format!("echo-{number}"), "y".repeat(SIZE));
    }
    sandbox.settle();
    let exec = child(&[r#"{"content": "inline", "window": 16}"#]);
    ran(&mut run_command(&sandbox, &exec, &["--workers", "1"])).expect(0);
    let outcomes = outcomes(&sandbox);
    assert_eq!(outcomes.len(), 20);
    assert!(outcomes.values().all(|(_, result)| result.as_str().is_some_and(|text| text.len() == SIZE)));
}

#[test]
fn a_child_that_cannot_work_ends_the_run_and_keeps_the_work() {
    let sandbox = Sandbox::with(&[("a", "content"), ("b", "content")]);
    let wait = ["--wait", "1", "--workers", "1"];
    // Never ready, or not at all: before there is a state.
    for (how, limit, part) in
        [("never", "0.5", "sent no `ready` within 0.5 s"), ("exit", "60", "there is no model")]
    {
        let arguments = [r#"{"window": 16}"#, how, "mark-cannot"];
        let mut command = run_command(&sandbox, &child(&arguments), &["--exec-start-timeout", limit]);
        let ran = ran(&mut command).expect(78);
        assert!(ran.stderr.contains(part) && !sandbox.state.exists(), "{ran}");
    }
    let ran_75 = ran(&mut run_command(&sandbox, &child(&[r#"{"window": 16}"#, "exit75"]), &[])).expect(75);
    assert!(ran_75.stderr.contains("ended with exit code 75") && !sandbox.state.exists(), "{ran_75}");
    // It says so for a file: nothing is the file's fault.
    sandbox.write("exit75", "content");
    sandbox.settle();
    let stopped =
        ran(&mut run_command(&sandbox, &child(&[r#"{"window": 16}"#, "", "mark-cannot"]), &wait)).expect(75);
    assert!(stopped.stderr.contains("processor"), "{stopped}");
    assert_eq!(sandbox.status()["total"]["failed"], 0);
    // The children that are started in place of the first one are bad, and no file is to blame for that.
    let sandbox = Sandbox::with(&[("a", "content"), ("exit1", "x"), ("z", "content")]);
    let flag = sandbox.dir.path().join("begun");
    let exec = child(&[r#"{"window": 16}"#, flag.to_str().unwrap(), "mark-cannot"]);
    ran(&mut run_command(&sandbox, &exec, &wait)).expect(75);
    assert_eq!(sandbox.status()["total"]["failed"], 0);
    assert!(processes("mark-cannot").is_empty());
    // The work is kept: with a good child it is done, but for the bad file.
    ran(&mut run_command(
        &sandbox,
        &child(&[r#"{"window": 16}"#, "", "mark-cannot"]),
        &["--change-processor"],
    ))
    .expect(3);
    assert_eq!(outcomes(&sandbox).values().filter(|(is, _)| is == "ok").count(), 2);
}

#[test]
fn a_run_waits_for_what_its_children_need_and_goes_on_when_it_is_back() {
    let sandbox = Sandbox::new();
    for number in 0..40 {
        sandbox.write(format!("good-{number}"), "content");
    }
    sandbox.write("needs-service", "content");
    sandbox.settle();
    let service = sandbox.dir.path().join("service");
    let exec = child(&[r#"{"window": 16}"#, "", service.to_str().unwrap()]);
    let run = Background::start(&mut run_command(&sandbox, &exec, &["--wait", "600", "--workers", "2"]));
    wait_until(|| {
        let told = ran(&mut sandbox.command(["status", "--format", "json"]));
        let breakers =
            if told.code == Some(0) { told.json()["running"]["breakers"].take() } else { Value::Null };
        let is_open = |one: &Value| one["resource"] == "processor" && one["state"] != "closed";
        breakers.as_array().is_some_and(|all| all.iter().any(is_open))
    });
    std::fs::write(&service, "").unwrap();
    let summary = run.end().expect(0).json();
    assert_eq!((&summary["ok"], &summary["failed"]), (&41.into(), &0.into()), "{summary}");
    assert!(outcomes(&sandbox).values().all(|(is, result)| is == "ok" && *result == 7));
}

#[test]
fn the_time_of_a_file_begins_when_there_is_a_child_for_it() {
    let sandbox = Sandbox::with(&[("a", "content"), ("b", "content"), ("c", "content")]);
    let exec = child(&[r#"{"window": 1}"#, "slow-start"]);
    let extra = ["--workers", "1", "--timeout", "1", "--exec-recycle", "1"];
    let ran = ran(&mut run_command(&sandbox, &exec, &extra)).expect(0);
    assert_eq!(ran.json()["ok"], 3);
}

#[test]
fn answers_do_not_wait_for_a_child_that_is_replaced() {
    let sandbox = Sandbox::with(&[("a", "content"), ("b", "content"), ("c", "content"), ("d", "content")]);
    let exec = child(&[r#"{"window": 1}"#, "slow-stop", "mark-slow-stop"]);
    let begun = Instant::now();
    let extra = ["--workers", "1", "--exec-recycle", "1", "--drain-timeout", "1"];
    ran(&mut run_command(&sandbox, &exec, &extra)).expect(0);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert!(processes("mark-slow-stop").is_empty());
}
