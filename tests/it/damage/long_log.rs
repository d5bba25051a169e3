//! A log that takes longer to check than a run that has nothing else to do.

use std::fs;

use crate::support::{Sandbox, ran};

/// Kinds in each file, all of which stand in its record.
const KINDS: usize = 100;
const FILES: usize = 400;
const RUNS: usize = 4;

/// Records of about 25 KB each.
fn with_long_log() -> Sandbox {
    let sandbox = Sandbox::new();
    let node = |kind: usize| format!("{{\"type\":\"{kind:0>250}\"}}");
    let text = format!("[{}]", (0..KINDS).map(node).collect::<Vec<_>>().join(","));
    for file in 0..FILES {
        sandbox.write(format!("f{file}.ast.json"), &text);
    }
    sandbox.settle();
    for _ in 0..RUNS {
        sandbox.run_ok(&["--reprocess"]);
    }
    sandbox
}

#[test]
fn a_flipped_byte_in_a_long_log_is_noticed_by_a_run_with_nothing_to_do() {
    let sandbox = with_long_log();
    let path = sandbox.records().join("records-000001.ndjson");
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 30 << 20, "the log has {} bytes only", bytes.len());
    let at = bytes.len() * 4 / 5;
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let told = sandbox.run(&[]).expect(12);
    assert!(told.stderr.contains("outlast repair") && told.stdout.is_empty(), "{told}");
    ran(&mut sandbox.command(["repair"])).expect(0);
    sandbox.run_ok(&[]);
}
