//! A scratch folder with a tree and a state beside it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::{Checker, Ran, outlast, ran, schema, summary_adds_up};

pub(crate) struct Sandbox {
    pub(crate) dir: TempDir,
    pub(crate) root: PathBuf,
    pub(crate) state: PathBuf,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // As the binary will name it.
        let real = dir.path().canonicalize().unwrap();
        let (root, state) = (real.join("tree"), real.join("state"));
        fs::create_dir(&root).unwrap();
        Self { dir, root, state }
    }

    /// One with these files below the root.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::new();
        for (path, text) in files {
            sandbox.write(path, text);
        }
        sandbox.settle();
        sandbox
    }

    /// Writes a file below the root.
    pub(crate) fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Waits until nothing counts as changed just now, which would be compared again at the next run.
    pub(crate) fn settle(&self) {
        std::thread::sleep(Duration::from_millis(40));
    }

    pub(crate) fn records(&self) -> PathBuf {
        self.state.join("records")
    }

    /// The binary with these arguments, in the scratch folder, on this state.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = outlast();
        command.current_dir(self.dir.path()).args(args).arg("--state").arg(&self.state);
        command
    }

    /// `outlast run` of the root, without progress.
    pub(crate) fn run_command(&self, extra: &[&str]) -> Command {
        let mut command = self.command(["run", "--format", "json", "--progress", "never"]);
        command.args(extra).arg(&self.root);
        command
    }

    /// Runs that to its end.
    pub(crate) fn run(&self, extra: &[&str]) -> Ran {
        ran(&mut self.run_command(extra))
    }

    /// The summary of a run that ends with code 0.
    #[track_caller]
    pub(crate) fn run_ok(&self, extra: &[&str]) -> Value {
        self.run_code(extra, 0)
    }

    /// The summary of a run that ends with this code.
    #[track_caller]
    pub(crate) fn run_code(&self, extra: &[&str], code: i32) -> Value {
        let summary = self.run(extra).expect(code).json();
        summary_adds_up(&summary).unwrap();
        summary
    }

    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        ran(&mut self.command(["status", "--format", "json"])).expect(0).json()
    }

    #[track_caller]
    pub(crate) fn explain(&self, path: impl AsRef<OsStr>) -> Value {
        let mut command = self.command(["explain", "--format", "json"]);
        let told = ran(command.arg("--").arg(path)).expect(0).json();
        if told["record"].is_object() {
            schema().check(&told["record"]).unwrap();
        }
        told
    }

    /// The log from its start, as the binary prints it.
    #[track_caller]
    pub(crate) fn log(&self) -> Vec<Value> {
        let told = ran(&mut self.command(["records", "--since", "1:0"])).expect(0);
        told.lines().into_iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    /// Path and status of each record of the log.
    #[track_caller]
    pub(crate) fn log_brief(&self) -> Vec<(String, String)> {
        let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
        self.log().iter().map(|record| (text(record, "path"), text(record, "status"))).collect()
    }

    /// Checks the whole state against the tree.
    #[track_caller]
    pub(crate) fn check(&self) {
        Checker::new(&self.state, &[&self.root]).assert();
    }
}
