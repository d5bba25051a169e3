//! Rebuilds a state from the record log, the truth that the ledger indexes.
//!
//! Untrusted lines are dropped: those that are not records, and all of a committed range whose checksum differs.
//! Their files are due again at the next run, which also finds what has changed since: entries are rebuilt without
//! inode and ctime, so the content decides once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::error::EngineError;
use crate::ledger::{Entry, Ledger, LogRange, RecordRef, RootInfo, StateFolder, Tick};
use crate::model::{Digest, FileKey, Fingerprint, LogPosition, RecordHead, RecordStatus, RootId, durable};
use crate::sink::{self, RawLine, RawLines, RecordFolder, RecordLog, SinkError};

/// Numbers that may be missing between two segments; what lies further off is not part of the log.
const GAP_MAX: u32 = 1000;
/// Entries that are committed together.
const TICK_FILES: usize = 8192;

/// Result of a repair.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairReport {
    /// Records that are kept.
    pub records_kept: u64,
    /// Records, or lines that were none, that were dropped.
    pub records_dropped: u64,
    /// Files that the state knows now.
    pub files: u64,
    /// Record files that were rewritten; the damaged ones are kept beside them.
    pub set_aside: Vec<PathBuf>,
}

/// Repairs the state in `state`; `records` is the record folder of a state that no longer names it.
///
/// It can be run again at any time, also after it was killed: until the state's mark of a repair is gone, which
/// happens at one instant, each attempt begins with the log and the checksums as the first one found them. What it
/// leaves behind after that, the next repair clears up before it sets its mark.
///
/// # Errors
/// The state is in use or can't be written, or a file has the name of a segment far behind the log's end.
pub fn repair(state: impl AsRef<Path>, records: impl AsRef<Path>) -> Result<RepairReport, EngineError> {
    let mut state = StateFolder::open_for_repair(state.as_ref(), records.as_ref())?;
    let records = state.records();
    // Before any record file is touched: another state's process may write them.
    let locked = RecordFolder::take(&records)?;
    let mut report = RepairReport::default();
    check_foreign(&records, &state.readable_log_ranges()?)?;
    if !state.is_in_repair()? {
        sink::number_asides(&records)?;
    }
    state.begin_repair()?;
    let ranges = state.readable_log_ranges()?;
    let mut last_tick = 0;
    let found: BTreeMap<_, _> =
        sink::segments(&records)?.into_iter().chain(sink::set_aside_segments(&records)?).collect();
    for (segment, path) in found {
        let (kept, tick) = clean_segment(&path, segment, &ranges, &mut report)?;
        last_tick = last_tick.max(tick);
        tracing::info!(segment, kept, "record file checked");
    }
    let first = close_gaps(&records)?;
    let mut ledger = Ledger::rebuild(&state, last_tick + 1)?;
    let mut roots = Roots { infos: state.info().roots.clone() };
    for (segment, path) in sink::segments(&records)? {
        index_segment(&mut ledger, &path, segment, &mut roots)?;
    }
    // A forgotten root has only `removed` records left.
    let reader = ledger.reader();
    let is_root =
        |info: &RootInfo| !info.path.as_os_str().is_empty() || reader.counts(RootId(info.id)).files() > 0;
    roots.infos.retain(is_root);
    state.update(|info| info.roots = roots.infos)?;
    // Records may be at other positions now.
    state.renew_id()?;
    ledger.begin_log_at(first, false)?;
    drop(RecordLog::open_in(locked, first, ledger.cursor())?);
    report.files = ledger.reader().total().files();
    ledger.rebuilt()?;
    report.set_aside = sink::number_asides(&records)?;
    Ok(report)
}

/// Refuses a file named like a segment that can't be one: it would be taken for the log's end.
fn check_foreign(records: &Path, ranges: &[LogRange]) -> Result<(), EngineError> {
    let found = sink::segments(records)?;
    // Segments before the first committed one may have been dropped.
    let known = ranges.iter().map(|range| range.segment).min();
    let mut before = known.or(found.first().map(|(segment, _)| *segment)).unwrap_or(0);
    for (segment, path) in found {
        if segment.saturating_sub(before) > GAP_MAX {
            let what = "not a file of this log, whose last one has a much lower number; move it elsewhere";
            return Err(EngineError::io(path.display().to_string())(io::Error::other(what)));
        }
        before = segment;
    }
    Ok(())
}

/// Segments are numbered without gaps: a missing one in between becomes an empty one. Returns the first: the log
/// begins there, whatever came before.
fn close_gaps(records: &Path) -> Result<u32, EngineError> {
    let segments = sink::segments(records)?;
    let first = segments.first().map_or(LogPosition::START.segment, |(segment, _)| *segment);
    let last = segments.last().map_or(0, |(segment, _)| *segment);
    for segment in first..=last {
        let path = records.join(sink::segment_name(segment));
        // An existing file keeps its content.
        let made = File::options().append(true).create(true).open(&path);
        made.map_err(EngineError::io(path.display().to_string()))?;
    }
    Ok(first)
}

/// Drops untrusted lines from a segment. Returns the number of lines kept and the highest tick.
fn clean_segment(
    path: &Path,
    segment: u32,
    ranges: &[LogRange],
    report: &mut RepairReport,
) -> Result<(u64, u64), EngineError> {
    // What an unfinished repair has rewritten is no longer where it was committed.
    let source = sink::original_of(path)?;
    let mut bad = Vec::new();
    for range in ranges.iter().filter(|range| range.segment == segment) {
        match sink::check_range(&source, range.from, range.to, range.crc32) {
            Ok(true) => {}
            Ok(false) | Err(SinkError::Damaged { .. } | SinkError::Missing { .. }) => {
                bad.push(range.from..range.to);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let mut kept = 0;
    let mut dropped = 0;
    let mut last_tick = 0;
    let mut judge = |line: RawLine<'_>| -> bool {
        let record = if is_trusted(line, &bad) { RecordHead::parse(line.bytes).ok() } else { None };
        let fits = record.as_ref().is_some_and(|record| record.key(RootId(1)).is_some());
        last_tick = last_tick.max(record.map_or(0, |record| record.written_tick()));
        if fits {
            kept += 1;
        } else {
            dropped += 1;
        }
        fits
    };
    let mut lines = RawLines::open(&source)?;
    let mut clean = source == path;
    while let Some(line) = lines.next_line()? {
        clean &= judge(line);
    }
    if clean {
        let sure = ranges.iter().filter(|range| range.segment == segment).map(|range| range.to).max();
        make_sure(path, sure.unwrap_or(0)).map_err(EngineError::io(path.display().to_string()))?;
    } else {
        rewrite(path, &source, &bad)?;
    }
    report.records_kept += kept;
    report.records_dropped += dropped;
    Ok((kept, last_tick))
}

/// Makes the part of a segment durable that was not committed, but is kept all the same.
fn make_sure(path: &Path, committed: u64) -> io::Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    durable::write_again(&file, committed, file.metadata()?.len())
}

/// Returns whether a line is whole, and not in a range whose checksum differs.
fn is_trusted(line: RawLine<'_>, bad: &[std::ops::Range<u64>]) -> bool {
    line.is_whole && !bad.iter().any(|range| range.contains(&line.offset))
}

/// Rewrites a segment from its source without untrusted lines, and keeps the source beside it.
fn rewrite(path: &Path, source: &Path, bad: &[std::ops::Range<u64>]) -> Result<(), EngineError> {
    let fresh = path.with_extension("ndjson.new");
    let failed = |path: &Path| EngineError::io(path.display().to_string());
    let file = durable::create_anew(&fresh).map_err(failed(&fresh))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut lines = RawLines::open(source)?;
    while let Some(line) = lines.next_line()? {
        let fits = || RecordHead::parse(line.bytes).is_ok_and(|record| record.key(RootId(1)).is_some());
        if is_trusted(line, bad) && fits() {
            out.write_all(line.bytes).and_then(|()| out.write_all(b"\n")).map_err(failed(&fresh))?;
        }
    }
    let file = out.into_inner().map_err(|error| failed(&fresh)(error.into_error()))?;
    file.sync_all().map_err(failed(&fresh))?;
    Ok(sink::replace_segment(path, &fresh)?)
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
        let log = LogPosition { segment, offset: self.end };
        // A segment of which nothing was kept counts, too: the log ends in the last one.
        if log <= ledger.cursor().log {
            return Ok(());
        }
        let changes: Vec<_> = self.changes.into_iter().collect();
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
                carried: false,
            }),
            ..Entry::default()
        });
        changes.insert(key, entry);
    }

    /// Returns the root of this name; one unknown to the state is known without its path, which the next run of a
    /// folder of that name supplies.
    fn info_of(&mut self, name: &str, processor: &str) -> &RootInfo {
        let at = self.infos.iter().position(|info| info.name == name).unwrap_or_else(|| {
            let id = self.infos.iter().map(|info| info.id).max().unwrap_or(0) + 1;
            self.infos.push(RootInfo::new(id, name, PathBuf::new(), processor));
            self.infos.len() - 1
        });
        &self.infos[at]
    }
}

#[cfg(test)]
mod tests;
