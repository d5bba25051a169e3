//! Rebuilds a state from the record log, the truth that the ledger indexes.
//!
//! Lines that can't be trusted are dropped: those that are no records, and all of a committed range
//! whose checksum differs. Their files are due again at the next run, which also finds what has
//! changed since: entries are rebuilt without inode and ctime, so the content decides once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::EngineError;
use crate::ledger::{Entry, Ledger, LogRange, RecordRef, RootInfo, StateFolder, Tick};
use crate::model::{Digest, FileKey, Fingerprint, LogPosition, RecordHead, RecordStatus, RootId};
use crate::sink::{self, RawLine, RawLines, RecordLog, SinkError};

/// Entries that are committed together.
const TICK_FILES: usize = 8192;

/// What a repair did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairReport {
    /// Records that are kept.
    pub records_kept: u64,
    /// Records, or lines that were none, that were dropped.
    pub records_dropped: u64,
    /// Files that the state knows now.
    pub files: u64,
    /// Record files that were rewritten; the damaged ones stand beside them.
    pub set_aside: Vec<PathBuf>,
}

/// Repairs the state in `state`; `records` is the record folder for a state that does not tell it any more.
///
/// It can be run again at any time, also after it was killed.
///
/// # Errors
/// The state is in use or can't be written.
pub fn repair(state: &Path, records: &Path) -> Result<RepairReport, EngineError> {
    let mut state = StateFolder::open_for_repair(state, records)?;
    let records = state.records();
    let mut report = RepairReport::default();
    state.begin_repair()?;
    let ranges = state.readable_log_ranges();
    let mut last_tick = 0;
    for (segment, path) in sink::segments(&records)? {
        let (kept, tick) = clean_segment(&path, segment, &ranges, &mut report)?;
        last_tick = last_tick.max(tick);
        tracing::info!(segment, kept, "record file checked");
    }
    close_gaps(&records)?;
    let mut ledger = Ledger::rebuild(&state, last_tick + 1)?;
    let mut roots = Roots { infos: state.info().roots.clone() };
    for (segment, path) in sink::segments(&records)? {
        index_segment(&mut ledger, &path, segment, &mut roots)?;
    }
    state.update(|info| info.roots = roots.infos)?;
    drop(RecordLog::open(&records, ledger.cursor().log)?);
    report.files = ledger.reader().total().files();
    ledger.rebuilt()?;
    for (_, path) in sink::segments(&records)? {
        report.set_aside.extend(number_aside(&path)?);
    }
    Ok(report)
}

/// Gives what the repair set aside a name of its own, so that the next one keeps it.
fn number_aside(segment: &Path) -> Result<Option<PathBuf>, EngineError> {
    let aside = aside_of(segment);
    if !aside.exists() {
        return Ok(None);
    }
    let numbered = |number: u32| segment.with_extension(format!("ndjson.damaged-{number}"));
    let free = (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(0));
    fs::rename(&aside, &free).map_err(EngineError::io(aside.display().to_string()))?;
    Ok(Some(free))
}

/// Segments are numbered without gaps: one that is missing altogether becomes an empty one.
fn close_gaps(records: &Path) -> Result<(), EngineError> {
    let last = sink::segments(records)?.last().map_or(0, |(segment, _)| *segment);
    for segment in 1..=last {
        let path = records.join(sink::segment_name(segment));
        if !path.exists() {
            File::create(&path).map_err(EngineError::io(path.display().to_string()))?;
        }
    }
    Ok(())
}

/// Drops what can't be trusted from a segment. Returns the number of lines kept and the highest tick.
fn clean_segment(
    path: &Path,
    segment: u32,
    ranges: &[LogRange],
    report: &mut RepairReport,
) -> Result<(u64, u64), EngineError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut bad = Vec::new();
    // What an earlier, unfinished repair has rewritten does not lie where it was committed any more.
    let as_committed = !aside_of(path).exists();
    for range in ranges.iter().filter(|range| as_committed && range.segment == segment) {
        match sink::check_range(folder, segment, range.from, range.to, range.crc32) {
            Ok(true) => {}
            Ok(false) | Err(SinkError::Damaged { .. }) => bad.push(range.from..range.to),
            Err(error) => return Err(error.into()),
        }
    }
    let (mut kept, mut dropped, mut last_tick) = (0, 0, 0);
    let mut judge = |line: RawLine<'_>| -> bool {
        let record = if is_trusted(line, &bad) { RecordHead::parse(line.bytes).ok() } else { None };
        let fits = record.as_ref().is_some_and(|record| record.key(RootId(1)).is_some());
        last_tick = last_tick.max(record.map_or(0, |record| record.committed_tick));
        if fits {
            kept += 1;
        } else {
            dropped += 1;
        }
        fits
    };
    let mut lines = RawLines::open(path)?;
    let mut clean = true;
    while let Some(line) = lines.next_line()? {
        clean &= judge(line);
    }
    if !clean {
        rewrite(path, &bad)?;
    }
    report.records_kept += kept;
    report.records_dropped += dropped;
    Ok((kept, last_tick))
}

/// Whether a line is whole, and not in a range whose checksum differs.
fn is_trusted(line: RawLine<'_>, bad: &[std::ops::Range<u64>]) -> bool {
    line.is_whole && !bad.iter().any(|range| range.contains(&line.offset))
}

/// Where a repair keeps the damaged segment.
fn aside_of(path: &Path) -> PathBuf {
    path.with_extension("ndjson.damaged")
}

/// Writes a segment anew without what can't be trusted, and keeps the damaged one beside it.
fn rewrite(path: &Path, bad: &[std::ops::Range<u64>]) -> Result<(), EngineError> {
    let (fresh, aside) = (path.with_extension("ndjson.new"), aside_of(path));
    let failed = |path: &Path| EngineError::io(path.display().to_string());
    let file = File::create(&fresh).map_err(failed(&fresh))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut lines = RawLines::open(path)?;
    while let Some(line) = lines.next_line()? {
        let fits = || RecordHead::parse(line.bytes).is_ok_and(|record| record.key(RootId(1)).is_some());
        if is_trusted(line, bad) && fits() {
            out.write_all(line.bytes).and_then(|()| out.write_all(b"\n")).map_err(failed(&fresh))?;
        }
    }
    let file = out.into_inner().map_err(|error| failed(&fresh)(error.into_error()))?;
    file.sync_all().map_err(failed(&fresh))?;
    // A link first, so that at no instant is there no file of the segment's name.
    if fs::hard_link(path, &aside).is_err() {
        fs::copy(path, &aside).map_err(failed(&aside))?;
    }
    fs::rename(&fresh, path).map_err(failed(path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}

/// Commits a clean segment's records to the new ledger, group by group.
fn index_segment(
    ledger: &mut Ledger,
    path: &Path,
    segment: u32,
    roots: &mut Roots,
) -> Result<(), EngineError> {
    let mut lines = RawLines::open(path)?;
    let mut group = Group::default();
    while let Some(RawLine { offset, bytes: line, .. }) = lines.next_line()? {
        group.crc.update(line);
        group.crc.update(b"\n");
        group.end = offset + line.len() as u64 + 1;
        if let Ok(record) = RecordHead::parse(line) {
            roots.index(&record, LogPosition { segment, offset }, &mut group.changes);
        }
        if group.changes.len() >= TICK_FILES {
            std::mem::take(&mut group).commit(ledger, segment)?;
        }
    }
    group.commit(ledger, segment)
}

#[derive(Default)]
struct Group {
    changes: BTreeMap<FileKey, Option<Entry>>,
    crc: crc32fast::Hasher,
    end: u64,
}

impl Group {
    fn commit(self, ledger: &mut Ledger, segment: u32) -> Result<(), EngineError> {
        if self.end == 0 {
            return Ok(());
        }
        let changes: Vec<_> = self.changes.into_iter().collect();
        let log = LogPosition { segment, offset: self.end };
        ledger.commit(Tick { changes: &changes, log, log_crc: self.crc.finalize(), job: None })?;
        Ok(())
    }
}

struct Roots {
    infos: Vec<RootInfo>,
}

impl Roots {
    fn index(
        &mut self,
        record: &RecordHead<'_>,
        position: LogPosition,
        changes: &mut BTreeMap<FileKey, Option<Entry>>,
    ) {
        let processor = record.processor.as_deref().unwrap_or_default();
        let info = self.info_of(&record.root, processor);
        let epoch = if info.processor == processor { info.epoch } else { 0 };
        let Some(key) = record.key(RootId(info.id)) else { return };
        let entry = (record.status != RecordStatus::Removed).then(|| Entry {
            pending: false,
            recheck: false,
            attempts: 0,
            fingerprint: Fingerprint {
                size: record.size.unwrap_or(0),
                mtime: record.mtime.unwrap_or_default(),
                ..Fingerprint::default()
            },
            record: Some(RecordRef {
                position,
                epoch,
                digest: record.digest.as_deref().and_then(Digest::from_hex),
                failure: record.error.as_ref().map(|error| error.class),
            }),
        });
        changes.insert(key, entry);
    }

    /// The root of this name; one that the state does not know any more is known without its path,
    /// which the next run of a folder of that name supplies.
    fn info_of(&mut self, name: &str, processor: &str) -> &RootInfo {
        let at = self.infos.iter().position(|info| info.name == name).unwrap_or_else(|| {
            self.infos.push(RootInfo {
                id: self.infos.iter().map(|info| info.id).max().unwrap_or(0) + 1,
                name: name.to_owned(),
                path: PathBuf::new(),
                processor: processor.to_owned(),
                epoch: 1,
                filters: String::new(),
            });
            self.infos.len() - 1
        });
        &self.infos[at]
    }
}
