//! The crate's own properties, made ready for the fuzzer. The processor's room is compiled by itself: the
//! engine and its store would take minutes, and none of them reads documents.
#![expect(dead_code, reason = "what others in the crate use")]

use std::path::Path;
use std::sync::OnceLock;

pub mod process;
#[path = "../../../src/process/ast/tests/properties/mod.rs"]
mod properties;

#[path = "../../../src/model/failure.rs"]
mod failure;

#[path = "../../../src/model/record/ast.rs"]
mod ast_result;
#[path = "../../../src/model/dumps.rs"]
mod dumps;

mod model {
    pub use crate::ast_result::{
        AstCall, AstImport, AstImportedName, AstNotes, AstResult, AstSymbol, AstTotals,
    };
    pub(crate) use crate::dumps::{extension_of, source_extension};
    pub(crate) use crate::failure::{ErrorClass, FileError};

    /// What a window is opened with; no document needs one.
    #[derive(Debug)]
    pub struct BatchConfig;
}

use process::ast::Limits;
use process::{AstProcessor, FileContent, Processor, ResultWriter};

/// Checks that any bytes are accepted exactly when the oracles accept them.
pub fn check_any(bytes: &[u8]) {
    properties::check_any(bytes);
}

/// Grows a document of a dialect from the fuzzer's bytes and checks it. With `FUZZ_SHOW` in the environment
/// the document is printed first.
pub fn check(dialect: &str, bytes: &[u8]) {
    static PROPERTIES: OnceLock<properties::Properties> = OnceLock::new();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let properties = PROPERTIES.get_or_init(|| properties::Properties::of(&project, dialect));
    if std::env::var_os("FUZZ_SHOW").is_some() {
        println!("{}", properties.plan(bytes).doc.plain());
    }
    properties.check(bytes);
}
