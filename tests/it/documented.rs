//! The examples on the page about the record's format are what the program writes.

use std::fs::{self, File};
use std::path::Path;

use crate::support::{Sandbox, ran};

/// The examples, each on one line.
fn examples() -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/src/record_format.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```json\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks.map(|block| block.lines().map(str::trim_start).collect()).collect()
}

/// A record without the number of its tick, which depends on the machine's speed.
fn without_tick(line: &str) -> &str {
    line.rsplit_once(r#","committed_tick":"#).unwrap().0
}

#[test]
fn the_examples_of_records_are_real() {
    let sandbox = Sandbox::new();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    let time = "2026-11-24T10:00:00.123456789Z".parse::<jiff::Timestamp>().unwrap();
    for (name, length) in [("items", usize::MAX), ("orders", 4000), ("storage", usize::MAX)] {
        let path = format!("python/inventory/{name}.py.ast.json");
        let bytes = fs::read(samples.join(&path)).unwrap();
        let copy = sandbox.write(path, &bytes[..length.min(bytes.len())]);
        File::options().append(true).open(copy).unwrap().set_modified(time.into()).unwrap();
    }
    sandbox.run_code(&[], 3);
    fs::remove_file(sandbox.root.join("python/inventory/storage.py.ast.json")).unwrap();
    sandbox.run_code(&[], 3);

    let told = ran(&mut sandbox.command(["records", "--since", "1:0"])).expect(0);
    let written: Vec<_> = told.lines().into_iter().map(|line| str::from_utf8(line).unwrap()).collect();
    let examples = examples();
    assert_eq!(examples.len(), 3);
    for example in &examples {
        let is_there = written.iter().any(|line| without_tick(line) == without_tick(example));
        assert!(is_there, "{example}\nis none of\n{}", written.join("\n"));
    }
}
