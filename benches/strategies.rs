//! Whether the adaptive strategy earns its place: over five kinds of work, its time beside that of each fixed
//! setting. It is wanted within 5 % of the best fixed one for each.
//!
//! `cargo bench --bench strategies`; `OUTLAST_BENCH_FILES` sets the number of tiny files, and the others'
//! with it; `OUTLAST_BENCH_TREE` names a tree of real files; `OUTLAST_BENCH_RUNS` is how often.

#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use outlast::{BatchConfig, StrategyKind};
use support::measure::median;
use support::measure::{Figures, run_measured};
use support::ratio::ratio_line;
use support::slow::FOLDER;
use support::tree::{Sizes, make, write};
use support::{Done, number, own};

const SETTINGS: [(&str, StrategyKind, usize); 5] = [
    ("adaptive", StrategyKind::Adaptive, 200),
    ("count 50", StrategyKind::Count, 50),
    ("count 200", StrategyKind::Count, 200),
    ("count 1000", StrategyKind::Count, 1000),
    ("size", StrategyKind::Size, 200),
];

/// Makes a tree.
type Make<'a> = &'a dyn Fn(&Path) -> Done;

fn main() -> Done {
    if support::child()? {
        return Ok(());
    }
    let files = number("OUTLAST_BENCH_FILES", 50_000);
    let runs = number("OUTLAST_BENCH_RUNS", 5);
    println!("seconds, medians of {runs} runs each, in turn\n");
    print!("| work |");
    SETTINGS.iter().for_each(|(name, ..)| print!(" {name} |"));
    println!(" best fixed | adaptive of it: median (least to most) |\n|---|---|---|---|---|---|---|---|");
    let real = std::env::var_os("OUTLAST_BENCH_TREE").map(PathBuf::from);
    let normal = BatchConfig::default().memory_limit_mb;
    let tiny = |tree: &Path| -> Done { Ok(make(tree, files, Sizes::Tiny)?) };
    let as_real = |tree: &Path| -> Done { Ok(make(tree, files / 25, Sizes::Real)?) };
    let skewed = |tree: &Path| -> Done {
        make(tree, files / 2, Sizes::Small)?;
        Ok(write(&tree.join("zzz/huge.ast.json"), files * 1000, 1)?)
    };
    let slow = |tree: &Path| -> Done {
        let write_one =
            |number| write(&tree.join(FOLDER).join(format!("{number:06}.ast.json")), 4096, number as u64);
        Ok((0..files / 1000).try_for_each(write_one)?)
    };
    let tight = |tree: &Path| -> Done { Ok(make(tree, files / 250, Sizes::Large)?) };
    let works: [(&str, Make<'_>, Option<PathBuf>, u64); 5] = [
        ("tiny files", &tiny, None, normal),
        ("real files", &as_real, real, normal),
        ("skewed: one huge file, last", &skewed, None, normal),
        ("slow processor, 25 ms a file", &slow, None, normal),
        ("memory-tight: 1 to 4 MiB each, 24 MiB in all", &tight, None, 24),
    ];
    for (name, make, named, memory_limit_mb) in works {
        let scratch = support::scratch()?;
        let tree = named.clone().unwrap_or_else(|| scratch.path().join("tree"));
        if named.is_none() {
            make(&tree)?;
        }
        let config = BatchConfig { memory_limit_mb, ..BatchConfig::default() };
        measure(name, &tree, &scratch.path().join("state"), &config, runs)?;
    }
    Ok(())
}

fn measure(name: &str, tree: &Path, state: &Path, config: &BatchConfig, runs: usize) -> Done {
    let mut measured: [Vec<Figures>; SETTINGS.len()] = Default::default();
    // The first round warms caches up, and does not count.
    for round in 0..=runs {
        let mut files = None;
        for ((_, strategy, batch_size), figures) in SETTINGS.into_iter().zip(&mut measured) {
            let config = serde_json::to_string(&BatchConfig { strategy, batch_size, ..config.clone() })?;
            let (one, summary) = run_measured(own("ingest", &[&tree, &state, &config])?)?;
            fs::remove_dir_all(state)?;
            let ok = summary["ok"].as_u64();
            assert_eq!(*files.get_or_insert(ok), ok, "each strategy does all the work");
            if round > 0 {
                figures.push(one);
            }
        }
    }
    let wall = |figures: &Vec<Figures>| median(figures, |one| one.wall);
    let [adaptive, fixed @ ..] = &measured;
    let best = fixed.iter().zip(&SETTINGS[1..]).min_by(|a, b| wall(a.0).total_cmp(&wall(b.0)));
    let (best, (best_name, ..)) = best.ok_or("no fixed setting")?;
    print!("| {name} |");
    measured.iter().for_each(|figures| print!(" {:.3} |", wall(figures)));
    println!(" {best_name} | {} |", ratio_line(adaptive, best, |one| one.wall));
    Ok(())
}
