//! Processors in other languages: good ones, bad ones, and ones that are killed while the engine is.

mod chaos;
mod poison;
mod settings;
mod stopped;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Sandbox, ran};

/// The command line of a child that does what the names of files say, with further arguments.
fn child(arguments: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/process/exec/tests/child.py");
    let quoted = arguments.iter().map(|argument| format!(" '{argument}'"));
    format!("python3 '{script}'{}", quoted.collect::<String>())
}

/// A run with a command as its processor.
fn run_command(sandbox: &Sandbox, exec: &str, extra: &[&str]) -> Command {
    let mut command = sandbox.run_command(&["--include", "*", "--exec", exec]);
    command.args(extra);
    command
}

/// Each path's latest record: `ok` and the result, or the class and the message.
fn outcomes(sandbox: &Sandbox) -> BTreeMap<String, (String, Value)> {
    let printed = ran(&mut sandbox.command(["records"])).expect(0);
    let outcome = |line: &[u8]| {
        let mut record: Value = serde_json::from_slice(line).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let outcome = match record["status"].as_str() {
            Some("ok") => ("ok".to_owned(), record["result"].take()),
            _ => (text(&record["error"]["class"]), record["error"]["message"].take()),
        };
        (text(&record["path"]), outcome)
    };
    printed.lines().into_iter().map(outcome).collect()
}

/// Waits until this holds.
#[track_caller]
fn wait_until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(40), "it took too long");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The processes with this mark among their arguments: a child, and what it has started.
fn processes(mark: &str) -> Vec<i32> {
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let marked = all.filter_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let is_engine = line.starts_with(env!("CARGO_BIN_EXE_outlast").as_bytes());
        let has_mark = String::from_utf8_lossy(&line).contains(mark);
        if has_mark && !is_engine { entry.file_name().to_str()?.parse().ok() } else { None }
    });
    marked.collect()
}
