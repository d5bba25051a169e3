//! Where reading waits: Outlast, which finds the number of its threads itself, against the bare loop with each of
//! several fixed numbers.
//!
//! 1. A file system that delays each call by 2 ms: see `slow.rs`.
//! 2. A cold cache: the tree on disk after `drop_caches`, which only root may write; left out otherwise.
//!
//! `OUTLAST_BENCH_FILES` sets the number of files, `OUTLAST_BENCH_TREE` names a tree for the second part, and
//! `OUTLAST_BENCH_RUNS` sets how often.

mod slow;
#[expect(dead_code, reason = "each benchmark uses a part of it")]
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use support::{Done, number, outlast, own, tree};

/// Threads of the bare loop.
const THREADS: [usize; 4] = [8, 16, 32, 64];

fn main() -> Done {
    if support::child()? {
        return Ok(());
    }
    let (files, runs) = (number("OUTLAST_BENCH_FILES", 20_000), number("OUTLAST_BENCH_RUNS", 1));
    let scratch = support::scratch()?;
    delayed(scratch.path(), files, runs)?;
    cold(scratch.path(), files, runs)
}

fn delayed(scratch: &Path, files: usize, runs: usize) -> Done {
    println!("{files} files, each call delayed by {} ms", slow::DELAY.as_millis());
    let mut table = Table::default();
    for _ in 0..runs {
        for threads in THREADS {
            table.add(Some(threads), slow::bare(files, threads)?);
        }
        table.add(None, slow::outlast(files, &scratch.join("state"))?);
    }
    table.print();
    Ok(())
}

fn cold(scratch: &Path, files: usize, runs: usize) -> Done {
    if drop_caches().is_err() {
        println!("cold cache: left out, as only root may write /proc/sys/vm/drop_caches");
        return Ok(());
    }
    let tree = match std::env::var_os("OUTLAST_BENCH_TREE") {
        Some(tree) => PathBuf::from(tree),
        None => {
            tree::make(&scratch.join("tree"), files, tree::Sizes::Small)?;
            scratch.join("tree")
        }
    };
    println!("{}, cold cache", tree.display());
    let (out, state) = (scratch.join("bare.ndjson"), scratch.join("cold-state"));
    let mut table = Table::default();
    for _ in 0..runs {
        for threads in [2].into_iter().chain(THREADS) {
            let command = own("bare", &[&tree, &out, &threads.to_string()])?;
            drop_caches()?;
            table.add(Some(threads), seconds_of(command)?);
        }
        drop_caches()?;
        table.add(None, seconds_of(outlast(&tree, &state))?);
        std::fs::remove_dir_all(&state)?;
    }
    table.print();
    Ok(())
}

fn seconds_of(mut command: Command) -> Done<f64> {
    let begun = Instant::now();
    let output = command.output()?;
    let seconds = begun.elapsed().as_secs_f64();
    if output.status.success() { Ok(seconds) } else { Err(format!("{command:?}: {output:?}").into()) }
}

/// Writes back what is dirty, and has the kernel forget what it has read.
fn drop_caches() -> std::io::Result<()> {
    rustix::fs::sync();
    std::fs::write("/proc/sys/vm/drop_caches", "3")
}

/// Seconds by the number of threads of the bare loop, and of Outlast (none).
#[derive(Default)]
struct Table(Vec<(Option<usize>, Vec<f64>)>);

impl Table {
    fn add(&mut self, threads: Option<usize>, seconds: f64) {
        match self.0.iter_mut().find(|(known, _)| *known == threads) {
            Some((_, all)) => all.push(seconds),
            None => self.0.push((threads, vec![seconds])),
        }
    }

    fn print(&self) {
        let rows: Vec<_> = self.0.iter().map(|(threads, all)| (*threads, median(all))).collect();
        let of = |row: &(Option<usize>, f64)| row.1;
        let best = rows.iter().filter(|row| row.0.is_some()).map(of).fold(f64::INFINITY, f64::min);
        println!("| what | s | speed over the best bare loop |\n|---|---|---|");
        for (threads, seconds) in &rows {
            let what =
                threads.map_or("outlast".to_owned(), |threads| format!("bare loop, {threads} threads"));
            println!("| {what} | {seconds:.2} | {:.2} |", best / seconds);
        }
    }
}

fn median(all: &[f64]) -> f64 {
    let mut all = all.to_vec();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
