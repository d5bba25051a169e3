//! The loop that a user would write by hand, with care for speed: list all files, then threads take
//! them in turn, read each into a reused buffer, hash it, parse it, and write a line to a file.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use ignore::{WalkBuilder, WalkState};
use outlast::{
    AstProcessor, FileContent, FileKey, Fingerprint, Processor, RecordLine, RecordStatus, ResultWriter,
    RootId,
};
use rustix::time::ClockId;

use super::slow::{self, Slow};
use super::{Done, cpu};

/// Files that a thread takes at a time.
const CHUNK: usize = 64;

/// Of files in the order of their cost, how many from the first are timed.
const TIMED: usize = 16;

/// Walks, processes, writes; prints a summary like Outlast's.
pub(crate) fn whole(root: &Path, out: &Path, workers: usize) -> Done {
    Bare { root, files: list(root, workers), out, processor: &AstProcessor::default(), aside: Duration::ZERO }
        .run(workers, CHUNK)
}

/// The same for the files that a list names, a line each.
pub(crate) fn listed(root: &Path, list: &Path, out: &Path, workers: usize) -> Done {
    let files = std::fs::read_to_string(list)?.lines().map(PathBuf::from).collect();
    Bare { root, files, out, processor: &AstProcessor::default(), aside: Duration::ZERO }.run(workers, CHUNK)
}

/// The same work in the best order there is, the largest piece first and one at a time; its summary says what
/// all of it took, and the largest piece.
pub(crate) fn bound(root: &Path, out: &Path, workers: usize) -> Done {
    let slow = root.join(slow::FOLDER);
    let weight = |path: PathBuf| {
        let bytes = path.metadata().map_or(0, |metadata| metadata.len());
        (path.starts_with(&slow), bytes, path)
    };
    let files = list(root, workers);
    let begun = cpu(ClockId::ProcessCPUTime);
    let mut files: Vec<_> = files.into_iter().map(weight).collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    let files = files.into_iter().map(|(_, _, path)| path).collect();
    // Finding the order is no part of the work.
    let aside = cpu(ClockId::ProcessCPUTime) - begun;
    Bare { root, files, out, processor: &Slow::default(), aside }.run(workers, 1)
}

pub(crate) fn wanted(name: &[u8]) -> bool {
    [&b".ast.json"[..], b".syntax.json", b"_ast.json"].iter().any(|suffix| name.ends_with(suffix))
}

pub(crate) fn peak_bytes() -> Done<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    Ok(peak.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
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

/// The work.
struct Bare<'a> {
    root: &'a Path,
    files: Vec<PathBuf>,
    out: &'a Path,
    processor: &'a dyn Processor,
    /// CPU time that does not count.
    aside: Duration,
}

/// What the threads share.
struct Shared {
    out: Mutex<BufWriter<File>>,
    next: AtomicUsize,
    ok: AtomicUsize,
    failed: AtomicUsize,
    largest_ns: AtomicU64,
}

impl Bare<'_> {
    fn run(&self, workers: usize, chunk: usize) -> Done {
        let out = Mutex::new(BufWriter::with_capacity(1 << 20, File::create(self.out)?));
        let (next, ok, failed, largest_ns) = Default::default();
        let shared = Shared { out, next, ok, failed, largest_ns };
        std::thread::scope(|scope| {
            (0..workers).for_each(|_| drop(scope.spawn(|| self.work(&shared, chunk))));
        });
        shared.out.into_inner().map_err(|_| "a thread panicked")?.flush()?;
        let summary = serde_json::json!({
            "ok": shared.ok.into_inner(),
            "failed": shared.failed.into_inner(),
            "cpu_seconds": (cpu(ClockId::ProcessCPUTime) - self.aside).as_secs_f64(),
            "largest_seconds": shared.largest_ns.into_inner() as f64 / 1e9,
            "peak_rss_bytes": peak_bytes()?,
        });
        println!("{summary}");
        Ok(())
    }

    fn work(&self, shared: &Shared, chunk: usize) {
        let mut hand = Hand::default();
        loop {
            let from = shared.next.fetch_add(chunk, Ordering::Relaxed);
            let to = (from + chunk).min(self.files.len());
            let Some(files) = self.files.get(from..to).filter(|files| !files.is_empty()) else { break };
            let begun = (chunk == 1 && from < TIMED).then(|| cpu(ClockId::ThreadCPUTime));
            let good = files.iter().filter(|path| self.one(path, &mut hand).is_some()).count();
            if let Some(begun) = begun {
                let took = (cpu(ClockId::ThreadCPUTime) - begun).as_nanos();
                shared.largest_ns.fetch_max(u64::try_from(took).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            shared.ok.fetch_add(good, Ordering::Relaxed);
            shared.failed.fetch_add(files.len() - good, Ordering::Relaxed);
            if let Ok(mut out) = shared.out.lock() {
                // The peer is a benchmark: a full disk shows in its output.
                let _ = out.write_all(&hand.lines);
            }
            hand.lines.clear();
        }
    }

    fn one(&self, path: &Path, hand: &mut Hand) -> Option<()> {
        let Hand { content, result, lines } = hand;
        content.clear();
        let mut file = File::open(path).ok()?;
        let fingerprint = Fingerprint::from_metadata(&file.metadata().ok()?);
        content.reserve_exact(usize::try_from(fingerprint.size).ok()? + 1);
        file.read_to_end(content).ok()?;
        let digest = blake3::hash(content);
        let relative = path.strip_prefix(self.root).ok()?.as_os_str().as_bytes();
        self.processor.process(&FileContent { path: relative, bytes: content }, result).ok()?;
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
}

/// What a thread keeps from one file to the next.
#[derive(Default)]
struct Hand {
    content: Vec<u8>,
    result: ResultWriter,
    lines: Vec<u8>,
}
