//! Which files come first: rules by language, size and age, in the library.
//!
//! `cargo run --example priorities`

use std::error::Error;
use std::fs;
use std::sync::{Arc, Mutex};

use outlast::{
    BatchConfig, BatchPriority, DiscoveredFile, Engine, FileContent, PriorityRule, RunOptions, StrategyKind,
    create_optimal_batches, from_fn,
};

/// The first rule that matches wins. What none matches is of the usual priority.
fn rules() -> Vec<PriorityRule> {
    let generated = PriorityRule {
        globs: vec!["**/generated/**".to_owned()],
        class: BatchPriority::Low,
        ..PriorityRule::default()
    };
    let rust = PriorityRule {
        languages: vec!["rs".to_owned()],
        smaller_than: Some(1 << 20),
        class: BatchPriority::High,
        ..PriorityRule::default()
    };
    vec![generated, rust]
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let tree = folder.path().join("tree");
    let paths = ["a.py.ast.json", "b.rs.ast.json", "generated/c.rs.ast.json", "z.rs.ast.json"];
    for path in paths {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().ok_or("it has none")?)?;
        fs::write(path, "{}")?;
    }

    // As a plan: each batch has the class of its files.
    let config = BatchConfig {
        priorities: rules(),
        strategy: StrategyKind::Language,
        worker_count: 1,
        ..BatchConfig::default()
    };
    let files: Result<Vec<_>, _> = paths.iter().map(|path| DiscoveredFile::at(tree.join(path))).collect();
    for batch in create_optimal_batches(files?, &config)? {
        let language = batch.files[0].language().unwrap_or("none").to_owned();
        println!("a batch of {} priority, {language}: {} files", batch.priority, batch.files.len());
    }

    // In a run. What a scan has just found goes to the workers at once, while nothing else is pending.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let sizes = from_fn("sizes/1", &["*.ast.json"], move |file: &FileContent<'_>| {
        note.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(file.path_text().into_owned());
        Ok(file.bytes.len())
    });
    let done = Engine::new(sizes).run(&tree, &config, &RunOptions::new(folder.path().join("state")))?;
    let seen = seen.lock().map_err(|_| "a processor panicked")?;
    for path in seen.iter() {
        println!("{path}");
    }
    assert_eq!((done.progress.ok, seen.len()), (4, 4));
    Ok(())
}
