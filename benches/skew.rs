//! Work that is spread badly: one huge file among small ones, sizes that rise to the end, one folder that is
//! slow to process, each of them last in the order of the tree. How near a run comes to the least time that
//! the work can take on these cores: its CPU time by the bare loop, shared evenly, or its largest piece.
//!
//! `cargo bench --bench skew`; `OUTLAST_BENCH_FILES` sets the number of small files, `OUTLAST_BENCH_RUNS`
//! how often.

#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::fs;
use std::path::Path;

use outlast::BatchConfig;
use support::measure::middle;
use support::measure::run_measured;
use support::ratio::spread;
use support::slow::FOLDER;
use support::tree::{Sizes, make, write};
use support::{Done, cores, number, own};

/// Bytes of the huge file.
const HUGE: usize = 200_000_000;
/// Files that are slow to process.
const SLOW: usize = 100;

/// Makes a tree.
type Make<'a> = &'a dyn Fn(&Path) -> Done;

fn main() -> Done {
    if support::child()? {
        return Ok(());
    }
    let files = number("OUTLAST_BENCH_FILES", 50_000);
    let runs = number("OUTLAST_BENCH_RUNS", 5);
    println!("{files} files, {} workers, medians of {runs} runs each, in turn\n", cores());
    println!(
        "| tree | least time s | bare loop s | outlast s | of the least | of its own CPU / cores | cores busy | \
         busy before the last 0.1 s |\n|---|---|---|---|---|---|---|---|"
    );
    let huge = |tree: &Path| -> Done {
        make(tree, files, Sizes::Small)?;
        Ok(write(&tree.join("zzz/huge.ast.json"), HUGE, 1)?)
    };
    let rising = |tree: &Path| -> Done { Ok(make(tree, files / 50, Sizes::Rising(2048, 2048.0))?) };
    let slow = |tree: &Path| -> Done {
        make(tree, files, Sizes::Small)?;
        let write_one =
            |number| write(&tree.join(FOLDER).join(format!("{number:04}.ast.json")), 4096, number as u64);
        Ok((0..SLOW).try_for_each(write_one)?)
    };
    let trees: [(&str, Make<'_>); 3] =
        [("one file of 200 MB", &huge), ("sizes rise to the end", &rising), ("one slow folder", &slow)];
    for (name, make) in trees {
        let scratch = support::scratch()?;
        let tree = scratch.path().join("tree");
        make(&tree)?;
        measure(name, &tree, scratch.path(), runs)?;
    }
    Ok(())
}

/// What each run is measured by.
const COLUMNS: usize = 7;

fn measure(name: &str, tree: &Path, scratch: &Path, runs: usize) -> Done {
    let (state, out) = (scratch.join("state"), scratch.join("bare.ndjson"));
    let config = serde_json::to_string(&BatchConfig::default())?;
    let cores = cores() as f64;
    let mut columns = [const { Vec::new() }; COLUMNS];
    // The first round warms caches up, and does not count.
    for round in 0..=runs {
        let (bare, work) = run_measured(own("bound", &[&tree, &out, &cores.to_string()])?)?;
        let (outlast, summary) = run_measured(own("ingest", &[&tree, &state, &config])?)?;
        fs::remove_dir_all(&state)?;
        assert_eq!(work["ok"], summary["ok"], "the same work");
        let of = |value: &serde_json::Value| value.as_f64().unwrap_or(f64::NAN);
        let least = (of(&work["cpu_seconds"]) / cores).max(of(&work["largest_seconds"]));
        let own = outlast.wall / (outlast.cpu() / cores).max(of(&work["largest_seconds"]));
        let (busy, before_tail) = (of(&summary["busy"]), of(&summary["busy_before_tail"]));
        let row = [least, bare.wall, outlast.wall, outlast.wall / least, own, busy, before_tail];
        if round > 0 {
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
    }
    let [least, bare, wall, of_least, of_own, busy, before_tail] = columns;
    let percent = |values| middle(values) * 100.0;
    println!(
        "| {name} | {:.2} | {:.2} | {:.2} | {} | {:.2} | {:.0} % | {:.0} % |",
        middle(least),
        middle(bare),
        middle(wall),
        spread(of_least),
        middle(of_own),
        percent(busy),
        percent(before_tail)
    );
    Ok(())
}
