//! What is done with a file's content.
//!
//! [`Processor`] is where users plug in their own work; [`ast`] is the one that comes along.
//!
//! Constraints: a processor sees one file at a time, gets its content as one slice, keeps no state
//! between files that changes a result, and answers with one JSON value or a [`FileError`].

pub mod ast;
mod plain;
mod result;

use crate::model::FileError;

pub use ast::{AstProcessor, LimitError, Limits};
pub use plain::{PlainProcessor, from_fn};
pub use result::ResultWriter;

/// One file as a processor sees it.
#[derive(Debug, Clone, Copy)]
pub struct FileContent<'a> {
    /// Path relative to its root, `/` between components; not always UTF-8.
    pub path: &'a [u8],
    /// The whole content.
    pub bytes: &'a [u8],
}

impl FileContent<'_> {
    /// The path as text, with replacement characters where it is not UTF-8.
    pub fn path_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.path)
    }
}

/// Work on one file. Called from many threads at once, each file at least once.
///
/// Use [`from_fn`] for a plain function. See `examples/` for one of each kind.
pub trait Processor: Send + Sync {
    /// Name and version, such as `ast/1`. When it changes, every file is due again.
    fn identity(&self) -> &str;

    /// Globs of the files that it wants where the user gives none. `*` matches any name.
    fn default_include(&self) -> &[&str] {
        &["*"]
    }

    /// Processes one file and sets its result.
    ///
    /// # Errors
    /// What makes this file fail. Others go on; a panic fails only this file, too.
    fn process(&self, file: &FileContent<'_>, result: &mut ResultWriter) -> Result<(), FileError>;
}
