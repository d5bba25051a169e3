//! What a processor in another language costs: the same trivial work in this process, by a child with one file in
//! flight and with 16, and by a command for each file beside GNU parallel, if that is installed.
//!
//! `cargo bench --bench exec`; `OUTLAST_BENCH_FILES` sets the number of files for children, of which commands get a
//! twentieth; `OUTLAST_BENCH_RUNS` is how often.

#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use support::measure::{Figures, median, middle, run_measured};
use support::ratio::{ratio_line, spread};
use support::tree::{Sizes, make};
use support::{Done, number, own};

/// A child that does as little as one can: it answers.
const CHILD: &str = r#"
import json, os, socket, sys
engine = socket.socket(fileno=int(os.environ["OUTLAST_EXEC_FD"]))
say = lambda message: engine.sendall(json.dumps(message).encode() + b"\n")
for line in engine.makefile("rb"):
    message = json.loads(line)
    if message["type"] == "hello":
        say({"type": "ready", "version": 1, "identity": "null/1", "include": ["*"], "window": int(sys.argv[1])})
    elif message["type"] == "file":
        say({"type": "result", "id": message["id"], "result": None})
    else:
        break
"#;

fn main() -> Done {
    if support::child()? {
        return Ok(());
    }
    let files = number("OUTLAST_BENCH_FILES", 20_000);
    let runs = number("OUTLAST_BENCH_RUNS", 7);
    let scratch = support::scratch()?;
    let (tree, few, state) =
        (scratch.path().join("tree"), scratch.path().join("few"), scratch.path().join("state"));
    make(&tree, files, Sizes::Tiny)?;
    make(&few, files / 20, Sizes::Tiny)?;
    let script = scratch.path().join("child.py");
    fs::write(&script, CHILD)?;
    children(&tree, &state, &script, files, runs)?;
    commands(&few, &state, files / 20, runs)
}

/// Compares the processor in this process with children.
fn children(tree: &Path, state: &Path, script: &Path, files: usize, runs: usize) -> Done {
    let mut measured: [Vec<Figures>; 3] = Default::default();
    for round in 0..=runs {
        for (window, figures) in [0, 1, 16].into_iter().zip(&mut measured) {
            let command = match window {
                0 => own("lines", &[&tree, &state])?,
                window => run(tree, state, &format!("python3 {} {window}", script.display())),
            };
            let (one, summary) = run_measured(command)?;
            fs::remove_dir_all(state)?;
            assert_eq!(summary["ok"].as_u64(), Some(files as u64));
            // The first round warms caches up, and does not count.
            if round > 0 {
                figures.push(one);
            }
        }
    }
    let [inside, one, many] = &measured;
    println!("{files} tiny files, medians of {runs} runs each, in turn\n");
    println!("| processor | seconds | CPU of the engine, seconds | CPU of the children |\n|---|---|---|---|");
    for (name, figures) in [("in this process", inside), ("child, window 1", one), ("child, window 16", many)]
    {
        let of = |get: fn(&Figures) -> f64| median(figures, get);
        let (wall, cpu, children) = (of(|one| one.wall), of(Figures::cpu), of(|one| one.children));
        println!("| {name} | {wall:.3} | {cpu:.3} | {children:.3} |");
    }
    let beyond = |figures: &[Figures]| {
        let each = figures.iter().zip(inside);
        spread(each.map(|(child, inside)| (child.cpu() - inside.cpu()) / files as f64 * 1e6).collect())
    };
    println!(
        "\nCPU of the engine beyond that, a file, in us: window 1 {}; window 16 {}",
        beyond(one),
        beyond(many)
    );
    println!("time of window 1 over window 16: {}", ratio_line(one, many, |one| one.wall));
    Ok(())
}

/// Compares a command for each file with GNU parallel.
fn commands(tree: &Path, state: &Path, files: usize, runs: usize) -> Done {
    if Command::new("parallel").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("\nGNU parallel is not installed: commands are not compared");
        return Ok(());
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let (one, summary) = run_measured(run(tree, state, "wc -l {}"))?;
        fs::remove_dir_all(state)?;
        assert_eq!(summary["ok"].as_u64(), Some(files as u64));
        ours.push(one.wall);
        let begun = Instant::now();
        let list = format!("find {} -type f | parallel wc -l {{}} > /dev/null", tree.display());
        if !Command::new("sh").args(["-c", &list]).status()?.success() {
            return Err("GNU parallel failed".into());
        }
        theirs.push(begun.elapsed().as_secs_f64());
    }
    let ratio = theirs.iter().zip(&ours).map(|(theirs, ours)| theirs / ours);
    println!(
        "\n`wc -l {{}}` for {files} files: {:.3} s, GNU parallel {:.3} s",
        middle(ours.clone()),
        middle(theirs.clone())
    );
    println!("its time over that of outlast: {}", spread(ratio.collect()));
    Ok(())
}

fn run(tree: &Path, state: &Path, exec: &str) -> Command {
    let mut command = support::outlast(tree, state);
    command.args(["--include", "*", "--exec", exec]);
    command
}
