//! Asked while a run holds the state, and after.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Promise, Ran, Record, Sandbox, ran, read_log, skip, take_environment};
use crate::user::{AST, StopAtEnd, midway, slow, wait_until};

const QUESTIONS: [&[&str]; 7] = [
    &["status"],
    &["jobs"],
    &["records"],
    &["records", "--since", "1:0"],
    &["failures"],
    &["explain", "tree/a.ast.json"],
    &["run", "--dry-run", "tree"],
];

/// All that can be told of the files and folders of a state, but when they were read.
fn look_of(folder: &Path) -> Vec<(PathBuf, [i64; 7], Vec<u8>)> {
    let mut found = Vec::new();
    let told = fs::metadata(folder).unwrap();
    let numbers = |told: &fs::Metadata| {
        let (mtime, ctime) = ((told.mtime(), told.mtime_nsec()), (told.ctime(), told.ctime_nsec()));
        [told.ino() as i64, told.len() as i64, told.mode().into(), mtime.0, mtime.1, ctime.0, ctime.1]
    };
    found.push((folder.to_owned(), numbers(&told), Vec::new()));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(look_of(&path)),
            false => {
                found.push((path.clone(), numbers(&fs::metadata(&path).unwrap()), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn asked() -> Sandbox {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", "{")]);
    sandbox.run_code(&[], 3);
    sandbox
}

/// A run that is only tried tells that a file failed earlier.
#[track_caller]
fn answers(told: &Ran) {
    assert!(matches!(told.code, Some(0 | 3)) && !told.stdout.is_empty(), "{told}");
}

#[test]
fn those_who_ask_change_nothing_in_a_state() {
    let sandbox = asked();
    let before = look_of(&sandbox.state);
    for question in QUESTIONS {
        answers(&ran(&mut sandbox.command(question)));
        assert_eq!(look_of(&sandbox.state), before, "{question:?}");
    }
}

#[test]
fn a_state_that_can_not_be_written_is_asked_all_the_same() {
    let sandbox = asked();
    if rustix::process::getuid().is_root() {
        // As another user.
        fs::set_permissions(sandbox.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&sandbox.state, fs::Permissions::from_mode(0o755)).unwrap();
    } else {
        fs::set_permissions(&sandbox.state, fs::Permissions::from_mode(0o555)).unwrap();
    }
    for question in QUESTIONS {
        let mut command = sandbox.command(question);
        if rustix::process::getuid().is_root() {
            command.uid(65534).gid(65534);
        }
        if let Err(error) = command.output() {
            return skip(&format!("another user can't start the binary: {error}"));
        }
        answers(&ran(&mut command));
    }
    fs::set_permissions(&sandbox.state, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_state_on_a_read_only_mount_is_asked() {
    let sandbox = asked();
    let mount = sandbox.dir.path().join("mount");
    fs::create_dir(&mount).unwrap();
    let script =
        "mount --bind \"$1\" \"$2\" && mount -o remount,bind,ro \"$2\" || exit 99; shift 2; exec \"$@\"";
    for question in QUESTIONS {
        let asked = sandbox.command(question);
        let mut command = Command::new("unshare");
        command.current_dir(sandbox.dir.path()).args(["-m", "sh", "-c", script, "sh"]);
        command.arg(&sandbox.state).arg(&mount).arg(asked.get_program()).args(question);
        take_environment(&mut command, &asked);
        let told = ran(command.arg("--state").arg(&mount));
        if told.code == Some(99) || told.stderr.contains("unshare:") {
            return skip(&format!("no read-only mount: {told}"));
        }
        answers(&told);
    }
}

#[test]
fn a_start_is_never_refused_because_of_those_who_ask() {
    let sandbox = asked();
    let enough = outlast::Stop::default();
    std::thread::scope(|scope| {
        for question in [&["status"][..], &["records"]] {
            let (enough, sandbox) = (enough.clone(), &sandbox);
            scope.spawn(move || {
                while !enough.is_requested() {
                    ran(&mut sandbox.command(question));
                }
            });
        }
        let _enough = StopAtEnd(enough.clone());
        for _ in 0..25 {
            sandbox.run_code(&[], 3);
        }
    });
}

#[test]
fn the_copy_that_is_asked_goes_and_where_none_can_be_made_it_is_said_what_to_do() {
    let sandbox = asked();
    let place = sandbox.dir.path().join("place");
    let ask = || ran(sandbox.command(["status"]).env("TMPDIR", &place));
    let told = ask();
    // Memory takes its place, where there is a file system for that.
    assert!(told.code == Some(0) || told.stderr.contains("TMPDIR"), "{told}");
    fs::create_dir(&place).unwrap();
    ask().expect(0);
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
}

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
    let path = sandbox.write(OsStr::from_bytes(b"\xff.ast.json"), crate::user::AST);
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
