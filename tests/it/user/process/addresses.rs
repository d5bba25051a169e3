//! A limit of the process's addresses, as `ulimit -v` sets it.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Background, Ran, Sandbox, outlast, ran, take_environment};
use crate::user::AST;

/// Less, and an unoptimised binary finds no place for itself.
const LOADED_KIB: usize = 48 << 10;

fn limited(sandbox: &Sandbox, limit: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -c 0; ulimit {limit}; exec \"$0\" \"$@\"")]);
    command.arg(outlast().get_program()).args(args).arg("--state").arg(&sandbox.state);
    command.current_dir(sandbox.dir.path());
    take_environment(&mut command, &outlast());
    command
}

#[track_caller]
fn works_or_says_the_limit(told: &Ran, what: &str) -> bool {
    assert!(!told.crashed() && !told.stderr.contains("memory allocation"), "{what}: {told}");
    assert!(told.code != Some(75) || told.stderr.contains("ulimit -v"), "{what}: {told}");
    assert!(matches!(told.code, Some(0 | 75)), "{what}: {told}");
    told.code == Some(0)
}

#[test]
fn commands_work_or_name_the_limit() {
    let sandbox = Sandbox::new();
    for number in 0..300 {
        sandbox.write(format!("{number:03}.ast.json"), AST);
    }
    sandbox.settle();
    let commands: [&[&str]; 7] = [
        &["run", "tree", "--workers", "8", "--wait", "1s"],
        &["status"],
        &["records"],
        &["retry", "tree"],
        &["compact"],
        &["forget", "007.ast.json"],
        &["repair"],
    ];
    for kib in (LOADED_KIB..160 << 10).step_by(15 << 10).chain([256 << 10, 1 << 20]) {
        let _ = std::fs::remove_dir_all(&sandbox.state);
        let limit = format!("-v {kib}");
        let is_made = works_or_says_the_limit(&ran(&mut limited(&sandbox, &limit, commands[0])), &limit);
        assert!(is_made || kib < 256 << 10, "{limit}");
        sandbox.run_ok(&[]);
        sandbox.check();
        for command in &commands[1..] {
            let told = ran(&mut limited(&sandbox, &limit, command));
            // Nothing has failed that could be tried again.
            let told = if command[0] == "retry" && told.code == Some(4) { continue } else { told };
            let works = works_or_says_the_limit(&told, &format!("{limit} {command:?}"));
            assert!(works || kib < 256 << 10, "{limit} {command:?}: {told}");
        }
    }
}

#[test]
fn a_watcher_works_or_names_the_limit() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    for mib in [48, 60, 70, 80, 90, 100, 110, 120, 140, 180] {
        let _ = std::fs::remove_dir_all(&sandbox.state);
        let limit = format!("-v {}", mib << 10);
        let mut watch = Background::start(&mut limited(&sandbox, &limit, &["watch", "tree", "--wait", "1s"]));
        let begun = Instant::now();
        while !watch.has_ended() && begun.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if !watch.has_ended() {
            watch.signal(rustix::process::Signal::INT);
        }
        let told = watch.end();
        let told = if told.code == Some(130) { Ran { code: Some(0), ..told } } else { told };
        let works = works_or_says_the_limit(&told, &limit);
        assert!(works || mib < 180, "{limit}: {told}");
    }
}

#[test]
fn files_are_admitted_for_what_the_limit_leaves() {
    let sandbox = Sandbox::with(&[("small.ast.json", AST)]);
    for (name, mib) in [("a", 8), ("b", 8), ("c", 120)] {
        let numbers = ",1234567".repeat(mib << 17);
        sandbox.write(format!("{name}.ast.json"), format!("[0{numbers}]"));
    }
    let args = ["run", "tree", "--workers", "64", "--wait", "1s", "--format", "json", "--progress", "never"];
    let told = ran(&mut limited(&sandbox, "-v 204800", &args)).expect(3);
    assert_eq!((&told.json()["ok"], &told.json()["failed"]), (&3.into(), &1.into()), "{told}");
    assert!(told.stderr.contains("fewer workers") && told.stderr.contains("ulimit -v"), "{told}");
    let failed = ran(&mut sandbox.command(["records", "--status", "failed"])).expect(0).text();
    assert!(failed.contains("c.ast.json") && failed.contains("ulimit -v"), "{failed}");
    assert_eq!(sandbox.run_ok(&[])["ok"], 1);
}
