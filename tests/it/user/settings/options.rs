//! What the options of `run` do.

use crate::support::{Content, Rng, Sandbox, Tree, ran};
use crate::user::{AST, OTHER};

#[test]
fn a_dry_run_makes_nothing_and_says_what_a_run_would_do() {
    let sandbox = Sandbox::new();
    Tree::grow(&sandbox.root, 11, 60);
    let dry = sandbox.run_ok(&["--dry-run"]);
    assert!(!sandbox.state.exists());
    assert_eq!((&dry["discovered"], &dry["pending"]), (&60.into(), &60.into()));
    sandbox.settle();
    sandbox.run_code(&[], 3);
    sandbox.write("new.ast.json", AST);
    std::fs::remove_file(sandbox.root.join("-dash.ast.json")).unwrap();
    let before = std::fs::read(sandbox.records().join("records-000001.ndjson")).unwrap();
    let dry = sandbox.run(&["--dry-run"]).json();
    assert_eq!([&dry["pending"], &dry["removed"], &dry["unchanged"]], [&1, &1, &59]);
    assert_eq!(std::fs::read(sandbox.records().join("records-000001.ndjson")).unwrap(), before);
    let real = sandbox.run_code(&[], 3);
    assert_eq!([&real["ok"], &real["removed"], &real["unchanged"]], [&1, &1, &59]);
}

#[test]
fn reprocess_does_everything_again() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", OTHER)]);
    sandbox.run_ok(&[]);
    let again = sandbox.run_ok(&["--reprocess"]);
    assert_eq!((&again["ok"], &again["unchanged"]), (&2.into(), &0.into()));
    assert_eq!(sandbox.log().len(), 4);
    assert_eq!(ran(&mut sandbox.command(["records"])).expect(0).lines().len(), 2);
    assert_eq!(sandbox.run_ok(&[])["unchanged"], 2, "only when it is asked for");
}

/// The sizes that each tick with records committed, in order.
fn sizes_by_tick(sandbox: &Sandbox) -> Vec<Vec<u64>> {
    let mut ticks = std::collections::BTreeMap::<u64, Vec<u64>>::new();
    for record in sandbox.log() {
        let tick = record["committed_tick"].as_u64().unwrap();
        ticks.entry(tick).or_default().push(record["size"].as_u64().unwrap());
    }
    ticks.into_values().collect()
}

#[test]
fn the_largest_come_first_and_the_smallest_last_when_asked_for() {
    let sandbox = Sandbox::new();
    let mut rng = Rng::new(3);
    for file in 0..40 {
        // 7 is prime to 40: names and sizes are in no common order.
        sandbox
            .write(format!("f{file:02}.ast.json"), Content::Large(50 * (1 + file * 7 % 40)).bytes(&mut rng));
    }
    sandbox.run_ok(&["--order", "largest", "--workers", "1"]);
    let ticks = sizes_by_tick(&sandbox);
    assert!(ticks.len() > 1, "all in one tick: {ticks:?}");
    for pair in ticks.windows(2) {
        assert!(pair[0].iter().min() > pair[1].iter().max(), "{ticks:?}");
    }
}

#[test]
fn batches_of_a_given_count() {
    let sandbox = Sandbox::new();
    for number in 0..20 {
        sandbox.write(format!("f{number}.ast.json"), AST);
    }
    let summary = sandbox.run_ok(&["--strategy", "count", "--batch-size", "7"]);
    assert_eq!((&summary["ok"], &summary["batches"]), (&20.into(), &3.into()));
    sandbox.check();
}

#[test]
fn every_strategy_and_order_ingests_the_same() {
    for (at, (strategy, order)) in
        [("size", "smallest"), ("count", "newest"), ("adaptive", "oldest")].into_iter().enumerate()
    {
        let sandbox = Sandbox::new();
        let tree = Tree::grow(&sandbox.root, at as u64, 90);
        let workers = (at + 1).to_string();
        let args = ["--strategy", strategy, "--order", order, "--workers", &workers];
        let summary = sandbox.run(&args).json();
        assert_eq!(summary["discovered"], tree.files().len());
        sandbox.check();
        sandbox.settle();
        sandbox.run(&["--order", "largest"]);
        sandbox.check();
    }
}

#[test]
fn the_summary_for_people_names_each_count() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", crate::user::BROKEN)]);
    let mut command = sandbox.command(["run", "--progress", "never"]);
    let told = ran(command.arg(&sandbox.root)).expect(3);
    for words in ["job 1: done", "discovered", "ok                  1", "failed              1"] {
        assert!(told.text().contains(words), "no {words:?}: {told}");
    }
    assert!(told.stderr.is_empty(), "{told}");
}

#[test]
fn heartbeats_go_to_standard_error() {
    let sandbox = crate::user::slow(6);
    let mut command = sandbox.command(["run", "--heartbeat", "0.01", "--workers", "1"]);
    let told = ran(command.arg(&sandbox.root)).expect(0);
    assert!(told.stderr.contains(" files/s"), "{told}");
    assert!(told.text().starts_with("job 1: done"), "{told}");
}

#[test]
fn a_flag_of_all_commands_is_given_once() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST)]);
    sandbox.run(&[]).expect(0);
    let state = sandbox.state.to_str().unwrap();
    let asked = |before: &[&str], behind: &[&str]| {
        ran(crate::support::outlast().args(before).arg("status").args(behind)).code
    };
    assert_eq!(asked(&["--state", state], &[]), Some(0));
    assert_eq!(
        asked(&["--state", "elsewhere"], &["--state", state]),
        Some(2),
        "which one is meant is not clear"
    );
}
