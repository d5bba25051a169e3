//! What a run depends on goes away, and comes back: nothing is lost, and no file is blamed.

mod descriptors;
mod disk_full;
mod memory;
mod mount;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Background, Content, Rng, Sandbox, ran};

/// Waits until the status of a run that goes on fits.
#[track_caller]
fn wait_for(sandbox: &Sandbox, run: &mut Background, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let told = ran(&mut sandbox.command(["status", "--format", "json"]));
        if told.code == Some(0) {
            let status = told.json();
            if status["running"].is_object() && fits(&status) {
                return status;
            }
        }
        assert!(!run.has_ended(), "it ended before {what}");
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain until {what}: {told}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Some files are done, and some are not.
fn is_midway(status: &Value) -> bool {
    let count = |name: &str| status["total"][name].as_u64().unwrap();
    count("ok") > 0 && count("pending") > 20
}

/// The breaker of this resource is not closed.
fn is_open(resource: &'static str) -> impl Fn(&Value) -> bool {
    move |status| {
        let breakers = status["running"]["breakers"].as_array().unwrap();
        breakers.iter().any(|breaker| breaker["resource"] == resource && breaker["state"] != "closed")
    }
}

/// Fills the sandbox's root with files of about so many KiB.
fn fill(sandbox: &Sandbox, files: u64, kib: u64) {
    let mut rng = Rng::new(files);
    for number in 0..files {
        let path = format!("d{}/f{number:05}.ast.json", number / 100);
        sandbox.write(path, Content::Large(kib).bytes(&mut rng));
    }
    sandbox.settle();
}

/// All is there once, nothing failed and nothing was taken for removed.
#[track_caller]
fn assert_unharmed(sandbox: &Sandbox, files: u64) {
    let log = sandbox.log();
    assert!(
        log.iter().all(|record| record["status"] == "ok"),
        "{:?}",
        log.iter().find(|r| r["status"] != "ok")
    );
    assert_eq!(log.len() as u64, files);
    sandbox.check();
}
