//! A batch strategy of one's own: the files of one folder stay together.
//!
//! `cargo run --example own_strategy`

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use outlast::batch::{Load, Planner};
use outlast::{
    AstProcessor, BatchConfig, BatchProcessingEngine, BatchStrategy, DiscoveredFile, Engine, FileKey,
    Fingerprint, RootId,
};

/// A batch ends where the folder ends, and after a number of files.
struct ByFolder {
    files_max: usize,
}

impl BatchStrategy for ByFolder {
    /// `files` are what is pending, in the configured order; the answer is how many the next batch takes.
    fn next_batch(&self, files: &[DiscoveredFile], _load: &Load) -> usize {
        let Some(first) = files.first() else { return 0 };
        let folder = first.key.folder();
        files.iter().take(self.files_max).take_while(|file| file.key.folder() == folder).count()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A strategy is pure, so a plan needs neither files nor a run.
    let file = |path: &str| {
        let key = FileKey::from_relative_path(RootId(1), path.as_bytes())?;
        Some(DiscoveredFile { key, fingerprint: Fingerprint::default(), attempts: 0, recorded: None })
    };
    let files = ["a/1", "a/2", "a/3", "b/1"].into_iter().filter_map(file).collect();
    let load = Load { workers: 2, memory_percent: 0, pending_after: 0 };
    let mut planner = Planner::new(Box::new(ByFolder { files_max: 2 }));
    let batches = planner.plan(files, load, std::time::SystemTime::now());
    let sizes: Vec<usize> = batches.iter().map(|batch| batch.files.len()).collect();
    println!("planned batches of {sizes:?} files");
    assert_eq!(sizes, [2, 1, 1]);

    // The same strategy in a run over the sample.
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    let state = tempfile::tempdir()?;
    let engine = Engine::new(AstProcessor::default())
        .with_strategy(|config| Box::new(ByFolder { files_max: config.batch_size }));
    let engine = BatchProcessingEngine::from_engine(engine).with_state(state.path().join("state"));
    let done = engine.process_repository(&sample, BatchConfig::default()).await?.progress;

    let folders = folders_with_files(&sample)?;
    println!("{} files of {folders} folders in {} batches", done.ok, done.batches);
    assert!(done.failed == 0 && done.batches >= folders as u64);
    Ok(())
}

/// Folders that hold JSON files.
fn folders_with_files(root: &Path) -> std::io::Result<usize> {
    let (mut found, mut left) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                found.insert(folder.clone());
            }
        }
    }
    Ok(found.len())
}
