//! A log file that others rotate, as logrotate does: moved, or copied and cut.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::support::{Sandbox, ran};
use crate::user::{Background, midway_with, slow, wait_until};

/// A run that waits for orders and logs each reload, and its log file.
fn paused(level: &str) -> (Sandbox, Background, PathBuf) {
    let sandbox = slow(24);
    let (run, _) = midway_with(&sandbox, &["--log-file", "run.log", "--log-level", level]);
    ran(&mut sandbox.command(["ctl", "pause"])).expect(0);
    let log = sandbox.dir.path().join("run.log");
    (sandbox, run, log)
}

/// Has the run log a line, and waits for it.
fn hang_up(run: &Background, log: &Path) {
    let count = || read(log).matches("the configuration was read again").count();
    let before = count();
    run.signal(Signal::HUP);
    wait_until("the line is there", || (count() > before).then_some(()));
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn moved(log: &Path, number: usize) -> PathBuf {
    log.with_extension(format!("log.{number}"))
}

fn ends_well(sandbox: &Sandbox, run: Background) {
    ran(&mut sandbox.command(["ctl", "resume"])).expect(0);
    ran(&mut sandbox.command(["ctl", "stop"])).expect(0);
    run.end().expect(143);
}

#[test]
fn a_hangup_opens_the_file_at_the_path_even_if_there_is_nothing_to_log() {
    let (sandbox, run, log) = paused("error");
    fs::rename(&log, moved(&log, 1)).unwrap();
    let created = OpenOptions::new().write(true).create_new(true).mode(0o640).open(&log).unwrap();
    let inode = created.metadata().unwrap().ino();
    run.signal(Signal::HUP);
    let folder = format!("/proc/{}/fd", run.child().id());
    let open = || {
        let files =
            fs::read_dir(&folder).unwrap().filter_map(|entry| fs::metadata(entry.unwrap().path()).ok());
        files.map(|file| file.ino()).collect::<Vec<_>>()
    };
    let old = moved(&log, 1).metadata().unwrap().ino();
    wait_until("the new file is open and the moved one is not", || {
        let open = open();
        (open.contains(&inode) && !open.contains(&old)).then_some(())
    });
    ends_well(&sandbox, run);
}

#[test]
fn the_line_after_a_move_is_the_first_of_a_new_file() {
    let (sandbox, run, log) = paused("info");
    hang_up(&run, &log);
    fs::rename(&log, moved(&log, 1)).unwrap();
    let before = read(&moved(&log, 1));
    hang_up(&run, &log);
    let first = read(&log);
    assert!(first.lines().next().unwrap().contains("the configuration was read again"), "{first}");
    assert_eq!(log.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(read(&moved(&log, 1)), before, "nothing is written to the moved file");
    ends_well(&sandbox, run);
}

#[test]
fn a_file_that_is_copied_and_cut_goes_on_at_its_beginning() {
    let (sandbox, run, log) = paused("info");
    for number in 1..=3 {
        hang_up(&run, &log);
        fs::copy(&log, moved(&log, number)).unwrap();
        OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
        hang_up(&run, &log);
        let text = read(&log);
        assert!(text.starts_with('{') && !text.contains('\0'), "{text:?}");
        assert!(text.lines().count() <= 2, "{text}");
    }
    ends_well(&sandbox, run);
}

/// What `data/logrotate.conf` says, for this log and process, in place of a service's.
fn rotated_by_logrotate(path_in_it: &str, log: &Path, run: &Background) {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/logrotate.conf")).unwrap();
    let hang_up = format!("kill -HUP {}", run.child().id());
    let text = text.replace("systemctl kill --signal=HUP outlast.service", &hang_up);
    let text =
        text.replace("su outlast outlast\n", "\n").replace("create 0600 outlast outlast", "create 0600");
    let text = text.replace(path_in_it, log.to_str().unwrap());
    let config = log.with_extension("conf");
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&config).unwrap();
    fs::write(&config, text).unwrap();
    let state = log.with_extension("state");
    let mut command = Command::new("logrotate");
    ran(command.args(["--force", "--state"]).args([state, config])).expect(0);
}

#[test]
fn logrotate_does_what_the_example_says() {
    if Command::new("logrotate").arg("--version").output().is_err() {
        println!("SKIPPED: an example for logrotate, which is not installed: apt-get install logrotate");
        return;
    }
    let path_of = |name: &str| format!("/var/log/outlast/{name}.log");
    let (sandbox, run, log) = paused("info");
    for (name, is_moved) in [("outlast", true), ("unsignalled", false)] {
        hang_up(&run, &log);
        let before = log.metadata().unwrap().ino();
        rotated_by_logrotate(&path_of(name), &log, &run);
        assert_eq!(log.metadata().unwrap().ino() != before, is_moved, "{name}");
        assert_eq!(log.metadata().unwrap().mode() & 0o777, 0o600);
        hang_up(&run, &log);
        let text = read(&log);
        assert!(text.starts_with('{') && text.lines().count() <= 2, "{name}: {text:?}");
    }
    ends_well(&sandbox, run);
}

/// The lines of logs without their times, sorted.
fn lines(logs: impl IntoIterator<Item = PathBuf>) -> Vec<String> {
    let mut lines = Vec::new();
    for text in logs.into_iter().map(|log| read(&log)) {
        for line in text.lines().filter(|line| line.starts_with('{')) {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line.as_object_mut().unwrap().remove("timestamp").unwrap();
            lines.push(line.to_string());
        }
    }
    lines.sort();
    lines
}

#[test]
fn no_line_is_lost_while_the_file_is_moved_again_and_again() {
    for with_signal in [true, false] {
        let sandbox = slow(24);
        let log = sandbox.dir.path().join("run.log");
        let all = sandbox.dir.path().join("stderr");
        let level = ["--log-level", "trace,sled=trace", "--log-format", "json"];
        let mut command = sandbox.run_command(&[&["--log-file", "run.log"], &level[..]].concat());
        let mut run = command.stderr(fs::File::create(&all).unwrap()).stdout(Stdio::null()).spawn().unwrap();
        // From then on a hangup does not end it.
        wait_until("it works", || read(&log).contains("run started").then_some(()));
        std::thread::sleep(Duration::from_millis(300));
        let mut moves = 0;
        while run.try_wait().unwrap().is_none() {
            // None is there before the next line is written.
            if fs::rename(&log, moved(&log, moves)).is_ok() {
                moves += 1;
                if with_signal {
                    rustix::process::kill_process(Pid::from_child(&run), Signal::HUP).unwrap();
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(run.wait().unwrap().success() && moves > 3, "{moves} moves");
        let logs = (0..moves).map(|number| moved(&log, number)).chain([log.clone()]);
        let logged = lines(logs);
        assert!(logged.len() > 20 && logged == lines([all]), "{} lines", logged.len());
    }
}
