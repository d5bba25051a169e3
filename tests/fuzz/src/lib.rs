//! The crate's own properties, made ready for the fuzzer.

use std::path::Path;
use std::sync::OnceLock;

use outlast::process::ast::Limits;
use outlast::process::{AstProcessor, FileContent, Processor, ResultWriter};

#[path = "../../../src/process/ast/tests/properties/mod.rs"]
mod properties;

pub use properties::check_any;

/// Grows a document of a dialect from the fuzzer's bytes and checks it.
pub fn check(dialect: &'static str, bytes: &[u8]) {
    static PROPERTIES: OnceLock<properties::Properties> = OnceLock::new();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    PROPERTIES.get_or_init(|| properties::Properties::of(&project, dialect)).check(bytes);
}
