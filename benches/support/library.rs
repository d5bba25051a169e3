//! The library in a process of its own, so that the figures are the whole process's.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use outlast::{BatchConfig, BatchProcessingEngine, Engine};
use rustix::process::{Signal, getpid, kill_process};
use rustix::time::ClockId;

use super::slow::Slow;
use super::{Done, cores, cpu};

/// How often the process looks at itself.
const LOOK: Duration = Duration::from_millis(10);
/// The end of a run, in which cores may be idle.
const TAIL: Duration = Duration::from_millis(100);

/// What ends a run early, once it has committed so many files.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Halt {
    /// Never.
    No,
    /// The process kills itself, as kill -9 does.
    Kill(u64),
    /// The run is asked to stop.
    Stop(u64),
}

/// Ingests a tree; prints the summary.
pub(crate) fn tree(root: &Path, state: &Path, config: &str) -> Done {
    let engine = Engine::new(Slow::default());
    ingest(engine, root, state, serde_json::from_str(config)?, Halt::No)
}

/// Counts lines as `examples/exec/lines.py` does; prints the summary.
pub(crate) fn lines(root: &Path, state: &Path) -> Done {
    let lines = outlast::from_fn("lines/1", &["*"], |file| {
        Ok(std::collections::BTreeMap::from([("lines", file.bytes.split(|&byte| byte == b'\n').count())]))
    });
    ingest(Engine::new(lines), root, state, BatchConfig::default(), Halt::No)
}

/// Runs an engine; prints the summary, and in it what share of the cores' time the process used: `busy` of
/// all of it, `busy_before_tail` without the last tenth of a second.
pub(crate) fn ingest(engine: Engine, root: &Path, state: &Path, config: BatchConfig, halt: Halt) -> Done {
    let begun = Instant::now();
    let engine = BatchProcessingEngine::from_engine(engine).with_state(state);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let has_ended = AtomicBool::new(false);
    let (result, looks) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| look(&engine, begun, halt, &has_ended));
        let result = runtime.block_on(engine.process_repository(root, config));
        has_ended.store(true, Ordering::Relaxed);
        (result, watcher.join())
    });
    let looks = looks.map_err(|_| "the watcher panicked")?;
    let end = (begun.elapsed(), cpu(ClockId::ProcessCPUTime));
    let before_tail = looks.iter().rfind(|look| look.0 + TAIL <= end.0);
    let mut summary = serde_json::to_value(result?)?;
    summary["busy"] = busy(&end).into();
    summary["busy_before_tail"] = busy(before_tail.unwrap_or(&end)).into();
    println!("{summary}");
    Ok(())
}

/// Times since the begin, with the CPU time so far.
type Look = (Duration, Duration);

fn look(engine: &BatchProcessingEngine, begun: Instant, halt: Halt, has_ended: &AtomicBool) -> Vec<Look> {
    let mut looks = Vec::new();
    while !has_ended.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
        looks.push((begun.elapsed(), cpu(ClockId::ProcessCPUTime)));
        match halt {
            Halt::Kill(files) if engine.processing_statistics().progress.ok >= files => {
                let _ = kill_process(getpid(), Signal::KILL);
            }
            Halt::Stop(files) if engine.processing_statistics().progress.ok >= files => {
                engine.stop().request();
            }
            Halt::No | Halt::Kill(_) | Halt::Stop(_) => {}
        }
    }
    looks
}

fn busy((wall, cpu): &Look) -> f64 {
    cpu.as_secs_f64() / (wall.as_secs_f64() * cores() as f64)
}
