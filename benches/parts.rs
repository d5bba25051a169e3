//! The ledger and the planner by themselves: CPU time a file, size, how long a state takes to open, and how
//! many updates of single files at random places become durable in a second.
//!
//! `cargo bench --bench parts`; `OUTLAST_BENCH_FILES` sets the number of files, `OUTLAST_BENCH_TICKS` how many
//! ticks of random updates there are.

#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::time::{Duration, Instant};

use outlast::ledger::{Entry, Ledger, ReadyPosition, RecordRef, StateFolder, Tick};
use outlast::{
    BatchConfig, Digest, DiscoveredFile, FileKey, Fingerprint, LogPosition, Order, RootId, Timestamp,
    create_optimal_batches,
};
use rustix::time::ClockId;
use support::{Done, cpu, number};

/// Changes in a tick.
const TICK: usize = 8192;

fn main() -> Done {
    let count = number("OUTLAST_BENCH_FILES", 1_000_000);
    let scratch = support::scratch()?;
    let state = StateFolder::create(&scratch.path().join("state"), "records".as_ref())?;
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
    let mut ledger = Ledger::open(&state)?;
    update(&mut ledger, count)?;
    println!(
        "| state on disk, after them | {:.0} bytes a file |",
        ledger.reader().size_on_disk()? as f64 / count as f64
    );
    drop(ledger);
    let begun = Instant::now();
    drop(Ledger::open(&state)?);
    println!("| open the state, after them | {:.0} ms |", millis(begun.elapsed()));
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

fn queue(ledger: &mut Ledger, count: usize) -> Done {
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

fn complete(ledger: &mut Ledger) -> Done {
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

fn scan(ledger: &Ledger, count: usize) -> Done {
    let mut scan = ledger.reader().scan();
    let mut seen = 0;
    while scan.peek()?.is_some() {
        seen += 1;
        scan.advance();
    }
    if seen == count { Ok(()) } else { Err(format!("{seen} of {count} entries").into()) }
}

/// Updates of single files at random places, in ticks of [`TICK`]: the latency of a tick is theirs.
fn update(ledger: &mut Ledger, count: usize) -> Done {
    let (reader, mut log, mut random) = (ledger.reader(), ledger.cursor().log, 0x9E37_79B9_7F4A_7C15_u64);
    let (mut updates, mut ticks) = (0, Vec::new());
    let rounds = number("OUTLAST_BENCH_TICKS", 25);
    let cpu_begun = cpu(ClockId::ProcessCPUTime);
    for round in 0..rounds {
        let mut keys: Vec<FileKey> =
            (0..TICK).map(|_| key(support::tree::step(&mut random) as usize % count)).collect();
        keys.sort_unstable();
        keys.dedup();
        let begun = Instant::now();
        let entries = reader.lookup(&keys)?;
        let changes = keys.into_iter().zip(entries).map(|(key, entry)| {
            log.offset += 600;
            let digest = Some(Digest([round as u8; 16]));
            let record = Some(RecordRef { position: log, epoch: 1, digest, failure: None, carried: false });
            (key, entry.map(|entry| Entry { record, ..entry }))
        });
        let changes: Vec<_> = changes.collect();
        ledger.commit(Tick { changes: &changes, log, log_crc: 0, job: None })?;
        ticks.push(begun.elapsed());
        updates += changes.len();
    }
    let seconds = ticks.iter().sum::<Duration>().as_secs_f64();
    let took = cpu(ClockId::ProcessCPUTime) - cpu_begun;
    println!("| random updates, CPU | {:.2} us each |", took.as_secs_f64() * 1e6 / updates as f64);
    println!("| random updates, durable, in ticks of {TICK} | {:.0} a second |", updates as f64 / seconds);
    ticks.sort_unstable();
    let (middle, last) = (ticks[ticks.len() / 2], ticks[ticks.len() - 1]);
    println!("| such a tick | {:.0} ms, {:.0} ms at most |", millis(middle), millis(last));
    Ok(())
}

fn per_file(name: &str, count: usize, work: impl FnOnce() -> Done) -> Done {
    let begun = cpu(ClockId::ProcessCPUTime);
    work()?;
    let took = cpu(ClockId::ProcessCPUTime) - begun;
    println!("| {name} | {:.2} us a file |", took.as_secs_f64() * 1e6 / count as f64);
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
