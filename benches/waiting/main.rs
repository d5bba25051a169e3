//! Where reading waits: Outlast, which finds the number of its threads itself, against the bare loop with each of
//! several fixed numbers.
//!
//! 1. A file system that delays each call by 2 ms: see `slow.rs`.
//! 2. A cold cache: the tree on disk after `drop_caches`, which only root may write; left out otherwise.
//!
//! `OUTLAST_BENCH_FILES` sets the number of files, and `OUTLAST_BENCH_RUNS` how often. For the second part,
//! `OUTLAST_BENCH_TREE` names a tree, and `OUTLAST_BENCH_SIZES=real` makes one of files as large as real ones.

mod slow;
#[expect(dead_code, reason = "each benchmark uses a part of it")]
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};

use support::measure::median;
use support::measure::{Figures, run_measured};
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
            tree::make(&scratch.join("tree"), files, tree::Sizes::from_env())?;
            scratch.join("tree")
        }
    };
    println!("{}, cold cache", tree.display());
    let (out, state) = (scratch.join("bare.ndjson"), scratch.join("cold-state"));
    let mut table = Table::default();
    for _ in 0..runs {
        for threads in [2, 4].into_iter().chain(THREADS) {
            let command = own("bare", &[&tree, &out, &threads.to_string()])?;
            drop_caches()?;
            table.add(Some(threads), run_measured(command)?.0);
        }
        drop_caches()?;
        table.add(None, run_measured(outlast(&tree, &state))?.0);
        std::fs::remove_dir_all(&state)?;
    }
    table.print();
    Ok(())
}

/// Writes back what is dirty, and has the kernel forget what it has read.
fn drop_caches() -> std::io::Result<()> {
    rustix::fs::sync();
    std::fs::write("/proc/sys/vm/drop_caches", "3")
}

/// What was measured by the number of threads of the bare loop, and for Outlast (none).
#[derive(Default)]
struct Table(Vec<(Option<usize>, Vec<Figures>)>);

impl Table {
    fn add(&mut self, threads: Option<usize>, took: Figures) {
        match self.0.iter_mut().find(|(known, _)| *known == threads) {
            Some((_, all)) => all.push(took),
            None => self.0.push((threads, vec![took])),
        }
    }

    /// Medians, beside those of the bare loop that was the fastest.
    fn print(&self) {
        let of_row = |(threads, all): &(Option<usize>, Vec<Figures>)| {
            (*threads, median(all, |took| took.wall), median(all, Figures::cpu))
        };
        let rows: Vec<_> = self.0.iter().map(of_row).collect();
        let bare = rows.iter().filter(|(threads, ..)| threads.is_some());
        let Some(&(_, best, best_cpu)) = bare.min_by(|a, b| a.1.total_cmp(&b.1)) else { return };
        println!("| what | s | CPU s | speed over the best bare loop | CPU over it |\n|---|---|---|---|---|");
        for (threads, wall, cpu) in rows {
            let what =
                threads.map_or("outlast".to_owned(), |threads| format!("bare loop, {threads} threads"));
            let (speed, more) = (best / wall, cpu / best_cpu);
            println!("| {what} | {wall:.2} | {cpu:.2} | {speed:.2} | {more:.2} |");
        }
    }
}
