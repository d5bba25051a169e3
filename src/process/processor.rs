//! What a processor is, and what it sees.

use std::sync::Arc;

use super::{ResultWriter, window};
use crate::model::FileError;

/// One file as a processor sees it.
#[derive(Debug, Clone, Copy)]
pub struct FileContent<'a> {
    /// Path relative to its root, `/` between components; not always UTF-8.
    pub path: &'a [u8],
    /// The whole content.
    pub bytes: &'a [u8],
}

impl FileContent<'_> {
    /// Returns the path as text, with replacement characters where it is not UTF-8.
    pub fn path_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.path)
    }
}

/// Work on one file. Called from many threads at once, each file at least once.
///
/// Use [`from_fn`](super::from_fn) for a plain function, [`BatchProcessor`](super::BatchProcessor) for work that is
/// cheaper in bulk. See `examples/` for one of each kind.
pub trait Processor: Send + Sync {
    /// Returns name and version, such as `ast/21`. When it changes, every file is due again.
    fn identity(&self) -> &str;

    /// Returns globs of the files that it processes if the user gives none. `*` matches any name.
    fn default_include(&self) -> Vec<&str> {
        vec!["*"]
    }

    /// Processes one file and sets its result.
    ///
    /// # Errors
    /// Whatever makes this file fail. Other files go on; a panic fails only this file, too.
    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError>;

    /// Returns how it has several files in flight, if it does.
    #[doc(hidden)]
    fn windowed(&self) -> Option<&dyn window::Windowed> {
        None
    }
}

/// A processor that is shared.
impl<P: Processor + ?Sized> Processor for Arc<P> {
    fn identity(&self) -> &str {
        (**self).identity()
    }

    fn default_include(&self) -> Vec<&str> {
        (**self).default_include()
    }

    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError> {
        (**self).process(file, result)
    }

    fn windowed(&self) -> Option<&dyn window::Windowed> {
        (**self).windowed()
    }
}
