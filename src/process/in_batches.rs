//! Processors of several files at once.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::window::{Caller, Cancelled, FileAnswer, GivenFile, Window, WindowEnd, Windowed};
use super::{FileContent, Processor, ResultWriter};
use crate::model::{BatchConfig, ErrorClass, FileError};

/// Work that is cheaper for many files at once: a model, a bulk insert, one request for many files. Called from many
/// threads at once, each file at least once.
///
/// A call gets what there is, up to [`BatchProcessor::files_max`] and [`BatchProcessor::bytes_max`]: it never waits for
/// more. Each file has its own answer, attempts and record. If a call fails as a whole (an error, a panic, a time-out,
/// too few answers, the death of the process), its files are processed again, one in a call: the one at fault is
/// found, and the others are not blamed. So is a file that has failed before.
///
/// Use [`batch_from_fn`] for a plain function. See `examples/batch_processor.rs` for a type.
pub trait BatchProcessor: Send + Sync {
    /// Returns name and version, as [`Processor::identity`].
    fn identity(&self) -> &str;

    /// Returns globs of the files that it processes if the user gives none. `*` matches any name.
    fn default_include(&self) -> Vec<&str> {
        vec!["*"]
    }

    /// Returns the most files of one call, once for all; at least one is given. Each is admitted to memory with a MiB beside its
    /// content, so that 64 for each of some workers fit the default limit; a call's own cost hardly shows beyond.
    fn files_max(&self) -> usize {
        64
    }

    /// Returns the most bytes of one call, once for all; a larger file is given alone.
    fn bytes_max(&self) -> u64 {
        8 << 20
    }

    /// Processes these files, and answers for each, in their order.
    ///
    /// # Errors
    /// Whatever makes all of them fail. What was answered before is dropped.
    fn process_batch(&self, files: &[FileContent<'_>], answers: &mut BatchAnswers) -> Result<(), FileError>;
}

/// A batch processor that is shared.
impl<B: BatchProcessor + ?Sized> BatchProcessor for Arc<B> {
    fn identity(&self) -> &str {
        (**self).identity()
    }

    fn default_include(&self) -> Vec<&str> {
        (**self).default_include()
    }

    fn files_max(&self) -> usize {
        (**self).files_max()
    }

    fn bytes_max(&self) -> u64 {
        (**self).bytes_max()
    }

    fn process_batch(&self, files: &[FileContent<'_>], answers: &mut BatchAnswers) -> Result<(), FileError> {
        (**self).process_batch(files, answers)
    }
}

/// Answers of a batch processor, one for each file.
#[derive(Debug, Default)]
pub struct BatchAnswers(Vec<FileAnswer>);

impl BatchAnswers {
    /// Answers for the next file: with anything that serde can write, or with why it failed.
    pub fn push<T: Serialize>(&mut self, answer: Result<T, FileError>) {
        self.0.push(answer.and_then(|value| ResultWriter::json_of(&value)));
    }

    /// Returns an answer for each of so many files.
    fn of(self, files: usize) -> Result<Vec<FileAnswer>, FileError> {
        let answers = self.0.len();
        if answers == files {
            return Ok(self.0);
        }
        let message = format!("the processor gave {answers} answers for {files} files");
        Err(FileError::new(ErrorClass::Processor, message))
    }
}

/// A batch processor made of a function: see [`batch_from_fn`].
struct BatchFn<F> {
    identity: String,
    include: Vec<&'static str>,
    function: F,
}

/// Makes a batch processor of a plain function that returns a result or an error for each file, in their order. The
/// limits of a call are the defaults of [`BatchProcessor`].
///
/// ```
/// use outlast::{BatchConfig, Engine, FileContent, RunOptions, batch_from_fn};
///
/// # let folder = tempfile::tempdir()?;
/// # let texts = folder.path().join("texts");
/// # std::fs::create_dir(&texts)?;
/// # std::fs::write(texts.join("a.txt"), "one\ntwo\n")?;
/// let sizes = batch_from_fn("sizes/1", &["*.txt"], |files: &[FileContent<'_>]| {
///     Ok(files.iter().map(|file| Ok(file.bytes.len())).collect())
/// });
/// let state = folder.path().join("state");
/// let done = Engine::new(sizes).run(&texts, &BatchConfig::default(), &RunOptions::new(state))?;
/// assert_eq!(done.progress.ok, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn batch_from_fn<F, T>(
    identity: &str,
    include: &[&'static str],
    function: F,
) -> impl BatchProcessor + use<F, T>
where
    F: Fn(&[FileContent<'_>]) -> Result<Vec<Result<T, FileError>>, FileError> + Send + Sync,
    T: Serialize,
{
    BatchFn { identity: identity.to_owned(), include: include.to_vec(), function }
}

impl<F, T> BatchProcessor for BatchFn<F>
where
    F: Fn(&[FileContent<'_>]) -> Result<Vec<Result<T, FileError>>, FileError> + Send + Sync,
    T: Serialize,
{
    fn identity(&self) -> &str {
        &self.identity
    }

    fn default_include(&self) -> Vec<&str> {
        self.include.clone()
    }

    fn process_batch(&self, files: &[FileContent<'_>], answers: &mut BatchAnswers) -> Result<(), FileError> {
        (self.function)(files)?.into_iter().for_each(|answer| answers.push(answer));
        Ok(())
    }
}

/// A batch processor as a processor.
pub(super) struct Batched<B> {
    processor: Arc<B>,
    files_max: usize,
    bytes_max: u64,
}

impl<B: BatchProcessor> Batched<B> {
    pub(super) fn new(processor: B) -> Self {
        let (files_max, bytes_max) = (processor.files_max(), processor.bytes_max());
        Self { processor: Arc::new(processor), files_max, bytes_max }
    }
}

impl<B: BatchProcessor + 'static> Processor for Batched<B> {
    fn identity(&self) -> &str {
        self.processor.identity()
    }

    fn default_include(&self) -> Vec<&str> {
        self.processor.default_include()
    }

    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        let mut answers = BatchAnswers::default();
        self.processor.process_batch(std::slice::from_ref(file), &mut answers)?;
        *result.buffer() = answers.of(1)?.remove(0)?;
        Ok(())
    }

    fn windowed(&self) -> Option<&dyn Windowed> {
        Some(self)
    }
}

impl<B: BatchProcessor + 'static> Windowed for Batched<B> {
    fn open(&self, _worker: usize, _config: &BatchConfig) -> Box<dyn Window> {
        let Self { processor, files_max, bytes_max } = self;
        let processor = Arc::clone(processor);
        let (files_max, bytes_max) = (*files_max, *bytes_max);
        Box::new(BatchWindow { processor, files_max, bytes_max, files: Vec::new(), bytes: 0 })
    }
}

/// The files of the next call.
struct BatchWindow<B> {
    processor: Arc<B>,
    files_max: usize,
    bytes_max: u64,
    files: Vec<(u64, GivenFile)>,
    bytes: u64,
}

impl<B: BatchProcessor> Window for BatchWindow<B> {
    fn dies_together(&self) -> bool {
        true
    }

    fn has_room(&self, size: u64) -> bool {
        self.files.is_empty()
            || (self.files.len() < self.files_max && self.bytes.saturating_add(size) <= self.bytes_max)
    }

    fn give(&mut self, id: u64, file: GivenFile) {
        self.bytes += file.bytes.len() as u64;
        self.files.push((id, file));
    }

    fn answers(
        &mut self,
        _wait: Duration,
        caller: &mut dyn Caller,
        answers: &mut Vec<(u64, FileAnswer)>,
    ) -> Result<(), WindowEnd> {
        self.bytes = 0;
        let files = std::mem::take(&mut self.files);
        let contents: Vec<FileContent<'_>> =
            files.iter().map(|(_, file)| FileContent { path: &file.path, bytes: &file.bytes }).collect();
        let mut given = BatchAnswers::default();
        let mut ended = Ok(());
        caller.call(None, &mut || ended = self.processor.process_batch(&contents, &mut given))?;
        let given = ended.and_then(|()| given.of(files.len()))?;
        answers.extend(files.iter().map(|(id, _)| *id).zip(given));
        Ok(())
    }

    fn cancel(&mut self, _id: u64, _caller: &mut dyn Caller) -> Cancelled {
        Cancelled::Died(FileError::new(ErrorClass::Timeout, "a call took too long").into())
    }
}
