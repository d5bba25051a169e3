//! The properties with random bytes. `tests/fuzz/` has the same with coverage-guided bytes.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::properties::{self, Properties};

/// Runs as many cases as `PROPTEST_CASES` says, or a few hundred.
fn check(dialect: &str) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let properties = Properties::of(project, dialect);
    run(|bytes| drop(properties.check(bytes)));
}

fn run(check: impl Fn(&[u8])) {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { Config::default().cases } else { 300 };
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let bytes = vec(any::<u8>(), 0..800);
    // The same cases each time: the fuzz targets are there to find more.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, random).run(&bytes, |bytes| {
        check(&bytes);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn any_bytes() {
    run(properties::check_any);
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
