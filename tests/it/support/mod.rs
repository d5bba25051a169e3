//! What the tests share: seeded trees, the binary, its record log read raw, and the checker.

mod aim;
mod background;
mod browser;
mod cli;
mod disk;
mod heartbeats;
mod http;
mod log;
mod rng;
mod sandbox;
mod trees;

pub(crate) use aim::{Aim, Begin, Met, Reach, Score};
pub(crate) use background::Background;
pub(crate) use browser::Browser;
pub(crate) use cli::{Ran, outlast, ran, take_environment};
pub(crate) use disk::Disk;
pub(crate) use heartbeats::{Heartbeats, Promise};
pub(crate) use http::{Client, Reply};
pub(crate) use log::*;
pub(crate) use rng::Rng;
pub(crate) use sandbox::Sandbox;
pub(crate) use trees::*;

/// A number from the environment, for longer runs by hand.
pub(crate) fn from_env(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else if path.is_file() {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// The latest job of a status.
pub(crate) fn last_job(status: &serde_json::Value) -> &serde_json::Value {
    status["jobs"].as_array().and_then(|jobs| jobs.last()).unwrap_or(&serde_json::Value::Null)
}

/// Says that a test can't be done here, past the capture of what tests print.
pub(crate) fn skip(why: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
