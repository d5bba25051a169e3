//! Reading rows: done for every file in a scan of an unchanged tree.
//!
//! The numbers are bincode's, and are read here without it. By its decoder a row took 17 ns, and 125 amid a scan's
//! system calls; so it takes 11, and 75.

use super::{More, Numbers, flags, marks};
use crate::ledger::map::entry::{Entry, RecordRef, Retry};
use crate::model::{Digest, ErrorClass, Fingerprint, LogPosition, Timestamp};

/// The error of a row that can't be read.
pub(in crate::ledger) const NO_ROW: &str = "a row can't be decoded";

/// A row's key, as its difference to the key before.
pub(in crate::ledger) struct KeyPart<'a> {
    pub(in crate::ledger) shared: usize,
    pub(in crate::ledger) suffix: &'a [u8],
}

/// Reads the row at the start of `bytes` into `entry`, in place, and returns its key and the bytes after it.
#[inline]
pub(in crate::ledger) fn read<'a>(
    bytes: &'a [u8],
    before: &mut Numbers,
    entry: &mut Entry,
) -> Result<(KeyPart<'a>, &'a [u8]), &'static str> {
    let mut input = Input(bytes);
    let shared = usize::from(input.short()?);
    let suffix = input.number()?;
    let key = KeyPart { shared, suffix: input.slice(usize::try_from(suffix).map_err(|_| NO_ROW)?)? };
    let flags = input.byte()?;
    let has = |flag| flags & flag != 0;
    entry.attempts = input.short()?;
    let size = input.number()?;
    before.mtime = before.mtime.wrapping_add(input.signed()?);
    let age = if has(flags::SAME_TIME) { 0 } else { input.signed()? };
    before.inode = before.inode.wrapping_add_signed(input.signed()?);
    entry.pending = has(flags::PENDING);
    entry.recheck = has(flags::RECHECK);
    entry.fingerprint = Fingerprint {
        size,
        mtime: Timestamp(before.mtime),
        ctime: Timestamp(before.mtime.wrapping_add(age)),
        inode: before.inode,
    };
    entry.retry = None;
    entry.crashes = 0;
    entry.quarantined = false;
    let mut carried = false;
    if has(flags::MORE) {
        let more = More::read(&mut input)?;
        more.read_into(entry)?;
        carried = more.marks & marks::CARRIED != 0;
    }
    if has(flags::RECORD) {
        if !has(flags::SAME_LOG) {
            before.segment = input.medium()?;
            before.epoch = input.medium()?;
        }
        before.offset = before.offset.wrapping_add_signed(input.signed()?);
        let mut failure = None;
        if has(flags::FAILED) {
            let class = ErrorClass::from_code(input.byte()?);
            failure = Some(class.ok_or("an entry has an unknown class of failure")?);
        }
        let digest = if has(flags::DIGEST) { Some(Digest(*input.array()?)) } else { None };
        let position = LogPosition { segment: before.segment, offset: before.offset };
        entry.record = Some(RecordRef { position, epoch: before.epoch, digest, failure, carried });
    } else if entry.pending {
        entry.record = None;
    } else {
        return Err("an entry that is not pending has no record");
    }
    Ok((key, input.0))
}

impl More {
    #[cold]
    fn read(input: &mut Input<'_>) -> Result<Self, &'static str> {
        let mut more = Self { marks: input.byte()?, ..Self::default() };
        if more.marks == 0 || more.marks & !marks::ALL != 0 {
            return Err(NO_ROW);
        }
        if more.marks & marks::RETRY != 0 {
            more.retry_class = input.byte()?;
            more.retry_at = input.signed()?;
        }
        if more.marks & marks::CRASHES != 0 {
            more.crashes = input.byte()?;
        }
        Ok(more)
    }

    #[cold]
    fn read_into(self, entry: &mut Entry) -> Result<(), &'static str> {
        if self.marks & marks::RETRY != 0 {
            let class = ErrorClass::from_code(self.retry_class);
            let class = class.ok_or("an entry waits after an unknown class of failure")?;
            entry.retry = Some(Retry { class, at: Timestamp(self.retry_at) });
        }
        entry.crashes = self.crashes;
        entry.quarantined = self.marks & marks::QUARANTINED != 0;
        Ok(())
    }
}

/// Bytes yet to be read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    #[inline(always)]
    fn byte(&mut self) -> Result<u8, &'static str> {
        let (&first, rest) = self.0.split_first().ok_or(NO_ROW)?;
        self.0 = rest;
        Ok(first)
    }

    #[inline(always)]
    fn slice(&mut self, len: usize) -> Result<&'a [u8], &'static str> {
        let (slice, rest) = self.0.split_at_checked(len).ok_or(NO_ROW)?;
        self.0 = rest;
        Ok(slice)
    }

    /// Returns bytes by reference: by value, they would share the place of the error, and leave it in odd parts, each
    /// of which waits for the store of another.
    #[inline(always)]
    fn array<const LEN: usize>(&mut self) -> Result<&'a [u8; LEN], &'static str> {
        let (array, rest) = self.0.split_first_chunk().ok_or(NO_ROW)?;
        self.0 = rest;
        Ok(array)
    }

    /// Reads a number: itself in one byte up to 250, else after a byte that gives its length in bytes.
    #[inline(always)]
    fn number(&mut self) -> Result<u64, &'static str> {
        let len = match self.byte()? {
            small @ 0..=250 => return Ok(small.into()),
            wide @ 251..=253 => 1 << (wide - 250),
            _ => return Err(NO_ROW),
        };
        let Some(eight) = self.0.first_chunk() else { return self.last_number(len) };
        self.0 = &self.0[len..];
        let unused = 64 - 8 * len;
        Ok(u64::from_le_bytes(*eight) << unused >> unused)
    }

    /// Reads a number with fewer than eight bytes from its beginning to the end of the block.
    #[cold]
    fn last_number(&mut self, len: usize) -> Result<u64, &'static str> {
        let bytes = self.slice(len)?;
        Ok(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    #[inline(always)]
    fn short(&mut self) -> Result<u16, &'static str> {
        self.number()?.try_into().map_err(|_| NO_ROW)
    }

    #[inline(always)]
    fn medium(&mut self) -> Result<u32, &'static str> {
        self.number()?.try_into().map_err(|_| NO_ROW)
    }

    /// Reads a number whose sign is its lowest bit.
    #[inline(always)]
    fn signed(&mut self) -> Result<i64, &'static str> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }
}

#[cfg(test)]
mod tests {
    use bincode::enc::Encode;
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::map::codec::UNLIMITED;

    fn encoded(value: impl Encode) -> Vec<u8> {
        bincode::encode_to_vec(value, UNLIMITED).unwrap()
    }

    #[test]
    fn numbers_are_those_that_were_written_wherever_the_block_ends() {
        let edges =
            [0, 1, 250, 251, 252, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, u64::MAX - 1, u64::MAX];
        for number in edges {
            for behind in 0..10 {
                let mut bytes = encoded(number);
                let len = bytes.len();
                bytes.resize(len + behind, 0xa5);
                let mut input = Input(&bytes);
                assert_eq!((input.number(), input.0.len()), (Ok(number), behind), "{number}");
                assert_eq!(Input(&bytes[..len - 1]).number(), Err(NO_ROW), "{number} cut short");
            }
        }
        assert_eq!(Input(&encoded(u128::MAX)).number(), Err(NO_ROW));
        assert_eq!(Input(&encoded(0x1_0000_u32)).short(), Err(NO_ROW));
        assert_eq!(Input(&encoded(0x1_0000_0000_u64)).medium(), Err(NO_ROW));
    }

    proptest! {
        #[test]
        fn signed_numbers_are_those_that_were_written(number: i64, shift in 0..64) {
            let number = number >> shift;
            prop_assert_eq!(Input(&encoded(number)).signed(), Ok(number));
        }
    }
}
