//! No more file can be opened.

use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::{Background, assert_unharmed, fill, is_midway, wait_for};
use crate::support::Sandbox;

const FILES: u64 = 1_500;

#[test]
fn a_run_without_descriptors_waits_for_some() {
    let sandbox = Sandbox::new();
    fill(&sandbox, FILES, 12);
    let mut run = Background::start(&mut sandbox.run_command(&["--workers", "2"]));
    wait_for(&sandbox, &mut run, "it is midway", is_midway);
    let pid = Pid::from_child(run.child());
    let none = Rlimit { current: Some(3), maximum: Some(1024) };
    let before = prlimit(Some(pid), Resource::Nofile, none).unwrap();
    // It can't answer now: that takes a descriptor.
    std::thread::sleep(Duration::from_secs(3));
    assert!(!run.has_ended());
    let back = Rlimit { current: Some(1024), maximum: Some(1024) };
    prlimit(Some(pid), Resource::Nofile, back).unwrap();
    let told = run.end().expect(0);
    let summary = told.json();
    assert_eq!((&summary["ok"], &summary["failed"]), (&FILES.into(), &0.into()), "{summary}");
    assert_eq!(summary["breakers"][0]["resource"], "descriptors", "{summary}");
    assert!(told.stderr.contains("descriptors"), "{told}; it had {before:?}");
    assert!(!told.stderr.contains("can't list a folder"), "once, and not for each folder: {told}");
    assert_unharmed(&sandbox, FILES);
}
