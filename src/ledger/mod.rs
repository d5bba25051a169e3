//! The durable state: what is known of each file, and what was committed.
//!
//! Constraints:
//!
//! * One process at a time, ensured by a lock on the folder; one writer in it ([`Ledger`]), any number of readers
//!   ([`LedgerReader`]).
//! * A tick is committed as a whole. When [`Ledger::commit`] returns, it survives a power cut; when it fails, the
//!   ledger is poisoned: a failed sync is never retried and believed. What it was for is written again before the
//!   state is used again, by this process or the next one.
//! * Nothing is built on damage: opening reads every value and compares the whole with what the last commit recorded,
//!   in the database and outside of it. A difference is [`LedgerError::Damaged`]. Where the blocks of a large ledger
//!   are checked in the background ([`Ledger::open_to_read`]), nothing is written before that has ended.
//! * What fails to open stays as it was, and queries change nothing: sled rewrites what it could not read, so a copy
//!   is kept until all is verified, and queries open a copy.
//! * No key for each file: sled takes about as long for one write as a file may take in all.
//! * No value and no transaction grows with the number of files.
//!
//! # On disk, format 2 to 4
//!
//! | file | holds |
//! |---|---|
//! | `lock` | locked while a process uses the state. Empty, but a byte long where something of the state could not be written or synced: all of it is written again before it is used |
//! | `state.json` | format, record folder, roots; the last member is the crc32 of all before it. Written last when a state is created, replaced as a whole |
//! | `db/` | a sled 0.34 database, see below |
//! | `db.before/`, `db.gone/` | `db` as it was before it is opened, while it is; a copy that is being removed: see `ledger/database/kept.rs` |
//! | `witness` | for each tick 61 bytes: version, tick, segment, from, to and crc32 of what the tick appended to the log, number of blocks, number of entries, sum of the blocks' crc32, crc32 of the line; fixed width, little endian. Older ticks are merged into lines of about 1 MiB of log, with tick 0 |
//! | `in-hand/N` | the task of worker N, see below; hints only: damaged or missing ones are no damage |
//! | `in-hand/suspects` | files that the previous process was working on when it died, in the same form |
//! | `repairing` | nothing; exists from the start of a repair to its end |
//! | `db.damaged`, `witness.damaged` | what a repair set aside |
//! | `.gitignore` | keeps version control out |
//!
//! Every value in the trees `files` and `meta` is a version byte, a body in bincode's standard
//! encoding, and a crc32 (little endian) of key, version and body.
//!
//! * `files`: a packed sorted map. The key is the first entry's [`FileKey`](crate::model::FileKey), the
//!   body the number of entries (2 bytes) and a row for each: length of what it shares with the key
//!   before, the rest of the key, flags, and the numbers as differences to the row before. An entry is
//!   in the last block whose key is not above its own. Key and value take 5.5 KiB at most together,
//!   unless the block has one entry alone.
//! * `ready`: the key is a class byte and a block's key, the value the number (4 bytes) of the block's
//!   pending entries in that class. It follows from `files` and the priority rules: 64 classes for an order of the
//!   usual priority, as many for the high one and then for the low one.
//! * `meta`: `tick` holds the ledger's cursor and the sums of both other trees; `root/` and a number the counts of a
//!   root; `job/` and a number a job, version 2 (1 has fewer members); `priority/` and a number (4 bytes, big endian) a
//!   priority rule; `log-start` where the record log begins, once that is not its first segment.
//!
//! A file in `in-hand` is written with one call and never synced: it is there after the death of the process,
//! not of the machine. Numbers are little endian:
//!
//! | bytes | hold |
//! |---|---|
//! | 1 | version |
//! | 4 | place: number of files that are done, all of them if it is above their number; overwritten alone |
//! | 1 | 1 if no other file was in flight in the whole process |
//! | 8 | the kernel's count of processes killed for memory, when the process began; all ones where it is not known |
//! | 4, 4 | number of files, length of their keys |
//! | | the keys: for each 2 bytes length of what it shares with the key before, 2 bytes length of the rest, the rest |
//! | 4 | crc32 of all but the place |
//!
//! A commit is one sled transaction over the three trees, `flush()`, `fdatasync` of `db/db`, then a line in the
//! witness and its `fdatasync`. So after a crash the witness lacks the last tick at most, and the line is made again
//! from `meta`; a database that lacks a tick of the witness has lost it.
//!
//! ```
//! use outlast::ledger::{Entry, Ledger, StateFolder, Tick};
//! use outlast::{FileKey, LogPosition, RootId};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("state");
//! let state = StateFolder::create(&path, "records".as_ref())?;
//! let mut ledger = Ledger::open(&state)?;
//! let key = FileKey::from_relative_path(RootId(1), b"src/a.ast.json").unwrap();
//! let changes = [(key.clone(), Some(Entry { pending: true, ..Entry::default() }))];
//! let tick = Tick { changes: &changes, log: LogPosition::START, log_crc: 0, job: None };
//! assert_eq!(ledger.commit(tick)?.tick, 1);
//! assert_eq!(ledger.reader().get(&key)?, changes[0].1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asked;
mod commit;
mod database;
mod error;
mod folder;
mod log_range;
mod map;
mod names;
mod reader;
mod recovery;
#[cfg(test)]
mod tests;

pub use asked::AskedState;
pub use commit::{KEY_BYTES_MAX, Ledger, Tick};
pub use error::LedgerError;
pub use folder::StateFolder;
pub use folder::disk::free_bytes;
pub use folder::exclusion::check_exclusion;
pub use folder::held::HeldState;
pub use folder::state_file::{Consumer, FORMAT, RootInfo, StateInfo};
pub use log_range::LogRange;
pub use map::entry::{Counts, Entry, EntryState, RecordRef, Retry};
pub use map::job::{Job, JobCounts, JobEnd, JobKind};
pub use map::ready::{ReadyFiles, ReadyPosition};
pub use map::scan::Scan;
pub(crate) use names::{LOG_CHECKED, SUMMARY};
pub use reader::LedgerReader;
pub use recovery::in_flight_markers::{InFlightMarkers, Marker, PreviousCrash};
#[cfg(test)]
pub(crate) use {map::block::BLOCKS_READ, tests::checking as damage};
