//! The AST processor beside the cheapest full parse that counts values and validates UTF-8, which is the
//! same scanner with nothing behind it, and beside serde_json doing the same. CPU time, in turn, medians.
//!
//! `cargo bench --bench ast`; `OUTLAST_BENCH_TREE` names the tree, `OUTLAST_BENCH_ROUNDS` the rounds.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outlast::process::ast::count_values;
use outlast::{AstProcessor, FileContent, Processor, ResultWriter};
use rustix::time::{ClockId, clock_gettime};
use serde::de::IgnoredAny;

/// Bytes of documents that are held in memory.
const BYTES_MAX: usize = 512 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let tree = std::env::var_os("OUTLAST_BENCH_TREE").map_or_else(|| "data/sample".into(), PathBuf::from);
    let rounds = std::env::var("OUTLAST_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    let mut docs = Vec::new();
    read(&tree, &mut 0, &mut docs)?;
    let bytes: usize = docs.iter().map(Vec::len).sum();
    println!("{} documents, {bytes} bytes, {rounds} rounds\n", docs.len());
    let processor = AstProcessor::new();
    let mut result = ResultWriter::default();
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
        times[2].push(cpu(|| {
            docs.iter().filter(|doc| serde_json::from_slice::<IgnoredAny>(doc).is_ok()).count() as u64
        }));
    }
    println!("| what | ns a byte | us a document | of the first |\n|---|---|---|---|");
    let names = ["check and count values", "the whole processor", "serde_json, values skipped"];
    let medians = times.map(median);
    for (name, time) in names.iter().zip(medians) {
        let seconds = time.as_secs_f64();
        println!(
            "| {name} | {:.3} | {:.2} | {:.2} |",
            seconds * 1e9 / bytes as f64,
            seconds * 1e6 / docs.len() as f64,
            seconds / medians[0].as_secs_f64()
        );
    }
    Ok(())
}

fn read(folder: &Path, bytes: &mut usize, docs: &mut Vec<Vec<u8>>) -> Result<(), Box<dyn Error>> {
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
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    };
    let begun = now();
    std::hint::black_box(work());
    now() - begun
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
