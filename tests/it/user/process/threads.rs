//! Threads that can't be started: fewer, or else another time.

use std::process::Command;

use crate::support::{Ran, Sandbox, outlast, ran, take_environment};
use crate::user::AST;

/// The outcome of a command of a user who may have so many threads; none where this process can't be another user. The limit
/// counts what all of a user's processes have, so each test has a user of its own, and root is free of it.
fn limited(sandbox: &Sandbox, user: &str, seconds: u32, threads: usize, args: &[&str]) -> Option<Ran> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let mut command = Command::new("timeout");
    command.args([
        "-s",
        "INT",
        &seconds.to_string(),
        "setpriv",
        "--reuid",
        user,
        "--regid",
        user,
        "--clear-groups",
    ]);
    command.args(["prlimit", &format!("--nproc={threads}"), env!("CARGO_BIN_EXE_outlast")]);
    command.args(args);
    take_environment(&mut command, &outlast());
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
    for threads in [1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 30, 60] {
        let state = format!("state-{threads}");
        let args = ["run", "tree", "--state", &state, "--workers", "8", "--wait", "1s"];
        let Some(told) = limited(&sandbox, "54321", 60, threads, &args) else { return };
        match told.code {
            Some(0) => {}
            // Enough for all but some of the workers.
            Some(75) if threads < 30 => assert!(told.stderr.contains("ulimit -u"), "{threads}: {told}"),
            _ => panic!("{threads}: {told}"),
        }
        assert!(!told.stderr.contains("panicked"), "{threads}: {told}");
        if told.code == Some(0) {
            let told = limited(&sandbox, "54321", 60, threads, &["status", "--state", &state]).unwrap();
            assert!(matches!(told.code, Some(0)), "{threads}: {told}");
        }
    }
}

#[test]
fn a_watcher_that_may_have_few_threads_does_with_them_or_says_what_to_raise() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    assert!(open_to_all(&sandbox));
    for threads in [1, 2, 3, 8, 14, 18, 20, 24] {
        let state = format!("state-{threads}");
        let args = ["watch", "tree", "--state", &state, "--progress", "never"];
        let Some(told) = limited(&sandbox, "54322", 3, threads, &args) else { return };
        // It goes on until it is asked to stop.
        assert!(matches!(told.code, Some(75 | 124)), "{threads}: {told}");
        assert!(told.code != Some(75) || told.stderr.contains("ulimit -u"), "{threads}: {told}");
        assert!(!told.stderr.contains("panicked"), "{threads}: {told}");
    }
}
