//! Ranges of the record log, each with its checksum.

use bincode::{Decode, Encode};

/// A run of bytes of one segment of the record log, all of it committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct LogRange {
    /// Number of the segment.
    pub segment: u32,
    /// Offset of the first byte.
    pub from: u64,
    /// Offset after the last byte.
    pub to: u64,
    /// Checksum of the bytes.
    pub crc32: u32,
}

impl LogRange {
    pub(super) fn follows(&self, before: &Self) -> bool {
        let begins_right =
            if self.segment == before.segment { self.from == before.to } else { self.from == 0 };
        self.segment >= before.segment && begins_right && self.from <= self.to
    }

    /// Returns both ranges as one; `next` follows in the same segment.
    pub(super) fn join(&self, next: &Self) -> Self {
        let mut crc = crc32fast::Hasher::new_with_initial_len(self.crc32, self.to - self.from);
        crc.combine(&crc32fast::Hasher::new_with_initial_len(next.crc32, next.to - next.from));
        Self { to: next.to, crc32: crc.finalize(), ..*self }
    }
}
