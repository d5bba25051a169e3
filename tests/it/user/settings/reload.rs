//! The configuration is read again while a run goes on.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Sandbox, ran};
use crate::user::{Background, midway_with, slow, wait_until};

struct Place {
    sandbox: Sandbox,
    file: PathBuf,
    run: Background,
}

impl Place {
    /// A run midway, with this in its configuration file.
    fn new(text: &str) -> Self {
        Self::with(text, &[])
    }

    /// The same, with further arguments.
    fn with(text: &str, extra: &[&str]) -> Self {
        let sandbox = slow(24);
        let file = sandbox.dir.path().canonicalize().unwrap().join("outlast.toml");
        fs::write(&file, text).unwrap();
        let (run, _) = midway_with(&sandbox, &[&["--log-file", "run.log"], extra].concat());
        // It would end before it was asked for anything.
        ran(&mut sandbox.command(["ctl", "pause"])).expect(0);
        Self { sandbox, file, run }
    }

    fn write(&self, text: &str) {
        fs::write(&self.file, text).unwrap();
    }

    fn running(&self) -> Value {
        self.sandbox.status()["running"].clone()
    }

    fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.sandbox.dir.path().join("run.log")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until the log has a line of this level with these words.
    fn wait_for_log(&self, level: &str, words: &str) {
        let is_it = |line: &Value| {
            line["level"] == level
                && line["fields"]["message"].as_str().is_some_and(|told| told.contains(words))
        };
        wait_until(words, || self.log().iter().any(is_it).then_some(()));
    }

    fn ends_well(self) {
        ran(&mut self.sandbox.command(["ctl", "resume"])).expect(0);
        ran(&mut self.sandbox.command(["ctl", "stop"])).expect(0);
        self.run.end().expect(143);
        ran(&mut self.sandbox.command(["status"])).expect(0);
    }
}

#[test]
fn a_run_that_is_asked_to_takes_over_what_it_can_and_says_what_it_cannot() {
    let place = Place::new("batch-size = 10\nlog-format = \"human\"\n");
    place.write("log-level = \"debug\"\nbatch-size = 20\nlog-format = \"json\"\nworkers = 9\n");
    let told = ran(&mut place.sandbox.command(["ctl", "reload", "--format", "json"])).expect(0).json();
    let what = told["what"].as_str().unwrap();
    let at = |line: u8| format!("({}:{line})", place.file.display());
    for part in [
        format!("batch-size 10 -> 20 {}", at(2)),
        format!("log-level warn -> debug {}", at(1)),
        format!("log-format human -> json {}: needs a restart", at(3)),
    ] {
        assert!(what.contains(&part), "no {part:?}: {what}");
    }
    assert!(!what.contains("workers"), "the flag stays above the file: {what}");
    let checkpoint = || ran(&mut place.sandbox.command(["ctl", "checkpoint"])).code;
    wait_until("an attempt with the new configuration goes on", || (checkpoint() == Some(0)).then_some(()));
    place.wait_for_log("INFO", "asked for");
    place.ends_well();
}

#[test]
fn a_bad_file_changes_nothing_and_all_that_is_wrong_is_told() {
    let place = Place::new("");
    place.write("batch-size = 20\nworkrs = 2\nwait = \"long\"\n");
    // From where the bad file does not count for the one who asks.
    let told = ran(place.sandbox.command(["ctl", "reload"]).current_dir("/")).expect(78);
    let lines: Vec<&str> = told.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(
        lines[0].starts_with(&format!("outlast: {}:2: workrs is no setting", place.file.display())),
        "{told}"
    );
    assert!(lines[1].contains(":3: wait is \"long\"") && lines[2].contains("stays as it was"), "{told}");
    // Where it does, what both have found wrong is reported once.
    let beside = ran(&mut place.sandbox.command(["ctl", "reload"])).expect(78);
    for part in ["workrs is no setting", "wait is \"long\"", "stays as it was"] {
        assert_eq!(beside.stderr.matches(part).count(), 1, "{part}: {beside}");
    }
    place.wait_for_log("ERROR", ":3: wait is \"long\"");
    place.write("batch-size = 20\n");
    let told = ran(&mut place.sandbox.command(["ctl", "reload"])).expect(0);
    assert!(told.text().contains("batch-size 200 -> 20"), "nothing of the bad file was taken: {told}");
    place.ends_well();
}

#[test]
fn a_hangup_and_a_changed_file_have_it_read_again() {
    let place = Place::with("", &["--log-level", "info"]);
    place.write("wait = \"1m\"\n");
    place.wait_for_log("INFO", "wait 10m -> 1m");
    place.write("wait = \"1m\"\nbatch-size = 7\n");
    place.run.signal(Signal::HUP);
    place.wait_for_log("INFO", "batch-size 200 -> 7");
    wait_until("a hangup is no end", || (place.running()["state"] == "paused").then_some(()));
    fs::remove_file(&place.file).unwrap();
    place.wait_for_log("INFO", "batch-size 7 -> 200 (default)");
    place.ends_well();
}

#[test]
fn a_number_of_workers_that_was_ordered_holds_until_the_configuration_is_read_again() {
    let place = Place::new("");
    let workers = || place.running()["workers"].as_array().map(Vec::len);
    ran(&mut place.sandbox.command(["ctl", "workers", "3"])).expect(0);
    wait_until("three work", || (workers() == Some(3)).then_some(()));
    let told = ran(&mut place.sandbox.command(["ctl", "reload"])).expect(0);
    assert!(told.text().contains("workers 3 -> 1 (flag --workers)"), "{told}");
    wait_until("one works", || (workers() == Some(1)).then_some(()));
    place.ends_well();
}

#[test]
fn the_tables_of_the_profile_are_read_again() {
    let text = |profile: &str, size: u32| {
        format!("batch-size = 9\n[profile.{profile}]\nbatch-size = {size}\n[profile.calm]\nworkers = 1\n")
    };
    let place = Place::with(&text("busy", 10), &["--profile", "busy", "--log-level", "info"]);
    let reload = || ran(&mut place.sandbox.command(["ctl", "reload"]));
    place.write(&text("gone", 20));
    let told = reload().expect(78);
    let words = "flag --profile: there is no profile \"busy\" (the profiles are calm, gone)";
    assert!(told.stderr.contains(words) && told.stderr.contains("stays as it was"), "{told}");
    place.write(&text("busy", 0));
    let told = reload().expect(78);
    let at = |line: u8| format!("{}:{line} [profile.busy]", place.file.display());
    assert!(told.stderr.contains(&format!("{}: batch-size is 0", at(3))), "{told}");
    place.write(&text("busy", 20));
    place.run.signal(Signal::HUP);
    place.wait_for_log("INFO", &format!("batch-size 10 -> 20 ({})", at(3)));
    place.ends_well();
}
