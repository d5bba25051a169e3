//! Runs that are to stop, and processes that stay: children end with them, and start again when they are needed.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{child, outcomes, processes, run_command, wait_until};
use crate::support::{Background, Sandbox, ran};

#[test]
fn a_run_that_is_to_stop_does_not_wait_for_a_child_that_hangs_and_leaves_none() {
    for signals in [1, 2] {
        let mark = format!("mark-stop-{signals}");
        let sandbox = Sandbox::with(&[("a", "content"), ("hang-with-helper", "content")]);
        // Once, the run drains for so long; twice, it does not.
        let drain = if signals == 1 { "2" } else { "600" };
        let exec = child(&[r#"{"window": 1}"#, "", &mark]);
        let run = Background::start(&mut run_command(&sandbox, &exec, &["--drain-timeout", drain]));
        let can_be_asked = || ran(&mut sandbox.command(["status"])).code == Some(0);
        wait_until(|| can_be_asked() && sandbox.status()["total"]["ok"] == 1);
        let begun = Instant::now();
        for _ in 0..signals {
            run.signal(Signal::INT);
            std::thread::sleep(Duration::from_millis(300));
        }
        let ended = run.end().expect(130);
        assert!(begun.elapsed() < Duration::from_secs(20), "{ended}");
        assert!(processes(&mark).is_empty(), "{ended}");
        assert_eq!(sandbox.status()["total"]["pending"], 1, "the file is not to blame");
    }
}

#[test]
fn a_process_that_stays_has_children_for_what_changes_and_none_when_it_has_ended() {
    let sandbox = Sandbox::with(&[("a", "content")]);
    let exec = child(&[r#"{"include": ["*"]}"#, "", "mark-watch"]);
    let mut command = sandbox.command(["watch", "--exec", &exec, "--settle", "0"]);
    let watch = Background::start(command.arg(&sandbox.root));
    let has = |path: &str, result: i64| {
        // At first there is no state, or none that can be read.
        let is_there = ran(&mut sandbox.command(["records"])).code == Some(0);
        is_there && outcomes(&sandbox).get(path).is_some_and(|(is, value)| is == "ok" && *value == result)
    };
    wait_until(|| has("a", 7));
    sandbox.write("b", "four");
    wait_until(|| has("b", 4));
    // What waits is killed: the next file finds another child.
    for pid in processes("mark-watch") {
        let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL);
    }
    sandbox.write("a", "longer content");
    wait_until(|| has("a", 14));
    watch.signal(Signal::TERM);
    watch.end().expect(143);
    assert!(processes("mark-watch").is_empty());
}

#[test]
fn a_program_that_a_child_runs_may_be_outlast() {
    let sandbox = Sandbox::with(&[("a", "content")]);
    let exec = format!("sh -c '{} config show > /dev/null && echo 1' sh {{}}", env!("CARGO_BIN_EXE_outlast"));
    ran(run_command(&sandbox, &exec, &[]).env("OUTLAST_EXEC_FD", "3")).expect(0);
    assert_eq!(outcomes(&sandbox)["a"].1, 1);
}
