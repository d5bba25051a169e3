//! What is done with a file's content.
//!
//! [`Processor`] is where users plug in their own work; [`ast`] is the built-in one.
//!
//! Constraints: a processor sees one file at a time, or several by the one way of `window.rs`; gets a content as one
//! slice, keeps no state between files that changes a result, and returns one JSON value or a [`FileError`](crate::FileError) for each.
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
mod processor;
mod result;
pub(crate) mod window;

pub use ast::{AstProcessor, LimitError, Limits};
pub use in_batches::{BatchAnswers, BatchProcessor, batch_from_fn};
pub use into_processor::{InBatches, IntoProcessor, OneByOne};
pub use plain::{PlainProcessor, from_fn};
pub use processor::{FileContent, Processor};
pub use result::ResultWriter;
