//! All shards at once, from outside of their runners.

use std::fs;

use serde_json::Value;

use super::{Shards, by_line};
use crate::support::{Ran, copy, ran};

fn all(count: u32) -> Shards {
    let shards = Shards::of(60);
    for index in 0..count {
        shards.run(&format!("{index}/{count}"));
    }
    shards
}

fn asked(shards: &Shards, args: &[&str]) -> Ran {
    ran(shards.command(&["shards"]).args(args).arg(&shards.states))
}

/// What `check` says of states that do not fit.
#[track_caller]
fn differs(shards: &Shards, words: &[&str]) {
    let output = asked(shards, &["check"]).expect(12);
    let text = output.text();
    assert!(words.iter().all(|word| text.contains(word)), "no {words:?}: {output}");
    let told = asked(shards, &["check", "--format", "json"]).expect(12).json();
    assert!(told["fits"] == false && !told["problems"].as_array().unwrap().is_empty(), "{told}");
}

#[test]
fn the_status_names_each_shard_and_its_code_says_what_is_left() {
    let shards = Shards::of(60);
    let none = asked(&shards, &["status"]).expect(10);
    assert!(none.stderr.contains("no shards here"), "{none}");
    shards.run("1/4");
    let some = asked(&shards, &["status"]).expect(75);
    assert!(some.text().contains("4 shards: 1 done, 0 done with failures, 3 pending"), "{some}");
    for index in [0, 2, 3] {
        shards.run(&format!("{index}/4"));
    }
    let whole = shards.sandbox.run_code(&[], 3);
    let report = asked(&shards, &["status", "--format", "json"]).expect(3).json();
    assert_eq!((&report["total"]["ok"], &report["total"]["failed"]), (&whole["ok"], &whole["failed"]));
    assert_eq!(report["pending"], 0, "{report}");
    // What follows until nothing is pending ends at once.
    let followed = asked(&shards, &["status", "--follow"]).expect(3);
    assert_eq!(followed.text().lines().count(), 6, "{followed}");
    let summary: Value =
        serde_json::from_slice(&fs::read(shards.state(2).join("summary.json")).unwrap()).unwrap();
    assert_eq!(
        (&summary["ended"], &summary["is_complete"], &summary["phase"]),
        (&true.into(), &true.into(), &"ended".into())
    );
    // A shard without a failed file is done.
    fs::remove_file(shards.sandbox.root.join("d3/e0/f0003.ast.json")).unwrap();
    let clean = Shards::of(3);
    clean.run("0/1");
    asked(&clean, &["status"]).expect(0);
}

#[test]
fn the_records_of_all_shards_are_those_of_one_machine_as_lines_and_as_files() {
    let shards = all(4);
    // Changed and removed files have other lines in the log.
    shards.sandbox.write("d0/e0/f0000.ast.json", r#"{"type":"Program","body":[]}"#);
    fs::remove_file(shards.sandbox.root.join("d1/e1/f0001.ast.json")).unwrap();
    shards.sandbox.settle();
    for index in 0..4 {
        shards.run(&format!("{index}/4"));
    }
    shards.sandbox.run_code(&[], 3);
    let whole = by_line(&ran(&mut shards.sandbox.command(["records"])).expect(0));
    let output = asked(&shards, &["records"]).expect(0);
    assert_eq!(by_line(&output), whole);
    assert_eq!(output.lines().len(), whole.len());
    let folder = shards.sandbox.dir.path().join("out");
    for (format, name) in [("ndjson", "records.ndjson"), ("parquet", "records.parquet")] {
        asked(&shards, &["records", "--format", format, "--output", folder.to_str().unwrap()]).expect(0);
        for index in 0..4 {
            let path = folder.join(format!("shard={index:04}")).join(name);
            assert!(fs::metadata(path).unwrap().len() > 0);
        }
    }
    let lines: usize = (0..4)
        .map(|index| {
            fs::read_to_string(folder.join(format!("shard={index:04}/records.ndjson")))
                .unwrap()
                .lines()
                .count()
        })
        .sum();
    assert_eq!(lines, whole.len());
    asked(&shards, &["records", "--format", "parquet"]).expect(2);
}

#[test]
fn a_compacted_log_has_the_same_records() {
    let shards = all(2);
    for round in 0..4 {
        for number in 0..60 {
            let path = format!("d{}/e{}/f{number:04}.ast.json", number % 5, number % 3);
            shards.sandbox.write(path, format!(r#"{{"type":"Program","body":[{round}]}}"#));
        }
        shards.sandbox.settle();
        for index in 0..2 {
            let mut run = shards.run_command(&format!("{index}/2"));
            ran(run.args(["--compact-above", "10", "--compact-min", "0"]));
        }
    }
    let mut expected = by_line(&ran(shards.command(&["records", "--state"]).arg(shards.state(0))).expect(0));
    expected.extend(by_line(&ran(shards.command(&["records", "--state"]).arg(shards.state(1))).expect(0)));
    assert_eq!(by_line(&asked(&shards, &["records"]).expect(0)), expected);
}

#[test]
fn states_that_fit_together_are_told_from_any_that_do_not() {
    let shards = all(4);
    let fits = asked(&shards, &["check"]).expect(0);
    assert_eq!(fits.text(), "4 shards, which fit together\n");
    let aside = shards.sandbox.dir.path().join("aside");
    let (two, three) = (shards.state(2), shards.state(3));
    fs::rename(&three, &aside).unwrap();
    differs(&shards, &["0003: not there", "3/4"]);
    // A copy of another one.
    copy(&two, &three);
    differs(&shards, &["0003: the state of shard 2/4, from elsewhere", "0003: a copy of the state of 0002"]);
    let again = |args: &[&str]| {
        fs::remove_dir_all(&three).unwrap();
        let mut run = shards.command(&["run", "--progress", "never", "--state"]);
        ran(run.arg(&three).args(args));
    };
    again(&["tree", "--shard", "3/5"]);
    differs(&shards, &["0003: one of 5 shards, and most are of 4"]);
    again(&["tree"]);
    differs(&shards, &["0003: a state of all files, from elsewhere"]);
    again(&["tree", "--shard", "3/4", "--exclude", "d1/"]);
    differs(&shards, &["0003: other filters", "exclude d1/"]);
    again(&["tree", "--shard", "3/4", "--exec", "wc -c {}", "--include", "*.ast.json"]);
    differs(&shards, &["0003: other processor"]);
    copy(&shards.sandbox.root, &shards.sandbox.dir.path().join("other"));
    again(&["other", "--shard", "3/4"]);
    differs(&shards, &["0003: other roots"]);
    fs::remove_dir_all(&three).unwrap();
    fs::rename(&aside, &three).unwrap();
    asked(&shards, &["check"]).expect(0);
}

#[test]
fn a_path_in_two_shards_is_named() {
    let shards = all(4);
    let first = |index: u32| shards.state(index).join("records/records-000001.ndjson");
    let stranger = fs::read_to_string(first(1)).unwrap().lines().next().unwrap().to_owned() + "\n";
    let log = fs::read_to_string(first(2)).unwrap() + &stranger;
    fs::write(first(2), &log).unwrap();
    asked(&shards, &["check"]).expect(0);
    // As if it were committed.
    let path = shards.state(2).join("summary.json");
    let mut summary: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    summary["log_end"]["offset"] = log.len().into();
    fs::write(&path, summary.to_string()).unwrap();
    let record: Value = serde_json::from_str(&stranger).unwrap();
    differs(&shards, &["0002: has ", record["path"].as_str().unwrap(), "a file of 0001"]);
}
