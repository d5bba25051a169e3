//! The examples of records are what the program writes.

use std::fs::{self, File};

use serde_json::Value;

use super::page::{Page, project};
use crate::support::{Sandbox, copy, ran};

/// The examples of a page, each on one line.
fn examples(page: &Page) -> Vec<String> {
    let blocks = page.blocks().into_iter().filter(|block| block.info == "json");
    blocks.map(|block| block.text.lines().map(str::trim_start).collect()).collect()
}

/// A record without the number of its tick, which depends on the machine's speed.
fn without_tick(line: &str) -> &str {
    line.rsplit_once(r#","committed_tick":"#).unwrap().0
}

#[test]
fn the_examples_of_records_are_real() {
    let sandbox = Sandbox::new();
    let samples = project().join("data/sample");
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

    let output = ran(&mut sandbox.command(["records", "--since", "1:0"])).expect(0);
    let written: Vec<_> = output.lines().into_iter().map(|line| str::from_utf8(line).unwrap()).collect();
    let examples = examples(&Page::guide("records"));
    assert_eq!(examples.len(), 3);
    for example in &examples {
        let is_there = written.iter().any(|line| without_tick(line) == without_tick(example));
        assert!(is_there, "{example}\nis none of\n{}", written.join("\n"));
    }
}

#[test]
fn the_readmes_record_is_that_of_the_sample() {
    let sandbox = Sandbox::new();
    copy(&project().join("data/sample/java"), &sandbox.root.join("java"));
    sandbox.run_ok(&[]);
    let mut examples = examples(&Page::read("README.md"));
    let mut example: Value = serde_json::from_str(&examples.remove(0)).unwrap();
    let mut record = sandbox.log().into_iter().find(|record| record["path"] == example["path"]).unwrap();
    for record in [&mut example, &mut record] {
        for of_the_machine in ["root", "mtime", "digest", "committed_tick"] {
            record[of_the_machine] = Value::Null;
        }
    }
    assert_eq!(example, record);
}
