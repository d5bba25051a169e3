//! The file system under the tree goes away.
//!
//! `OUTLAST_MOUNT_FILES` sets the number of files.

use std::time::Duration;

use super::{Background, assert_unharmed, fill, is_midway, is_open, wait_for};
use crate::support::{Disk, Sandbox, from_env, ran, skip};

/// A sandbox whose tree lies on a file system of its own.
fn on_disk(kind: &str, bytes: u64) -> Option<(Sandbox, Disk)> {
    let mut sandbox = Sandbox::new();
    match Disk::make(&sandbox.dir.path().canonicalize().unwrap(), kind, bytes) {
        Ok(disk) => {
            sandbox.root = disk.mount.join("tree");
            std::fs::create_dir(&sandbox.root).unwrap();
            Some((sandbox, disk))
        }
        Err(why) => {
            skip(&format!("no {kind} of its own can be made here: {why}"));
            None
        }
    }
}

fn files() -> u64 {
    from_env("OUTLAST_MOUNT_FILES", 1500)
}

/// The tree is the mount point itself, or a folder in it.
fn comes_back(kind: &str, bytes: u64, is_mount_point: bool, go: impl Fn(&mut Disk)) {
    let Some((mut sandbox, mut disk)) = on_disk(kind, bytes) else { return };
    if is_mount_point {
        sandbox.root.clone_from(&disk.mount);
    }
    fill(&sandbox, files(), 12);
    rustix::fs::sync();
    let mut run = Background::start(&mut sandbox.run_command(&["--workers", "2"]));
    wait_for(&sandbox, &mut run, "it is midway", is_midway);
    go(&mut disk);
    let status = wait_for(&sandbox, &mut run, "it waits for the files", is_open("files"));
    std::thread::sleep(Duration::from_secs(2));
    assert!(!run.has_ended(), "it waits: {status}");
    disk.mount().unwrap();
    let told = run.end().expect(0);
    let summary = told.json();
    crate::support::summary_adds_up(&summary).unwrap();
    assert_eq!(
        (&summary["ok"], &summary["failed"], &summary["removed"]),
        (&files().into(), &0.into(), &0.into())
    );
    assert_eq!(summary["breakers"][0]["resource"], "files", "{summary}");
    for words in ["renamed, replaced or unmounted", sandbox.root.to_str().unwrap()] {
        assert!(told.stderr.contains(words), "no {words:?}: {told}");
    }
    assert_unharmed(&sandbox, files());
}

#[test]
fn a_mount_that_vanishes_and_comes_back_blames_no_file() {
    comes_back("ext4", 256 << 20, false, |disk| disk.pull().unwrap());
}

#[test]
fn a_root_that_is_a_mount_point_vanishes_and_comes_back() {
    comes_back("ext4", 256 << 20, true, |disk| disk.pull().unwrap());
}

#[test]
fn a_disk_that_answers_with_errors_until_it_is_mounted_again() {
    comes_back("xfs", 400 << 20, false, |disk| {
        disk.cut().unwrap();
        std::thread::sleep(Duration::from_secs(1));
        disk.pull().unwrap();
    });
}

#[test]
fn a_root_whose_file_system_fails_is_no_file_and_keeps_its_records() {
    let Some((mut sandbox, mut disk)) = on_disk("xfs", 400 << 20) else { return };
    sandbox.root.clone_from(&disk.mount);
    fill(&sandbox, 20, 1);
    rustix::fs::sync();
    sandbox.settle();
    assert_eq!(sandbox.run_ok(&[])["ok"], 20);
    disk.cut().unwrap();
    let told = sandbox.run(&["--wait", "1s"]).expect(75);
    for words in ["can't be opened", sandbox.root.to_str().unwrap()] {
        assert!(told.stderr.contains(words), "no {words:?}: {told}");
    }
    let dry = sandbox.run(&["--dry-run"]).expect(75);
    assert!(dry.stderr.contains("can't be opened"), "{dry}");
    let explained = sandbox.explain(&sandbox.root);
    assert!(explained["scan"].as_str().unwrap().starts_with("unreadable: its root: "), "{explained}");
    assert_eq!(sandbox.status()["total"]["ok"], 20);
    disk.pull().unwrap();
    disk.mount().unwrap();
    assert_eq!(sandbox.run_ok(&[])["unchanged"], 20);
}

#[test]
fn a_mount_that_stays_away_ends_the_run_with_its_work_kept() {
    let Some((sandbox, mut disk)) = on_disk("ext4", 256 << 20) else { return };
    fill(&sandbox, files(), 12);
    let mut run = Background::start(&mut sandbox.run_command(&["--workers", "1", "--wait", "1s"]));
    wait_for(&sandbox, &mut run, "it is midway", is_midway);
    disk.pull().unwrap();
    let told = run.end().expect(75);
    assert!(told.stderr.contains("work is kept"), "{told}");
    // The folder is not there at all now: that is another message, and nothing is touched either.
    let kept = sandbox.status()["total"]["ok"].as_u64().unwrap();
    assert!(kept > 0);
    disk.mount().unwrap();
    let next = sandbox.run_ok(&[]);
    assert_eq!((&next["resumed"], &next["unchanged"]), (&true.into(), &kept.into()));
    assert_unharmed(&sandbox, files());
}

#[test]
fn an_empty_mount_point_at_the_start_is_no_emptied_tree() {
    let Some((mut sandbox, mut disk)) = on_disk("ext4", 64 << 20) else { return };
    sandbox.root.clone_from(&disk.mount);
    fill(&sandbox, 40, 2);
    sandbox.run_ok(&[]);
    disk.unmount().unwrap();
    let told = ran(&mut sandbox.run_command(&["--wait", "0s"])).expect(75);
    assert!(told.stderr.contains("mounted?") && told.stderr.contains("--accept-empty"), "{told}");
    disk.mount().unwrap();
    assert_eq!(sandbox.run_ok(&[])["unchanged"], 40);
    assert_unharmed(&sandbox, 40);
    disk.unmount().unwrap();
    let told = ran(&mut sandbox.run_command(&["--accept-empty"]));
    assert_eq!(told.json()["removed"], 40, "{told}");
}
