//! The same processors with several files at once, in batches and in futures: only the one at fault fails.

use std::time::{Duration, Instant};

use outlast::BatchConfig;

use super::{AST, Child, Files, LONG, assert_counts, config, failed, supervised, tree};
use crate::support::{Rng, Sandbox};

/// The kinds of processors that have several files at once.
fn kinds() -> Vec<Files> {
    let mut kinds = vec![Files::Together(16)];
    #[cfg(feature = "async")]
    kinds.push(Files::InFutures);
    kinds
}

/// The same, with processors that are processes of their own.
fn kinds_with_children() -> Vec<Files> {
    let mut kinds = kinds();
    kinds.push(Files::InChildren);
    kinds
}

/// Of each path that was told to fail, its class.
fn expected(told: &[String], classes: &[&str]) -> Vec<(String, String)> {
    let mut expected: Vec<_> =
        told.iter().cloned().zip(classes.iter().map(|class| (*class).to_owned())).collect();
    expected.sort();
    expected
}

/// No file but these has more than one attempt, and each path has one record.
fn assert_innocent(sandbox: &Sandbox, files: usize) {
    let log = sandbox.log();
    assert_eq!(log.len(), files, "one record each");
    assert!(log.iter().filter(|record| record["status"] == "ok").all(|record| record["attempts"] == 1));
}

#[test]
fn files_that_kill_the_process_are_found_among_those_that_they_take_with_them() {
    for kind in kinds() {
        let acts = ["abort", "exit", "overflow", "abort"];
        let (sandbox, told) = tree(1_000, &acts);
        let child = Child::new(&sandbox, config()).with(kind);
        let starts = supervised(&child, 40);
        assert!(starts >= 5, "{kind:?}: {starts} starts");
        assert_eq!(failed(&sandbox), expected(&told, &["crash"; 4]), "{kind:?}");
        assert_counts(&sandbox, 996, 4);
        assert_innocent(&sandbox, 1_000);
        assert_eq!(child.run_ok()["unchanged"], 1_000);
    }
}

#[test]
fn a_batch_that_kills_without_a_word_stops_no_other_file() {
    for kind in kinds() {
        let (sandbox, told) = tree(300, &["kill", "thread"]);
        let child = Child::new(&sandbox, config()).with(kind);
        for _ in 0..8 {
            assert_ne!(child.run().code, Some(0));
        }
        let status = sandbox.status();
        let total = (&status["total"]["ok"], &status["total"]["pending"]);
        assert_eq!(total, (&298.into(), &2.into()), "{kind:?}: {status}");
        for path in told {
            let told = sandbox.explain(sandbox.root.join(path));
            assert_eq!((&told["state"], &told["attempts"]), (&"pending".into(), &0.into()));
        }
    }
}

#[test]
fn a_batch_that_fails_as_a_whole_fails_only_the_file_at_fault() {
    let acts = ["panic", "whole", "silent", "error", "busy"];
    let (sandbox, told) = tree(300, &acts);
    let result = Child::new(&sandbox, config()).with(Files::Together(32)).run_ok();
    assert_eq!((&result["ok"], &result["failed"]), (&295.into(), &5.into()));
    let classes = ["panic", "processor", "processor", "processor", "processor"];
    assert_eq!(failed(&sandbox), expected(&told, &classes));
    assert_innocent(&sandbox, 300);
}

#[test]
fn files_that_hang_are_timeouts_and_their_company_is_processed_elsewhere() {
    for kind in kinds_with_children() {
        let (sandbox, told) = tree(300, &["hang", "hang"]);
        let child = Child::new(&sandbox, BatchConfig { timeout_seconds: 1, ..config() }).with(kind);
        let begun = Instant::now();
        let result = child.run_ok();
        assert!(begun.elapsed() < LONG, "it took {:?}", begun.elapsed());
        assert_eq!((&result["ok"], &result["failed"]), (&298.into(), &2.into()), "{kind:?}: {result}");
        assert_eq!(failed(&sandbox), expected(&told, &["timeout"; 2]));
        assert_innocent(&sandbox, 300);
    }
}

#[test]
fn a_run_that_is_to_stop_leaves_what_hangs_pending_with_its_company() {
    for kind in kinds_with_children() {
        let (sandbox, told) = tree(100, &["hang"]);
        let config = BatchConfig { drain_seconds: 2, ..config() };
        let child = Child::new(&sandbox, config.clone()).with(kind).stopped_after(Duration::from_secs(1));
        let result = child.run_ok();
        assert_eq!(result["interrupted"], true);
        let pending = result["pending"].as_u64().unwrap();
        assert!((1..=32).contains(&pending), "{kind:?}: {result}");
        assert_eq!(sandbox.explain(sandbox.root.join(&told[0]))["attempts"], 0);
        sandbox.write(&told[0], AST);
        let rest = Child::new(&sandbox, config).with(kind).run_ok();
        assert_eq!((&rest["failed"], &rest["pending"]), (&0.into(), &0.into()), "{rest}");
        assert_counts(&sandbox, 100, 0);
    }
}

#[test]
fn kills_at_any_time_lose_nothing_and_blame_nobody() {
    for kind in kinds_with_children() {
        let (sandbox, _) = tree(400, &["sleep-30"; 20]);
        let child = Child::new(&sandbox, config()).with(kind);
        let mut rng = Rng::new(7);
        for _ in 0..12 {
            let mut process = child.command().stderr(std::process::Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(20 + rng.within(0..150)));
            process.kill().unwrap();
            process.wait().unwrap();
        }
        child.run_ok();
        assert_counts(&sandbox, 400, 0);
        assert_innocent(&sandbox, 400);
    }
}

#[cfg(feature = "async")]
#[test]
fn a_future_that_takes_too_long_is_dropped_and_no_thread_is_lost() {
    let (sandbox, told) = tree(40, &["never", "never"]);
    let config = BatchConfig { timeout_seconds: 1, worker_count: 1, ..config() };
    let child = Child::new(&sandbox, config).with(Files::InFutures);
    let result = child.run_ok();
    assert_eq!((&result["ok"], &result["failed"]), (&38.into(), &2.into()), "{result}");
    assert_eq!(failed(&sandbox), expected(&told, &["timeout"; 2]));
    assert!(child.has_dropped());
    assert_eq!(child.calls().values().sum::<u64>(), 40, "none was begun again");
}

#[cfg(feature = "async")]
#[test]
fn futures_in_flight_are_dropped_when_the_time_to_stop_is_over() {
    let (sandbox, told) = tree(40, &["never"]);
    let config = BatchConfig { drain_seconds: 2, ..config() };
    let child = Child::new(&sandbox, config).with(Files::InFutures).stopped_after(Duration::from_secs(1));
    let begun = Instant::now();
    let result = child.run_ok();
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    assert_eq!((&result["ok"], &result["pending"]), (&39.into(), &1.into()), "{result}");
    assert!(child.has_dropped(), "before the run has ended");
    assert_eq!(sandbox.explain(sandbox.root.join(&told[0]))["attempts"], 0);
}
