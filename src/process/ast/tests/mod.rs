//! Tests of the whole pass. Single parts have theirs beside them.

mod called;
mod counts;
mod dialects;
mod faults;
mod foreign;
mod found;
mod golden;
mod grown;
mod node_types;
mod oracles;
mod properties;
mod version;
mod written;

use properties::{Doc, Order};

use super::AstProcessor;
use super::output::limits::Limits;
use crate::model::FileError;
use crate::process::{FileContent, Processor, ResultWriter};

/// Returns the result's text.
fn text_of(doc: impl AsRef<[u8]>) -> Result<String, FileError> {
    let mut result = ResultWriter::default();
    let content = FileContent { path: b"x.ast.json", bytes: doc.as_ref() };
    AstProcessor::new().process(&content, &mut result)?;
    Ok(String::from_utf8(result.as_bytes().to_vec()).unwrap())
}

/// Returns the result, read back by a strict parser.
fn result_of(doc: impl AsRef<[u8]>) -> serde_json::Value {
    serde_json::from_str(&text_of(doc).unwrap()).unwrap()
}

/// Returns the members that count, of any dialect.
fn counts_of(doc: impl AsRef<[u8]>) -> serde_json::Value {
    let mut result = result_of(doc);
    let members = result.as_object_mut().unwrap();
    members.retain(|name, _| matches!(&name[..], "values" | "depth" | "nodes" | "kind_field" | "kinds"));
    result
}

/// Returns the result of a document, and checks that it does not depend on key order and white space.
fn same_in_any_order(doc: impl AsRef<[u8]>) -> serde_json::Value {
    let text = text_of(&doc).unwrap();
    let value = serde_json::from_slice(doc.as_ref()).unwrap();
    for seed in 0..12 {
        let other = Doc::from(&value).varied(seed, Order::AllMove);
        assert_eq!(text_of(&other).unwrap(), text, "{other}");
    }
    serde_json::from_str(&text).unwrap()
}
