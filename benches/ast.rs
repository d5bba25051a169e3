//! The AST processor beside full parses that count values and validate UTF-8, over documents in memory:
//! simd-json's tape, which is the cheapest of the well-known libraries (serde_json and sonic-rs with a
//! counting visitor take 1.25 to 1.3 times as long), and this crate's own scanner with nothing behind it.
//! CPU time, in turn, medians. One line for each family of documents, small ones that are made and real dumps.
//!
//! The processor has two ratios. In the first, which is the stricter one and the yardstick, simd-json keeps its
//! buffers all the time, as the processor keeps its own. In the second it makes them anew for each pass over the
//! family, as a program does that parses some files and ends. What that adds is page faults, and so depends on what
//! the allocator has given back: with a family alone in the process (`OUTLAST_BENCH_TREE`) it is 0.59 on real Python,
//! 1.65 on class models, 1.09 on tree-sitter, 0.93 on ESTree and 0.38 on clang; behind other families in one process
//! 0.97, 1.53, 1.07, 1.19 and 1.06.
//!
//! `cargo bench --bench ast`; `OUTLAST_BENCH_TREE` names a tree of one family, `OUTLAST_BENCH_ROUNDS` the rounds.

#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use outlast::process::ast::count_values;
use outlast::{AstProcessor, FileContent, Processor, ResultWriter};
use rustix::time::ClockId;
use support::{Done, number, tree};

/// Bytes of documents that are held in memory.
const BYTES_MAX: usize = 512 << 20;
/// Bytes that each round works on at least: a small family several times.
const BYTES_A_ROUND: usize = 2 << 20;

/// The families, each with its folders: none for the one that is made.
const FAMILIES: [(&str, &[&str]); 6] = [
    ("small Python", &[]),
    ("real Python", &["data/sample/python"]),
    ("class models", &["data/sample/java", "data/dialects/class-model"]),
    ("tree-sitter", &["data/dialects/tree-sitter"]),
    ("ESTree", &["data/dialects/estree"]),
    ("clang", &["data/sample/c", "data/dialects/clang"]),
];

/// Documents of one family.
#[derive(Default)]
struct Docs {
    /// The file's name, which may tell the language, and the content.
    files: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
}

fn main() -> Done {
    let rounds = number("OUTLAST_BENCH_ROUNDS", 15);
    println!(
        "| family | documents | bytes | the scanner alone: ns a byte | the whole processor | us a document \
         | of simd-json with new buffers |"
    );
    println!("|---|---|---|---|---|---|---|");
    if let Some(tree) = std::env::var_os("OUTLAST_BENCH_TREE") {
        return measure("the tree", &Docs::read(&[Path::new(&tree)])?, rounds);
    }
    for (name, folders) in FAMILIES {
        let made = tempfile::tempdir()?;
        let folders: Vec<&Path> = if folders.is_empty() {
            tree::make(made.path(), 200, tree::Sizes::Small)?;
            vec![made.path()]
        } else {
            folders.iter().map(Path::new).collect()
        };
        measure(name, &Docs::read(&folders)?, rounds)?;
    }
    Ok(())
}

fn measure(name: &str, docs: &Docs, rounds: usize) -> Done {
    let processor = AstProcessor::new();
    let mut result = ResultWriter::default();
    let mut kept = Buffers::default();
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        times[0].push(docs.cpu(|| (), |(), _, bytes| count_values(bytes).unwrap_or(0)));
        times[1].push(docs.cpu(
            || (),
            |(), path, bytes| {
                let outcome = processor.process(&FileContent { path, bytes }, &mut result);
                outcome.map_or(0, |()| result.as_bytes().len() as u64)
            },
        ));
        times[2].push(docs.cpu(|| (), |(), _, bytes| kept.tape(bytes)));
        times[3].push(docs.cpu(Buffers::default, |buffers, _, bytes| buffers.tape(bytes)));
    }
    let [scanner, whole, tape, tape_anew] = times.map(|times| median(times).as_secs_f64());
    let beside =
        |time: f64| format!("{:.3}, {:.2} of simd-json", time * 1e9 / docs.bytes as f64, time / tape);
    let a_document = whole * 1e6 / docs.files.len() as f64;
    println!(
        "| {name} | {} | {} | {} | {} | {a_document:.2} | {:.2} |",
        docs.files.len(),
        docs.bytes,
        beside(scanner),
        beside(whole),
        whole / tape_anew
    );
    Ok(())
}

/// What simd-json may keep from document to document.
#[derive(Default)]
struct Buffers {
    bytes: Vec<u8>,
    buffers: simd_json::Buffers,
}

impl Buffers {
    /// The length of a document's tape, which has an entry for each value and key. It is parsed in place, in a
    /// copy: a memcpy is about a fiftieth of the work.
    fn tape(&mut self, doc: &[u8]) -> u64 {
        self.bytes.clear();
        self.bytes.extend_from_slice(doc);
        simd_json::to_tape_with_buffers(&mut self.bytes, &mut self.buffers)
            .map_or(0, |tape| tape.0.len() as u64)
    }
}

impl Docs {
    fn read(folders: &[&Path]) -> Done<Self> {
        let mut docs = Self::default();
        folders.iter().try_for_each(|folder| docs.add(folder))?;
        Ok(docs)
    }

    fn add(&mut self, folder: &Path) -> Done {
        let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::path);
        for entry in entries {
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                self.add(&path)?;
            } else if path.extension().is_some_and(|extension| extension == "json") && self.bytes < BYTES_MAX
            {
                let doc = fs::read(&path)?;
                self.bytes += doc.len();
                self.files.push((entry.file_name().into_encoded_bytes(), doc));
            }
        }
        Ok(())
    }

    /// The time that a pass over all documents takes: work on each, with what each pass begins with.
    fn cpu<S>(
        &self,
        mut begin: impl FnMut() -> S,
        mut work: impl FnMut(&mut S, &[u8], &[u8]) -> u64,
    ) -> Duration {
        let times = (BYTES_A_ROUND / self.bytes.max(1)).max(1) as u32;
        let begun = support::cpu(ClockId::ThreadCPUTime);
        for _ in 0..times {
            let mut state = begin();
            let worked = self.files.iter().map(|(path, doc)| work(&mut state, path, doc));
            std::hint::black_box(worked.sum::<u64>());
        }
        (support::cpu(ClockId::ThreadCPUTime) - begun) / times
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
