//! Files that are processed together, where a call costs more than a file: a function, and a type with limits of its
//! own.
//!
//! `cargo run --example batch_processor`

use std::error::Error;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use outlast::{
    BatchAnswers, BatchConfig, BatchProcessor, Engine, ErrorClass, FileContent, FileError, RunOptions,
    batch_from_fn,
};

/// A table that takes many rows in one transaction.
#[derive(Default)]
struct Table {
    rows: Mutex<Vec<(String, usize)>>,
    transactions: AtomicUsize,
}

impl BatchProcessor for Table {
    fn identity(&self) -> &str {
        "table/1"
    }

    fn default_include(&self) -> Vec<&str> {
        vec!["*.txt"]
    }

    fn files_max(&self) -> usize {
        32
    }

    /// Answers for each file. An error for all, such as of a transaction that failed, makes each run alone: only a file
    /// that fails there is to blame.
    fn process_batch(&self, files: &[FileContent<'_>], answers: &mut BatchAnswers) -> Result<(), FileError> {
        // What a transaction costs, however many rows it has.
        std::thread::sleep(Duration::from_millis(2));
        self.transactions.fetch_add(1, Ordering::Relaxed);
        if files.len() > 1 && files.iter().any(|file| file.bytes.contains(&0)) {
            return Err(FileError::new(ErrorClass::Processor, "a row has a NUL: rolled back"));
        }
        let mut rows = self.rows.lock().map_err(|_| FileError::new(ErrorClass::Processor, "no table"))?;
        for file in files {
            answers.push(match file.bytes.contains(&0) {
                true => Err(FileError::new(ErrorClass::Unsupported, "a NUL can't be stored")),
                false => {
                    rows.push((file.path_text().into_owned(), file.bytes.len()));
                    Ok(file.bytes.len())
                }
            });
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let texts = folder.path().join("texts");
    fs::create_dir(&texts)?;
    for number in 0..400 {
        fs::write(
            texts.join(format!("{number:03}.txt")),
            if number == 77 { "a\0b" } else { "nuts and bolts" },
        )?;
    }
    let config = BatchConfig::default();

    let table = Arc::new(Table::default());
    let engine = Engine::new(Arc::clone(&table));
    let done = engine.run(&texts, &config, &RunOptions::new(folder.path().join("table")))?;
    let transactions = table.transactions.load(Ordering::Relaxed);
    println!("{} rows, {} failed, {transactions} transactions", done.progress.ok, done.progress.failed);
    assert_eq!((done.progress.ok, done.progress.failed), (399, 1));
    assert!(transactions < 200, "{transactions}");

    // The same for a function.
    let sizes = batch_from_fn("sizes/1", &["*.txt"], |files: &[FileContent<'_>]| {
        Ok(files.iter().map(|file| Ok(file.bytes.len())).collect())
    });
    let done = Engine::new(sizes).run(&texts, &config, &RunOptions::new(folder.path().join("sizes")))?;
    assert_eq!(done.progress.ok, 400);
    Ok(())
}
