//! The command line as its users meet it.

mod http;
mod input;
mod process;
mod queries;
mod settings;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Background, Content, Rng, Sandbox, ran};

/// A small syntax tree.
pub(crate) const AST: &str = r#"{"type":"Program","body":[{"type":"Name","id":"x"}]}"#;
/// Another one.
const OTHER: &str = r#"{"type":"Program","body":[{"type":"Name","id":"other"}]}"#;
/// JSON that breaks off.
const BROKEN: &str = r#"{"type":"Program","body":["#;

/// Waits until something holds, for as long as a busy machine may take.
#[track_caller]
pub(crate) fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(180), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whatever goes wrong meanwhile, what runs beside ends.
struct StopAtEnd(outlast::Stop);

impl Drop for StopAtEnd {
    fn drop(&mut self) {
        self.0.request();
    }
}

/// Two files that were processed.
fn two_processed() -> Sandbox {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", AST)]);
    sandbox.run_ok(&[]);
    sandbox
}

/// A tree that takes one worker seconds: so many MiB in files of about 1 MiB.
fn slow(files: u64) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut rng = Rng::new(files);
    for number in 0..files {
        sandbox.write(format!("f{number:04}.ast.json"), Content::Large(1024).bytes(&mut rng));
    }
    sandbox.settle();
    sandbox
}

/// One worker at work, with something committed and something to do: its status.
#[track_caller]
fn midway(sandbox: &Sandbox) -> (Background, Value) {
    midway_with(sandbox, &[])
}

/// The same, with further arguments.
#[track_caller]
fn midway_with(sandbox: &Sandbox, extra: &[&str]) -> (Background, Value) {
    let run = Background::start(&mut sandbox.run_command(&[&["--workers", "1"], extra].concat()));
    let status = wait_until("some files are done and some are not", || {
        let told = ran(&mut sandbox.command(["status", "--format", "json"]));
        let status = (told.code == Some(0)).then(|| told.json())?;
        let (ok, pending) = (status["total"]["ok"].as_u64()?, status["total"]["pending"].as_u64()?);
        (ok > 0 && pending > 0 && status["running"].is_object()).then_some(status)
    });
    (run, status)
}
