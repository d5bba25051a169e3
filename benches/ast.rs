//! The AST processor beside full parses that count values and validate UTF-8, over documents in memory:
//! simd-json's tape, which is the cheapest of the well-known libraries (serde_json and sonic-rs with a
//! counting visitor take 1.25 to 1.3 times as long), and this crate's own scanner with nothing behind it.
//! CPU time, in turn, medians.
//!
//! `cargo bench --bench ast`; `OUTLAST_BENCH_TREE` names the tree, `OUTLAST_BENCH_ROUNDS` the rounds.

#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outlast::process::ast::count_values;
use outlast::{AstProcessor, FileContent, Processor, ResultWriter};
use rustix::time::ClockId;
use support::{Done, number};

/// Bytes of documents that are held in memory.
const BYTES_MAX: usize = 512 << 20;

fn main() -> Done {
    let tree = std::env::var_os("OUTLAST_BENCH_TREE").map_or_else(|| "data/sample".into(), PathBuf::from);
    let rounds = number("OUTLAST_BENCH_ROUNDS", 7);
    let mut docs = Vec::new();
    read(&tree, &mut 0, &mut docs)?;
    let bytes: usize = docs.iter().map(Vec::len).sum();
    println!("{} documents, {bytes} bytes, {rounds} rounds\n", docs.len());
    let processor = AstProcessor::new();
    let mut result = ResultWriter::default();
    let (mut bytes_for_tape, mut buffers) = (Vec::new(), simd_json::Buffers::default());
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        times[0].push(cpu(|| docs.iter().filter_map(|doc| count_values(doc).ok()).sum()));
        times[1].push(cpu(|| {
            let process = |bytes: &Vec<u8>| {
                let outcome = processor.process(&FileContent { path: b"x.ast.json", bytes }, &mut result);
                outcome.map_or(0, |()| result.as_bytes().len() as u64)
            };
            docs.iter().map(process).sum()
        }));
        times[2].push(cpu(|| docs.iter().map(|doc| tape(doc, &mut bytes_for_tape, &mut buffers)).sum()));
    }
    println!("| what | ns a byte | us a document | of simd-json |\n|---|---|---|---|");
    let names = ["the scanner alone, counting values", "the whole processor", "simd-json's tape"];
    let medians = times.map(median);
    for (name, time) in names.iter().zip(medians) {
        let seconds = time.as_secs_f64();
        println!(
            "| {name} | {:.3} | {:.2} | {:.2} |",
            seconds * 1e9 / bytes as f64,
            seconds * 1e6 / docs.len() as f64,
            seconds / medians[2].as_secs_f64()
        );
    }
    Ok(())
}

/// The length of a document's tape, which has an entry for each value and key. It is parsed in place, in a
/// copy: a memcpy is about a fiftieth of the work.
fn tape(doc: &[u8], bytes: &mut Vec<u8>, buffers: &mut simd_json::Buffers) -> u64 {
    bytes.clear();
    bytes.extend_from_slice(doc);
    simd_json::to_tape_with_buffers(bytes, buffers).map_or(0, |tape| tape.0.len() as u64)
}

fn read(folder: &Path, bytes: &mut usize, docs: &mut Vec<Vec<u8>>) -> Done {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            read(&path, bytes, docs)?;
        } else if path.extension().is_some_and(|extension| extension == "json") && *bytes < BYTES_MAX {
            let doc = fs::read(&path)?;
            *bytes += doc.len();
            docs.push(doc);
        }
    }
    Ok(())
}

fn cpu(work: impl FnOnce() -> u64) -> Duration {
    let begun = support::cpu(ClockId::ThreadCPUTime);
    std::hint::black_box(work());
    support::cpu(ClockId::ThreadCPUTime) - begun
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
