//! Children killed at random while the engine is killed again and again: each path has one record, and no innocent file
//! fails.
//!
//! `OUTLAST_TEST_EXEC_FILES`, `OUTLAST_TEST_EXEC_CHILD_KILLS` and `OUTLAST_TEST_EXEC_KILLS` set how many there are, `OUTLAST_TEST_EXEC_SEED` the seed.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{child, outcomes, processes, run_command};
use crate::support::{Rng, Sandbox, from_env, ran, read_segments};

const MARK: &str = "mark-chaos";

/// Kills a child now and then, so many times, until the run has ended or this time is over. Returns how often it did.
fn kill_children(run: &mut Child, rng: &mut Rng, times: u64, time: Duration) -> u64 {
    let until = Instant::now() + time;
    let mut killed = 0;
    while killed < times && Instant::now() < until && run.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(rng.within(1..80)));
        let children = processes(MARK);
        if let Some(&pid) = children.get(rng.within(0..children.len().max(1) as u64) as usize) {
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            killed += u64::from(rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok());
        }
    }
    killed
}

#[test]
fn each_file_is_recorded_once_whoever_is_killed() {
    let files = from_env("OUTLAST_TEST_EXEC_FILES", 1_500);
    let kills = from_env("OUTLAST_TEST_EXEC_KILLS", 4);
    let child_kills = from_env("OUTLAST_TEST_EXEC_CHILD_KILLS", 10);
    let seed = from_env("OUTLAST_TEST_EXEC_SEED", 1);
    let mut rng = Rng::new(seed);
    let sandbox = Sandbox::new();
    // So long that there is work for each round.
    let each_ms = (4 * 600 * kills / files).max(1) + 1;
    for number in 0..files {
        sandbox.write(format!("d{}/f{number}", number / 100), format!("act:sleep-{each_ms};"));
    }
    sandbox.settle();
    let exec = child(&[r#"{"window": 16}"#, "", MARK]);
    let (mut killed, mut interrupted) = (0, 0);
    for _ in 0..kills {
        let mut command = run_command(&sandbox, &exec, &["--workers", "2"]);
        let mut run = command.stdout(Stdio::null()).spawn().unwrap();
        let time = Duration::from_millis(rng.within(300..900));
        killed += kill_children(&mut run, &mut rng, child_kills.div_ceil(kills), time);
        run.kill().unwrap();
        let code = run.wait().unwrap().code();
        assert!(code.is_none_or(|code| code == 0), "seed {seed}: it ended with {code:?}");
        interrupted += u64::from(code.is_none());
        let ended = Instant::now();
        while !processes(MARK).is_empty() {
            assert!(ended.elapsed() < Duration::from_secs(5), "seed {seed}: children outlive the engine");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let mut run = run_command(&sandbox, &exec, &["--workers", "2"]).stdout(Stdio::null()).spawn().unwrap();
    killed += kill_children(&mut run, &mut rng, child_kills.saturating_sub(killed), Duration::from_secs(60));
    let code = run.wait().unwrap().code();
    assert_eq!(code, Some(0), "seed {seed}");
    println!("seed {seed}: {interrupted} kills, {killed} of children");
    assert!(interrupted == kills && 2 * killed >= child_kills, "{interrupted} kills, {killed} of children");
    let outcomes = outcomes(&sandbox);
    assert_eq!(outcomes.len() as u64, files, "seed {seed}");
    assert!(outcomes.values().all(|(is, result)| is == "ok" && *result == 0), "seed {seed}");
    let log: Vec<u8> = read_segments(&sandbox.records()).into_values().flatten().collect();
    let lines = log.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count();
    assert_eq!(lines as u64, files, "seed {seed}: a path has more than one record");
    let again = ran(&mut run_command(&sandbox, &exec, &[])).expect(0).json();
    assert_eq!(again["unchanged"], files, "seed {seed}");
}
