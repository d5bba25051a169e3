//! How much of the record log is out of date.

use std::time::Instant;

use crate::engine::error::EngineError;
use crate::engine::store::Store;
use crate::model::{FileKey, LogPosition, RecordOf, RootId};
use crate::sink;

/// Places sampled: the resulting share is off by 3 % in one of three measurements.
const PLACES: u32 = 256;
/// Places that are enough where none of them is out of date: a tenth, the least share that can make a pass worth it,
/// would have shown in 999 of 1,000 measurements.
const PLACES_ALL_LATEST: u32 = 64;
/// Bytes at the beginning of a line that are read first. The root and the path are in there.
const HEAD_BYTES: usize = 4 << 10;
/// The most that these take, each byte of a path escaped.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// A measurement under way.
pub(crate) struct Measure {
    /// Segments of the log, each with its length in bytes.
    segments: Vec<(u32, u64)>,
    bytes: u64,
    seed: u64,
    looked: u32,
    dead: u32,
}

impl Measure {
    pub(super) fn new(store: &Store) -> Self {
        let segments = super::pass::segments_of(store);
        let bytes = segments.iter().map(|(_, bytes)| bytes).sum();
        Self { segments, bytes, seed: store.ledger.cursor().tick, looked: 0, dead: 0 }
    }

    /// Samples some places, until a deadline. Returns the share of bytes that are out of date, in percent, once that
    /// is known.
    pub(super) fn step(&mut self, store: &Store, until: Instant) -> Result<Option<u64>, EngineError> {
        while self.looked < PLACES {
            let Some(place) = self.next_place() else { return Ok(Some(0)) };
            self.dead += u32::from(!is_latest(store, place)?);
            self.looked += 1;
            if self.dead == 0 && self.looked == PLACES_ALL_LATEST {
                return Ok(Some(0));
            }
            if Instant::now() >= until {
                break;
            }
        }
        Ok((self.looked >= PLACES).then(|| u64::from(self.dead * 100 / self.looked)))
    }

    /// Returns a byte of the log, each with the same chance.
    fn next_place(&mut self) -> Option<LogPosition> {
        let mut at = next_random(&mut self.seed).checked_rem(self.bytes)?;
        for &(segment, bytes) in &self.segments {
            if at < bytes {
                return Some(LogPosition { segment, offset: at });
            }
            at -= bytes;
        }
        None
    }
}

/// Returns whether the line around a place is still the latest record of its path.
fn is_latest(store: &Store, place: LogPosition) -> Result<bool, EngineError> {
    let records = store.state.records();
    let key_of = |head: &[u8]| RecordOf::parse(head, |record| key_under(store, record)).flatten();
    let (start, head) = sink::line_around(&records, place, HEAD_BYTES)?;
    let key = match key_of(&head) {
        None if head.len() == HEAD_BYTES => key_of(&sink::line_around(&records, start, HEAD_BYTES_MAX)?.1),
        key => key,
    };
    let entry = key.map(|key| store.reader.get(&key)).transpose()?.flatten();
    Ok(entry.and_then(|entry| entry.record).is_some_and(|record| record.position == start))
}

fn key_under(store: &Store, record: &RecordOf<'_>) -> Option<FileKey> {
    let info = store.state.info().roots.iter().find(|info| info.name == record.root)?;
    record.key(RootId(info.id))
}

/// splitmix64.
fn next_random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
