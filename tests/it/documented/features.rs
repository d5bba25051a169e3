//! The table of Cargo features is the manifest's, and a library without any compiles little.

use std::collections::BTreeSet;
use std::process::Command;

use super::page::{Page, code, project};

/// What only the command, a service or the async interface may bring along.
const NOT_LEAN: [&str; 11] = [
    "anyhow",
    "axum",
    "clap",
    "croner",
    "hyper",
    "indicatif",
    "parquet",
    "sd-notify",
    "signal-hook",
    "tokio",
    "toml",
];

/// The crates that are compiled with these features, `outlast` among them.
fn crates(features: &str) -> BTreeSet<String> {
    let tree =
        ["tree", "--locked", "--quiet", "--no-default-features", "--edges", "normal", "--prefix", "none"];
    // The same crates on each machine.
    let target = ["--target", "x86_64-unknown-linux-gnu", "--format", "{p}", "--features", features];
    let cargo = Command::new(env!("CARGO")).args(tree).args(target).current_dir(project()).output().unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let lines = String::from_utf8(cargo.stdout).unwrap();
    // A name and a version; what follows tells repetitions, macros and paths.
    lines.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_table_of_features_has_each_with_its_crates() {
    for row in Page::guide("library").table("| feature | adds | crates with it alone |") {
        let feature = code(&row[0]).next().unwrap_or_default();
        assert_eq!(row[2], crates(feature).len().to_string(), "{}", row[0]);
    }
}

#[test]
fn a_library_without_features_compiles_no_crate_of_the_command_or_a_service() {
    let found = crates("");
    let found = found.iter().filter_map(|krate| krate.split(' ').next());
    let heavy: Vec<&str> = found.filter(|name| NOT_LEAN.contains(name)).collect();
    assert_eq!(heavy, Vec::<&str>::new());
}
