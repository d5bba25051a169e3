//! What the threads of a run tell the coordinator.

use std::sync::mpsc::SyncSender;
use std::time::Instant;

use crate::engine::compaction::CompactReply;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::counts::ScanCounts;
use crate::engine::lifecycle::transition::Change;
use crate::engine::resources::semaphore::Pass;
use crate::engine::roots::identity::LostRoot;
use crate::engine::run::control::Ordered;
use crate::engine::workers::record::OutcomeGroup;
use crate::model::{Cursor, FileKey, Resource, RootId};
use crate::source::ScanReport;

/// Messages that may wait for the coordinator.
pub(crate) const CHANNEL_EVENTS: usize = 384;

/// One message.
pub(crate) enum Event {
    /// A scan found changes.
    Found { changes: Vec<(FileKey, Change)>, counts: ScanCounts, pass: Pass },
    /// A watcher's news has led to these changes: each [`Change::Touched`], [`Change::Missing`] or [`Change::Hidden`], in the order in
    /// which they were seen. They overtake all else. `since` is when the oldest of the news came.
    ///
    /// A file that is not there is told as missing also where the ledger does not know it yet, as the default
    /// entry then: it may have been processed, and only wait to be committed.
    Touched { changes: Vec<(FileKey, Change)>, since: Instant, pass: Pass },
    /// A worker is through with files.
    Ended(OutcomeGroup),
    /// A scan of one root has ended.
    Scanned(ScanReport),
    /// A folder could not be listed, for want of something that may come back. `lost` is the root whose own folder it
    /// is: nothing of that was seen.
    Unlisted { resource: Resource, why: String, lost: Option<LostRoot> },
    /// All scans have ended.
    ScansEnded,
    /// The watcher is followed no longer; all that was taken from it has been told.
    WatchEnded,
    /// The record log is as it was committed.
    LogChecked,
    /// A thread can't go on.
    Failed(EngineError),
    /// Somebody wants a commit tick now, and its cursor.
    Checkpoint(SyncSender<Cursor>),
    /// Somebody asks for something that needs the state.
    Order(Ordered),
    /// A caller wants these files processed again, or forgotten, and to know when that is committed.
    Asked { changes: Vec<(FileKey, Change)>, reply: SyncSender<Cursor> },
    /// A caller wants this root to leave the state, and to know whether it has: not while it is served, or files of
    /// it are known.
    Forget { root: RootId, reply: SyncSender<Result<bool, EngineError>> },
    /// Somebody wants the record log compacted, and to know when it is.
    Compact(CompactReply),
}
