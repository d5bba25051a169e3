//! No room for the state, or for the records.

use std::fs;
use std::time::{Duration, Instant};

use super::{Background, assert_unharmed, fill, is_midway, is_open, wait_for};
use crate::support::{Disk, Rng, Sandbox, from_env, ran, skip};

const FILES: u64 = 2_000;

/// A sandbox with a small file system at `disk.mount`.
fn small_disk(mib: u64) -> Option<(Sandbox, Disk)> {
    let sandbox = Sandbox::new();
    match Disk::make(&sandbox.dir.path().canonicalize().unwrap(), "ext4", mib << 20) {
        Ok(disk) => Some((sandbox, disk)),
        Err(why) => {
            skip(&format!("no small file system can be made here: {why}"));
            None
        }
    }
}

fn waits_for_room(state_is_there: bool) {
    let Some((mut sandbox, disk)) = small_disk(64) else { return };
    fill(&sandbox, FILES, 8);
    let mut extra = vec!["--workers", "1"];
    let elsewhere = disk.mount.join("out");
    if state_is_there {
        sandbox.state = disk.mount.join("state");
    } else {
        extra.extend(["--out", elsewhere.to_str().unwrap()]);
    }
    let mut run = Background::start(&mut sandbox.run_command(&extra));
    wait_for(&sandbox, &mut run, "it is midway", is_midway);
    let filler = disk.fill(4 << 20);
    let status = wait_for(&sandbox, &mut run, "it waits for room", is_open("disk"));
    let done = status["total"]["ok"].as_u64().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    assert!(!run.has_ended());
    assert_eq!(sandbox.status()["total"]["ok"], done, "nothing is written meanwhile");
    fs::remove_file(filler).unwrap();
    let told = run.end().expect(0);
    assert!(told.stderr.contains("make room"), "{told}");
    assert_eq!(told.json()["ok"], FILES);
    let log = sandbox.log();
    assert!(log.len() as u64 == FILES && log.iter().all(|record| record["status"] == "ok"));
    sandbox.check();
}

#[test]
fn a_full_disk_under_the_state_pauses_the_run() {
    waits_for_room(true);
}

#[test]
fn a_full_disk_under_the_records_pauses_the_run() {
    waits_for_room(false);
}

#[test]
fn a_disk_that_stays_full_ends_the_run_with_its_work_kept() {
    let Some((mut sandbox, disk)) = small_disk(64) else { return };
    sandbox.state = disk.mount.join("state");
    fill(&sandbox, FILES, 8);
    let mut run = Background::start(&mut sandbox.run_command(&["--workers", "1", "--wait", "1s"]));
    wait_for(&sandbox, &mut run, "it is midway", is_midway);
    let filler = disk.fill(4 << 20);
    let told = run.end().expect(75);
    assert!(told.stderr.contains("make room") && told.stderr.contains("work is kept"), "{told}");
    let status = sandbox.status();
    assert_eq!(status["jobs"][0]["end"], "failed", "there was room left to write that down: {status}");
    let kept = status["total"]["ok"].as_u64().unwrap();
    fs::remove_file(filler).unwrap();
    let next = sandbox.run_ok(&[]);
    assert_eq!(next["unchanged"], kept);
    assert_unharmed(&sandbox, FILES);
}

#[test]
fn who_asks_for_a_compaction_is_told_at_once_that_there_is_no_room() {
    let Some((mut sandbox, disk)) = small_disk(64) else { return };
    sandbox.state = disk.mount.join("state");
    fill(&sandbox, FILES, 8);
    let mut run = Background::start(&mut sandbox.run_command(&["--workers", "1"]));
    wait_for(&sandbox, &mut run, "it is midway", is_midway);
    let filler = disk.fill(4 << 20);
    wait_for(&sandbox, &mut run, "it waits for room", is_open("disk"));
    let compact = || ran(&mut sandbox.command(["compact"])).expect(75);
    let begun = Instant::now();
    let told = compact();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(told.stderr.contains("make room") && told.stdout.is_empty(), "{told}");
    assert!(!run.has_ended(), "nobody was told to end");
    fs::remove_file(filler).unwrap();
    run.end().expect(0);
    // The same where nobody holds the state; the last room goes while it is opened.
    sandbox.run_ok(&["--reprocess"]);
    let filler = disk.fill(4 << 20);
    let told = compact();
    assert!(told.stderr.contains("make room"), "{told}");
    fs::remove_file(filler).unwrap();
    let filler = disk.fill(0);
    compact();
    fs::remove_file(filler).unwrap();
    assert_eq!(sandbox.run_ok(&[])["unchanged"], FILES);
    let current = ran(&mut sandbox.command(["records", "--status", "ok"])).expect(0);
    assert_eq!(current.lines().len() as u64, FILES);
}

/// Room goes at any instant, also within a commit.
///
/// `OUTLAST_FULL_ROUNDS` sets the number of rounds, `OUTLAST_FULL_SEED` the seed.
#[test]
fn room_that_goes_within_a_commit_loses_nothing() {
    let Some((mut sandbox, disk)) = small_disk(64) else { return };
    sandbox.state = disk.mount.join("state");
    fill(&sandbox, FILES, 8);
    let mut rng = Rng::new(from_env("OUTLAST_FULL_SEED", 5));
    for _ in 0..from_env("OUTLAST_FULL_ROUNDS", 4) {
        let mut run = Background::start(&mut sandbox.run_command(&["--workers", "1", "--reprocess"]));
        wait_for(&sandbox, &mut run, "it works", |status| status["running"]["ok"].as_u64() > Some(0));
        for _ in 0..3 {
            std::thread::sleep(rng.time_up_to(Duration::from_millis(300)));
            let filler = disk.fill(0);
            std::thread::sleep(rng.time_up_to(Duration::from_millis(400)));
            fs::remove_file(filler).unwrap();
        }
        let told = run.end();
        assert!(told.code == Some(0) && !told.crashed(), "{told}");
    }
    let current = ran(&mut sandbox.command(["records", "--status", "ok"])).expect(0);
    assert_eq!(current.lines().len() as u64, FILES);
}
