//! How soon a changed file has its record, how soon many have theirs, and what waiting costs.
//!
//! `OUTLAST_LATENCY_FILES` sets the number of files of the bulk job and of the idle tree. The bounds are those of a
//! busy machine, unless `OUTLAST_LATENCY_STRICT=1` asks for those that a machine with nothing else to do must keep.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Watcher, wait_until};
use crate::support::{Content, Promise, Rng, Sandbox, from_env};

/// Follows the record log as a reader of its file does.
struct Follower {
    folder: PathBuf,
    segment: u64,
    offset: u64,
    rest: Vec<u8>,
}

impl Follower {
    /// From where the log ends now.
    fn at_end(sandbox: &Sandbox) -> Self {
        let (segment, offset) = Promise::of(&sandbox.status()).log;
        Self { folder: sandbox.records(), segment, offset, rest: Vec::new() }
    }

    fn path(&self, segment: u64) -> PathBuf {
        self.folder.join(format!("records-{segment:06}.ndjson"))
    }

    /// The lines that are new in the file, which need not be committed yet, and where they end.
    fn next(&mut self) -> (Vec<Vec<u8>>, (u64, u64)) {
        let mut bytes = std::mem::take(&mut self.rest);
        if let Ok(mut file) = File::open(self.path(self.segment)) {
            file.seek(SeekFrom::Start(self.offset + bytes.len() as u64)).unwrap();
            file.read_to_end(&mut bytes).unwrap();
        }
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        self.rest = bytes.split_off(whole);
        self.offset += whole as u64;
        let lines =
            bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
        let end = (self.segment, self.offset);
        if whole == 0 && self.rest.is_empty() && self.path(self.segment + 1).exists() {
            (self.segment, self.offset) = (self.segment + 1, 0);
        }
        (lines, end)
    }
}

fn is_strict() -> bool {
    from_env("OUTLAST_LATENCY_STRICT", 0) == 1
}

/// A bulk of files that a worker needs some time for.
fn fill(root: &Path, files: u64) {
    let bytes = Content::Large(6).bytes(&mut Rng::new(files));
    for number in 0..files {
        let folder = root.join(format!("bulk{}", number / 500));
        if number % 500 == 0 {
            fs::create_dir_all(&folder).unwrap();
        }
        let mut file = File::create(folder.join(format!("f{number}.ast.json"))).unwrap();
        writeln!(file, "[{number},").unwrap();
        file.write_all(&bytes).unwrap();
        file.write_all(b"]").unwrap();
    }
}

/// Changes a file, and waits until its record is durable; tells how long that took.
fn one_change(watcher: &Watcher<'_>, follower: &mut Follower, serial: u64) -> Duration {
    let path = format!("watched/f{}.ast.json", serial % 7);
    let text = format!("{{\"type\":\"Program\",\"serial\":{serial}}}");
    let size = format!("\"size\":{}", text.len());
    watcher.sandbox.write(&path, text);
    let closed = Instant::now();
    let is_it = |line: &Vec<u8>| {
        let line = String::from_utf8_lossy(line);
        line.contains(&path) && line.contains(&size) && line.contains("\"status\":\"ok\"")
    };
    loop {
        let (lines, end) = follower.next();
        if lines.iter().any(is_it) {
            // The line may be written and not yet committed: the cursor tells.
            while Promise::of(&watcher.status().unwrap()).log < end {
                std::thread::sleep(Duration::from_micros(500));
            }
            return closed.elapsed();
        }
        assert!(closed.elapsed() < super::PATIENCE, "{path} has no record: {}", watcher.said());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The share of so many percent took no longer.
fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * percent).div_ceil(100).max(1) - 1]
}

#[test]
fn a_changed_file_has_its_durable_record_soon_when_nothing_else_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.write("watched/f.ast.json", "[]");
    let watcher = Watcher::start(&sandbox);
    let mut follower = Follower::at_end(&sandbox);
    let mut rng = Rng::new(51);
    let mut times = Vec::new();
    for serial in 0..40 {
        std::thread::sleep(Duration::from_millis(20) + rng.time_up_to(Duration::from_millis(60)));
        times.push(one_change(&watcher, &mut follower, serial));
    }
    let (median, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    eprintln!("idle: median {median:?}, p99 {p99:?}");
    let most = Duration::from_millis(if is_strict() { 50 } else { 400 });
    assert!(median <= most, "the median is {median:?}");
    // The engine's own figures begin at the event, so they are hardly larger.
    let told = watcher.status().unwrap()["running"]["watch"]["latency"]["p50_seconds"].as_f64().unwrap();
    assert!(told > 0.0 && told <= 2.0 * median.as_secs_f64(), "{told} s are told, and {median:?} seen");
    watcher.stop();
}

/// So many files are ok, and nothing is left to do. That each record fits its file takes long to check, and is checked
/// elsewhere.
#[track_caller]
fn assert_done(watcher: &mut Watcher<'_>, files: u64) {
    let is_done = |total: &serde_json::Value| total["pending"] == 0 && total["ok"] == files;
    let total = wait_until("all is done", || {
        Some(watcher.status()?["total"].clone()).filter(|total| total["pending"] == 0)
    });
    assert!(is_done(&total), "{files} files, and {total}");
}

#[test]
fn a_changed_file_overtakes_a_bulk_job() {
    let files = from_env("OUTLAST_LATENCY_FILES", 6_000);
    let sandbox = Sandbox::new();
    sandbox.write("watched/f.ast.json", "[]");
    let bulk = sandbox.root.with_file_name("bulk");
    fill(&bulk, files);
    let mut watcher = Watcher::of(&sandbox, &[&sandbox.root], &["--workers", "2"]);
    watcher.order(&["add", bulk.to_str().unwrap()]);
    watcher.wait_for("the bulk job is under way", |running| running["ok"].as_u64() > Some(0));
    let mut follower = Follower::at_end(&sandbox);
    let (mut times, mut serial) = (Vec::new(), 0);
    let is_busy = |watcher: &Watcher<'_>| watcher.status().unwrap()["running"]["state"] != "watching";
    while is_busy(&watcher) {
        let time = one_change(&watcher, &mut follower, serial);
        if is_busy(&watcher) {
            times.push(time);
        }
        serial += 1;
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(times.len() > 3, "the bulk job was over too soon: {} changes", times.len());
    let (median, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    eprintln!("beside {files} files: {} changes, median {median:?}, p99 {p99:?}", times.len());
    let (most, most_p99) = if is_strict() { (100, 500) } else { (1000, 5000) };
    assert!(median <= Duration::from_millis(most), "the median is {median:?}");
    assert!(p99 <= Duration::from_millis(most_p99), "the 99th percentile is {p99:?}");
    let watched = fs::read_dir(sandbox.root.join("watched")).unwrap().count() as u64;
    assert_done(&mut watcher, files + watched);
}

#[test]
fn ten_thousand_files_that_change_at_once_are_there_within_seconds() {
    let sandbox = Sandbox::new();
    fill(&sandbox.root, 10_000);
    let mut watcher = Watcher::start(&sandbox);
    let before = watcher.status().unwrap()["records_bytes"].as_u64().unwrap();
    let mut follower = Follower::at_end(&sandbox);
    let begun = Instant::now();
    for number in 0..10_000 {
        let path = sandbox.root.join(format!("bulk{}/f{number}.ast.json", number / 500));
        fs::write(path, format!("{{\"type\":\"Program\",\"number\":{number}}}")).unwrap();
    }
    let written = begun.elapsed();
    let (mut seen, mut end) = (0, (0, 0));
    while seen < 10_000 {
        let (lines, upto) = follower.next();
        (seen, end) = (seen + lines.len(), upto);
        assert!(begun.elapsed() < super::PATIENCE, "{seen} of 10000: {}", watcher.said());
        std::thread::sleep(Duration::from_millis(2));
    }
    wait_until("they are committed", || (Promise::of(&watcher.status()?).log >= end).then_some(()));
    let took = begun.elapsed();
    eprintln!("10,000 files: written in {written:?}, all there after {took:?}");
    assert!(took < Duration::from_secs(if is_strict() { 10 } else { 60 }), "{took:?}");
    assert!(watcher.status().unwrap()["records_bytes"].as_u64().unwrap() > before);
    assert_done(&mut watcher, 10_000);
}

/// Time that a process was on a processor.
fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // Told in hundredths of a second on every architecture.
    Duration::from_millis(ticks * 10)
}

#[test]
fn a_process_that_only_waits_uses_hardly_any_processor_time() {
    let files = from_env("OUTLAST_LATENCY_FILES", 6_000);
    let seconds = from_env("OUTLAST_IDLE_SECONDS", 6);
    let sandbox = Sandbox::new();
    fill(&sandbox.root, files);
    let watcher = Watcher::start(&sandbox);
    // What the first scan leaves behind ends before.
    std::thread::sleep(Duration::from_secs(1));
    let before = cpu_time(watcher.child.id());
    std::thread::sleep(Duration::from_secs(seconds));
    let used = cpu_time(watcher.child.id()) - before;
    let percent = 100.0 * used.as_secs_f64() / seconds as f64;
    eprintln!("idle over {files} files: {percent:.2} % of a core");
    let most = if is_strict() { 0.5 } else { 6.0 };
    assert!(percent <= most, "it used {percent:.2} % of a core");
}
