//! A million files: memory, and how soon a killed run commits new work again.
//!
//! `cargo bench --bench million`, for one flat folder and for a folder for each file. The trees are made
//! of hard links to a few files, in the temporary folder, and removed; `OUTLAST_BENCH_FILES` sets another
//! number of files.

#[path = "support/measure.rs"]
mod measure;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use measure::run_measured;

/// Files that are links to the same content: file systems limit their number.
const LINKS: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::var("OUTLAST_BENCH_FILES").ok().and_then(|text| text.parse().ok());
    let count: usize = count.unwrap_or(1_000_000);
    let scratch = std::env::temp_dir().join(format!("outlast-million-{}", std::process::id()));
    println!("| tree | what | wall s | cpu s | peak MB | first commit s |\n|---|---|---|---|---|---|");
    let flat = |number: usize| format!("f{number:07}.ast.json");
    let folders = |number: usize| format!("{:04}/{:04}/f.ast.json", number / 1000, number % 1000);
    for (name, path) in [("one folder", &flat as &dyn Fn(usize) -> String), ("a folder for each", &folders)] {
        let tree = scratch.join("tree");
        make(&tree, count, path)?;
        measure_tree(name, &tree, &scratch.join("state"), count)?;
        fs::remove_dir_all(&scratch)?;
    }
    Ok(())
}

fn make(tree: &Path, count: usize, path: &dyn Fn(usize) -> String) -> Result<(), Box<dyn Error>> {
    let mut source = tree.to_owned();
    for number in 0..count {
        let file = tree.join(path(number));
        if let Some(folder) = file.parent() {
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

fn measure_tree(name: &str, tree: &Path, state: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    let row = |what: &str, command: Command| -> Result<serde_json::Value, Box<dyn Error>> {
        let (figures, summary) = run_measured(command)?;
        println!(
            "| {name} | {what} | {:.2} | {:.2} | {:.0} | {} |",
            figures.wall,
            figures.user + figures.sys,
            figures.peak_bytes / 1e6,
            summary["first_commit_seconds"].as_f64().map_or_else(|| "-".to_owned(), |at| format!("{at:.3}"))
        );
        Ok(summary)
    };
    let first = row("first run", outlast(tree, state))?;
    assert_eq!(first["ok"].as_u64(), Some(count as u64));
    row("nothing changed", outlast(tree, state))?;
    let mut again = outlast(tree, state);
    again.arg("--reprocess");
    kill_in_the_middle(again, state)?;
    let last = row("after kill -9 in a run of all", outlast(tree, state))?;
    assert_eq!(last["pending"].as_u64(), Some(0));
    fs::remove_dir_all(state)?;
    Ok(())
}

/// Kills the run once it has committed a tenth of its files.
fn kill_in_the_middle(mut command: Command, state: &Path) -> Result<(), Box<dyn Error>> {
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

fn outlast(tree: &Path, state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outlast"));
    command.arg("run").arg(tree).arg("--state").arg(state);
    command.args(["--format", "json", "--progress", "never"]);
    command
}
