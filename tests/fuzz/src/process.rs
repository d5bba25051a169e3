//! Those files of the room `process` that a document passes through.

#[path = "../../../src/process/ast/mod.rs"]
pub mod ast;
#[path = "../../../src/process/processor.rs"]
mod processor;
#[path = "../../../src/process/result.rs"]
mod result;
#[path = "../../../src/process/window.rs"]
pub(crate) mod window;

pub use ast::AstProcessor;
pub use processor::{FileContent, Processor};
pub use result::ResultWriter;
