//! Outlast against the bare loop: the same walk, reads, hashes, parses and lines with no queue, no
//! state, no commit and nothing to resume. Whole processes in turn, ratios pair by pair.
//!
//! `cargo bench --bench throughput` makes a tree of its own; `OUTLAST_BENCH_TREE` names another,
//! `OUTLAST_BENCH_FILES` and `OUTLAST_BENCH_RUNS` set how large and how often.

mod bare;
#[path = "../support/measure.rs"]
mod measure;
mod ratio;
mod tree;

use std::path::{Path, PathBuf};

use measure::{Figures, run_measured};
use ratio::{median, ratio_line};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    if let [_, mode, root, out, workers] = args.as_slice()
        && mode == "bare"
    {
        return bare::run(Path::new(root), Path::new(out), workers.parse()?);
    }
    let number = |name: &str, default: usize| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let scratch = std::env::temp_dir().join(format!("outlast-bench-{}", std::process::id()));
    let tree = match std::env::var_os("OUTLAST_BENCH_TREE") {
        Some(tree) => PathBuf::from(tree),
        None => tree::make(&scratch.join("tree"), number("OUTLAST_BENCH_FILES", 100_000))?,
    };
    let result = compare(&tree, &scratch, number("OUTLAST_BENCH_RUNS", 5));
    std::fs::remove_dir_all(&scratch)?;
    result
}

/// Outlast's first run, its second, and the bare loop, in turn.
fn compare(tree: &Path, scratch: &Path, runs: usize) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(scratch)?;
    let workers = std::thread::available_parallelism()?.get().to_string();
    let (state, out) = (scratch.join("state"), scratch.join("bare.ndjson"));
    let (mut first, mut second, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    let mut files = 0;
    // The first round warms caches up, and does not count.
    for round in 0..=runs {
        let mut bare_command = std::process::Command::new(std::env::current_exe()?);
        bare_command.arg("bare").args([tree, &out]).arg(&workers);
        let bare_figures = run_measured(bare_command)?.0;
        let (first_figures, summary) = run_measured(outlast(tree, &state))?;
        let (second_figures, again) = run_measured(outlast(tree, &state))?;
        files = summary["ok"].as_u64().unwrap_or(0) + summary["failed"].as_u64().unwrap_or(0);
        assert_eq!(again["unchanged"].as_u64(), Some(files), "the second run processes nothing");
        assert_eq!(again["bytes"].as_u64(), Some(0), "the second run reads nothing");
        std::fs::remove_dir_all(&state)?;
        if round > 0 {
            bare.push(bare_figures);
            first.push(first_figures);
            second.push(second_figures);
        }
    }
    report(files, &bare, &first, &second);
    Ok(())
}

fn outlast(tree: &Path, state: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_outlast"));
    command.arg("run").arg(tree).arg("--state").arg(state);
    command.args(["--format", "json", "--progress", "never"]);
    command
}

fn report(files: u64, bare: &[Figures], first: &[Figures], second: &[Figures]) {
    println!("{files} files, medians of {} runs each, in turn", bare.len());
    println!("| what | wall s | files/s | user s | sys s | peak MB |");
    println!("|---|---|---|---|---|---|");
    for (name, figures) in
        [("bare loop", bare), ("outlast, first run", first), ("outlast, nothing changed", second)]
    {
        let wall = median(figures, |one| one.wall);
        println!(
            "| {name} | {wall:.2} | {:.0} | {:.2} | {:.2} | {:.0} |",
            files as f64 / wall,
            median(figures, |one| one.user),
            median(figures, |one| one.sys),
            median(figures, |one| one.peak_bytes) / 1e6
        );
    }
    println!("speed of the first run over the bare loop: {}", ratio_line(bare, first, |one| one.wall));
    println!(
        "cpu of the bare loop over the first run: {}",
        ratio_line(bare, first, |one| one.user + one.sys)
    );
    let extra =
        (median(first, |one| one.user + one.sys) - median(bare, |one| one.user + one.sys)) / files as f64;
    println!("cpu of a durable file beyond the bare loop: {:.2} us", extra * 1e6);
}
