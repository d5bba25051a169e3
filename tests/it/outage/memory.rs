//! A memory limit holds, whatever the files are.

use std::fs::File;
use std::io::{BufWriter, Write};

use crate::support::{Sandbox, ran};

/// What a run may take beyond its limit, as the guide says.
const BEYOND_BYTES: u64 = 64 << 20;

/// A document of so many MiB with a number in it for each few bytes.
fn large(sandbox: &Sandbox, name: &str, mib: usize) {
    let mut file = BufWriter::new(File::create(sandbox.root.join(name)).unwrap());
    file.write_all(b"{\"type\":\"Program\",\"body\":[0").unwrap();
    let chunk = ",1234567".repeat(128 << 10);
    for _ in 0..mib {
        file.write_all(chunk.as_bytes()).unwrap();
    }
    file.write_all(b"]}").unwrap();
    file.flush().unwrap();
}

#[test]
fn files_of_up_to_300_mb_stay_within_128_mb() {
    stay_within_128_mb(&[]);
}

#[test]
fn so_do_files_that_are_sent_to_children() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/process/exec/tests/child.py");
    let exec = format!(r#"python3 '{script}' '{{"include": ["*.ast.json"], "content": "inline"}}'"#);
    stay_within_128_mb(&["--exec", &exec]);
}

fn stay_within_128_mb(exec: &[&str]) {
    let sandbox = Sandbox::new();
    for number in 0..200 {
        sandbox.write(format!("small{number:03}.ast.json"), super::super::poison::AST);
    }
    for (name, mib) in
        [("a-300", 300), ("b-40", 40), ("c-45", 45), ("d-30", 30), ("e-20", 20), ("f-130", 130)]
    {
        large(&sandbox, &format!("{name}.ast.json"), mib);
    }
    sandbox.settle();
    let summary = sandbox.run_code(&[&["--memory-limit", "128MiB", "--workers", "4"], exec].concat(), 3);
    assert_eq!((&summary["ok"], &summary["failed"]), (&204.into(), &2.into()), "{summary}");
    let peak = summary["peak_rss_bytes"].as_u64().unwrap();
    assert!(peak < (128 << 20) + BEYOND_BYTES, "{} MiB", peak >> 20);
    let told = ran(&mut sandbox.command(["records", "--status", "failed"])).expect(0).text();
    for words in ["a-300", "f-130", "too-large", "raise the memory limit"] {
        assert!(told.contains(words), "no {words:?}: {told}");
    }
    // They are due again when the limit is another one.
    let summary = sandbox.run_ok(&[&["--memory-limit", "1GB"], exec].concat());
    assert_eq!((&summary["ok"], &summary["unchanged"]), (&2.into(), &204.into()), "{summary}");
}
