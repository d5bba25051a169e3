//! Interrupted by a signal, or by the end of the program that started it: work is kept, and the next run goes on.

use std::process::Stdio;

use rustix::process::Signal;

use crate::support::{Content, Rng, Sandbox, ran, summary_adds_up};
use crate::user::{Background, midway, slow, wait_until};

fn interrupted_by(signal: Signal, code: i32) {
    let sandbox = slow(24);
    let (run, _) = midway(&sandbox);
    run.signal(signal);
    let first = run.end().expect(code).json();
    summary_adds_up(&first).unwrap();
    assert_eq!(first["interrupted"], true);
    let (ok, pending) = (first["ok"].as_u64().unwrap(), first["pending"].as_u64().unwrap());
    assert!(ok > 0 && pending > 0, "{first}");
    let status = sandbox.status();
    assert_eq!((&status["total"]["ok"], &status["total"]["pending"]), (&ok.into(), &pending.into()));
    assert_eq!(status["jobs"][0]["end"], "interrupted");
    let second = sandbox.run_ok(&[]);
    assert_eq!((&second["resumed"], &second["interrupted"]), (&true.into(), &false.into()));
    assert_eq!((&second["ok"], &second["unchanged"]), (&pending.into(), &ok.into()), "nothing twice");
    sandbox.check();
}

#[test]
fn a_run_that_gets_sigint_keeps_its_work() {
    interrupted_by(Signal::INT, 130);
}

#[test]
fn a_run_that_gets_sigterm_keeps_its_work() {
    interrupted_by(Signal::TERM, 143);
}

#[test]
fn a_second_signal_does_not_wait_for_the_file_in_hand() {
    let sandbox = Sandbox::new();
    let bytes = Content::Large(128 << 10).bytes(&mut Rng::new(1));
    sandbox.write("huge.ast.json", bytes);
    let run = Background::start(&mut sandbox.run_command(&["--workers", "1"]));
    wait_until("the file is found", || {
        let told = ran(&mut sandbox.command(["status", "--format", "json"]));
        (told.code == Some(0) && told.json()["running"]["pending"] == 1).then_some(())
    });
    run.signal(Signal::INT);
    std::thread::sleep(std::time::Duration::from_millis(50));
    run.signal(Signal::INT);
    let told = run.end().expect(130);
    assert!(told.stdout.is_empty(), "it did not wait to tell: {told}");
    sandbox.write("huge.ast.json", crate::user::AST);
    let next = sandbox.run_ok(&[]);
    assert_eq!((&next["resumed"], &next["ok"]), (&true.into(), &1.into()));
    sandbox.check();
}

#[test]
fn the_first_signal_behind_a_stop_of_another_kind_is_the_first() {
    let sandbox = slow(24);
    let (run, _) = midway(&sandbox);
    ran(&mut sandbox.command(["ctl", "stop"])).expect(0);
    run.signal(Signal::TERM);
    let told = run.end().expect(143).json();
    assert_eq!(told["interrupted"], true, "it told what it has done");
    sandbox.run_ok(&[]);
    sandbox.check();
}

#[test]
fn a_run_that_is_to_end_with_its_standard_input_does_and_keeps_its_work() {
    let sandbox = slow(24);
    let mut command = sandbox.run_command(&["--workers", "1", "--end-with-stdin"]);
    let run = Background::start(command.stdin(Stdio::piped()));
    wait_until("some files are done and some are not", || {
        let told = ran(&mut sandbox.command(["status", "--format", "json"]));
        let total = (told.code == Some(0)).then(|| told.json()["total"].clone())?;
        (total["ok"].as_u64()? > 0 && total["pending"].as_u64()? > 0).then_some(())
    });
    // Its standard input is closed then.
    run.end().expect(143);
    let next = sandbox.run_ok(&[]);
    assert_eq!(next["resumed"], true);
    assert_eq!(next["ok"].as_u64().unwrap() + next["unchanged"].as_u64().unwrap(), 24);
    sandbox.check();
}
