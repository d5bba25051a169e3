//! The record log: append-only files of JSON lines, the truth that the ledger indexes.
//!
//! Format: `records-000001.ndjson`, `records-000002.ndjson`, ... in one folder, each line one record, each ended by a
//! line feed. A new segment begins when a tick starts with the last one full; a tick's lines are in one segment.
//!
//! The oldest segments are dropped once they hold no latest record of a path any more. Records that are carried
//! forward for that are in the log a second time, marked as copies ([`push_copy`](crate::model::push_copy)): readers
//! of the log in its order skip them.
//!
//! Constraints: only the committing thread writes; only what the ledger's cursor covers counts, and opening cuts off
//! the rest. Readers get the committed end from the process that holds the ledger.
//!
//! [`export`] writes records as files of other forms.

mod aside;
mod error;
pub mod export;
mod log;
mod reader;

#[doc(hidden)]
pub use aside::{number_asides, original_of, replace_segment, set_aside_segments};
pub use error::SinkError;
pub use log::RecordFolder;
#[doc(hidden)]
pub use log::{Appended, RecordLog};
#[doc(hidden)]
pub use reader::{HeldSegments, begins_line, check_range, line_around, segment_bytes};
pub use reader::{LineReader, LogReader, RawLine, RawLines, segments};

/// Size from which a segment counts as full, in bytes.
pub const SEGMENT_BYTES_MAX: u64 = 256 << 20;

/// Returns the file name of a segment.
pub(crate) fn segment_name(segment: u32) -> String {
    format!("records-{segment:06}.ndjson")
}

/// Returns the number in a segment's file name.
fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("records-")?.strip_suffix(".ndjson")?;
    let number = digits.parse().ok()?;
    // A number in any other form is not this program's.
    (number > 0 && segment_name(number) == name).then_some(number)
}
