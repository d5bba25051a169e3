//! Files in flight on each worker, for the next start: if the process dies without a report, these files are
//! suspects. All of it is hints. What can't be written or read is left out, and nothing is synced.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::ledger::error::LedgerError;
use crate::ledger::folder::{StateFolder, disk};
use crate::ledger::names::IN_HAND;
use crate::model::{FileKey, failpoint, shared_prefix};

const VERSION: u8 = 1;
/// Suspects kept; the rest is forgotten.
const SUSPECTS_MAX: usize = 100_000;
/// Bytes of keys recorded for one task; the rest is not.
const KEYS_BYTES_MAX: usize = 1 << 20;
/// Bytes read of a file: more than is ever written.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Maximum time and files between two writes of the place in a task.
const PLACE_EVERY: Duration = Duration::from_millis(5);
const PLACE_FILES: usize = 32;
/// The bits above the place say how far the files until the next write are reduced, as a power of two: where each
/// takes long, and many workers wait, there are not 32 suspects for each of them.
const REACH_SHIFT: u32 = 24;
const HALVINGS_MAX: u32 = PLACE_FILES.trailing_zeros();
/// In place of halvings: all files are in flight.
const ALL_REACHED: u32 = HALVINGS_MAX + 1;
const SUSPECTS: &str = "suspects";

const PLACE_AT: usize = 1;
const ALONE_AT: usize = 5;
const COUNT_AT: usize = 14;
const KEYS_AT: usize = 22;
/// Above every number of files: none is in flight.
const NO_PLACE: u32 = u32::MAX;
const NO_COUNTER: u64 = u64::MAX;

/// The folder of the in-flight markers.
#[derive(Debug)]
pub struct InFlightMarkers {
    folder: PathBuf,
    /// Device and inode of the folder: another one may be at its path by now.
    identity: (u64, u64),
    oom_kills: Option<u64>,
}

/// What the last process was working on when it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreviousCrash {
    /// Files in flight, then earlier suspects, each once; last the one that was alone, so that each of them comes
    /// before one that kills again. Some may be done by now.
    pub suspects: Vec<FileKey>,
    /// The file that was in flight alone, if exactly one was in the whole process.
    pub alone: Option<FileKey>,
    /// The kernel's count of processes killed for memory when that process began; `None` if nothing was in flight.
    pub oom_kills: Option<u64>,
}

impl InFlightMarkers {
    /// Takes what the last process left. It counts as suspect from now on, also after another death, until
    /// [`InFlightMarkers::set_suspects`] or [`InFlightMarkers::clear`]. `oom_kills` is the kernel's count now.
    ///
    /// # Errors
    /// Where the folder can't be read or written. Damaged files in it are no error: they are left out.
    pub fn open(state: &StateFolder, oom_kills: Option<u64>) -> Result<(Self, PreviousCrash), LedgerError> {
        let folder = state.path().join(IN_HAND);
        failpoint::hit("in-hand.open").map_err(LedgerError::io(&folder))?;
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(LedgerError::io(&folder)(error));
            }
            _ => {}
        }
        let identity = identity_of(&folder).map_err(LedgerError::io(&folder))?;
        let opened = Self { folder, identity, oom_kills };
        let markers = opened.markers()?;
        let suspects = opened.suspects().map_err(LedgerError::io(&opened.folder))?;
        let left = left_by(&suspects, &markers);
        if !markers.is_empty() {
            // They become suspects before the markers are removed.
            opened.set_suspects(&left.suspects)?;
        }
        for (path, _) in markers {
            disk::remove(&path)?;
        }
        Ok((opened, left))
    }

    /// Returns the marker of a worker. Later writes of an earlier marker with the same number are ignored.
    pub fn marker(&self, worker: usize) -> Marker {
        let path = self.folder.join(worker.to_string());
        // Its holder may still run, abandoned: it keeps the file, and this one gets a new one.
        let _ = fs::remove_file(&path);
        let buffer = Vec::new();
        Marker { path, file: None, buffer, oom_kills: self.oom_kills, noted: None, reach: PLACE_FILES }
    }

    /// Remembers these suspects, and no others, until the next [`InFlightMarkers::open`].
    ///
    /// # Errors
    /// If the folder can't be written; the suspects are the previous ones then.
    pub fn set_suspects(&self, keys: &[FileKey]) -> Result<(), LedgerError> {
        let path = self.folder.join(SUSPECTS);
        if !self.is_in_place() {
            return Ok(());
        }
        if keys.is_empty() {
            return disk::remove(&path);
        }
        let mut bytes = Vec::new();
        encode(&mut bytes, keys.iter().take(SUSPECTS_MAX), false, None, usize::MAX);
        let temporary = path.with_extension("tmp");
        failpoint::hit("in-hand.suspects")
            .and_then(|()| fs::write(&temporary, bytes))
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(LedgerError::io(&path))
    }

    /// Removes everything: the run has ended. Existing markers record nothing any more.
    pub fn clear(&self) {
        if !self.is_in_place() {
            return;
        }
        let cleared = fs::read_dir(&self.folder)
            .and_then(|mut entries| entries.try_for_each(|entry| fs::remove_file(entry?.path())));
        if let Err(error) = cleared {
            tracing::debug!(folder = %self.folder.display(), %error, "the in-flight markers can't be cleared");
        }
    }

    fn is_in_place(&self) -> bool {
        identity_of(&self.folder).is_ok_and(|identity| identity == self.identity)
    }

    fn suspects(&self) -> io::Result<Vec<FileKey>> {
        Ok(read(&self.folder.join(SUSPECTS))?.map(|noted| noted.files).unwrap_or_default())
    }

    /// Returns the workers' files with their content; `None` for a damaged one. Anything that is not a file is
    /// removed.
    fn markers(&self) -> Result<Vec<(PathBuf, Option<Noted>)>, LedgerError> {
        let mut markers = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(LedgerError::io(&self.folder))? {
            let entry = entry.map_err(LedgerError::io(&self.folder))?;
            if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                disk::remove(&entry.path())?;
                continue;
            }
            let is_marker = entry.file_name().to_str().is_some_and(|name| name.parse::<usize>().is_ok());
            if is_marker {
                let path = entry.path();
                let mut noted = read(&path).map_err(LedgerError::io(&self.folder))?;
                // Files further beyond the place were not begun.
                noted.iter_mut().for_each(|noted| noted.files.truncate(noted.reach));
                markers.push((path, noted));
            }
        }
        Ok(markers)
    }
}

fn identity_of(folder: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(folder).map(|found| (found.dev(), found.ino()))
}

/// Records the files in flight on one worker. What can't be written is not recorded.
#[derive(Debug)]
pub struct Marker {
    path: PathBuf,
    file: Option<File>,
    buffer: Vec<u8>,
    oom_kills: Option<u64>,
    /// Time and value of the last recorded place in the current task.
    noted: Option<(Instant, usize)>,
    /// Files until the next write, at most.
    reach: usize,
}

impl Marker {
    /// Begins a task: its files, in the order in which they are done. `alone` says that nothing else is in flight in
    /// the whole process.
    pub fn begin<'k>(&mut self, files: impl Iterator<Item = &'k FileKey>, alone: bool) {
        self.noted = None;
        self.buffer.clear();
        encode(&mut self.buffer, files, alone, self.oom_kills, KEYS_BYTES_MAX);
        self.write();
    }

    fn write(&mut self) {
        let file = match self.file.take() {
            Some(file) => Ok(file),
            None => File::options().write(true).create(true).truncate(true).open(&self.path),
        };
        let written = failpoint::hit("in-hand.note")
            .and(file)
            .and_then(|file| self.file.insert(file).write_all_at(&self.buffer, 0));
        self.reported(written);
    }

    /// Records that these files, and no others, are in flight. `alone` as in [`Marker::begin`].
    pub fn hold<'k>(&mut self, files: impl Iterator<Item = &'k FileKey>, alone: bool) {
        self.buffer.clear();
        encode(&mut self.buffer, files, alone, self.oom_kills, KEYS_BYTES_MAX);
        self.buffer[PLACE_AT..ALONE_AT].copy_from_slice(&(ALL_REACHED << REACH_SHIFT).to_le_bytes());
        self.write();
    }

    /// Records how many of the task's files are done. Written every 5 ms, or 32 files, or fewer where they take long.
    pub fn place(&mut self, place: usize, now: Instant) {
        if let Some((at, noted)) = self.noted {
            let done = place.saturating_sub(noted);
            let is_late = now.saturating_duration_since(at) >= PLACE_EVERY;
            if !is_late && done < self.reach {
                return;
            }
            let expected = if is_late { done } else { self.reach };
            self.reach = (2 * expected).next_power_of_two().clamp(1, PLACE_FILES);
        }
        self.noted = Some((now, place));
        let halvings = HALVINGS_MAX - self.reach.trailing_zeros();
        let place = u32::try_from(place).ok().filter(|place| *place < 1 << REACH_SHIFT);
        self.write_place(place.map_or(NO_PLACE, |place| halvings << REACH_SHIFT | place));
    }

    /// Ends the task: nothing is in flight.
    pub fn end(&mut self) {
        self.write_place(NO_PLACE);
    }

    fn write_place(&self, place: u32) {
        if let Some(file) = &self.file {
            self.reported(file.write_all_at(&place.to_le_bytes(), PLACE_AT as u64));
        }
    }

    fn reported(&self, written: io::Result<()>) {
        if let Err(error) = written {
            tracing::debug!(file = %self.path.display(), %error, "the in-flight marker can't be written");
        }
    }
}

/// Content of a file in the folder.
#[derive(Debug)]
struct Noted {
    /// From the place on.
    files: Vec<FileKey>,
    /// How many of them may have been begun.
    reach: usize,
    alone: bool,
    oom_kills: Option<u64>,
}

fn left_by(earlier: &[FileKey], markers: &[(PathBuf, Option<Noted>)]) -> PreviousCrash {
    let noted =
        || markers.iter().filter_map(|(_, noted)| noted.as_ref()).filter(|noted| !noted.files.is_empty());
    // A damaged marker may have recorded others.
    let all_readable = markers.iter().all(|(_, noted)| noted.is_some());
    let alone = match noted().collect::<Vec<_>>()[..] {
        [Noted { files, alone: true, .. }] if all_readable && files.len() == 1 => files.first(),
        _ => None,
    };
    let mut seen: BTreeSet<&FileKey> = alone.into_iter().collect();
    let others = noted().flat_map(|noted| &noted.files).chain(earlier).filter(|key| seen.insert(key));
    let others = others.take(SUSPECTS_MAX - 1).collect::<Vec<_>>();
    PreviousCrash {
        suspects: others.into_iter().chain(alone).cloned().collect(),
        alone: alone.cloned(),
        oom_kills: noted().filter_map(|noted| noted.oom_kills).max(),
    }
}

/// Appends the whole content of a file, with place 0. Keys beyond `keys_bytes_max` are left out.
fn encode<'k>(
    to: &mut Vec<u8>,
    files: impl Iterator<Item = &'k FileKey>,
    alone: bool,
    oom_kills: Option<u64>,
    keys_bytes_max: usize,
) {
    to.extend_from_slice(&[VERSION, 0, 0, 0, 0, u8::from(alone)]);
    to.extend_from_slice(&oom_kills.unwrap_or(NO_COUNTER).to_le_bytes());
    to.extend_from_slice(&[0; KEYS_AT - COUNT_AT]);
    let mut count: u32 = 0;
    let mut before: &[u8] = &[];
    for file in files {
        let key = file.as_bytes();
        let shared = shared_prefix(before, key).min(u16::MAX.into());
        // No ledger holds a longer one.
        let Ok(rest) = u16::try_from(key.len() - shared) else { continue };
        if to.len() + 4 + usize::from(rest) > keys_bytes_max.saturating_add(KEYS_AT) {
            break;
        }
        to.extend_from_slice(&(shared as u16).to_le_bytes());
        to.extend_from_slice(&rest.to_le_bytes());
        to.extend_from_slice(&key[shared..]);
        count += 1;
        before = key;
    }
    let length = u32::try_from(to.len() - KEYS_AT).unwrap_or(0);
    to[COUNT_AT..COUNT_AT + 4].copy_from_slice(&count.to_le_bytes());
    to[COUNT_AT + 4..KEYS_AT].copy_from_slice(&length.to_le_bytes());
    let crc = crc_of(to);
    to.extend_from_slice(&crc.to_le_bytes());
}

fn crc_of(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..PLACE_AT]);
    hasher.update(&bytes[ALONE_AT..]);
    hasher.finalize()
}

/// Reads the file's content; `None` if it is missing, torn or damaged. A file that can't be read is an error instead:
/// its content would be lost.
fn read(path: &Path) -> io::Result<Option<Noted>> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(|_| decode(&bytes)),
    }
}

fn decode(bytes: &[u8]) -> Option<Noted> {
    let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let place = number(PLACE_AT)?;
    let count = number(COUNT_AT)?;
    // The rest of a longer task may follow.
    let end = KEYS_AT.checked_add(usize::try_from(number(COUNT_AT + 4)?).ok()?)?;
    let sealed = bytes.get(..end)?;
    if bytes.first() != Some(&VERSION) || crc_of(sealed) != number(end)? {
        return None;
    }
    let oom_kills = u64::from_le_bytes(*bytes.get(ALONE_AT + 1..)?.first_chunk()?);
    let files = decode_keys(&sealed[KEYS_AT..], count)?;
    // No place, or a damaged one, lies beyond all files.
    let (reach, place) = match place >> REACH_SHIFT {
        halvings @ 0..=HALVINGS_MAX => (PLACE_FILES >> halvings, place & ((1 << REACH_SHIFT) - 1)),
        ALL_REACHED => (usize::MAX, 0),
        _ => (0, NO_PLACE),
    };
    Some(Noted {
        files: files.into_iter().skip(usize::try_from(place).ok()?).collect(),
        reach,
        alone: sealed[ALONE_AT] == 1,
        oom_kills: (oom_kills != NO_COUNTER).then_some(oom_kills),
    })
}

fn decode_keys(mut bytes: &[u8], count: u32) -> Option<Vec<FileKey>> {
    let mut keys = Vec::new();
    let mut key = Vec::new();
    for _ in 0..count {
        let (&[a, b, c, d], rest) = bytes.split_first_chunk()?;
        let (suffix, behind) = rest.split_at_checked(u16::from_le_bytes([c, d]).into())?;
        key.truncate(u16::from_le_bytes([a, b]).into());
        key.extend_from_slice(suffix);
        keys.push(FileKey::from_bytes(&key)?);
        bytes = behind;
    }
    Some(keys)
}
