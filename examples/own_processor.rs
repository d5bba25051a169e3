//! Two processors of one's own: a plain function, and a type with a setting.
//!
//! `cargo run --example own_processor`

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use outlast::engine::{RecordFilter, StoreView};
use outlast::{
    BatchConfig, Engine, FileContent, FileError, Processor, RepositoryProcessingResult, ResultWriter,
    RunOptions, from_fn,
};

/// Counts the words of a text that have at least a number of letters.
struct Words {
    letters_min: usize,
}

impl Processor for Words {
    /// A new version makes every file due again: raise it when the output changes.
    fn identity(&self) -> &str {
        "words/1"
    }

    fn default_include(&self) -> Vec<&str> {
        vec!["*.txt"]
    }

    /// Called from many threads at once. An error, or a panic, fails this file only.
    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        let text = std::str::from_utf8(file.bytes)?;
        let mut words = BTreeMap::<&str, u32>::new();
        let long = |word: &&str| word.chars().count() >= self.letters_min;
        for word in text.split(|letter: char| !letter.is_alphabetic()).filter(long) {
            *words.entry(word).or_default() += 1;
        }
        result.set(&words)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let texts = folder.path().join("texts");
    fs::create_dir(&texts)?;
    fs::write(texts.join("song.txt"), "row row row your boat\ngently down the stream\n")?;
    fs::write(texts.join("list.txt"), "a boat\n")?;
    fs::write(texts.join("photo.txt"), b"\xff\xd8\xff\xe0 no text")?;
    fs::write(texts.join("notes.md"), "not asked for\n")?;

    let lines = from_fn("lines/1", &["*.txt"], |file: &FileContent<'_>| {
        Ok(file.bytes.iter().filter(|&&byte| byte == b'\n').count())
    });
    // A state belongs to one processor; with another one, every file would be due again.
    let counted = ingest(lines, &texts, &folder.path().join("lines"))?;
    assert_eq!((counted.progress.ok, counted.progress.failed), (3, 0));

    let state = folder.path().join("words");
    let first = ingest(Words { letters_min: 4 }, &texts, &state)?;
    assert_eq!((first.progress.ok, first.progress.failed), (2, 1));

    // Only what has changed is processed again; the failure stays, since the file is the same.
    fs::write(texts.join("list.txt"), "a boat, some oars\n")?;
    let second = ingest(Words { letters_min: 4 }, &texts, &state)?;
    assert_eq!((second.progress.ok, second.progress.unchanged, second.progress.failed_earlier), (1, 2, 1));
    Ok(())
}

/// Runs a processor over a folder and prints the latest record of each file.
fn ingest(
    processor: impl Processor + 'static,
    folder: &Path,
    state: &Path,
) -> Result<RepositoryProcessingResult, Box<dyn Error>> {
    let engine = Engine::new(processor);
    let done = engine.run(folder, &BatchConfig::default(), &RunOptions::new(state))?;
    println!("{}: {} ok, {} failed", engine.identity(), done.progress.ok, done.progress.failed);
    StoreView::open(state)?.write_current(&RecordFilter::default(), &mut std::io::stdout())?;
    Ok(done)
}
