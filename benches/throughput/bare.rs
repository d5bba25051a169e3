//! The loop that a user would write by hand, with care for speed: list all files, then threads take
//! them in turn, read each into a reused buffer, hash it, parse it, and write a line to a file.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ignore::{WalkBuilder, WalkState};
use outlast::{
    AstProcessor, FileContent, FileKey, Fingerprint, Processor, RecordLine, RecordStatus, ResultWriter,
    RootId,
};

/// Files that a thread takes at a time.
const CHUNK: usize = 64;

/// Walks, processes, writes; prints a summary like Outlast's.
pub(crate) fn run(root: &Path, out: &Path, workers: usize) -> Result<(), Box<dyn Error>> {
    let files = list(root, workers);
    let next = AtomicUsize::new(0);
    let (ok, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let out = Mutex::new(BufWriter::with_capacity(1 << 20, File::create(out)?));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| work(root, &files, &next, &ok, &failed, &out));
        }
    });
    out.into_inner().map_err(|_| "a thread panicked")?.flush()?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    let (ok, failed) = (ok.into_inner(), failed.into_inner());
    println!("{{\"ok\":{ok},\"failed\":{failed},\"peak_rss_bytes\":{}}}", peak << 10);
    Ok(())
}

fn list(root: &Path, workers: usize) -> Vec<PathBuf> {
    let files = Mutex::new(Vec::new());
    let walker = WalkBuilder::new(root).standard_filters(false).threads(workers).build_parallel();
    walker.run(|| {
        Box::new(|entry| {
            if let Ok(entry) = entry
                && entry.file_type().is_some_and(|kind| kind.is_file())
                && wanted(entry.file_name().as_bytes())
                && let Ok(mut files) = files.lock()
            {
                files.push(entry.into_path());
            }
            WalkState::Continue
        })
    });
    files.into_inner().unwrap_or_default()
}

fn wanted(name: &[u8]) -> bool {
    [&b".ast.json"[..], b".syntax.json", b"_ast.json"].iter().any(|suffix| name.ends_with(suffix))
}

fn work(
    root: &Path,
    files: &[PathBuf],
    next: &AtomicUsize,
    ok: &AtomicUsize,
    failed: &AtomicUsize,
    out: &Mutex<BufWriter<File>>,
) {
    let processor = AstProcessor::default();
    let (mut content, mut result, mut lines) = (Vec::new(), ResultWriter::default(), Vec::new());
    loop {
        let from = next.fetch_add(CHUNK, Ordering::Relaxed);
        let Some(chunk) = files.get(from..(from + CHUNK).min(files.len())).filter(|chunk| !chunk.is_empty())
        else {
            break;
        };
        let mut good = 0;
        for path in chunk {
            good += usize::from(one(root, path, &processor, &mut content, &mut result, &mut lines).is_some());
        }
        ok.fetch_add(good, Ordering::Relaxed);
        failed.fetch_add(chunk.len() - good, Ordering::Relaxed);
        if let Ok(mut out) = out.lock() {
            // The peer is a benchmark: a full disk shows in its output.
            let _ = out.write_all(&lines);
        }
        lines.clear();
    }
}

fn one(
    root: &Path,
    path: &Path,
    processor: &AstProcessor,
    content: &mut Vec<u8>,
    result: &mut ResultWriter,
    lines: &mut Vec<u8>,
) -> Option<()> {
    content.clear();
    let mut file = File::open(path).ok()?;
    let fingerprint = Fingerprint::from_metadata(&file.metadata().ok()?);
    content.reserve_exact(usize::try_from(fingerprint.size).ok()? + 1);
    file.read_to_end(content).ok()?;
    let digest = blake3::hash(content);
    let relative = path.strip_prefix(root).ok()?.as_os_str().as_bytes();
    processor.process(&FileContent { path: relative, bytes: content }, result).ok()?;
    let line = RecordLine {
        root: "tree",
        key: &FileKey::from_relative_path(RootId(1), relative)?,
        status: RecordStatus::Ok,
        fingerprint: Some(&fingerprint),
        digest: Some(&digest),
        processor: "ast/1",
        attempts: 1,
        result: Some(result.as_bytes()),
        error: None,
    };
    line.begin(lines);
    RecordLine::finish(lines, 0);
    Some(())
}
