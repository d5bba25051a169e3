//! What the system does not tell of: polling, the limit of watches, a queue that overflows.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::{AST, OTHER, Watcher, wait_until};
use crate::support::{Content, Rng, Sandbox, skip};

fn grown(folders: u64) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut rng = Rng::new(21);
    for number in 0..folders * 2 {
        sandbox.write(format!("d{}/f{number}.ast.json", number % folders), Content::Ast(3).bytes(&mut rng));
    }
    sandbox.settle();
    sandbox
}

/// Changes of every kind.
fn change(sandbox: &Sandbox, round: u64) {
    let at = |path: String| sandbox.root.join(path);
    sandbox.write(format!("d0/new{round}.ast.json"), AST);
    sandbox.write(format!("deep{round}/a/b/new.ast.json"), AST);
    sandbox.write("d1/changed.ast.json", if round.is_multiple_of(2) { AST } else { OTHER });
    fs::rename(at(format!("d{}", 2 + round)), at(format!("moved{round}"))).unwrap();
    let _ = fs::remove_file(at(format!("d0/f{}.ast.json", round * 12)));
}

#[test]
fn a_tree_that_is_polled_is_kept_up_with_and_says_so() {
    let sandbox = grown(8);
    let mut watcher = Watcher::of(&sandbox, &[&sandbox.root], &["--poll", "--poll-interval", "200ms"]);
    let running = watcher.wait_for("it tells", |running| running["watch"]["roots"][0]["state"] == "polled");
    assert_eq!(
        (&running["watch"]["status"]["polling"], &running["watch"]["status"]["armed_folders"]),
        (&true.into(), &0.into())
    );
    for round in 0..4 {
        change(&sandbox, round);
        watcher.agree();
    }
    watcher.stop();
}

/// Sets a limit of `inotify` for one process, and takes it back when a file is there. It holds within a user namespace
/// of its own only. None where that can't be done here.
fn limited(limit: &str, value: u32, lifted: &Path) -> Option<String> {
    let knob = format!("/proc/sys/user/max_inotify_{limit}");
    let set = format!("echo {value} >{knob}");
    let can_limit = Command::new("unshare").args(["--user", "--map-root-user", "sh", "-c", &set]).status();
    if !can_limit.is_ok_and(|status| status.success()) {
        skip("the limits of inotify can't be set for one process here");
        return None;
    }
    let lift = format!("while [ ! -e {} ]; do sleep 0.1; done; echo 9999 >{knob}", lifted.display());
    Some(format!("{set}; ({lift}) & exec \"$0\" \"$@\""))
}

/// Serves what it can't watch, says why, and watches it once the limit is lifted.
fn is_polled_within_a_limit(limit: &str, value: u32, armed: u64, extra: &[&str]) {
    let sandbox = grown(12);
    let lifted = sandbox.dir.path().join("lifted");
    let Some(wrapper) = limited(limit, value, &lifted) else { return };
    let mut watcher = Watcher::begin(&sandbox, &[&sandbox.root], extra);
    watcher.kill();
    watcher.wrapper = Some(wrapper);
    watcher.start_again();
    let knob = format!("fs.inotify.max_user_{limit}");
    let is_limited = |running: &Value| {
        let status = &running["watch"]["status"];
        let reasons = status["unwatched"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
        running["watch"]["roots"][0]["state"] == "polled"
            && status["armed_folders"] == armed
            && reasons.is_some_and(|all| all.iter().any(|reason| reason.contains(&knob)))
    };
    watcher.wait_for("it tells", is_limited);
    for round in 0..4 {
        change(&sandbox, round);
        watcher.agree();
    }
    let log = |watcher: &Watcher<'_>, words: &str| {
        let text = fs::read_to_string(&watcher.log).unwrap_or_default();
        text.lines()
            .filter(|line| line.contains("WARN") && line.contains(words) && line.contains(&knob))
            .count()
    };
    wait_until("it warns", || (log(&watcher, "some folders are not watched") == 1).then_some(()));
    assert_eq!(log(&watcher, "no folder is unwatched any more"), 0);
    fs::write(&lifted, "").unwrap();
    watcher.wait_for("it watches", |running| running["watch"]["roots"][0]["state"] == "watched");
    wait_until("it says so", || (log(&watcher, "no folder is unwatched any more") == 1).then_some(()));
    assert_eq!(log(&watcher, "some folders are not watched"), 1, "once: {}", watcher.said());
    sandbox.write("d0/after.ast.json", OTHER);
    watcher.agree();
    watcher.stop();
}

#[test]
fn folders_that_the_watch_limit_leaves_out_are_polled_and_it_says_so() {
    is_polled_within_a_limit("watches", 5, 5, &["--poll-interval", "200ms"]);
}

#[test]
fn without_an_inotify_instance_all_is_polled_and_it_says_so() {
    is_polled_within_a_limit("instances", 0, 0, &["--poll-interval", "200ms"]);
}

#[test]
fn events_that_the_system_lost_are_made_up_for_by_a_scan() {
    let sandbox = grown(6);
    let mut watcher = Watcher::start(&sandbox);
    for round in 0..2 {
        watcher.signal(Signal::STOP);
        let (one, other) = (sandbox.root.join("d0/a.tmp"), sandbox.root.join("d0/b.tmp"));
        fs::write(&one, AST).unwrap();
        // Two events each; the queue takes 16,384.
        for _ in 0..6_000 {
            fs::rename(&one, &other).unwrap();
            fs::rename(&other, &one).unwrap();
        }
        change(&sandbox, round);
        watcher.signal(Signal::CONT);
        watcher
            .wait_for("it notices", |running| running["watch"]["status"]["overflows"].as_u64() > Some(round));
        watcher.agree();
        // The new watcher tells of what comes.
        sandbox.write(format!("d1/after{round}.ast.json"), OTHER);
        sandbox.write(format!("deep{round}/a/after.ast.json"), OTHER);
        watcher.agree();
        std::thread::sleep(Duration::from_millis(100));
    }
    watcher.stop();
}
