//! A long time of churn beside a watcher: at its end records and tree agree, and nothing has grown.
//!
//! It mostly waits, so it stands where tests begin: the others are done beside it.
//!
//! `OUTLAST_SOAK_SECONDS` sets how long, `OUTLAST_SOAK_SEED` the seed.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::{Content, Rng, Sandbox, Tree, from_env};
use crate::watch::Watcher;

/// What is looked at now and then.
#[derive(Debug, Clone, Copy)]
struct Sample {
    rss_bytes: u64,
    descriptors: u64,
    threads: u64,
    /// Without the records, which grow with every change until they are compacted.
    state_bytes: u64,
    armed_folders: u64,
}

fn sample(watcher: &Watcher<'_>) -> Option<Sample> {
    let pid = watcher.child.id();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let number = |name: &str| -> Option<u64> {
        status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    };
    let told = watcher.status()?;
    Some(Sample {
        rss_bytes: number("VmRSS:")? << 10,
        descriptors: fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64,
        threads: number("Threads:")?,
        state_bytes: told["state_bytes"].as_u64()?,
        armed_folders: told["running"]["watch"]["status"]["armed_folders"].as_u64()?,
    })
}

/// The middle one.
fn median(samples: &[Sample], of: impl Fn(&Sample) -> u64) -> u64 {
    let mut all: Vec<u64> = samples.iter().map(of).collect();
    all.sort_unstable();
    all[all.len() / 2]
}

/// Something bigger than what a tree does by itself: many files at once, and folders in folders.
fn burst(sandbox: &Sandbox, rng: &mut Rng, serial: u64) {
    let folder = format!("burst{}", serial % 3);
    let gone = sandbox.root.join(&folder);
    if gone.exists() {
        return match rng.within(0..3) {
            0 => fs::remove_dir_all(gone).unwrap(),
            1 => {
                let to = sandbox.root.join(format!("src/{folder}"));
                let _ = fs::remove_dir_all(&to);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::rename(gone, to).unwrap();
            }
            _ => {
                // All of them change places with what they were.
                for number in 0..rng.within(50..300) {
                    let path = format!("{folder}/f{number}.ast.json");
                    sandbox.write(path, Content::Ast(2).bytes(rng));
                }
            }
        };
    }
    for number in 0..rng.within(100..400) {
        let path = match rng.within(0..10) {
            0 => format!("{folder}/a/b/c/d/e/f/g/h{}/f{number}.ast.json", number % 5),
            1..4 => format!("{folder}/x{}/f{number}.ast.json", number % 7),
            _ => format!("{folder}/f{number}.ast.json"),
        };
        sandbox.write(path, Content::Ast(2).bytes(rng));
    }
}

#[test]
fn after_a_long_time_of_churn_records_and_tree_agree_and_nothing_has_grown() {
    let (seconds, seed) = (from_env("OUTLAST_SOAK_SECONDS", 120), from_env("OUTLAST_SOAK_SEED", 61));
    eprintln!("seed {seed}, {seconds} s");
    let sandbox = Sandbox::new();
    let mut rng = Rng::new(!seed);
    let mut tree = Tree::grow(&sandbox.root, seed, 150);
    let mut watcher = Watcher::of(&sandbox, &[&sandbox.root], &["--settle", "100ms", "--workers", "2"]);
    let begun = Instant::now();
    let time = Duration::from_secs(seconds);
    let (mut samples, mut serial, mut kills, mut reloads) = (Vec::new(), 0, 0, 0);
    let (mut next_kill, mut next_sample) = (time / 10, Duration::ZERO);
    while begun.elapsed() < time {
        serial += 1;
        tree.change(rng.within(1..12));
        match rng.within(0..100) {
            0..12 => burst(&sandbox, &mut rng, serial),
            12..16 => drop(watcher.try_order(&["workers", &rng.within(1..4).to_string()])),
            16..20 => {
                let text = format!("batch-size = {}\n", rng.within(1..300));
                fs::write(sandbox.dir.path().join("outlast.toml"), text).unwrap();
                // Between two processes nobody is there to take it.
                reloads += u64::from(watcher.try_order(&["reload"]).code == Some(0));
            }
            20..24 => drop(watcher.try_order(&["rescan"])),
            24..26 => drop(watcher.try_order(&["checkpoint"])),
            _ => std::thread::sleep(rng.time_up_to(Duration::from_millis(40))),
        }
        // A tree that grew for good would be no steady state.
        if tree.files().len() > 1500 {
            let _ = fs::remove_dir_all(sandbox.root.join("src"));
        }
        if begun.elapsed() > next_kill {
            watcher.kill_and_start();
            (kills, next_kill) = (kills + 1, next_kill + time / 10);
        }
        if begun.elapsed() > next_sample {
            samples.extend(sample(&watcher));
            next_sample = begun.elapsed() + time / 200;
        }
        watcher.assert_alive("the churn is over");
    }
    watcher.agree();
    let quarter = samples.len() / 4;
    let (second, last) = (&samples[quarter..2 * quarter], &samples[3 * quarter..]);
    assert!(reloads > 0, "no configuration was read again");
    eprintln!(
        "{kills} kills, {reloads} reloads, {serial} rounds, {} samples; the last is {:?}",
        samples.len(),
        samples.last()
    );
    for (what, of, factor, more) in [
        ("resident bytes", (|sample| sample.rss_bytes) as fn(&Sample) -> u64, 1.3, 24 << 20),
        ("descriptors", |sample| sample.descriptors, 1.0, 8),
        ("threads", |sample| sample.threads, 1.0, 6),
        ("bytes of state", |sample| sample.state_bytes, 1.5, 8 << 20),
        ("armed folders", |sample| sample.armed_folders, 1.5, 100),
    ] {
        let (before, after) = (median(second, of), median(last, of));
        eprintln!("{what}: {before}, then {after}");
        assert!(
            after as f64 <= before as f64 * factor + f64::from(more),
            "{what} grew from {before} to {after}"
        );
    }
    watcher.stop();
}
