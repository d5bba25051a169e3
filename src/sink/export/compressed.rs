//! Lines on their way to a file, compressed with zstd.

use std::io::{self, Write};

/// The level at which zstd itself compresses: records become a tenth of their size, faster than most disks write.
const LEVEL: i32 = 3;

/// A writer that compresses. Without [`CompressedWriter::finish`] the end is missing.
pub struct CompressedWriter<W: Write>(zstd::Encoder<'static, W>);

impl<W: Write> CompressedWriter<W> {
    /// Begins a frame with a checksum.
    ///
    /// # Errors
    /// For want of memory.
    pub fn new(out: W) -> io::Result<Self> {
        let mut encoder = zstd::Encoder::new(out, LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(Self(encoder))
    }

    /// Writes what is left, and the frame's end.
    ///
    /// # Errors
    /// Where the writer below can't be written.
    pub fn finish(self) -> io::Result<()> {
        self.0.finish()?.flush()
    }
}

impl<W: Write> Write for CompressedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
