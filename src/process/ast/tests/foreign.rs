//! Whether a document of an unknown grammar is reported as such.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::golden::files;
use crate::process::{AstProcessor, FileContent, Processor, ResultWriter};

/// Returns the results of all dumps in a folder of tree-sitter's, by name.
fn results(folder: &str) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/dialects/tree-sitter");
    files(&base.join(folder), &mut found);
    let result = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        let mut result = ResultWriter::default();
        let content = FileContent { path: path.as_os_str().as_encoded_bytes(), bytes: &bytes };
        AstProcessor::new().process(&content, &mut result).unwrap();
        serde_json::from_slice(result.as_bytes()).unwrap()
    };
    found.iter().map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), result(path))).collect()
}

#[test]
fn a_grammar_without_a_table_says_so() {
    let results = self::results("foreign");
    let languages: Vec<_> = results.iter().map(|(_, result)| result["language"].as_str().unwrap()).collect();
    assert_eq!(languages, ["c#", "css", "elixir", "html", "unknown"]);
    for (name, result) in results.into_iter().chain(self::results("relatives")) {
        assert_eq!(result["notes"], json!({"grammar": "unknown"}), "{name}");
        assert_eq!(result["totals"], json!({"symbols": 0, "imports": 0, "calls": 0}), "{name}");
    }
}

#[test]
fn a_source_without_anything_to_tell_does_not() {
    let results = results("nothing");
    assert_eq!(results.len(), 2 * 17);
    for (name, result) in results {
        assert_eq!((&result["notes"], &result["dialect"]), (&Value::Null, &json!("tree-sitter")), "{name}");
    }
}

#[test]
fn nor_does_one_that_is_told_of() {
    for folder in ["wheel", "wasm", "leaves", "points", "bare", "shape", "text", "node-all", "node-named"] {
        for (name, result) in results(folder) {
            assert_eq!(result["notes"], Value::Null, "{folder}/{name}");
        }
    }
}
