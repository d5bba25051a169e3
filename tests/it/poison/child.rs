//! A process that runs a job with a processor that does what a file tells it to, dying included.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use outlast::{
    AstProcessor, BatchConfig, Engine, ErrorClass, FileContent, FileError, Processor, ResultWriter,
    RunOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::support::{Ran, Sandbox};

const ORDERS: &str = "OUTLAST_TEST_CHILD";
const NAME: &str = "poison::child::what_the_child_does";

/// What the child is told.
#[derive(Serialize, Deserialize)]
struct Orders {
    root: PathBuf,
    state: PathBuf,
    /// Where each call of the processor is noted.
    calls: PathBuf,
    /// Where the result goes.
    result: PathBuf,
    config: BatchConfig,
    /// When it is asked to stop.
    stop_after: Option<Duration>,
}

/// Runs jobs on a sandbox in processes of their own.
pub(super) struct Child<'a> {
    sandbox: &'a Sandbox,
    config: BatchConfig,
    stop_after: Option<Duration>,
}

impl<'a> Child<'a> {
    pub(super) fn new(sandbox: &'a Sandbox, config: BatchConfig) -> Self {
        Self { sandbox, config, stop_after: None }
    }

    /// It is asked to stop after this time.
    pub(super) fn stopped_after(self, time: Duration) -> Self {
        Self { stop_after: Some(time), ..self }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.dir.path().join(name)
    }

    pub(super) fn command(&self) -> Command {
        let orders = Orders {
            root: self.sandbox.root.clone(),
            state: self.sandbox.state.clone(),
            calls: self.path("calls"),
            result: self.path("result.json"),
            config: self.config.clone(),
            stop_after: self.stop_after,
        };
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", NAME, "--nocapture", "--test-threads", "1"])
            .env(ORDERS, serde_json::to_string(&orders).unwrap())
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end, whatever that is.
    pub(super) fn run(&self) -> Ran {
        let _ = fs::remove_file(self.path("result.json"));
        self.command().output().unwrap().into()
    }

    /// The result of a run that came to its end.
    #[track_caller]
    pub(super) fn run_ok(&self) -> Value {
        let ran = self.run();
        assert_eq!(ran.code, Some(0), "{ran}");
        self.result()
    }

    #[track_caller]
    pub(super) fn result(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("result.json")).unwrap()).unwrap()
    }

    /// How often the processor was called with each path.
    pub(super) fn calls(&self) -> BTreeMap<String, u64> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let mut calls = BTreeMap::new();
        text.lines().for_each(|path| *calls.entry(path.to_owned()).or_default() += 1);
        calls
    }
}

/// A small syntax tree that tells the processor to do something.
pub(super) fn telling(act: &str) -> String {
    format!(r#"{{"type":"Program","body":[{{"type":"Name","id":"act:{act};"}}]}}"#)
}

struct Acting {
    ast: AstProcessor,
    calls: File,
}

impl Acting {
    fn new(calls: &Path) -> Self {
        let calls = File::options().append(true).create(true).open(calls).unwrap();
        Self { ast: AstProcessor::default(), calls }
    }
}

impl Processor for Acting {
    fn identity(&self) -> &str {
        "acting/1"
    }

    fn default_include(&self) -> &[&str] {
        self.ast.default_include()
    }

    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        let line = format!("{}\n", file.path_text());
        (&self.calls).write_all(line.as_bytes()).unwrap();
        let text = String::from_utf8_lossy(file.bytes);
        if let Some((_, rest)) = text.split_once("act:") {
            act(rest.split(';').next().unwrap())?;
        }
        self.ast.process(file, result)
    }
}

fn act(what: &str) -> Result<(), FileError> {
    let (word, number) = what.split_once('-').unwrap_or((what, "0"));
    match word {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(7),
        "overflow" => assert!(overflow(1) > 0),
        "thread" => std::thread::spawn(|| std::process::abort()).join().unwrap(),
        "kill" => {
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
        }
        "panic" => panic!("as it was told"),
        "hang" => std::thread::sleep(Duration::from_secs(3600)),
        "sleep" => std::thread::sleep(Duration::from_millis(number.parse().unwrap())),
        // A little at a time: what is stopped meanwhile takes longer.
        "steps" => {
            (0..number.parse().unwrap()).for_each(|_: u64| std::thread::sleep(Duration::from_millis(10)));
        }
        "error" => return Err(FileError::new(ErrorClass::Processor, "as it was told")),
        "busy" => return Err(FileError::new(ErrorClass::Processor, "the service is busy").may_pass()),
        other => unreachable!("{other}"),
    }
    Ok(())
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
fn overflow(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 512]);
    overflow(depth + 1) + room[depth as usize % 512]
}

/// Does nothing, unless it was started as a child.
#[test]
fn what_the_child_does() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Orders = serde_json::from_str(&orders).unwrap();
    let engine = Engine::new(Acting::new(&orders.calls));
    if let Some(time) = orders.stop_after {
        let stop = engine.stop();
        std::thread::spawn(move || {
            std::thread::sleep(time);
            stop.request();
        });
    }
    let ended = engine.run(&[orders.root], &orders.config, &RunOptions::new(orders.state));
    match ended {
        Ok(result) => {
            fs::write(orders.result, serde_json::to_vec(&result).unwrap()).unwrap();
            std::process::exit(0);
        }
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}
