//! Two runners of one shard: one of them ends with 11, and nothing is written twice.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use serde_json::Value;

use super::Shards;
use crate::support::{Background, ran};
use crate::user::wait_until;

/// A processor that takes 50 ms for each file.
fn slow(shards: &Shards) -> Command {
    let program = shards.sandbox.dir.path().join("slow.sh");
    fs::write(&program, "#!/bin/sh\nsleep 0.05\nwc -c < \"$1\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = shards.run_command("0/2");
    command.args(["--exec", "./slow.sh {}", "--include", "*.ast.json", "--workers", "1"]);
    command
}

/// The shard at work, with something committed and something to do.
fn at_work(shards: &Shards) -> Background {
    let run = Background::start(&mut slow(shards));
    wait_until("some files are done and some are not", || {
        let mut status = shards.command(&["status", "--format", "json", "--state"]);
        let told = ran(status.arg(shards.state(0)));
        let total = (told.code == Some(0)).then(|| told.json()["total"].clone())?;
        (total["ok"].as_u64()? > 0 && total["pending"].as_u64()? > 0).then_some(())
    });
    run
}

/// How often each path is in the log.
fn times(shards: &Shards) -> BTreeMap<String, u32> {
    let mut records = shards.command(&["records", "--since", "1:0", "--state"]);
    let output = ran(records.arg(shards.state(0))).expect(0);
    let mut times = BTreeMap::new();
    for line in output.lines() {
        let record: Value = serde_json::from_slice(line).unwrap();
        *times.entry(record["path"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    times
}

/// Lets go of the lock that another process holds, as a server does that gives its machine up.
fn unlock(run: &Background, lock: &Path) -> Result<(), String> {
    let pid = run.child().id();
    let opened = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let mut of_lock = opened.filter(|entry| fs::read_link(entry.path()).is_ok_and(|to| to == lock));
    let number: i32 = of_lock.next().unwrap().file_name().to_str().unwrap().parse().unwrap();
    let pidfd = pidfd_open(Pid::from_raw(pid.cast_signed()).unwrap(), PidfdFlags::empty()).unwrap();
    let file = pidfd_getfd(pidfd, number, PidfdGetfdFlags::empty()).map_err(|error| error.to_string())?;
    rustix::fs::flock(file, FlockOperation::Unlock).unwrap();
    Ok(())
}

/// Harms the lock of a shard at work, and returns what its runner said at its end. Whatever comes, each file is done once.
#[track_caller]
fn harmed(harm: impl FnOnce(&Background, &Path) -> Result<(), String>) -> Option<String> {
    let shards = Shards::of(200);
    let run = at_work(&shards);
    let lock = shards.state(0).join("lock");
    if let Err(why) = harm(&run, &lock) {
        crate::support::skip(&why);
        return None;
    }
    let begun = Instant::now();
    let output = run.end().expect(11);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let before = times(&shards).len();
    assert!(before < 80, "it went on: {before}");
    ran(&mut slow(&shards)).expect(0);
    let times = times(&shards);
    assert!(times.len() > before && times.values().all(|&times| times == 1), "{times:?}");
    Some(output.stderr)
}

#[test]
fn a_runner_whose_lock_file_is_removed_ends_at_its_next_tick() {
    let told = harmed(|_, lock| {
        fs::remove_file(lock).unwrap();
        Ok(())
    });
    assert!(told.unwrap().contains("the lock file was removed or replaced"));
}

#[test]
fn a_runner_whose_lock_file_is_replaced_ends_at_its_next_tick() {
    let told = harmed(|_, lock| {
        let other = lock.with_file_name("other");
        fs::write(&other, "").unwrap();
        fs::rename(other, lock).unwrap();
        Ok(())
    });
    assert!(told.unwrap().contains("the lock file was removed or replaced"));
}

#[test]
fn a_runner_whose_lock_is_lost_ends_at_its_next_tick() {
    if let Some(told) = harmed(unlock) {
        assert!(told.contains("the lock was lost"), "{told}");
    }
}

#[test]
fn a_lock_that_another_process_took_meanwhile_ends_the_first_runner() {
    let mut other = None;
    let told = harmed(|run, lock| {
        unlock(run, lock)?;
        let file = fs::File::open(lock).unwrap();
        rustix::fs::flock(&file, FlockOperation::LockExclusive).unwrap();
        // Until the first one has ended, which is at its next tick.
        other = Some(std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(1));
            drop(file);
        }));
        Ok(())
    });
    other.into_iter().for_each(|other| other.join().unwrap());
    assert!(told.is_none_or(|told| told.contains("the lock was lost")));
}

#[test]
fn the_second_runner_of_a_shard_ends_with_11_and_questions_from_outside_disturb_neither() {
    let shards = Shards::of(200);
    let run = at_work(&shards);
    let second = ran(&mut slow(&shards)).expect(11);
    assert!(second.stderr.contains("in use by another process"), "{second}");
    let summary = shards.state(0).join("summary.json");
    wait_until("a summary is there", || summary.exists().then_some(()));
    let mut status = shards.command(&["shards", "status", "--format", "json"]);
    let report = ran(status.arg(&shards.states)).expect(75).json();
    assert_eq!((&report["count"], &report["shards"][0]["state"]), (&2.into(), &"running".into()), "{report}");
    assert_eq!(report["shards"][1]["state"], "missing");
    let records = ran(shards.command(&["shards", "records"]).arg(&shards.states)).expect(0);
    assert!(records.lines().len() as u64 >= report["total"]["ok"].as_u64().unwrap());
    assert!(records.stderr.contains("2 of 2 shards are not done"), "{records}");
    let output = run.end().expect(0);
    assert!(!output.stderr.contains("WARN"), "{output}");
    let report =
        ran(shards.command(&["shards", "status", "--format", "json"]).arg(&shards.states)).expect(75).json();
    assert_eq!(report["shards"][0]["state"], "done", "{report}");
    assert!(times(&shards).values().all(|&times| times == 1));
}
