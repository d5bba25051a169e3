//! A run that is stopped on the way, and goes on from a checkpoint, as another process would.
//!
//! `cargo run --example stop_and_resume`

use std::error::Error;
use std::fs;
use std::thread;
use std::time::Duration;

use outlast::{BatchConfig, CheckpointData, Engine, FileContent, Processor, RunOptions, from_fn};

const FILES: u64 = 300;

/// Stands for work that takes a while. The state belongs to its name, so each process has to give the same.
fn slow() -> impl Processor {
    from_fn("letters/1", &["*.txt"], |file: &FileContent<'_>| {
        thread::sleep(Duration::from_millis(5));
        Ok(std::str::from_utf8(file.bytes)?.chars().count())
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (texts, state) = (folder.path().join("texts"), folder.path().join("state"));
    fs::create_dir(&texts)?;
    for number in 0..FILES {
        fs::write(texts.join(format!("{number:03}.txt")), "nuts and bolts")?;
    }

    let engine = Engine::new(slow());
    let config = BatchConfig { worker_count: 2, ..BatchConfig::default() };
    let (first, checkpoint) = thread::scope(|scope| {
        let run = scope.spawn(|| engine.run(&texts, &config, &RunOptions::new(&state)));
        while engine.statistics().progress.ok < 20 && !run.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        // Commits what the workers have finished so far.
        let checkpoint = engine.checkpoint(engine.statistics().progress.job_id);
        // Files in flight are finished and committed; the rest stays pending.
        engine.stop().request();
        (run.join(), checkpoint)
    });
    let (first, checkpoint) = (first.map_err(|_| "the run panicked")??, checkpoint?);
    println!("stopped: {} ok, {} pending", first.progress.ok, first.progress.pending);
    assert!(first.interrupted && first.progress.ok < FILES);

    // A checkpoint is plain data. It names the state, which knows the job's roots and configuration.
    let kept = serde_json::to_string(&checkpoint)?;
    let checkpoint: CheckpointData = serde_json::from_str(&kept)?;
    let rest = Engine::new(slow()).resume(checkpoint.job_id, &checkpoint)?;
    println!("resumed: {} ok, {} done before", rest.progress.ok, rest.progress.unchanged);
    assert_eq!(first.progress.ok + rest.progress.ok, FILES);
    assert_eq!(rest.progress.pending, 0);
    Ok(())
}
