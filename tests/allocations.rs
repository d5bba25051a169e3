//! A guard of the main path: how often a whole run asks the allocator for memory, for each file. It is counted,
//! not timed, so it is the same on a fast machine and a slow one; and what makes a run slower from one version
//! to the next mostly shows in it. A test binary of its own, since its allocator counts for the whole process.
#![expect(unsafe_code, reason = "an allocator has no safe face")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use outlast::{AstProcessor, BatchConfig, Engine, EngineError, RunOptions, StrategyKind};

static COUNT: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: each call is the system allocator's own, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is the same, and what it has came from the system allocator.
        unsafe { System.realloc(at, layout, bytes) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const FILES: usize = 4000;
/// Runs of which the cheapest counts: how many messages there are between threads is a matter of chance.
const RUNS: usize = 3;
/// What a commit tick costs by itself. A slow machine makes more of them over the same work.
const OF_A_TICK: f64 = 270.0;

/// Allocations for each file. Who makes them fewer lowers these; who has a good reason for more raises them.
const FIRST_RUN: f64 = 6.26;
const NOTHING_CHANGED: f64 = 0.67;

fn make(root: &Path, files: usize) -> std::io::Result<()> {
    for number in 0..files {
        let folder = root.join(format!("package{:02}", number / 250));
        if number % 250 == 0 {
            std::fs::create_dir_all(&folder)?;
        }
        let mut text = String::from("{\"_type\": \"Module\", \"body\": [");
        for line in 0..5 {
            let _ = write!(
                text,
                "{{\"_type\": \"FunctionDef\", \"name\": \"name_{number}_{line}\", \"lineno\": {line}, \
                 \"body\": [{{\"_type\": \"Return\", \"value\": {{\"_type\": \"Constant\", \"value\": 1}}}}]}}, "
            );
        }
        text.push_str("{\"_type\": \"Pass\"}]}");
        std::fs::write(folder.join(format!("file_{number:05}.ast.json")), text)?;
    }
    Ok(())
}

/// The allocations of a run for each file, those of ticks left out.
fn run(root: &Path, state: &Path) -> Result<f64, EngineError> {
    // Adaptive batches are cut by time.
    let config = BatchConfig { worker_count: 1, strategy: StrategyKind::Count, ..BatchConfig::default() };
    let engine = Engine::new(AstProcessor::default());
    let before = COUNT.load(Ordering::Relaxed);
    let result = engine.run(&[root.to_owned()], &config, &RunOptions::new(state))?;
    let count = COUNT.load(Ordering::Relaxed) - before;
    assert_eq!(result.progress.discovered, FILES as u64);
    Ok((count as f64 - OF_A_TICK * result.progress.ticks as f64) / FILES as f64)
}

#[test]
fn a_run_allocates_no_more_for_each_file_than_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    make(&tree, FILES).unwrap();
    let (mut first, mut second) = (f64::INFINITY, f64::INFINITY);
    for number in 0..RUNS {
        let state = folder.path().join(format!("state{number}"));
        first = first.min(run(&tree, &state).unwrap());
        second = second.min(run(&tree, &state).unwrap());
    }
    for (name, was, is) in [("FIRST_RUN", FIRST_RUN, first), ("NOTHING_CHANGED", NOTHING_CHANGED, second)] {
        println!("{name}: {is:.3} allocations a file, {was} so far");
        if is < was * 0.9 {
            // Not by a macro, which a test that passes says nothing by.
            let hint = format!("{name} is {is:.3} by now: lower it from {was}, so that it stays so\n");
            std::io::stderr().write_all(hint.as_bytes()).unwrap();
        }
        assert!(
            is <= was * 1.05,
            "{name}: {is:.3} allocations a file are more than 5 % above {was}. Keep buffers, or pass what there \
             is; where it is worth them, raise the constant and say why"
        );
    }
}
