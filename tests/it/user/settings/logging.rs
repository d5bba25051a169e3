//! The log: on stderr and in a file, its form and its level.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::support::{Sandbox, ran};
use crate::user::{AST, BROKEN};

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn one() -> Sandbox {
    Sandbox::with(&[("a.ast.json", AST)])
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_log_file_has_an_object_on_each_line_and_stderr_the_same_for_people() {
    let sandbox = one();
    let told = sandbox.run(&["--log-level", "debug", "--log-file", "run.log"]).expect(0);
    let path = sandbox.dir.path().join("run.log");
    let lines = json_lines(&read(&path));
    assert!(!lines.is_empty());
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["target"].is_string(), "{line}");
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&line["level"].as_str().unwrap()), "{line}");
    }
    assert_eq!(told.stderr.lines().count(), lines.len(), "{told}");
    assert!(serde_json::from_str::<Value>(told.stderr.lines().next().unwrap()).is_err(), "{told}");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    sandbox.run_ok(&["--log-level", "debug", "--log-file", "run.log"]);
    assert!(json_lines(&read(&path)).len() > lines.len(), "a second run goes on with the file");
}

#[test]
fn the_log_on_stderr_is_json_when_asked_for() {
    let told = one().run(&["--log-level", "trace", "--log-format", "json"]).expect(0);
    assert!(json_lines(&told.stderr).len() > 2, "{told}");
}

#[test]
fn a_level_alone_tells_of_batches_and_files_and_of_nothing_below() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("src/bad.ast.json", BROKEN)]);
    let told = sandbox.run(&["--log-level", "debug", "--log-format", "json"]).expect(3);
    let lines = json_lines(&told.stderr);
    assert!(lines.iter().all(|line| line["target"].as_str().unwrap().starts_with("outlast")), "{told}");
    let failed: Vec<_> = lines.iter().filter(|line| line["fields"]["class"] == "parse").collect();
    let [failed] = failed[..] else { panic!("{told}") };
    let [batch, file] = failed["spans"].as_array().unwrap().as_slice() else { panic!("{failed}") };
    assert_eq!((&batch["name"], &file["name"]), (&"batch".into(), &"file".into()), "{failed}");
    assert_eq!(file["path"], "src/bad.ast.json", "{failed}");
    let named = sandbox.run(&["--log-level", "warn,sled=debug", "--log-format", "json"]).expect(3);
    assert!(json_lines(&named.stderr).iter().any(|line| line["target"].as_str().unwrap().contains("sled")));
}

#[test]
fn a_level_leaves_out_what_is_below_it() {
    for (how, level) in [("--log-level", "error"), ("--log-level", "off,outlast=error"), ("--log", "error")] {
        let sandbox = one();
        let told = sandbox.run(&[how, level, "--log-file", "run.log"]).expect(0);
        assert!(told.stderr.is_empty(), "{told}");
        assert!(read(&sandbox.dir.path().join("run.log")).is_empty());
    }
    for (name, says) in [("OUTLAST_LOG", true), ("OUTLAST_LOG_LEVEL", true), ("OUTLAST_LOG_FILE", false)] {
        let sandbox = one();
        let told = ran(sandbox.run_command(&[]).env(name, "info")).expect(0);
        assert_eq!(told.stderr.contains("run started"), says, "{name}: {told}");
    }
}

#[test]
fn a_log_file_that_can_not_be_opened_is_told_before_anything_is_done() {
    let sandbox = one();
    let told = sandbox.run(&["--log-file", "no/such/folder/run.log"]).expect(78);
    for words in ["flag --log-file", "no/such/folder/run.log", "can't be opened"] {
        assert!(told.stderr.contains(words), "no {words:?}: {told}");
    }
    assert!(!sandbox.state.exists());
}

#[test]
fn a_log_that_can_not_be_written_stops_nothing_and_is_told_once() {
    let told =
        one().run(&["--log-level", "trace", "--log-format", "json", "--log-file", "/dev/full"]).expect(0);
    let told_of_it = told.stderr.lines().filter(|line| line.contains("log file /dev/full can't be written"));
    assert_eq!(told_of_it.count(), 1, "{told}");
    assert_eq!(told.json()["ok"], 1);
}
