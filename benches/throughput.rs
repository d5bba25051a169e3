//! Outlast against bare programs, whole processes in turn, ratios pair by pair: a first run against a loop
//! that does the same walk, reads, hashes, parses and lines with no queue, no state, no commit and nothing to
//! resume; a run of nothing that changed against the fastest walk with metadata; a run of 1 % that changed
//! against both.
//!
//! `cargo bench --bench throughput` makes a tree of its own, of `OUTLAST_BENCH_FILES` files;
//! `OUTLAST_BENCH_SIZES=real` makes them as large as those of real repositories. `OUTLAST_BENCH_TREE` names
//! another tree, which is left as it is. `OUTLAST_BENCH_WORKERS` is a list, `OUTLAST_BENCH_RUNS` how often.

#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::measure::median;
use support::measure::{Figures, run_measured};
use support::ratio::{ratio_line, spread};
use support::{Done, cores, number, outlast, own, tree};

fn main() -> Done {
    if support::child()? {
        return Ok(());
    }
    let scratch = support::scratch()?;
    let files = number("OUTLAST_BENCH_FILES", 100_000);
    let named = std::env::var_os("OUTLAST_BENCH_TREE").map(PathBuf::from);
    let tree = named.clone().unwrap_or_else(|| scratch.path().join("tree"));
    if named.is_none() {
        tree::make(&tree, files, tree::Sizes::from_env())?;
    }
    let changing = if named.is_none() { files } else { 0 };
    let workers = std::env::var("OUTLAST_BENCH_WORKERS").unwrap_or_else(|_| cores().to_string());
    let round = Round { tree: &tree, scratch: scratch.path(), changing };
    for workers in workers.split(',') {
        round.compare(workers.trim(), number("OUTLAST_BENCH_RUNS", 5))?;
    }
    Ok(())
}

/// What is measured in turn.
#[derive(Default)]
struct Measured {
    bare: Vec<Figures>,
    first: Vec<Figures>,
    walk: Vec<Figures>,
    second: Vec<Figures>,
    listed: Vec<Figures>,
    changed: Vec<Figures>,
}

struct Round<'a> {
    tree: &'a Path,
    scratch: &'a Path,
    /// Files of the tree that may be changed.
    changing: usize,
}

impl Round<'_> {
    fn compare(&self, workers: &str, runs: usize) -> Done {
        let mut files = 0;
        let mut measured = Measured::default();
        for round in 0..=runs {
            // The first round warms caches up, and does not count.
            if round == 1 {
                measured = Measured::default();
            }
            files = self.once(workers, round as u64, &mut measured)?;
        }
        measured.report(workers, files);
        Ok(())
    }

    fn once(&self, workers: &str, round: u64, measured: &mut Measured) -> Done<u64> {
        let (state, out) = (self.scratch.join("state"), self.scratch.join("bare.ndjson"));
        let run = || {
            let mut command = outlast(self.tree, &state);
            command.args(["--workers", workers]);
            run_measured(command)
        };
        measured.bare.push(run_measured(own("bare", &[&self.tree, &out, &workers])?)?.0);
        let (first, summary) = run()?;
        // The threads that Outlast scans on.
        let threads = cores().clamp(1, 4).to_string();
        measured.walk.push(run_measured(own("walk", &[&self.tree, &threads])?)?.0);
        let (second, again) = run()?;
        let files = summary["ok"].as_u64().unwrap_or(0) + summary["failed"].as_u64().unwrap_or(0);
        assert_eq!(again["unchanged"].as_u64(), Some(files), "the second run processes nothing");
        assert_eq!(again["bytes"].as_u64(), Some(0), "the second run reads nothing");
        measured.first.push(first);
        measured.second.push(second);
        if self.changing > 0 {
            let list = self.change(round)?;
            let listed = own("listed", &[&self.tree, &list, &out, &workers])?;
            measured.listed.push(run_measured(listed)?.0);
            let (changed, summary) = run()?;
            assert_eq!(summary["ok"].as_u64(), Some(self.changing.div_ceil(100) as u64));
            measured.changed.push(changed);
        }
        fs::remove_dir_all(&state)?;
        Ok(files)
    }

    /// Writes each hundredth file with another content of its size, and lists them.
    fn change(&self, round: u64) -> Done<PathBuf> {
        let mut list = String::new();
        for number in (0..self.changing).step_by(100) {
            let path = self.tree.join(tree::path(number));
            let size = usize::try_from(fs::metadata(&path)?.len())?;
            tree::write(&path, size, (round << 40) + number as u64)?;
            list.push_str(path.to_str().ok_or("the scratch folder is no text")?);
            list.push('\n');
        }
        let to = self.scratch.join("changed.txt");
        fs::write(&to, list)?;
        Ok(to)
    }
}

impl Measured {
    fn report(&self, workers: &str, files: u64) {
        println!("\n{workers} workers, {files} files, medians of {} runs each, in turn\n", self.bare.len());
        println!("| what | files/s | wall s | cpu s | peak MB |\n|---|---|---|---|---|");
        for (name, figures, files) in [
            ("bare loop", &self.bare, files),
            ("outlast, first run", &self.first, files),
            ("bare walk and metadata", &self.walk, files),
            ("outlast, nothing changed", &self.second, files),
            ("bare loop over the 1 %", &self.listed, files.div_ceil(100)),
            ("outlast, 1 % changed", &self.changed, files),
        ] {
            if !figures.is_empty() {
                let speed = files as f64 / median(figures, |one| one.wall);
                println!("| {name} | {speed:.0} | {} |", Figures::cells(figures));
            }
        }
        println!("\n| ratio | median (least to most) | wanted |\n|---|---|---|");
        let wall = |one: &Figures| one.wall;
        println!(
            "| speed, first run of bare loop | {} | 0.90 or more |",
            ratio_line(&self.bare, &self.first, wall)
        );
        println!("| CPU, bare loop of first run | {} | |", ratio_line(&self.bare, &self.first, Figures::cpu));
        println!(
            "| speed, nothing changed of walk | {} | 0.85 or more |",
            ratio_line(&self.walk, &self.second, wall)
        );
        if !self.changed.is_empty() {
            let parts =
                self.second.iter().zip(&self.listed).map(|(second, listed)| second.wall + listed.wall);
            let ratios =
                self.changed.iter().zip(parts).map(|(changed, parts)| changed.wall / parts).collect();
            println!("| time, 1 % changed of its parts | {} | 1.10 or less |", spread(ratios));
        }
        let extra = median(&self.first, Figures::cpu) - median(&self.bare, Figures::cpu);
        println!("| CPU of a durable file beyond the bare loop | {:.2} us | |", extra * 1e6 / files as f64);
    }
}
