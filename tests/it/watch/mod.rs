//! A process that stays: `outlast watch` on real trees, with the system's own events.

mod agree;
mod away;
mod hung;
mod killed;
mod latency;
mod links;
mod orders;
mod situations;
mod taken;
mod unwatched;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use outlast::service::{Request, ask};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Checker, Ran, Sandbox, ran, take_environment};

/// A small syntax tree.
const AST: &str = r#"{"type":"Program","body":[{"type":"Name","id":"x"}]}"#;
/// Another one, of the same size.
const OTHER: &str = r#"{"type":"Program","body":[{"type":"Name","id":"y"}]}"#;

/// How long a busy machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until something holds.
#[track_caller]
fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that watches, killed when it is dropped.
pub(crate) struct Watcher<'a> {
    sandbox: &'a Sandbox,
    roots: Vec<PathBuf>,
    extra: Vec<String>,
    /// What a shell does in a user namespace of its own before it becomes the process.
    wrapper: Option<String>,
    pub(crate) child: Child,
    log: PathBuf,
}

impl<'a> Watcher<'a> {
    /// Watches the sandbox's root, and has seen all of it.
    #[track_caller]
    fn start(sandbox: &'a Sandbox) -> Self {
        Self::of(sandbox, &[&sandbox.root], &[])
    }

    /// The same for these roots, with further arguments.
    #[track_caller]
    pub(crate) fn of(sandbox: &'a Sandbox, roots: &[&Path], extra: &[&str]) -> Self {
        let mut watcher = Self::begin(sandbox, roots, extra);
        watcher.wait_for("all is seen", |running| running["state"] == "watching");
        watcher
    }

    /// The same, just started.
    fn begin(sandbox: &'a Sandbox, roots: &[&Path], extra: &[&str]) -> Self {
        let roots: Vec<PathBuf> = roots.iter().map(|&root| root.to_owned()).collect();
        let extra: Vec<String> = extra.iter().map(|&word| word.to_owned()).collect();
        let log = sandbox.dir.path().join("watch.log");
        let child = spawn(sandbox.command(WATCH), &roots, &extra, &log);
        Self { sandbox, roots, extra, wrapper: None, child, log }
    }

    /// Kills it, and starts it again.
    #[track_caller]
    pub(crate) fn kill_and_start(&mut self) {
        self.kill();
        self.start_again();
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn start_again(&mut self) {
        let plain = self.sandbox.command(WATCH);
        let command = match &self.wrapper {
            Some(script) => {
                let mut command = Command::new("unshare");
                command.args(["--user", "--map-root-user", "sh", "-c", script]);
                command.arg(plain.get_program()).args(plain.get_args());
                take_environment(&mut command, &plain);
                command
            }
            None => plain,
        };
        self.child = spawn(command, &self.roots, &self.extra, &self.log);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// What it tells, where it answers.
    pub(crate) fn status(&self) -> Option<Value> {
        let answer = ask(&self.sandbox.state, &Request::Status).ok()?;
        Some(serde_json::from_slice(&answer).unwrap())
    }

    /// Waits until the figures of the process fit; returns them.
    #[track_caller]
    fn wait_for(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let running = self.status().map(|status| status["running"].clone());
            if let Some(running) = running.filter(|running| running.is_object() && fits(running)) {
                return running;
            }
            self.assert_alive(what);
            assert!(
                begun.elapsed() < PATIENCE,
                "waited in vain until {what}: {:?}\n{}",
                self.status(),
                self.said()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    pub(crate) fn assert_alive(&mut self, what: &str) {
        if let Some(ended) = self.child.try_wait().unwrap() {
            panic!("it ended before {what}, {ended}: {}", self.said());
        }
    }

    /// The end of what it said.
    fn said(&self) -> String {
        let text = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// Waits until it has ended by itself; tells its exit code and what it said.
    #[track_caller]
    fn ended(&mut self) -> (Option<i32>, String) {
        let ended = wait_until("it ends", || self.child.try_wait().unwrap());
        (ended.code(), self.said())
    }

    /// Waits until the records are just what the trees are.
    #[track_caller]
    pub(crate) fn agree(&mut self) {
        let begun = Instant::now();
        let mut checks = 0;
        let roots: Vec<&Path> = self.roots.iter().map(PathBuf::as_path).collect();
        while let Err(problems) = Checker::new(&self.sandbox.state, &roots).check() {
            checks += 1;
            // After hours of churn a check alone takes long.
            let is_late = begun.elapsed() > PATIENCE && checks >= 3;
            let over = is_late || self.child.try_wait().unwrap().is_some();
            assert!(!over, "{problems}{}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Carries out an order, and tells what it did.
    #[track_caller]
    fn order(&self, words: &[&str]) -> Value {
        self.try_order(words).expect(0).json()
    }

    pub(crate) fn try_order(&self, words: &[&str]) -> Ran {
        let words = [&["ctl"], words, &["--format", "json"]].concat();
        ran(&mut self.sandbox.command(words))
    }

    /// What is told of a job.
    #[track_caller]
    fn job(&self, number: u64) -> Value {
        let told = ran(&mut self.sandbox.command(["jobs", "--all", "--format", "json"])).expect(0).json();
        let jobs = told["jobs"].as_array().unwrap();
        jobs.iter()
            .find(|job| job["job_id"] == number)
            .unwrap_or_else(|| panic!("no job {number} in {told}"))
            .clone()
    }

    /// Waits until a job is in a state.
    #[track_caller]
    fn wait_for_job(&self, number: u64, state: &str) -> Value {
        wait_until(&format!("job {number} is {state}"), || {
            Some(self.job(number)).filter(|job| job["state"] == state)
        })
    }

    /// Asks it to end, and checks what it leaves behind; nothing is left to do for the next one.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        let ended = wait_until("it ends", || self.child.try_wait().unwrap());
        assert_eq!(ended.code(), Some(143), "{}", self.said());
        let roots: Vec<&Path> = self.roots.iter().map(PathBuf::as_path).collect();
        Checker::new(&self.sandbox.state, &roots).assert();
        // From the start of the log it can't be told where it was compacted.
        let told = ran(&mut self.sandbox.command(["records", "--cursor"])).expect(0);
        let mark = told.stderr.lines().last().unwrap();
        let mut command = self.sandbox.command(["run", "--format", "json", "--progress", "never"]);
        let told = ran(command.args(&self.roots));
        assert!(matches!(told.code, Some(0 | 3 | 4)), "{told}");
        let more = ran(&mut self.sandbox.command(["records", "--since", mark])).expect(0);
        assert!(more.lines().is_empty(), "a run finds more: {told}\n{more}\n{}", self.said());
    }
}

const WATCH: [&str; 5] = ["watch", "--progress", "never", "--log-level", "outlast=debug"];

fn spawn(mut command: Command, roots: &[PathBuf], extra: &[String], log: &Path) -> Child {
    let log = File::options().create(true).append(true).open(log).unwrap();
    command.args(extra).args(roots).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
