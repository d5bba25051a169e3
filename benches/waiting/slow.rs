//! A tree in memory behind calls that each take 2 ms, as over a network.
//!
//! Calls are: list a folder, look a name up, open, read, close. The metadata of an open file comes with the opening.
//! The bare loop lists the folders, then opens, reads and closes each file; Outlast looks each name up as well.

use std::error::Error;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::measure::Figures;
use outlast::source::{Content, Folder, FolderVisitor, Listed, ListedKind, Names, ReadError, ScanReport};
use outlast::{
    AstProcessor, BatchConfig, Engine, FileContent, FileKey, Fingerprint, FolderKey, Processor, ResultWriter,
    Root, RunOptions, Source,
};

pub(crate) const DELAY: Duration = Duration::from_millis(2);
const FILES_IN_FOLDER: usize = 8;
/// Threads that list: what [`outlast::source::TreeSource`] comes to where listing waits.
const LISTING: usize = 32;

struct SlowTree {
    files: usize,
    content: Vec<u8>,
}

impl SlowTree {
    fn new(files: usize) -> Self {
        let node = r#"{"_type": "Call", "lineno": 7, "func": {"_type": "Name", "id": "f", "ctx": null}}, "#;
        let content = format!("{{\"_type\": \"Module\", \"body\": [{}null]}}", node.repeat(50));
        Self { files, content: content.into_bytes() }
    }

    fn folders(&self) -> usize {
        self.files.div_ceil(FILES_IN_FOLDER)
    }

    fn list(&self, folder: usize) -> impl Iterator<Item = usize> + use<> {
        thread::sleep(DELAY);
        let first = folder * FILES_IN_FOLDER;
        first..(first + FILES_IN_FOLDER).min(self.files)
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { size: self.content.len() as u64, ..Fingerprint::default() }
    }

    /// Opens, reads and closes a file.
    fn read_into(&self, buffer: &mut Vec<u8>) {
        thread::sleep(DELAY);
        thread::sleep(DELAY);
        buffer.clear();
        buffer.extend_from_slice(&self.content);
        thread::sleep(DELAY);
    }
}

fn folder_name(folder: usize) -> String {
    format!("d{folder:06}")
}

fn file_name(file: usize) -> String {
    format!("f{file:07}.ast.json")
}

impl Source for SlowTree {
    fn scan(
        &self,
        root: &Root,
        _: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> io::Result<ScanReport> {
        let top = FolderKey::root(root.id);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut visitor = visitors();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.folders() {
                    break;
                }
                let looked_up = |file| {
                    thread::sleep(DELAY);
                    Listed {
                        name: file_name(file).into_bytes().into(),
                        kind: ListedKind::File(self.fingerprint()),
                    }
                };
                let mut files = self.list(number).map(looked_up);
                let key = top.child(folder_name(number).as_bytes());
                let folder = Folder { key, files: &mut files, folders: &Names::default() };
                if let ControlFlow::Break(()) = visitor.folder(folder) {
                    break;
                }
            }
        };
        thread::scope(|scope| (0..LISTING).for_each(|_| drop(scope.spawn(work))));
        Ok(ScanReport::default())
    }

    fn read(&self, _: &Root, _: &FileKey, _: u64, buffer: &mut Vec<u8>) -> Result<Content, ReadError> {
        self.read_into(buffer);
        Ok(Content { fingerprint: self.fingerprint(), size: buffer.len() as u64, racy: false })
    }

    fn root_mark(&self, _: &Root) -> io::Result<u128> {
        Ok(1)
    }

    fn exists(&self, _: &Root, _: &FileKey) -> bool {
        true
    }

    fn accepts(&self, _: &[u8]) -> bool {
        true
    }

    fn filters(&self) -> String {
        String::new()
    }
}

/// Figures of a loop with so many threads.
pub(crate) fn bare(files: usize, threads: usize) -> Result<Figures, Box<dyn Error>> {
    let tree = SlowTree::new(files);
    let begun = Instant::now();
    let (folder, file) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while folder.fetch_add(1, Ordering::Relaxed) < tree.folders() {
                    drop(tree.list(0));
                }
                let (processor, mut content, mut result) =
                    (AstProcessor::default(), Vec::new(), ResultWriter::default());
                loop {
                    let number = file.fetch_add(1, Ordering::Relaxed);
                    if number >= files {
                        break;
                    }
                    tree.read_into(&mut content);
                    std::hint::black_box(blake3::hash(&content));
                    let path = file_name(number);
                    let content = FileContent { path: path.as_bytes(), bytes: &content };
                    if processor.process(&content, &mut result).is_ok() {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    if done.into_inner() != files {
        return Err("the bare loop failed".into());
    }
    Ok(wall(begun))
}

/// Figures of a run that finds the number of its threads itself.
pub(crate) fn outlast(files: usize, state: &Path) -> Result<Figures, Box<dyn Error>> {
    let root = state.with_extension("root");
    std::fs::create_dir_all(&root)?;
    let engine = Engine::new(AstProcessor::default()).with_source(SlowTree::new(files));
    let config = BatchConfig { workers_max: BatchConfig::WORKERS_MAX, ..BatchConfig::default() };
    let begun = Instant::now();
    let result = engine.run(&[root], &config, &RunOptions::new(state))?;
    let figures = wall(begun);
    std::fs::remove_dir_all(state)?;
    if result.progress.ok != files as u64 {
        return Err(format!("{} of {files} files are done", result.progress.ok).into());
    }
    Ok(figures)
}

/// The time since then. Both sides run in this process, whose CPU time says nothing of one of them.
fn wall(begun: Instant) -> Figures {
    Figures {
        wall: begun.elapsed().as_secs_f64(),
        user: f64::NAN,
        sys: f64::NAN,
        children: f64::NAN,
        peak_bytes: f64::NAN,
    }
}
