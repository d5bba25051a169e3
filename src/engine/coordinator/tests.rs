use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engine::command::Command;
use crate::engine::run::engine::{Engine, RunOptions};
use crate::engine::stats::ProcessingState;
use crate::model::BatchConfig;
use crate::process::{FileContent, from_fn};

const LONG: Duration = Duration::from_secs(60);

fn write_files(root: &Path, files: usize) {
    std::fs::create_dir(root).unwrap();
    (0..files).for_each(|n| std::fs::write(root.join(format!("f{n:04}")), "x").unwrap());
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_pause_lets_no_worker_begin_another_file_not_even_of_its_batch() {
    let tree = tempfile::tempdir().unwrap();
    let root = tree.path().join("root");
    write_files(&root, 400);
    let begun = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&begun);
    let slow = from_fn("slow/1", &["*"], move |_: &FileContent<'_>| {
        count.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(5));
        Ok(())
    });
    let engine = Arc::new(Engine::new(Arc::new(slow)));
    let config = BatchConfig {
        worker_count: 1,
        batch_size: 400,
        strategy: crate::model::StrategyKind::Count,
        ..BatchConfig::default()
    };
    let (running, options) = (Arc::clone(&engine), RunOptions::new(tree.path().join("state")));
    let run = std::thread::spawn(move || running.run(&[root], &config, &options).unwrap());
    wait("no file is begun", || begun.load(Ordering::Relaxed) > 3);
    engine.order(Command::Pause).unwrap();
    wait("it is not paused", || engine.statistics().state == ProcessingState::Paused);
    // The current one is finished.
    std::thread::sleep(Duration::from_millis(100));
    let paused_at = begun.load(Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(begun.load(Ordering::Relaxed), paused_at);
    assert!(paused_at < 350, "{paused_at} were begun before");
    engine.order(Command::Resume).unwrap();
    let done = run.join().unwrap();
    assert_eq!((done.progress.ok, begun.load(Ordering::Relaxed)), (400, 400), "each once");
}

#[test]
fn workers_that_a_drain_abandoned_do_not_end_the_next_attempt() {
    let tree = tempfile::tempdir().unwrap();
    let root = tree.path().join("root");
    write_files(&root, 320);
    let begun = Instant::now();
    let slow = from_fn("slow/1", &["*"], move |_: &FileContent<'_>| {
        if begun.elapsed() < Duration::from_secs(4) {
            std::thread::sleep(Duration::from_secs(8));
        }
        Ok(())
    });
    let engine = Arc::new(Engine::new(Arc::new(slow)));
    let config = BatchConfig { worker_count: 300, drain_seconds: 1, ..BatchConfig::default() };
    let (running, options) = (Arc::clone(&engine), RunOptions::new(tree.path().join("state")));
    let run = std::thread::spawn(move || running.run(&[root], &config, &options).unwrap());
    wait("not all are busy", || engine.statistics().workers.iter().filter(|it| it.in_hand > 0).count() > 260);
    engine.order(Command::Workers { count: 299 }).unwrap();
    let done = run.join().unwrap();
    assert_eq!((done.progress.ok, done.progress.failed, done.stopped), (320, 0, None));
}
