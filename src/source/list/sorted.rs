//! A sorted set of byte strings, of which little is in memory.
//!
//! Sorted parts go to a temporary file without a name, each entry with its length (2 bytes, little endian) before it.
//! They are merged whenever the set is walked.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::source::walk::names::Names;

/// Bytes that are kept in memory: some 250,000 paths.
const PART_BYTES: usize = 16 << 20;

/// The set.
#[derive(Debug)]
pub(super) struct SortedSet {
    /// What is in memory.
    rest: Names,
    rest_bytes: usize,
    /// What does not fit there.
    file: Option<File>,
    /// Where each part of the file ends.
    ends: Vec<u64>,
    part_bytes: usize,
}

impl Default for SortedSet {
    fn default() -> Self {
        Self::with_parts_of(PART_BYTES)
    }
}

impl SortedSet {
    fn with_parts_of(part_bytes: usize) -> Self {
        Self { rest: Names::default(), rest_bytes: 0, file: None, ends: Vec::new(), part_bytes }
    }

    /// Adds a string. [`SortedSet::finish`] must be called before the set is walked.
    pub(super) fn push(&mut self, item: &[u8]) -> io::Result<()> {
        if self.rest_bytes > 0 && self.rest_bytes + item.len() > self.part_bytes {
            self.write_part()?;
        }
        self.rest_bytes += item.len();
        self.rest.push(0, item).map_err(io::Error::other)
    }

    pub(super) fn finish(&mut self) {
        self.rest.sort();
    }

    fn write_part(&mut self) -> io::Result<()> {
        self.rest.sort();
        let file = match self.file.take() {
            Some(file) => file,
            None => nameless()?,
        };
        let mut at = self.ends.last().copied().unwrap_or(0);
        let mut out = BufWriter::new(self.file.insert(file));
        for item in self.rest.iter() {
            out.write_all(&(item.len() as u16).to_le_bytes())?;
            out.write_all(item)?;
            at += 2 + item.len() as u64;
        }
        out.flush()?;
        drop(out);
        self.ends.push(at);
        self.rest.clear(usize::MAX);
        self.rest_bytes = 0;
        Ok(())
    }

    /// Returns the strings, ascending, each once.
    pub(super) fn iter(&self) -> io::Result<Merged<'_>> {
        let mut parts: Vec<Part<'_>> = vec![Part::Memory(Box::new(self.rest.iter()))];
        let mut at = 0;
        for &end in &self.ends {
            let section = self.file.iter().map(|file| Section { file, at, end });
            parts.extend(section.map(|section| Part::File(BufReader::with_capacity(64 << 10, section))));
            at = end;
        }
        let mut merged = Merged { heap: BinaryHeap::new(), last: Vec::new(), parts };
        (0..merged.parts.len()).try_for_each(|part| merged.refill(part))?;
        Ok(merged)
    }
}

/// Creates a file that is gone when it is closed.
fn nameless() -> io::Result<File> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("outlast-list-{}-{number}", std::process::id()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// A part of the set.
enum Part<'a> {
    Memory(Box<dyn Iterator<Item = &'a [u8]> + 'a>),
    File(BufReader<Section<'a>>),
}

/// A section of a file, which other readers read, too.
struct Section<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read_at(&mut buffer[..left], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// A walk through a set.
pub(crate) struct Merged<'a> {
    parts: Vec<Part<'a>>,
    /// The next string of each part.
    heap: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    last: Vec<u8>,
}

impl Merged<'_> {
    /// Returns the next string.
    ///
    /// # Errors
    /// The temporary file can't be read.
    pub(crate) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        while let Some(Reverse((item, part))) = self.heap.pop() {
            self.refill(part)?;
            // No string is empty.
            if item != self.last {
                self.last.clone_from(&item);
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    fn refill(&mut self, part: usize) -> io::Result<()> {
        let next = match &mut self.parts[part] {
            Part::Memory(items) => items.next().map(<[u8]>::to_vec),
            Part::File(file) => read_item(file)?,
        };
        self.heap.extend(next.map(|item| Reverse((item, part))));
        Ok(())
    }
}

fn read_item(file: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut len = [0; 2];
    if file.read(&mut len[..1])? == 0 {
        return Ok(None);
    }
    file.read_exact(&mut len[1..])?;
    let mut item = vec![0; usize::from(u16::from_le_bytes(len))];
    file.read_exact(&mut item)?;
    Ok(Some(item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_set_however_little_is_in_memory(
            items in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..6), 0..60),
            part_bytes in 1_usize..60,
        ) {
            let mut set = SortedSet::with_parts_of(part_bytes);
            items.iter().try_for_each(|item| set.push(item)).unwrap();
            set.finish();
            for _ in 0..2 {
                let mut merged = set.iter().unwrap();
                let found: Vec<_> = std::iter::from_fn(|| merged.next().unwrap()).collect();
                let expected: BTreeSet<_> = items.iter().cloned().collect();
                prop_assert!(found.iter().eq(expected.iter()), "{found:?}");
            }
        }
    }
}
