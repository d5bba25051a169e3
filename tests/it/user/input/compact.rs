//! A record log that is compacted, as its users and the stages behind it see it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::{Background, Checker, Ran, Sandbox, ran, read_segments};
use crate::user::settings::config::refused;
use crate::user::{AST, OTHER};

/// Ten files, of which some were ingested in several versions, and one is gone.
fn worn() -> Sandbox {
    let names = (0..10).map(|number| format!("f{number}.ast.json")).collect::<Vec<_>>();
    let sandbox = Sandbox::with(&names.iter().map(|name| (name.as_str(), AST)).collect::<Vec<_>>());
    sandbox.run_ok(&[]);
    for text in [OTHER, AST, OTHER] {
        names[2..].iter().for_each(|name| drop(sandbox.write(name, text)));
        sandbox.settle();
        sandbox.run_ok(&[]);
    }
    std::fs::remove_file(sandbox.root.join("f9.ast.json")).unwrap();
    sandbox.run_ok(&[]);
    sandbox
}

fn records(sandbox: &Sandbox, args: &[&str]) -> Ran {
    ran(sandbox.command(["records"]).args(args))
}

fn compact(sandbox: &Sandbox) -> serde_json::Value {
    ran(&mut sandbox.command(["compact", "--format", "json"])).expect(0).json()
}

fn log_bytes(sandbox: &Sandbox) -> usize {
    read_segments(&sandbox.records()).values().map(Vec::len).sum()
}

#[test]
fn the_log_shrinks_and_the_records_stay_to_the_byte() {
    let sandbox = worn();
    let (before, bytes) = (records(&sandbox, &[]).expect(0).stdout, log_bytes(&sandbox));
    let told = compact(&sandbox);
    assert_eq!(told["bytes_before"], bytes);
    assert_eq!(told["bytes_after"], log_bytes(&sandbox));
    assert_eq!(told["records_copied"], 9);
    assert!(log_bytes(&sandbox) < bytes / 3, "{told}");
    assert_eq!(records(&sandbox, &[]).expect(0).stdout, before);
    let again = ran(&mut sandbox.command(["compact"])).expect(0);
    assert!(again.text().contains("nothing to compact"), "{again}");
    let explained = ran(&mut sandbox.command(["explain", "tree/f1.ast.json"])).expect(0);
    assert!(
        explained.text().contains("committed_tick") && !explained.text().contains("copied"),
        "{explained}"
    );
    // The run after it has nothing to do, and what it needs is there.
    assert_eq!(sandbox.run_ok(&[])["unchanged"], 9);
    sandbox.check();
}

#[test]
fn a_log_of_which_nothing_is_out_of_date_is_left_alone_and_so_are_cursors_within_it() {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", OTHER)]);
    sandbox.run_ok(&[]);
    let before = read_segments(&sandbox.records());
    let told = ran(&mut sandbox.command(["compact"])).expect(0);
    assert!(told.text().contains("nothing to compact"), "{told}");
    assert_eq!(compact(&sandbox)["segments_dropped"], 0);
    assert_eq!(read_segments(&sandbox.records()), before);
    assert_eq!(records(&sandbox, &["--since", "1:0"]).expect(0).lines().len(), 2);
    std::fs::remove_file(sandbox.root.join("b.ast.json")).unwrap();
    sandbox.run_ok(&[]);
    assert_eq!(compact(&sandbox)["records_copied"], 1, "of three, two are out of date");
}

#[test]
fn who_has_read_all_goes_on_and_who_has_not_is_told_what_to_do() {
    let sandbox = worn();
    let told = records(&sandbox, &["--since", "1:0", "--cursor"]).expect(0);
    let end = told.stderr.lines().last().unwrap().to_owned();
    compact(&sandbox);
    assert_eq!(records(&sandbox, &["--since", &end]).expect(0).stdout, b"", "copies are no news");
    sandbox.write("f1.ast.json", OTHER);
    sandbox.run_ok(&[]);
    let next = records(&sandbox, &["--since", &end]).expect(0);
    assert_eq!(next.lines().len(), 1, "{next}");
    refused(&records(&sandbox, &["--since", "1:0"]), 13, &["1:0", "compacted", "outlast records --cursor"]);
    let current = records(&sandbox, &["--cursor"]).expect(0);
    let cursor = current.stderr.lines().last().unwrap().to_owned();
    assert_eq!(records(&sandbox, &["--since", &cursor]).expect(0).stdout, b"");
}

#[test]
fn who_follows_a_log_without_its_beginning_gets_the_current_records_first() {
    let sandbox = worn();
    compact(&sandbox);
    let mut command = sandbox.command(["records", "--follow"]);
    let mut follower = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut first: Vec<String> = (0..9).map(|_| lines.next().unwrap().unwrap()).collect();
    sandbox.write("f1.ast.json", OTHER);
    sandbox.run_ok(&[]);
    let next = lines.next().unwrap().unwrap();
    follower.kill().unwrap();
    follower.wait().unwrap();
    first.dedup();
    assert_eq!(first.len(), 9);
    assert!(next.contains("f1.ast.json") && !next.contains("copied"), "{next}");
}

#[test]
fn a_repair_makes_the_same_state_of_a_compacted_log() {
    let sandbox = worn();
    compact(&sandbox);
    let before = records(&sandbox, &[]).expect(0).stdout;
    std::fs::remove_dir_all(sandbox.state.join("db")).unwrap();
    let told = ran(&mut sandbox.command(["repair", "--format", "json"])).expect(0).json();
    assert_eq!((told["files"].as_u64(), told["records_dropped"].as_u64()), (Some(9), Some(0)), "{told}");
    assert_eq!(records(&sandbox, &[]).expect(0).stdout, before);
    refused(&records(&sandbox, &["--since", "1:0"]), 13, &["compacted"]);
    sandbox.run_ok(&[]);
    sandbox.check();
}

#[test]
fn a_lost_file_of_a_compacted_log_is_damage() {
    let sandbox = worn();
    compact(&sandbox);
    let (number, _) = read_segments(&sandbox.records()).into_iter().next().unwrap();
    assert!(number > 1);
    std::fs::remove_file(sandbox.records().join(format!("records-{number:06}.ndjson"))).unwrap();
    refused(&sandbox.run(&[]), 12, &["missing", "outlast repair"]);
}

#[test]
fn runs_compact_by_themselves_what_is_out_of_date_for_the_most_part() {
    let sandbox = worn();
    let bytes = log_bytes(&sandbox);
    sandbox.run_ok(&["--compact-min", "0B", "--compact-above", "100"]);
    assert_eq!(log_bytes(&sandbox), bytes, "never by itself");
    sandbox.run_ok(&[]);
    assert_eq!(log_bytes(&sandbox), bytes, "it is short");
    sandbox.run_ok(&["--compact-min", "1B"]);
    assert!(log_bytes(&sandbox) < bytes / 3);
    sandbox.check();
}

#[test]
fn a_run_that_goes_on_compacts_when_it_is_asked() {
    let sandbox = crate::user::slow(40);
    sandbox.run_ok(&[]);
    let bytes = log_bytes(&sandbox);
    let run = Background::start(&mut sandbox.run_command(&["--reprocess", "--workers", "1"]));
    crate::user::wait_until("half of it is done", || {
        let status = ran(&mut sandbox.command(["status", "--format", "json"]));
        let done = status.code == Some(0) && status.json()["running"]["ok"].as_u64() > Some(20);
        done.then_some(())
    });
    let told = compact(&sandbox);
    // Some are recorded anew before it is their turn.
    assert!(told["records_copied"].as_u64().unwrap() >= 20, "{told}");
    let summary = run.end().expect(0).json();
    assert_eq!((summary["ok"].as_u64(), summary["discovered"].as_u64()), (Some(40), Some(40)), "{summary}");
    assert!(log_bytes(&sandbox) < bytes * 2);
    // Processing again makes another record of the same content: only the current ones are judged.
    Checker::new(&sandbox.state, &[&sandbox.root]).repaired().assert();
}
