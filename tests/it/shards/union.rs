//! What all shards have together is what one machine has.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::{Shards, by_line};
use crate::support::{Ran, ran};

fn said(output: &Ran, parts: &[&str]) {
    let missing: Vec<_> = parts.iter().filter(|part| !output.stderr.contains(**part)).collect();
    assert!(missing.is_empty(), "no {missing:?}: {output}");
}

#[test]
fn sixteen_shards_have_together_the_records_of_one_machine() {
    let shards = Shards::of(200);
    let whole = shards.sandbox.run_code(&[], 3);
    let expected = by_line(&ran(&mut shards.sandbox.command(["records"])).expect(0));
    let (mut together, mut records, mut sums) = (BTreeMap::new(), 0, BTreeMap::<&str, u64>::new());
    let mut left_out = BTreeMap::<String, u64>::new();
    for index in 0..16 {
        let ran_shard = shards.run(&format!("{index}/16"));
        assert!(matches!(ran_shard.code, Some(0 | 3)), "{ran_shard}");
        let summary = ran_shard.json();
        for count in ["discovered", "ok", "failed", "pending"] {
            *sums.entry(count).or_default() += summary[count].as_u64().unwrap();
        }
        for (rule, entries) in summary["filtered"].as_object().unwrap() {
            *left_out.entry(rule.clone()).or_default() += entries.as_u64().unwrap();
        }
        let state = shards.state(index);
        let own = by_line(&ran(shards.command(&["records", "--state"]).arg(&state)).expect(0));
        records += own.len();
        together.extend(own);
    }
    assert_eq!(together, expected);
    assert_eq!(records, expected.len(), "no record is in two shards");
    for (count, sum) in sums {
        assert_eq!(whole[count], sum, "{count}");
    }
    for (rule, entries) in whole["filtered"].as_object().unwrap() {
        assert_eq!(*entries, left_out[rule], "{rule}: each counts in one shard");
    }
}

#[test]
fn explain_agrees_with_what_each_shard_has_done() {
    let shards = Shards::of(40);
    for index in 0..3 {
        shards.run(&format!("{index}/3"));
    }
    let mut taken = 0;
    for number in 0..40 {
        let path = format!("tree/d{}/e{}/f{number:04}.ast.json", number % 5, number % 3);
        let explained = |index: u32| -> Value {
            let mut command = shards.command(&["explain", &path, "--format", "json", "--state"]);
            ran(command.arg(shards.state(index))).expect(0).json()
        };
        let told: Vec<Value> = (0..3).map(explained).collect();
        let own: Vec<usize> = (0..3)
            .filter(|&index| {
                let scan = told[index].get("scan").unwrap().as_str().unwrap();
                let is_own = !scan.starts_with(&format!("left out by shard {index}/3"));
                assert_eq!(
                    is_own && scan == "ingested",
                    told[index]["state"] != "unknown",
                    "{}",
                    told[index]
                );
                is_own
            })
            .collect();
        assert_eq!(own.len(), 1, "{told:?}");
        taken += 1;
    }
    assert_eq!(taken, 40);
}

#[test]
fn a_state_keeps_its_shard_and_names_it_to_any_other() {
    let shards = Shards::of(20);
    shards.run("3/16");
    let other = |args: &[&str]| {
        let mut command = shards.command(&["run", "tree", "--progress", "never", "--state"]);
        ran(command.arg(shards.state(3)).args(args)).expect(78)
    };
    said(
        &other(&["--shard", "3/64"]),
        &["states/0003: ", "of shard 3/16", "of shard 3/64", "--shard 3/16", "--state"],
    );
    said(&other(&["--shard", "4/16"]), &["of shard 3/16", "of shard 4/16"]);
    said(&other(&[]), &["of shard 3/16", "of all files"]);
    said(&other(&["--dry-run"]), &["of shard 3/16"]);
    shards.sandbox.run_code(&[], 3);
    said(&shards.sandbox.run(&["--shard", "0/16"]).expect(78), &["of all files", "leave --shard away"]);
    // It goes on as it is, and knows its files.
    let again = shards.run("3/16").json();
    assert_eq!((&again["ok"], &again["failed"]), (&0.into(), &0.into()), "{again}");
}

#[test]
fn the_number_of_a_shard_comes_from_the_scheduler() {
    let shards = Shards::of(20);
    let run = |variables: &[(&str, &str)]| {
        let mut command = shards.run_command("auto/4");
        for name in ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN"] {
            command.env_remove(name);
        }
        ran(command.envs(variables.iter().copied()))
    };
    said(&run(&[]).expect(78), &["shard is auto/4", "JOB_COMPLETION_INDEX", "OUTLAST_SHARD_INDEX"]);
    said(&run(&[("JOB_COMPLETION_INDEX", "4")]).expect(78), &["number 4", "the last 3/4"]);
    assert!(!shards.states.exists(), "nothing was made");
    for (index, variables) in [
        &[("JOB_COMPLETION_INDEX", "0")][..],
        &[("SLURM_ARRAY_TASK_ID", "8"), ("SLURM_ARRAY_TASK_MIN", "7")],
        &[("OUTLAST_SHARD_INDEX", "2")],
    ]
    .into_iter()
    .enumerate()
    {
        let output = run(variables);
        assert!(matches!(output.code, Some(0 | 3)), "{output}");
        let text = fs::read_to_string(shards.state(index as u32).join("state.json")).unwrap();
        assert!(text.contains(&format!("\"shard\": \"{index}/4\"")), "{text}");
    }
}

#[test]
fn a_shard_that_is_none_and_a_place_for_one_that_is_missing_are_refused() {
    let shards = Shards::of(3);
    said(&shards.run("64/64").expect(2), &["shards count from 0", "63/64"]);
    let mut without = shards.command(&["run", "tree", "--state", "states/{shard}"]);
    said(&ran(&mut without).expect(78), &["states/{shard}", "--shard"]);
    // A shard may have no file at all.
    let empty = (0..200)
        .map(|index| shards.run(&format!("{index}/200")))
        .find(|output| output.json()["discovered"] == 0);
    empty.unwrap().expect(0);
}

#[test]
fn a_named_root_is_divided_by_the_paths_below_it() {
    let shards = Shards::of(30);
    let moved = shards.sandbox.dir.path().join("elsewhere");
    fs::rename(&shards.sandbox.root, &moved).unwrap();
    let paths = |root: &str, state: &str| {
        let mut run = shards.command(&[
            "run",
            "--shard",
            "1/4",
            "--progress",
            "never",
            "--root",
            root,
            "--state",
            state,
        ]);
        ran(&mut run);
        let output = ran(&mut shards.command(&["records", "--state", state])).expect(0);
        let records = by_line(&output);
        records.values().map(|record| record["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let named = paths("one=elsewhere", "s1");
    fs::create_dir(&shards.sandbox.root).unwrap();
    fs::rename(&moved, shards.sandbox.root.join("deeper")).unwrap();
    let mut again = paths("two=tree/deeper", "s2");
    let mut named = named;
    named.sort();
    again.sort();
    assert!(!named.is_empty() && named == again, "{named:?} {again:?}");
}
