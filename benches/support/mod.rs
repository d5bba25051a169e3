//! What the benchmarks share. Each of them runs whole processes and takes their figures from outside: the
//! command, or itself once more in one of the modes of [`child`].

pub(crate) mod bare;
pub(crate) mod library;
pub(crate) mod measure;
pub(crate) mod ratio;
pub(crate) mod slow;
pub(crate) mod tree;
pub(crate) mod walk;

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What a benchmark's parts return.
pub(crate) type Done<T = ()> = Result<T, Box<dyn Error>>;

/// Does what this process was started for by [`own`]; false where it is the benchmark itself.
pub(crate) fn child() -> Done<bool> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["bare", root, out, workers] => bare::whole(Path::new(root), Path::new(out), workers.parse()?)?,
        ["listed", root, list, out, workers] => {
            bare::listed(Path::new(root), Path::new(list), Path::new(out), workers.parse()?)?;
        }
        ["bound", root, out, workers] => bare::bound(Path::new(root), Path::new(out), workers.parse()?)?,
        ["walk", root, threads] => walk::run(Path::new(root), threads.parse()?)?,
        ["ingest", root, state, config] => library::tree(root.as_ref(), state.as_ref(), config)?,
        ["lines", root, state] => library::lines(root.as_ref(), state.as_ref())?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// This program once more, in a mode.
pub(crate) fn own(mode: &str, args: &[&dyn AsRef<std::ffi::OsStr>]) -> Done<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(mode).args(args.iter().map(|arg| arg.as_ref()));
    Ok(command)
}

/// `outlast run` of a tree.
pub(crate) fn outlast(tree: &Path, state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outlast"));
    command.arg("run").arg(tree).arg("--state").arg(state);
    command.args(["--format", "json", "--progress", "never"]);
    command
}

/// A number from the environment.
pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// How many cores there are.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// A folder that goes with its owner.
pub(crate) fn scratch() -> std::io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("outlast-bench-").tempdir()
}

/// Bytes of the files below a folder, without one of its entries.
pub(crate) fn bytes_below(folder: &Path, without: &str) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() && entry.file_name() != without {
            bytes += bytes_below(&entry.path(), without)?;
        } else if metadata.is_file() {
            bytes += metadata.len();
        }
    }
    Ok(bytes)
}

/// CPU time so far of this process, or of this thread.
pub(crate) fn cpu(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
