//! Questions to a run that has closed its state, and waits until it can be opened again.

use std::fs;

use rustix::process::Signal;

use crate::support::{Background, Sandbox, ran, skip};
use crate::user::{AST, wait_until};

#[test]
fn a_run_that_can_not_open_its_state_again_tells_what_it_waits_for() {
    if !cfg!(debug_assertions) {
        return skip("there are places for faults in debug builds only");
    }
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let hits = sandbox.dir.path().join("hits");
    let faulty = |plan: &str| {
        let mut command = sandbox.run_command(&["--workers", "1"]);
        command.env("OUTLAST_FAILPOINT", plan).env("OUTLAST_FAILPOINT_LOG", &hits);
        command
    };
    ran(&mut faulty("count")).expect(0);
    fs::remove_dir_all(&sandbox.state).unwrap();
    let places = fs::read_to_string(&hits).unwrap();
    let last = 1 + places.lines().collect::<Vec<_>>().iter().rposition(|place| *place == "db.apply").unwrap();
    // From its last commit on there is no room.
    let run = Background::start(&mut faulty(&format!("{last}..1000000=ENOSPC")));
    let told = wait_until("it waits with its state closed", || {
        let told = ran(&mut sandbox.command(["status"]));
        (told.code == Some(75)).then_some(told)
    });
    let words = ["the run waits for disk", "No space left", "ask again"];
    words.iter().for_each(|word| assert!(told.stderr.contains(word), "no {word:?}: {told}"));
    run.signal(Signal::INT);
    run.end().expect(130);
    sandbox.run_ok(&[]);
    sandbox.check();
}
