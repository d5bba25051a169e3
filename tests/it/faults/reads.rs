//! A read that fails once while a sound state is opened: nothing changes, and the next start finds the state as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Place, grow};

use crate::support::{Ran, copy, ran, skip, take_environment};

/// What was injected, and how the command ended that met it.
struct Met {
    told: Ran,
    injected: bool,
}

/// Lets the Nth call of this kind fail that is for one of these paths.
fn with_fault(command: &Command, paths: &[PathBuf], call: &str, errno: &str, number: u32) -> Met {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("trace");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-o"]).arg(&log).args(["-e", &format!("trace={call}")]);
    for path in paths {
        traced.arg("-P").arg(path);
    }
    traced.args(["-e", &format!("inject={call}:error={errno}:when={number}")]).arg(command.get_program());
    traced.args(command.get_args());
    take_environment(&mut traced, command);
    let told = ran(&mut traced);
    let injected = fs::read_to_string(&log).is_ok_and(|log| log.contains("INJECTED"));
    Met { told, injected }
}

fn can_inject() -> bool {
    let tried = Command::new("strace").args(["-qq", "-e", "inject=getppid:error=EIO", "true"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// All files of a state and what they hold, but not its lock.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.append(&mut files(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    found
}

/// Lets each call of a kind fail, one run after the other, until there are no more of them.
fn each_fails_once(call: &str, errno: &str, paths: &[&str], args: &[&str]) {
    if !can_inject() {
        return skip("no strace that lets calls fail");
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let good = Place { root: folder.join("tree"), state: folder.join("good") };
    grow(&good.root);
    let summary = good.finish().unwrap().json();
    let state = folder.join("state");
    let place = Place { root: good.root.clone(), state: state.clone() };
    let paths: Vec<_> = paths.iter().map(|path| state.join(path)).collect();
    let mut met = 0;
    for number in 1.. {
        let _ = fs::remove_dir_all(&state);
        copy(&good.state, &state);
        let before = files(&state);
        let command = if args == ["run"] { place.run_command() } else { place.command(args) };
        let Met { told, injected } = with_fault(&command, &paths, call, errno, number);
        if !injected {
            break;
        }
        met += 1;
        assert!(!told.crashed() && !told.stderr.contains("outlast repair"), "{call} {number}: {told}");
        if told.code == Some(1) {
            assert_eq!(files(&state), before, "{call} {number}: {told}");
        }
        assert!(matches!(told.code, Some(0 | 1 | 3)), "{call} {number}: {told}");
        let next = place.finish().unwrap_or_else(|wrong| panic!("{call} {number}: {wrong}\nafter {told}"));
        let next = next.json();
        assert_eq!(next["unchanged"], summary["discovered"], "{call} {number}: {next}");
    }
    assert!(met > 0, "no {call} was met");
}

#[test]
fn each_read_of_the_database_fails_once() {
    each_fails_once("pread64", "EIO", &["db/db"], &["run"]);
    each_fails_once("pread64", "ESTALE", &["db/db"], &["status"]);
}

#[test]
fn each_listing_of_the_database_fails_once() {
    each_fails_once("getdents64", "EIO", &["db", "db/blobs"], &["status"]);
    each_fails_once("getdents64", "ESTALE", &["db"], &["run"]);
}

#[test]
fn each_look_at_the_parts_of_a_state_fails_once() {
    let parts = ["state.json", "witness", "db", "db/db", "db/conf", "db.before", "db.before/db", "repairing"];
    each_fails_once("statx", "ESTALE", &parts, &["status"]);
    each_fails_once("read", "EIO", &["state.json", "witness", "db/conf"], &["run"]);
}
