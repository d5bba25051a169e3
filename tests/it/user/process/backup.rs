//! Copies of a state, as the guide's page on backups describes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Checker, Ran, Sandbox, ran};
use crate::user::{AST, Background, OTHER, two_processed, wait_until};

const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n";

fn copy(state: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").args([state, to]).status().unwrap();
    assert!(done.success());
}

/// A state beside the sandbox's own, whose commands have the sandbox's tree.
fn beside(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.state.with_file_name(name)
}

fn of(sandbox: &Sandbox, state: &Path, args: &[&str]) -> Ran {
    let mut command = crate::support::outlast();
    ran(command.current_dir(sandbox.dir.path()).args(args).arg("--state").arg(state))
}

fn run_in(sandbox: &Sandbox, state: &Path) -> Ran {
    of(sandbox, state, &["run", "--format", "json", "--progress", "never", sandbox.root.to_str().unwrap()])
}

#[track_caller]
fn cursor_of(sandbox: &Sandbox, state: &Path) -> String {
    of(sandbox, state, &["records", "--cursor"]).expect(0).stderr.lines().last().unwrap().to_owned()
}

#[test]
fn the_copy_of_an_idle_state_goes_on_with_its_cursors_and_consumers_wherever_it_lies() {
    let sandbox = two_processed();
    let (copied, moved) = (beside(&sandbox, "copy"), beside(&sandbox, "moved"));
    let cursor = cursor_of(&sandbox, &sandbox.state);
    of(&sandbox, &sandbox.state, &["records", "--consumer", "next", "--commit", &cursor]).expect(0);
    copy(&sandbox.state, &copied);
    fs::rename(&copied, &moved).unwrap();
    let records = |state: &Path| of(&sandbox, state, &["records"]).expect(0).stdout;
    assert_eq!(records(&moved), records(&sandbox.state));
    assert_eq!(run_in(&sandbox, &moved).expect(0).json()["unchanged"], 2);
    sandbox.write("b.ast.json", OTHER);
    run_in(&sandbox, &moved).expect(0);
    let next = of(&sandbox, &moved, &["records", "--consumer", "next"]).expect(0);
    assert_eq!(next.lines().len(), 1, "{next}");
    assert_eq!(of(&sandbox, &moved, &["records", "--since", &cursor]).expect(0).stdout, next.stdout);
    Checker::new(&moved, &[&sandbox.root]).assert();
}

#[test]
fn a_restored_copy_refuses_later_cursors_and_after_a_repair_all_of_them() {
    let sandbox = two_processed();
    let copied = beside(&sandbox, "copy");
    let early = cursor_of(&sandbox, &sandbox.state);
    of(&sandbox, &sandbox.state, &["records", "--consumer", "next", "--commit", &early]).expect(0);
    copy(&sandbox.state, &copied);
    sandbox.write("b.ast.json", OTHER);
    sandbox.run_ok(&[]);
    let late = cursor_of(&sandbox, &sandbox.state);
    let since = |cursor: &str| of(&sandbox, &copied, &["records", "--since", cursor]);
    since(&early).expect(0);
    assert!(since(&late).expect(13).stderr.contains("was an earlier copy of the state put back?"));
    // The same record at the same place: by its position alone, the cursor is as good as one of the copy.
    run_in(&sandbox, &copied).expect(0);
    since(&late).expect(0);
    let before = of(&sandbox, &copied, &["records"]).expect(0).stdout;
    of(&sandbox, &copied, &["repair"]).expect(0);
    for cursor in [&early, &late] {
        since(cursor).expect(13);
    }
    of(&sandbox, &copied, &["records", "--consumer", "next"]).expect(13);
    run_in(&sandbox, &copied).expect(0);
    assert_eq!(of(&sandbox, &copied, &["records"]).expect(0).stdout, before, "no second records");
    let full = cursor_of(&sandbox, &copied);
    of(&sandbox, &copied, &["records", "--consumer", "next", "--commit", &full]).expect(0);
    of(&sandbox, &copied, &["records", "--consumer", "next"]).expect(0);
}

/// While the tree changes all the time.
#[test]
fn a_copy_of_a_live_state_made_while_its_process_is_stopped_is_sound() {
    let sandbox = two_processed();
    let has_ended = AtomicBool::new(false);
    let copies: Vec<_> = (0..6).map(|number| beside(&sandbox, &format!("copy-{number}"))).collect();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for number in 0_u32.. {
                if has_ended.load(Ordering::Relaxed) {
                    break;
                }
                let text = if number.is_multiple_of(3) { AST } else { OTHER };
                sandbox.write(format!("{}.ast.json", number % 200), text);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let watch = Background::start(sandbox.command(["watch", "--progress", "never"]).arg(&sandbox.root));
        let size =
            || fs::metadata(sandbox.records().join("records-000001.ndjson")).map_or(0, |found| found.len());
        for copied in &copies {
            let before = size();
            wait_until("nothing is committed", || (size() > before).then_some(()));
            watch.signal(Signal::STOP);
            copy(&sandbox.state, copied);
            watch.signal(Signal::CONT);
        }
        has_ended.store(true, Ordering::Relaxed);
        watch.signal(Signal::TERM);
        watch.end();
    });
    sandbox.settle();
    for copied in copies {
        of(&sandbox, &copied, &["status"]).expect(0);
        run_in(&sandbox, &copied).expect(0);
        Checker::new(&copied, &[&sandbox.root]).assert();
    }
}

#[test]
fn a_state_of_a_later_version_is_refused_and_left_as_it_is() {
    let sandbox = two_processed();
    let path = sandbox.state.join("state.json");
    let text = fs::read_to_string(&path).unwrap();
    let (body, _) = text.rsplit_once(",\n  \"crc32\"").unwrap();
    let body = body.replace("\"format\": 2", "\"format\": 99");
    let later = format!("{body},\n  \"crc32\": \"{:08x}\"\n}}\n", crc32fast::hash(body.as_bytes()));
    fs::write(&path, &later).unwrap();
    let refused = |output: Ran| {
        let output = output.expect(12);
        assert!(
            output.stderr.contains("the state has format 99, and this version reads format 5"),
            "{output}"
        );
    };
    refused(sandbox.run(&[]));
    for args in [["status"], ["records"], ["repair"], ["compact"]] {
        refused(of(&sandbox, &sandbox.state, &args));
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), later);
    fs::write(&path, text).unwrap();
    sandbox.check();
}

#[test]
fn a_backup_without_caches_has_the_records_of_a_new_state_and_of_an_earlier_versions() {
    let sandbox = two_processed();
    let tag = sandbox.state.join("CACHEDIR.TAG");
    let names = || {
        let mut tar = Command::new("tar");
        tar.args(["--exclude-caches", "-cf", "-", "-C"]).arg(sandbox.dir.path());
        let mut list = tar.arg("state").stdout(std::process::Stdio::piped()).spawn().unwrap();
        let output = ran(Command::new("tar").arg("-t").stdin(list.stdout.take().unwrap()));
        list.wait().unwrap();
        output.text()
    };
    assert!(names().contains("state/records/records-000001.ndjson"));
    let earlier = format!("{TAG}# This folder is a state of outlast. See https://bford.info/cachedir/\n");
    fs::write(&tag, earlier).unwrap();
    assert!(!names().contains("records-000001.ndjson"), "that is what the mark does");
    sandbox.run_ok(&[]);
    assert!(names().contains("state/records/records-000001.ndjson"));
    // That is the user's decision.
    fs::write(&tag, TAG).unwrap();
    sandbox.run_ok(&[]);
    assert!(tag.exists());
}
