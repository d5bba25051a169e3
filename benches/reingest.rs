//! A tree that is ingested again and again: what the state and the records take on disk, and how long the
//! ledger takes to open, from the first run to the last.
//!
//! `cargo bench --bench reingest`; `OUTLAST_BENCH_FILES` sets the number of files, `OUTLAST_BENCH_RUNS` the
//! number of ingestions.

#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::time::Instant;

use outlast::ledger::{Ledger, StateFolder};
use support::measure::middle;
use support::measure::{Figures, run_measured};
use support::tree::{Sizes, make};
use support::{Done, bytes_below, number, outlast};

/// How often a state is opened for one figure.
const OPENS: usize = 5;

fn main() -> Done {
    let (files, runs) = (number("OUTLAST_BENCH_FILES", 20_000), number("OUTLAST_BENCH_RUNS", 20));
    let scratch = support::scratch()?;
    let (tree, state) = (scratch.path().join("tree"), scratch.path().join("state"));
    make(&tree, files, Sizes::Small)?;
    println!("{files} files, ingested {runs} times; each state opened {OPENS} times, median\n");
    println!("| run | wall s | cpu s | peak MB | state bytes a file | records bytes a file | open ms |");
    println!("|---|---|---|---|---|---|---|");
    let mut rows: Vec<[f64; 3]> = Vec::new();
    for run in 1..=runs {
        let mut command = outlast(&tree, &state);
        if run > 1 {
            command.arg("--reprocess");
        }
        let (figures, summary) = run_measured(command)?;
        assert_eq!(summary["ok"].as_u64(), Some(files as u64));
        let each = |bytes: u64| bytes as f64 / files as f64;
        let records = state.join("records");
        let row = [
            each(bytes_below(&state, "records")?),
            each(bytes_below(&records, "")?),
            middle((0..OPENS).map(|_| open(&state)).collect::<Done<_>>()?),
        ];
        let [bytes, log, open] = row;
        println!("| {run} | {} | {bytes:.0} | {log:.0} | {open:.1} |", Figures::cells(&[figures]));
        rows.push(row);
    }
    println!("\n| last runs of the first ones | ratio |\n|---|---|");
    let quarter = (rows.len() / 4).max(1);
    for (at, name) in ["state", "records", "time to open"].into_iter().enumerate() {
        let of = |rows: &[[f64; 3]]| middle(rows.iter().map(|row| row[at]).collect());
        println!("| {name} | {:.2} |", of(&rows[rows.len() - quarter..]) / of(&rows[..quarter]));
    }
    Ok(())
}

/// Milliseconds until the ledger is open, every block verified.
fn open(state: &std::path::Path) -> Done<f64> {
    let begun = Instant::now();
    let folder = StateFolder::open(state)?;
    drop(Ledger::open(&folder)?);
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}
