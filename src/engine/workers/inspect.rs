//! One file as a run would process it, without a state.

use std::fs::{self, FileType};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::record::too_slow;
use super::worker::{file_error, panicked, process_content};
use crate::engine::error::{EngineError, InspectError};
use crate::engine::resources::machine::Machine;
use crate::engine::resources::memory_budget::{Budget, effective_limit};
use crate::model::{BatchConfig, FileError, FileKey, RootTable};
use crate::process::window::{Caller, Cancelled, FileAnswer, GivenFile, WindowEnd, Windowed};
use crate::process::{FileContent, Processor, ResultWriter};
use crate::source::{Filters, ReadError, Source, TreeSource};

/// The result of processing one file.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The file as it was named.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its content; empty if it could not be read, or the processor reads it itself.
    pub content: Vec<u8>,
    /// The processor's result as JSON on one line, or why the file failed.
    pub outcome: Result<Vec<u8>, FileError>,
}

/// Reads a file as a run does and passes it to the processor. Filters don't matter, nor whether the name is a link:
/// the user named it. Nothing but a regular file is opened.
///
/// ```
/// use outlast::{AstProcessor, BatchConfig};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("any name");
/// std::fs::write(&path, "[1,2")?;
/// let seen = outlast::engine::inspect(&path, &AstProcessor::new(), &BatchConfig::default())?;
/// assert_eq!(seen.outcome.unwrap_err().column, Some(5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the path leads to no regular file. That the file can't be read or processed is part of the result.
pub fn inspect(
    path: impl AsRef<Path>,
    processor: &dyn Processor,
    config: &BatchConfig,
) -> Result<Inspection, EngineError> {
    let path = path.as_ref();
    config.check()?;
    let unfit = |reason| EngineError::Inspect { path: path.to_owned(), reason };
    let unreachable = |error| unfit(InspectError::Unreachable(error));
    let found = fs::metadata(path).map_err(unreachable)?;
    check_kind(found.file_type()).map_err(unfit)?;
    let real = path.canonicalize().map_err(unreachable)?;
    let roots = RootTable::new(Vec::new());
    let key = FileKey::from_absolute_path(&real).ok_or_else(|| unfit(InspectError::NoFile))?;
    let root = roots.get(key.root()).ok_or_else(|| unfit(InspectError::NoFile))?;
    let mut content = Vec::new();
    let source = TreeSource::new(Filters::default(), Vec::new());
    let bounds = Machine::new().bounds();
    let size_max = Budget::new(bounds.for_files(effective_limit(config, bounds.memory))).size_max();
    let windowed = processor.windowed();
    let read = if windowed.is_some_and(|windowed| !windowed.wants_content()) {
        source.digest(root, &key)
    } else {
        let read = source.read(root, &key, size_max, &mut content);
        read.map(|read| (read, blake3::hash(&content).into()))
    };
    let outcome = match read {
        Ok((read, hash)) => match windowed {
            Some(windowed) => {
                let digest = blake3::Hash::from_bytes(hash).to_hex().to_string();
                let bytes = content.clone();
                let (root, path) = (root.name.to_string(), key.relative_path());
                alone(
                    windowed,
                    GivenFile { path, bytes, root, absolute: real, size: read.size, digest },
                    config,
                )
            }
            None => process(path, &content, processor),
        },
        Err(error @ (ReadError::Gone | ReadError::NotAFile(_))) => {
            return Err(unfit(InspectError::Replaced(error)));
        }
        Err(error) => Err(file_error(&error)),
    };
    Ok(Inspection { path: path.to_owned(), size: found.len(), content, outcome })
}

fn process(path: &Path, bytes: &[u8], processor: &dyn Processor) -> Result<Vec<u8>, FileError> {
    let named = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let named = named.strip_prefix("/").unwrap_or(&named).as_os_str().as_bytes();
    let mut result = ResultWriter::default();
    process_content(processor, &FileContent { path: named, bytes }, &mut result)?;
    Ok(result.as_bytes().to_vec())
}

/// Asks a processor that has several files in flight about one alone.
fn alone(windowed: &dyn Windowed, file: GivenFile, config: &BatchConfig) -> FileAnswer {
    let limit = Duration::from_secs(config.timeout_seconds);
    let mut window = windowed.open(0, config);
    window.give(0, file);
    let mut caller = OneCaller { since: Instant::now() };
    let mut answers = Vec::new();
    loop {
        let wait = (caller.since + limit).saturating_duration_since(Instant::now());
        let ended = match window.answers(wait, &mut caller, &mut answers) {
            Ok(()) if caller.since.elapsed() < limit => None,
            Ok(()) => match window.cancel(0, &mut caller) {
                Cancelled::Ended => Some(WindowEnd::Died(too_slow(config))),
                Cancelled::Restarted => None,
                Cancelled::Died(end) => Some(end),
            },
            Err(end) => Some(end),
        };
        if let Some((_, answer)) = answers.pop() {
            return answer;
        }
        match ended {
            None => {}
            Some(WindowEnd::Died(error)) => return Err(error),
            Some(WindowEnd::Unavailable(why)) => return Err(FileError::processor(why).may_pass()),
            Some(WindowEnd::Stopping) => return Err(FileError::processor("stopped").may_pass()),
        }
    }
}

/// The caller of one file's window.
struct OneCaller {
    since: Instant,
}

impl Caller for OneCaller {
    fn call(&mut self, _on_behalf_of: Option<u64>, work: &mut dyn FnMut()) -> Result<(), FileError> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panicked(panic.as_ref()))
    }

    fn wait(&mut self, wait: &mut dyn FnMut()) {
        wait();
    }

    fn is_stopping(&self) -> bool {
        false
    }

    fn restart(&mut self, _id: u64) {
        self.since = Instant::now();
    }
}

/// Checks that it is a file.
fn check_kind(kind: FileType) -> Result<(), InspectError> {
    Err(match kind {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => InspectError::Folder,
        kind if kind.is_fifo() => InspectError::Special("a pipe"),
        kind if kind.is_socket() => InspectError::Special("a socket"),
        _ => InspectError::Special("a device"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorClass;
    use crate::process::from_fn;

    #[test]
    fn a_panic_and_a_file_over_the_limit_are_the_files_failures() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "x").unwrap();
        let panics = from_fn("p/1", &["*"], |file: &FileContent<'_>| {
            assert!(file.path.ends_with(b"/y"), "not that name");
            Ok(())
        });
        let seen = inspect(&path, &panics, &BatchConfig::default()).unwrap();
        assert_eq!(seen.outcome.unwrap_err().class, ErrorClass::Panic);
        let named = folder.path().join("y");
        std::os::unix::fs::symlink(&path, &named).unwrap();
        assert_eq!(inspect(&named, &panics, &BatchConfig::default()).unwrap().outcome.unwrap(), b"null");
        fs::File::create(&path).unwrap().set_len(17 << 20).unwrap();
        let config = BatchConfig { memory_limit_mb: 16, ..BatchConfig::default() };
        assert_eq!(
            inspect(&path, &panics, &config).unwrap().outcome.unwrap_err().class,
            ErrorClass::TooLarge
        );
    }
}
