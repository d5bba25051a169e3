//! Each dialect against an independent count: `tests/golden/count.py` walks the whole tree of a document,
//! and what it found is committed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{AstProcessor, FileContent, Processor, ResultWriter};

/// Returns all files in a folder, sorted.
pub(super) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Compares the results of all samples of a dialect, and reports what differs.
fn check(dialect: &str) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let expected_in = project.join("tests/golden/expected");
    let mut found = Vec::new();
    files(&expected_in, &mut found);
    let mut checked = 0;
    let mut differences = Vec::new();
    for path in found {
        let expected: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        if expected["dialect"] != dialect {
            continue;
        }
        checked += 1;
        // The expected results are named like the sample.
        let sample = project.join("data").join(path.strip_prefix(&expected_in).unwrap());
        let bytes = fs::read(&sample).unwrap();
        let mut result = ResultWriter::default();
        let content = FileContent { path: sample.as_os_str().as_encoded_bytes(), bytes: &bytes };
        AstProcessor::new().process(&content, &mut result).unwrap();
        let found: Value = serde_json::from_slice(result.as_bytes()).unwrap();
        compare(&sample, &expected, &found, &mut differences);
    }
    assert!(checked > 0, "no sample of {dialect}");
    assert!(differences.is_empty(), "{} of {checked}:\n{}", differences.len(), differences.join("\n"));
}

/// Reports the first difference of each member.
fn compare(sample: &Path, expected: &Value, found: &Value, differences: &mut Vec<String>) {
    let names = expected.as_object().unwrap().keys().chain(found.as_object().unwrap().keys());
    let mut names: Vec<_> = names.filter(|name| !matches!(&name[..], "confidence" | "notes")).collect();
    names.sort();
    names.dedup();
    for name in names {
        let want = &expected[name];
        let got = &found[name];
        if want == got {
            continue;
        }
        let first = match (want, got) {
            (Value::Array(want), Value::Array(got)) => {
                let at = want.iter().zip(got).take_while(|(want, got)| want == got).count();
                format!("[{at}] {:?} instead of {:?}", got.get(at), want.get(at))
            }
            _ => format!("{got} instead of {want}"),
        };
        differences.push(format!("{}: {name}: {first}", sample.display()));
    }
}

#[test]
fn of_every_sample_something_is_expected() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |base: &str, folders: &[&str]| {
        let mut found = Vec::new();
        folders.iter().for_each(|folder| files(&project.join(base).join(folder), &mut found));
        found.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        let base = project.join(base);
        found.iter().map(|path| path.strip_prefix(&base).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names("data", &["dialects", "sample"]),
        names("tests/golden/expected", &["dialects", "sample"])
    );
}

#[test]
fn python_ast() {
    check("python-ast");
}

#[test]
fn estree() {
    check("estree");
}

#[test]
fn tree_sitter() {
    check("tree-sitter");
}

#[test]
fn clang() {
    check("clang");
}

#[test]
fn syn() {
    check("syn");
}

#[test]
fn class_model() {
    check("class-model");
}

#[test]
fn generic() {
    check("generic");
}
