//! Threads that can't be started: fewer, or else another time.

use std::process::Command;

use super::AST;
use crate::support::{Ran, Sandbox, ran};

/// A user of its own: the limit counts what all of a user's processes have, and root is free of it.
const USER: &str = "54321";

/// The outcome of a command of that user, who may have so many threads; none where this process can't be another user.
fn limited(sandbox: &Sandbox, threads: usize, args: &[&str]) -> Option<Ran> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let mut command = Command::new("timeout");
    command.args(["60", "setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"]);
    command.args(["prlimit", &format!("--nproc={threads}"), env!("CARGO_BIN_EXE_outlast")]);
    command.args(args).env("HOME", "/nowhere").env("XDG_CONFIG_HOME", "/nowhere");
    Some(ran(command.current_dir(sandbox.dir.path())))
}

fn open_to_all(sandbox: &Sandbox) -> bool {
    let everybody = |path| ran(Command::new("chmod").args(["-R", "777"]).arg(path)).code == Some(0);
    everybody(sandbox.dir.path())
}

#[test]
fn a_process_that_may_have_few_threads_does_with_them_or_says_what_to_raise() {
    let files: Vec<_> = (0..30).map(|number| format!("f{number}.ast.json")).collect();
    let sandbox = Sandbox::with(&files.iter().map(|name| (name.as_str(), AST)).collect::<Vec<_>>());
    assert!(open_to_all(&sandbox));
    // The processes of the same user in other tests count as well, so it is tried with all limits.
    let mut done = 0;
    for threads in [1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 40] {
        let state = format!("state-{threads}");
        let args = ["run", "tree", "--state", &state, "--workers", "8", "--wait", "1s"];
        let Some(told) = limited(&sandbox, threads, &args) else { return };
        match told.code {
            Some(0) => done += 1,
            Some(75) => assert!(told.stderr.contains("ulimit -u"), "{threads}: {told}"),
            _ => panic!("{threads}: {told}"),
        }
        assert!(!told.stderr.contains("panicked"), "{threads}: {told}");
        if told.code == Some(0) {
            let told = limited(&sandbox, threads, &["status", "--state", &state]).unwrap();
            assert!(matches!(told.code, Some(0)), "{threads}: {told}");
        }
    }
    assert!(done >= 3, "only {done} of them came to their end");
}
