//! A million files: memory, a run of nothing that changed beside a bare walk with metadata, and how soon a
//! killed run commits new work again.
//!
//! `cargo bench --bench million`, for folders of 1,000 files, for one flat folder, and for a folder for each
//! file. The trees are made of hard links to a few files, in the temporary folder, and removed;
//! `OUTLAST_BENCH_FILES` sets another number of files, `OUTLAST_BENCH_RUNS` how often what is not changed is
//! looked at.

#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::measure::{Figures, run_measured};
use support::ratio::ratio_line;
use support::{Done, cores, number, outlast, own};

/// Files that are links to the same content: file systems limit their number.
const LINKS: usize = 10_000;

fn main() -> Done {
    if support::child()? {
        return Ok(());
    }
    let (count, runs) = (number("OUTLAST_BENCH_FILES", 1_000_000), number("OUTLAST_BENCH_RUNS", 5));
    println!("{count} files\n");
    println!("| tree | what | wall s | cpu s | peak MB | first commit s |\n|---|---|---|---|---|---|");
    let thousands = |number: usize| format!("{:04}/f{number:07}.ast.json", number / 1000);
    let flat = |number: usize| format!("f{number:07}.ast.json");
    let folders = |number: usize| format!("{:04}/{:04}/f.ast.json", number / 1000, number % 1000);
    let trees: [(&str, &dyn Fn(usize) -> String); 3] =
        [("folders of 1,000", &thousands), ("one folder", &flat), ("a folder for each", &folders)];
    let mut ratios = Vec::new();
    for (name, path) in trees {
        let scratch = support::scratch()?;
        let tree = scratch.path().join("tree");
        make(&tree, count, path)?;
        ratios.push((name, measure_tree(name, &tree, &scratch.path().join("state"), count, runs)?));
    }
    println!(
        "\n| speed, nothing changed of a bare walk with metadata (wanted: 0.85) | median (least to most) |"
    );
    println!("|---|---|");
    ratios.iter().for_each(|(name, ratio)| println!("| {name} | {ratio} |"));
    Ok(())
}

fn make(tree: &Path, count: usize, path: &dyn Fn(usize) -> String) -> Done {
    let mut source = tree.to_owned();
    for number in 0..count {
        let file = tree.join(path(number));
        if let Some(folder) = file.parent().filter(|folder| !folder.exists()) {
            fs::create_dir_all(folder)?;
        }
        if number % LINKS == 0 {
            fs::write(&file, format!("{{\"type\": \"Program\", \"body\": [{number}]}}"))?;
            source = file;
        } else {
            fs::hard_link(&source, &file)?;
        }
    }
    Ok(())
}

fn measure_tree(name: &str, tree: &Path, state: &Path, count: usize, runs: usize) -> Done<String> {
    let row = |what: &str, figures: &[Figures], summary: &serde_json::Value| {
        let commit = summary["first_commit_seconds"].as_f64();
        let commit = commit.map_or_else(|| "-".to_owned(), |at| format!("{at:.3}"));
        println!("| {name} | {what} | {} | {commit} |", Figures::cells(figures));
    };
    let (first, summary) = run_measured(outlast(tree, state))?;
    assert_eq!(summary["ok"].as_u64(), Some(count as u64));
    row("first run", &[first], &summary);
    // The threads that Outlast scans on.
    let threads = cores().clamp(1, 4).to_string();
    let (mut walks, mut seconds) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        walks.push(run_measured(own("walk", &[&tree, &threads])?)?.0);
        seconds.push(run_measured(outlast(tree, state))?.0);
    }
    row("bare walk with metadata", &walks, &serde_json::Value::Null);
    row("nothing changed", &seconds, &serde_json::Value::Null);
    let mut again = outlast(tree, state);
    again.arg("--reprocess");
    kill_in_the_middle(again, state)?;
    let (last, summary) = run_measured(outlast(tree, state))?;
    assert_eq!(summary["pending"].as_u64(), Some(0));
    row("after kill -9 in a run of all", &[last], &summary);
    Ok(ratio_line(&walks, &seconds, |one| one.wall))
}

/// Kills the run once it has committed a tenth of its files.
fn kill_in_the_middle(mut command: Command, state: &Path) -> Done {
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let begun = Instant::now();
    // A run of few files may end before it is looked at.
    while begun.elapsed() < Duration::from_secs(120) && child.try_wait()?.is_none() {
        std::thread::sleep(Duration::from_millis(50));
        let asked = Command::new(env!("CARGO_BIN_EXE_outlast"))
            .args(["status", "--format", "json", "--state"])
            .arg(state)
            .output()?;
        let status: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap_or_default();
        let running = &status["running"];
        if running["ok"].as_u64() > running["discovered"].as_u64().map(|all| all / 10) {
            break;
        }
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}
