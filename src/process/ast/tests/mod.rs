//! Tests of the whole pass. Single parts have theirs beside them.

mod counts;
mod faults;
mod oracles;

use super::AstProcessor;
use crate::model::FileError;
use crate::process::{FileContent, Processor, ResultWriter};

/// The result's text.
fn text_of(doc: impl AsRef<[u8]>) -> Result<String, FileError> {
    let mut result = ResultWriter::default();
    let content = FileContent { path: b"x.ast.json", bytes: doc.as_ref() };
    AstProcessor::new().process(&content, &mut result)?;
    Ok(String::from_utf8(result.as_bytes().to_vec()).unwrap())
}

/// The result, read back by a strict parser.
fn result_of(doc: impl AsRef<[u8]>) -> serde_json::Value {
    serde_json::from_str(&text_of(doc).unwrap()).unwrap()
}
