//! What is done with a file's content.
//!
//! [`Processor`] is where users plug in their own work; [`ast`] is the built-in one.
//!
//! Constraints: a processor sees one file at a time, or several by the one way of `window.rs`; gets a content as one
//! slice, keeps no state between files that changes a result, and returns one JSON value or a [`FileError`] for each.
//!
//! # The AST processor
//!
//! [The architecture](crate::guide::architecture#how-a-syntax-tree-is-read) describes what it does,
//! [the page on records](crate::guide::records) what it returns. Its files, in `src/process/ast/`, in the order in which
//! a document passes through them:
//!
//! | file | does |
//! |---|---|
//! | `mod.rs` | the processor, its limits and version; guesses the dialect, and reads again if the guess was wrong |
//! | `json/` | the pass over the bytes: tokens, faults with their place; calls a visitor that is compiled into it |
//! | `extract.rs` | that visitor: keeps a frame for each open object, and passes what it meets to evidence and dialect |
//! | `detect/vocabulary.rs` | the kinds and keys that the dialects know, looked up once for each string |
//! | `detect/known.rs` | the keys and kinds that the thread has met, found again by their bytes |
//! | `json/open_keys.rs` | the other keys of the open objects, to find repetitions |
//! | `detect/evidence.rs`, `detect/kind_counts.rs`, `interner.rs` | the evidence for a dialect: counts of kinds and keys, in bounded memory |
//! | `dialect/` | a file or folder for each dialect: its words, how well a document fits, the language, and what is made of a closing object |
//! | `facts/` | the state of an open object; symbols, imports and calls, each adopted by the enclosing symbol |
//! | `output/summary.rs` | the facts in order, repetitions dropped, calls summed up |
//! | `output/report.rs` | the result as a line of JSON |
//!
//! [A recipe](crate::guide::architecture#recipes) says how to add a dialect.

pub mod ast;
pub mod exec;
mod in_batches;
mod into_processor;
mod plain;
mod result;
pub(crate) mod window;

use std::sync::Arc;

use crate::model::FileError;

pub use ast::{AstProcessor, LimitError, Limits};
pub use in_batches::{BatchAnswers, BatchProcessor, batch_from_fn};
pub use into_processor::{InBatches, IntoProcessor, OneByOne};
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
    /// Returns the path as text, with replacement characters where it is not UTF-8.
    pub fn path_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.path)
    }
}

/// Work on one file. Called from many threads at once, each file at least once.
///
/// Use [`from_fn`] for a plain function, [`BatchProcessor`] for work that is cheaper in bulk. See `examples/` for one of
/// each kind.
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
