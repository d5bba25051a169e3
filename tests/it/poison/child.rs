//! A process that runs a job with a processor that does what a file tells it to, dying included.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use outlast::{
    AstProcessor, BatchAnswers, BatchConfig, BatchProcessor, Engine, ErrorClass, ExecCommand, ExecOptions,
    ExecProcessor, FileContent, FileError, Processor, ResultWriter, RunOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::support::{Ran, Sandbox};

const ORDERS: &str = "OUTLAST_TEST_CHILD";
const NAME: &str = "poison::child::what_the_child_does";

/// How many files the child's processor has at once.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Files {
    One,
    /// So many in a call.
    Together(usize),
    /// Each in a future.
    #[cfg(feature = "async")]
    InFutures,
    /// Sent to processes in another language.
    InChildren,
}

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
    files: Files,
    /// When it is asked to stop.
    stop_after: Option<Duration>,
}

/// Runs jobs on a sandbox in processes of their own.
pub(super) struct Child<'a> {
    sandbox: &'a Sandbox,
    config: BatchConfig,
    files: Files,
    stop_after: Option<Duration>,
}

impl<'a> Child<'a> {
    pub(super) fn new(sandbox: &'a Sandbox, config: BatchConfig) -> Self {
        Self { sandbox, config, files: Files::One, stop_after: None }
    }

    /// Its processor has files at once.
    pub(super) fn with(self, files: Files) -> Self {
        Self { files, ..self }
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
            files: self.files,
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

    /// Whether a future was dropped before its time.
    #[cfg(feature = "async")]
    pub(super) fn has_dropped(&self) -> bool {
        self.path("calls.dropped").exists()
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
    /// Where a future that is dropped leaves a file.
    #[cfg_attr(not(feature = "async"), expect(dead_code, reason = "there are no futures"))]
    dropped: PathBuf,
}

impl Acting {
    fn new(calls: &Path) -> Self {
        let dropped = calls.with_extension("dropped");
        let calls = File::options().append(true).create(true).open(calls).unwrap();
        Self { ast: AstProcessor::default(), calls, dropped }
    }

    /// Notes a call.
    fn note(&self, file: &FileContent<'_>) {
        (&self.calls).write_all(format!("{}\n", file.path_text()).as_bytes()).unwrap();
    }
}

impl Processor for Acting {
    fn identity(&self) -> &str {
        "acting/1"
    }

    fn default_include(&self) -> Vec<&str> {
        self.ast.default_include()
    }

    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        self.note(file);
        if let Some(what) = told(file.bytes) {
            act(&what)?;
        }
        self.ast.process(file, result)
    }
}

/// The act that a content tells.
fn told(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    Some(text.split_once("act:")?.1.split(';').next().unwrap().to_owned())
}

/// The same for files together.
struct Together(Acting, usize);

impl BatchProcessor for Together {
    fn identity(&self) -> &str {
        self.0.identity()
    }

    fn default_include(&self) -> Vec<&str> {
        self.0.default_include()
    }

    fn files_max(&self) -> usize {
        self.1
    }

    fn process_batch(&self, files: &[FileContent<'_>], answers: &mut BatchAnswers) -> Result<(), FileError> {
        files.iter().for_each(|file| self.0.note(file));
        for file in files {
            // Three ways to fail for all of them.
            let answer = match told(file.bytes).as_deref() {
                Some("whole") => return Err(FileError::new(ErrorClass::Processor, "as it was told")),
                Some("silent") => continue,
                Some(what) => act(what),
                None => Ok(()),
            };
            answers.push(answer);
        }
        Ok(())
    }
}

#[cfg(feature = "async")]
mod in_futures {
    use std::sync::Arc;
    use std::time::Duration;

    use outlast::{Engine, FileContent, async_from_fn};

    use super::{Acting, act, told};

    /// Leaves a file when it is dropped before its time.
    struct Leaves(std::path::PathBuf);

    impl Drop for Leaves {
        fn drop(&mut self) {
            std::fs::write(&self.0, "").unwrap();
        }
    }

    pub(super) fn engine(acting: Acting) -> Engine {
        let acting = Arc::new(acting);
        let include = ["*.ast.json"];
        let dropped = acting.dropped.clone();
        Engine::new(async_from_fn("acting/1", &include, move |path, bytes| {
            acting.note(&FileContent { path: &path, bytes: &bytes });
            let dropped = dropped.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                match told(&bytes).as_deref() {
                    Some("never") => {
                        let _leaves = Leaves(dropped);
                        std::future::pending::<()>().await;
                    }
                    Some(what) => act(what)?,
                    None => {}
                }
                Ok(bytes.len())
            }
        }))
    }
}

/// A processor whose children do what a content tells them.
fn in_children() -> ExecProcessor {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/process/exec/tests/child.py");
    let ready = r#"{"include": ["*.ast.json"]}"#;
    let command = ExecCommand::new(["python3", script, ready]).unwrap();
    ExecProcessor::start(ExecOptions::new(command)).unwrap()
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
    let acting = Acting::new(&orders.calls);
    #[cfg(feature = "async")]
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    #[cfg(feature = "async")]
    let _within = runtime.enter();
    let engine = match orders.files {
        Files::One => Engine::new(acting),
        Files::Together(files) => Engine::new(Together(acting, files)),
        #[cfg(feature = "async")]
        Files::InFutures => in_futures::engine(acting),
        Files::InChildren => Engine::new(in_children()),
    };
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
