//! Tries a command as a run would use it, and says in words what is wrong.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::child::Child;
use super::message::{FileRequest, Ready};
use super::per_file::{Outcome, Running};
use super::spawner::{Spawner, in_words};
use super::{ExecError, ExecOptions};
use crate::process::window::FileAnswer;

/// How long a child has to end after `stop`.
const STOP: Duration = Duration::from_secs(5);

/// One thing that was tried, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecTrial {
    /// What was tried.
    pub what: String,
    /// What the command did, or what is wrong with that.
    pub outcome: Result<String, String>,
}

/// Tries a command: its start, these files, and its end, with this time for each file. Stops at the first fault.
///
/// # Errors
/// There is no such program.
pub fn check(options: &ExecOptions, files: &[PathBuf], limit: Duration) -> Result<Vec<ExecTrial>, ExecError> {
    options.command.find_program()?;
    let spawner = Spawner::new().map_err(ExecError::NoThread)?;
    if options.command.is_per_file() {
        let trials = files.iter().map(|file| ExecTrial {
            what: format!("`{}` for {}", options.command, file.display()),
            outcome: run_for(&spawner, options, file, limit),
        });
        return Ok(trials.collect());
    }
    let mut trials = Vec::new();
    if let Err((what, wrong)) = check_child(&spawner, options, files, limit, &mut trials) {
        trials.push(ExecTrial { what: what.to_owned(), outcome: Err(wrong) });
    }
    Ok(trials)
}

fn run_for(spawner: &Spawner, options: &ExecOptions, file: &Path, limit: Duration) -> Result<String, String> {
    let path = std::path::absolute(file).map_err(|error| error.to_string())?;
    let started = Running::start(spawner, &options.command, &path);
    match started.map_err(|error| error.to_string())?.wait(Instant::now() + limit) {
        Some(Outcome::Result(json)) => Ok(String::from_utf8_lossy(&json).into_owned()),
        Some(Outcome::Failed(error)) => Err(error.to_string()),
        None => Err(format!("timeout: it took longer than {} s", limit.as_secs_f64())),
    }
}

fn check_child(
    spawner: &Spawner,
    options: &ExecOptions,
    files: &[PathBuf],
    limit: Duration,
    trials: &mut Vec<ExecTrial>,
) -> Result<(), (&'static str, String)> {
    let mut tried =
        |what: &str, did: String| trials.push(ExecTrial { what: what.to_owned(), outcome: Ok(did) });
    let begun = Instant::now();
    let started = Child::start(spawner, &options.command, &options.root, options.start_timeout);
    let mut child = started.map_err(|death| ("start", ExecError::from(death).to_string()))?;
    tried("start", format!("ready after {} ms: {}", begun.elapsed().as_millis(), described(child.ready())));
    for (id, file) in (0..).zip(files) {
        give(&mut child, id, file).map_err(|error| ("file", format!("{}: {error}", file.display())))?;
        let answer =
            answer(&mut child, limit).map_err(|wrong| ("file", format!("{}: {wrong}", file.display())))?;
        let answer = match answer {
            Ok(json) => String::from_utf8_lossy(&json).into_owned(),
            Err(error) => format!("an error: {error}"),
        };
        tried("file", format!("{}: {answer}", file.display()));
    }
    let ended = child.stop(2 * STOP);
    match ended {
        Some(status) if status.success() => tried("stop", "ended with exit code 0".to_owned()),
        Some(status) => {
            return Err(("stop", format!("the child {}: it must be exit code 0", in_words(status))));
        }
        None => return Err(("stop", format!("the child did not end within {} s", STOP.as_secs()))),
    }
    Ok(())
}

fn give(child: &mut Child, id: u64, file: &Path) -> std::io::Result<()> {
    let absolute = std::path::absolute(file)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(&absolute)?)?;
    let content = if child.ready().inline { Some(Arc::new(std::fs::read(&absolute)?)) } else { None };
    let path = absolute.file_name().unwrap_or_default().as_encoded_bytes();
    let digest = hasher.finalize().to_hex();
    let request =
        FileRequest { root: "check", path, absolute: &absolute, size: hasher.count(), digest: &digest };
    child.give(id, &request, content);
    Ok(())
}

fn answer(child: &mut Child, limit: Duration) -> Result<FileAnswer, String> {
    let until = Instant::now() + limit;
    let mut answers = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        child.answers(left, &mut answers).map_err(|death| death.message)?;
        if let Some((_, answer)) = answers.pop() {
            return Ok(answer);
        }
        if left.is_zero() {
            return Err(child.late(limit).message);
        }
    }
}

fn described(ready: &Ready) -> String {
    let Ready { identity, include, inline, window, batch } = ready;
    let identity = identity.as_deref().unwrap_or("none");
    let include = if include.is_empty() { "none".to_owned() } else { include.join(" ") };
    let content = if *inline { "inline" } else { "path" };
    let batch =
        if *batch { ", batch (reserved: as many files as `window` says are sent in any case)" } else { "" };
    format!("identity {identity}, include {include}, content {content}, window {window}{batch}")
}
