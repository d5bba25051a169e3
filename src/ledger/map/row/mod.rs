//! One row of a block: an entry, encoded as its difference to the row before.

pub(super) mod read;

use bincode::Encode;
use bincode::enc::Encoder;
use bincode::error::EncodeError;

pub(super) use read::read;

use super::entry::{Entry, RecordRef};
use crate::model::{ErrorClass, LogPosition, shared_prefix};

mod flags {
    pub(super) const PENDING: u8 = 1;
    pub(super) const RECHECK: u8 = 1 << 1;
    pub(super) const RECORD: u8 = 1 << 2;
    pub(super) const DIGEST: u8 = 1 << 3;
    pub(super) const FAILED: u8 = 1 << 4;
    /// Segment and epoch are those of the last record before.
    pub(super) const SAME_LOG: u8 = 1 << 5;
    /// The inode changed when the content did.
    pub(super) const SAME_TIME: u8 = 1 << 6;
    /// A byte of rarer marks follows, and their data.
    pub(super) const MORE: u8 = 1 << 7;
}

/// The rarer marks.
mod marks {
    pub(super) const RETRY: u8 = 1;
    pub(super) const CRASHES: u8 = 1 << 1;
    pub(super) const QUARANTINED: u8 = 1 << 2;
    pub(super) const CARRIED: u8 = 1 << 3;
    pub(super) const ALL: u8 = (1 << 4) - 1;
}

/// The numbers that the next row's are relative to.
#[derive(Default)]
pub(super) struct Numbers {
    mtime: i64,
    inode: u64,
    segment: u32,
    offset: u64,
    epoch: u32,
}

/// A row to be written.
#[derive(Default)]
pub(super) struct Row<'a> {
    shared: u16,
    suffix: &'a [u8],
    flags: u8,
    attempts: u16,
    size: u64,
    mtime_delta: i64,
    ctime_delta: i64,
    inode_delta: i64,
    segment: u32,
    epoch: u32,
    offset_delta: i64,
    failure: u8,
    digest: [u8; 16],
    more: More,
}

/// What few rows have. It is read separately: together with the rest, it kept all of a row out of registers.
#[derive(Default, Clone, Copy)]
struct More {
    marks: u8,
    retry_class: u8,
    retry_at: i64,
    crashes: u8,
}

impl<'a> Row<'a> {
    pub(super) fn new(key_before: &[u8], key: &'a [u8], before: &mut Numbers, entry: &Entry) -> Self {
        let shared = shared_prefix(key_before, key).min(usize::from(u16::MAX));
        let print = &entry.fingerprint;
        let mut row = Row {
            shared: shared as u16,
            suffix: &key[shared..],
            attempts: entry.attempts,
            size: print.size,
            mtime_delta: print.mtime.0.wrapping_sub(before.mtime),
            ctime_delta: print.ctime.0.wrapping_sub(print.mtime.0),
            inode_delta: print.inode.wrapping_sub(before.inode).cast_signed(),
            ..Row::default()
        };
        row.set(flags::PENDING, entry.pending);
        row.set(flags::RECHECK, entry.recheck);
        row.set(flags::SAME_TIME, row.ctime_delta == 0);
        before.mtime = print.mtime.0;
        before.inode = print.inode;
        if let Some(record) = &entry.record {
            row.set_record(before, record);
        }
        row.more = More::of(entry);
        row.set(flags::MORE, row.more.marks != 0);
        row
    }

    fn set_record(&mut self, before: &mut Numbers, record: &RecordRef) {
        let LogPosition { segment, offset } = record.position;
        self.set(flags::RECORD, true);
        self.set(flags::DIGEST, record.digest.is_some());
        self.set(flags::FAILED, record.failure.is_some());
        self.set(flags::SAME_LOG, (segment, record.epoch) == (before.segment, before.epoch));
        self.segment = segment;
        self.epoch = record.epoch;
        self.offset_delta = offset.wrapping_sub(before.offset).cast_signed();
        self.failure = record.failure.map_or(0, ErrorClass::code);
        self.digest = record.digest.map_or([0; 16], |digest| digest.0);
        before.segment = segment;
        before.offset = offset;
        before.epoch = record.epoch;
    }

    fn set(&mut self, flag: u8, on: bool) {
        if on {
            self.flags |= flag;
        }
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl Encode for Row<'_> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.shared.encode(encoder)?;
        self.suffix.encode(encoder)?;
        self.flags.encode(encoder)?;
        self.attempts.encode(encoder)?;
        self.size.encode(encoder)?;
        self.mtime_delta.encode(encoder)?;
        if !self.has(flags::SAME_TIME) {
            self.ctime_delta.encode(encoder)?;
        }
        self.inode_delta.encode(encoder)?;
        if self.has(flags::MORE) {
            self.more.write(encoder)?;
        }
        if !self.has(flags::RECORD) {
            return Ok(());
        }
        if !self.has(flags::SAME_LOG) {
            self.segment.encode(encoder)?;
            self.epoch.encode(encoder)?;
        }
        self.offset_delta.encode(encoder)?;
        if self.has(flags::FAILED) {
            self.failure.encode(encoder)?;
        }
        if self.has(flags::DIGEST) {
            self.digest.encode(encoder)?;
        }
        Ok(())
    }
}

impl More {
    fn of(entry: &Entry) -> Self {
        let mut more = Self { crashes: entry.crashes, ..Self::default() };
        if let Some(retry) = &entry.retry {
            more.marks |= marks::RETRY;
            more.retry_class = retry.class.code();
            more.retry_at = retry.at.0;
        }
        if entry.crashes > 0 {
            more.marks |= marks::CRASHES;
        }
        if entry.quarantined {
            more.marks |= marks::QUARANTINED;
        }
        if entry.record.is_some_and(|record| record.carried) {
            more.marks |= marks::CARRIED;
        }
        more
    }

    #[cold]
    fn write<E: Encoder>(self, encoder: &mut E) -> Result<(), EncodeError> {
        self.marks.encode(encoder)?;
        if self.marks & marks::RETRY != 0 {
            self.retry_class.encode(encoder)?;
            self.retry_at.encode(encoder)?;
        }
        if self.marks & marks::CRASHES != 0 {
            self.crashes.encode(encoder)?;
        }
        Ok(())
    }
}
