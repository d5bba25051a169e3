//! Orders for a run that goes on.

use crate::support::{Sandbox, ran, summary_adds_up};
use crate::user::{midway, slow, wait_until};

fn order(sandbox: &Sandbox, words: &[&str]) -> serde_json::Value {
    let words = [&["ctl"], words, &["--format", "json"]].concat();
    ran(&mut sandbox.command(words)).expect(0).json()
}

fn state(sandbox: &Sandbox) -> String {
    sandbox.status()["running"]["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_run_pauses_goes_on_with_fewer_workers_and_stops() {
    let sandbox = slow(24);
    let (run, _) = midway(&sandbox);
    order(&sandbox, &["pause"]);
    wait_until("it pauses", || (state(&sandbox) == "paused").then_some(()));
    let cursor = order(&sandbox, &["checkpoint"])["cursor"]["tick"].as_u64().unwrap();
    assert!(cursor > 0);
    let done = || sandbox.status()["total"]["ok"].as_u64().unwrap();
    wait_until("what is in hand is done", || (sandbox.status()["running"]["in_flight"] == 0).then_some(()));
    let before = done();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(done(), before, "nothing is begun");
    order(&sandbox, &["workers", "1"]);
    order(&sandbox, &["resume"]);
    wait_until("it goes on", || (done() > before).then_some(()));
    assert_eq!(sandbox.status()["running"]["workers"].as_array().unwrap().len(), 1);
    order(&sandbox, &["stop"]);
    let first = run.end().expect(143).json();
    summary_adds_up(&first).unwrap();
    assert_eq!(first["interrupted"], true);
    sandbox.run_ok(&[]);
    sandbox.check();
}

#[test]
fn an_order_that_only_a_watch_takes_says_so_and_one_that_nobody_hears_too() {
    let sandbox = slow(24);
    let (run, _) = midway(&sandbox);
    let told = ran(&mut sandbox.command(["ctl", "rescan"])).expect(2);
    assert!(told.stderr.contains("outlast watch"), "{told}");
    order(&sandbox, &["stop"]);
    run.end().expect(143);
    let told = ran(&mut sandbox.command(["ctl", "pause"])).expect(10);
    let remedy = format!("`outlast watch ROOT --state {}`", sandbox.state.display());
    assert!(told.stderr.contains("no run answers") && told.stderr.contains(&remedy), "{told}");
    std::fs::remove_dir_all(&sandbox.state).unwrap();
    for words in [&["jobs"][..], &["status"], &["status", "--follow"]] {
        let told = ran(&mut sandbox.command(words)).expect(10);
        assert!(told.stderr.contains("no state here; `outlast run` makes one"), "{told}");
    }
}
