//! One file as a run would process it, without a state.

use std::fs::{self, FileType};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::worker::{file_error, process_content};
use crate::engine::error::{EngineError, InspectError};
use crate::engine::resources::machine::Machine;
use crate::engine::resources::memory_budget::{Budget, effective_limit};
use crate::model::{BatchConfig, FileError, FileKey, RootTable};
use crate::process::{FileContent, Processor, ResultWriter};
use crate::source::{Filters, ReadError, Source, TreeSource};

/// The result of processing one file.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The file as it was named.
    pub path: PathBuf,
    /// Its content; empty if it could not be read.
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
    let outcome = match source.read(root, &key, size_max, &mut content) {
        Ok(_) => process(path, &content, processor),
        Err(error @ (ReadError::Gone | ReadError::NotAFile(_))) => {
            return Err(unfit(InspectError::Replaced(error)));
        }
        Err(error) => Err(file_error(&error)),
    };
    Ok(Inspection { path: path.to_owned(), content, outcome })
}

fn process(path: &Path, bytes: &[u8], processor: &dyn Processor) -> Result<Vec<u8>, FileError> {
    let named = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let named = named.strip_prefix("/").unwrap_or(&named).as_os_str().as_bytes();
    let mut result = ResultWriter::default();
    process_content(processor, &FileContent { path: named, bytes }, &mut result)?;
    Ok(result.as_bytes().to_vec())
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
