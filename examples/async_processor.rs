//! An async processor, and a run that an async program starts, watches and awaits.
//!
//! `cargo run --example async_processor`

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use outlast::{BatchConfig, BatchProcessingEngine, async_from_fn};
use serde::Serialize;

/// What a service told about a file.
#[derive(Serialize)]
struct Told {
    letters: usize,
    language: &'static str,
}

/// Stands for a call to a service that takes a while.
async fn ask_service(text: &str) -> Told {
    tokio::time::sleep(Duration::from_millis(20)).await;
    let language = if text.contains(" und ") { "de" } else { "en" };
    Told { letters: text.chars().filter(|letter| letter.is_alphabetic()).count(), language }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let texts = folder.path().join("texts");
    fs::create_dir(&texts)?;
    for number in 0..100 {
        let text = if number % 4 == 0 { "Schrauben und Muttern" } else { "nuts and bolts" };
        fs::write(texts.join(format!("{number:03}.txt")), text)?;
    }

    // As many calls at once as `concurrency` says, polled by the worker threads.
    let ask = async_from_fn("told/1", &["*.txt"], |_path, bytes| async move {
        Ok(ask_service(&String::from_utf8(bytes)?).await)
    });
    let state = folder.path().join("state");
    let engine = Arc::new(BatchProcessingEngine::new(ask).with_state(&state));
    let config = BatchConfig { worker_count: 2, concurrency: 16, ..BatchConfig::default() };

    let watcher = tokio::spawn({
        let engine = Arc::clone(&engine);
        async move {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let progress = engine.processing_statistics().progress;
                println!("{} committed, {} pending", progress.ok, progress.pending);
            }
        }
    });
    let done = engine.process_repository(&texts, config).await?;
    watcher.abort();

    println!("{} files in {:.2} s", done.progress.ok, done.progress.elapsed_seconds);
    assert_eq!((done.progress.ok, done.progress.pending), (100, 0));
    Ok(())
}
