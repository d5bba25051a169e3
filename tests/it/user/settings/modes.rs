//! How many failures a run bears, and what they mean for later.

use crate::support::{Sandbox, ran};
use crate::user::{AST, BROKEN};

/// So many files; of each ten, the last is broken. Those that are not take long enough that a busy machine commits
/// before all are done.
fn with_broken(files: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    let names = vec![r#"{"type":"Name","id":"x"}"#; 600].join(",");
    let sound = format!(r#"{{"type":"Program","body":[{names}]}}"#);
    for number in 0..files {
        let text = if number % 10 == 9 { BROKEN } else { &sound };
        sandbox.write(format!("f{number:04}.ast.json"), text);
    }
    sandbox.settle();
    sandbox
}

/// The flags of the built-in processor, and of one in another language that finds the same files broken.
fn processors() -> [Vec<&'static str>; 2] {
    let child = concat!("python3 '", env!("CARGO_MANIFEST_DIR"), "/src/process/exec/tests/child.py'");
    let ready = r#" '{"include": ["*.ast.json"]}' json"#;
    // Once for the whole test.
    let exec = String::leak(format!("{child}{ready}"));
    [Vec::new(), vec!["--exec", exec]]
}

fn small_batches<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["--workers", "1", "--strategy", "count", "--batch-size", "5", "--checkpoint-interval", "10"], more]
        .concat()
}

#[test]
fn the_first_failure_stops_a_run_that_is_to_fail_fast() {
    for exec in processors() {
        let sandbox = with_broken(3000);
        let summary =
            sandbox.run_code(&small_batches(&[&["--on-error", "fail-fast"], &exec[..]].concat()), 3);
        assert_eq!(summary["stopped"], "fail-fast");
        assert!(summary["failed"].as_u64() >= Some(1) && summary["pending"].as_u64() > Some(0), "{summary}");
        assert_eq!(sandbox.status()["jobs"][0]["end"], "failed");
        let done = summary["ok"].as_u64().unwrap() + summary["failed"].as_u64().unwrap();
        let next = sandbox.run_code(&exec, 3);
        assert_eq!((&next["resumed"], &next["unchanged"]), (&true.into(), &done.into()), "its work is kept");
        // Its results are not those of the built-in processor.
        if exec.is_empty() {
            sandbox.check();
        }
    }
}

#[test]
fn more_failures_than_allowed_stop_a_run() {
    for exec in processors() {
        let sandbox = with_broken(3000);
        let summary = sandbox.run_code(&small_batches(&[&["--max-failures", "12"], &exec[..]].concat()), 3);
        assert_eq!(summary["stopped"], "max-failures");
        let failed = summary["failed"].as_u64().unwrap();
        assert!((13..300).contains(&failed) && summary["pending"].as_u64() > Some(0), "{summary}");
        let mut command = sandbox.command(["run", "--progress", "never", "--max-failures", "300"]);
        let told = ran(command.arg(&sandbox.root).args(&exec)).expect(3).text();
        assert!(told.starts_with("job 2: done, resumed"), "as many as allowed: {told}");
        // Its results are not those of the built-in processor.
        if exec.is_empty() {
            sandbox.check();
        }
    }
}

#[test]
fn a_share_of_failures_stops_a_run_once_it_means_something() {
    for exec in processors() {
        let sandbox = with_broken(3000);
        let summary = sandbox.run_code(&small_batches(&[&["--max-failures", "5%"], &exec[..]].concat()), 3);
        assert_eq!(summary["stopped"], "max-failures");
        assert!(summary["failed"].as_u64() >= Some(6), "a tenth of a hundred is above 5 %: {summary}");
        assert_eq!(
            sandbox.run_code(&[&["--max-failures", "15%"], &exec[..]].concat(), 3)["stopped"],
            serde_json::Value::Null
        );
    }
}

#[test]
fn what_is_quarantined_waits_for_somebody_who_asks() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    let large = format!("[{}0]", "0,".repeat(10 << 20));
    sandbox.write("large.ast.json", large);
    sandbox.settle();
    let narrow = ["--memory-limit", "16MiB", "--on-error", "quarantine"];
    assert_eq!(sandbox.run_code(&narrow, 3)["failed"], 1);
    let next = sandbox.run_code(&[], 3);
    assert_eq!((&next["failed_earlier"], &next["unchanged"]), (&1.into(), &2.into()), "{next}");
    let told = ran(&mut sandbox.command(["failures", "--format", "json"])).expect(0).json();
    assert_eq!(told["classes"][0]["quarantined"], 1, "{told}");
    ran(&mut sandbox.command(["retry"])).expect(0);
    assert_eq!(sandbox.run_ok(&[])["ok"], 1);
    assert_eq!(sandbox.status()["total"]["failed"], 0);
}
