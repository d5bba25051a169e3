//! The ledger and the planner by themselves: CPU time a file, size, and how long a state takes to open.
//!
//! `cargo bench --bench parts`; `OUTLAST_BENCH_FILES` sets the number of files.

use std::error::Error;
use std::time::{Duration, Instant};

use outlast::ledger::{Entry, Ledger, ReadyPosition, RecordRef, StateFolder, Tick};
use outlast::{
    BatchConfig, Digest, DiscoveredFile, FileKey, Fingerprint, LogPosition, Order, RootId, Timestamp,
    create_optimal_batches,
};
use rustix::time::{ClockId, clock_gettime};

/// Changes in a tick.
const TICK: usize = 8192;

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::var("OUTLAST_BENCH_FILES").ok().and_then(|text| text.parse().ok());
    let count: usize = count.unwrap_or(1_000_000);
    let scratch = std::env::temp_dir().join(format!("outlast-parts-{}", std::process::id()));
    let state = StateFolder::create(&scratch, "records".as_ref())?;
    let mut ledger = Ledger::open(&state)?;
    println!("| what | figure |\n|---|---|");
    per_file("queue files, CPU", count, || queue(&mut ledger, count))?;
    per_file("claim and complete files, CPU", count, || complete(&mut ledger))?;
    per_file("scan all entries, CPU", count, || scan(&ledger, count))?;
    println!("| state on disk | {:.0} bytes a file |", ledger.reader().size_on_disk()? as f64 / count as f64);
    drop(ledger);
    let begun = Instant::now();
    drop(Ledger::open(&state)?);
    println!("| open a state of {count} files, every block verified | {:.0} ms |", millis(begun.elapsed()));
    drop(state);
    std::fs::remove_dir_all(&scratch)?;
    for order in [Order::Path, Order::Largest] {
        let files: Vec<DiscoveredFile> = (0..100_000).map(file).collect();
        let begun = Instant::now();
        let batches = create_optimal_batches(files, &BatchConfig { order, ..BatchConfig::default() })?;
        let took = millis(begun.elapsed());
        println!("| plan 100,000 files by {order:?} into {} batches | {took:.1} ms |", batches.len());
    }
    Ok(())
}

fn key(number: usize) -> FileKey {
    let path = format!(
        "organisation/repository-{:04}/src/module-{:05}/file_{number:07}.ast.json",
        number / 5000,
        number / 100
    );
    FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap_or_else(|| unreachable!("a plain path"))
}

fn fingerprint(number: usize) -> Fingerprint {
    let time = Timestamp::from_parts(1_790_000_000 + number as i64 / 50, number as u32 % 1000 * 1_000_003);
    Fingerprint {
        size: 2000 + number as u64 % 6144,
        mtime: time,
        ctime: time,
        inode: 5_000_000 + number as u64,
    }
}

fn file(number: usize) -> DiscoveredFile {
    DiscoveredFile { key: key(number), fingerprint: fingerprint(number), attempts: 0, recorded: None }
}

fn queue(ledger: &mut Ledger, count: usize) -> Result<(), Box<dyn Error>> {
    let numbers: Vec<usize> = (0..count).collect();
    for group in numbers.chunks(TICK) {
        let found = |&number: &usize| {
            (key(number), Some(Entry { pending: true, fingerprint: fingerprint(number), ..Entry::default() }))
        };
        let changes: Vec<_> = group.iter().map(found).collect();
        ledger.commit(Tick { changes: &changes, log: LogPosition::START, log_crc: 0, job: None })?;
    }
    Ok(())
}

fn complete(ledger: &mut Ledger) -> Result<(), Box<dyn Error>> {
    let reader = ledger.reader();
    let (mut next, mut log) = (Some(ReadyPosition::default()), LogPosition::START);
    while let Some(from) = next {
        let ready = reader.ready(&from, TICK)?;
        let mut changes = Vec::with_capacity(ready.files.len());
        for (key, entry) in ready.files {
            let digest = Some(Digest([entry.fingerprint.inode as u8; 16]));
            let record = Some(RecordRef { position: log, epoch: 1, digest, failure: None, carried: false });
            log.offset += 600;
            changes.push((key, Some(Entry { pending: false, record, ..entry })));
        }
        ledger.commit(Tick { changes: &changes, log, log_crc: 0, job: None })?;
        next = ready.next;
    }
    Ok(())
}

fn scan(ledger: &Ledger, count: usize) -> Result<(), Box<dyn Error>> {
    let mut scan = ledger.reader().scan();
    let mut seen = 0;
    while scan.peek()?.is_some() {
        seen += 1;
        scan.advance();
    }
    if seen == count { Ok(()) } else { Err(format!("{seen} of {count} entries").into()) }
}

fn per_file(
    name: &str,
    count: usize,
    work: impl FnOnce() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let begun = cpu();
    work()?;
    println!("| {name} | {:.2} us a file |", (cpu() - begun).as_secs_f64() * 1e6 / count as f64);
    Ok(())
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
