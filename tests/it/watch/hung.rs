//! A root whose file system does not answer, and does not fail either.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::away::{two_roots, wait_for_state};
use super::{AST, OTHER, Watcher, wait_until};
use crate::support::{Sandbox, skip};

/// A file system in user space that nobody serves, over a folder: every call into it waits, until this is dropped.
struct Stuck {
    at: PathBuf,
    holder: Child,
}

impl Stuck {
    /// None where that can't be had.
    fn over(at: &Path) -> Option<Self> {
        let options = "fd=3,rootmode=40000,user_id=0,group_id=0";
        let mount = format!("mount -i -t fuse -o {options} none {} && echo mounted", at.display());
        let script = format!("exec 3<>/dev/fuse && {mount} && exec sleep 600");
        let mut command = Command::new("sh");
        let command = command.args(["-c", &script]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut stuck = Self { at: at.to_owned(), holder: command.spawn().ok()? };
        let mut said = String::new();
        let _ = BufReader::new(stuck.holder.stdout.take()?).read_line(&mut said);
        if said.trim() == "mounted" {
            return Some(stuck);
        }
        skip("no file system that hangs can be mounted here");
        None
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        // Once nobody holds its device, all calls fail.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        let _ = Command::new("umount").arg("-l").arg(&self.at).stderr(Stdio::null()).status();
    }
}

fn wait_for_record(sandbox: &Sandbox, path: &str) {
    wait_until(&format!("{path} has a record"), || {
        sandbox.log_brief().iter().any(|(seen, _)| seen == path).then_some(())
    });
}

#[test]
fn a_root_that_hangs_is_away_until_it_answers_and_the_others_go_on() {
    let (sandbox, second) = two_roots();
    let root = sandbox.root.clone();
    let mut watcher = Watcher::of(&sandbox, &[&root, &second], &[]);
    let said = |watcher: &Watcher<'_>, words: &str| {
        let text = fs::read_to_string(&watcher.log).unwrap_or_default();
        let warns = |line: &&str| line.contains("WARN") && line.contains(root.to_str().unwrap());
        text.lines().filter(warns).filter(|line| line.contains(words)).count()
    };
    let Some(stuck) = Stuck::over(&root) else { return };
    std::thread::sleep(Duration::from_millis(2500));
    let begun = Instant::now();
    fs::write(second.join("at-once.ast.json"), AST).unwrap();
    wait_for_record(&sandbox, "at-once.ast.json");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    wait_for_state(&mut watcher, &root, "away");
    assert_eq!(said(&watcher, "does not answer"), 1, "{}", watcher.said());
    fs::write(second.join("later.ast.json"), OTHER).unwrap();
    wait_for_record(&sandbox, "later.ast.json");
    // It is asked for by name, and answers that it can't.
    let refused = watcher.try_order(&["rescan", root.join("d0").to_str().unwrap()]);
    assert!(refused.code != Some(0) && refused.to_string().contains("does not answer"), "{refused}");

    // Nor does it hold up a start.
    watcher.kill_and_start();
    wait_for_state(&mut watcher, &root, "away");
    fs::write(second.join("started.ast.json"), OTHER).unwrap();
    wait_for_record(&sandbox, "started.ast.json");

    drop(stuck);
    wait_for_state(&mut watcher, &root, "watched");
    assert_eq!(said(&watcher, ": is back"), 1, "{}", watcher.said());
    sandbox.write("d0/back.ast.json", AST);
    watcher.agree();
    watcher.stop();
}

#[test]
fn a_root_that_hangs_does_not_hold_up_the_end() {
    let (sandbox, second) = two_roots();
    let root = sandbox.root.clone();
    let mut watcher = Watcher::of(&sandbox, &[&root, &second], &[]);
    let Some(stuck) = Stuck::over(&root) else { return };
    std::thread::sleep(Duration::from_millis(2500));
    let begun = Instant::now();
    watcher.signal(Signal::TERM);
    let ended = wait_until("it ends", || watcher.child.try_wait().unwrap());
    assert_eq!(ended.code(), Some(143), "{}", watcher.said());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(stuck);
    watcher.start_again();
    watcher.agree();
    watcher.stop();
}
