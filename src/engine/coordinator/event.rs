//! Messages from the threads of a run to the coordinator.

use std::sync::mpsc::SyncSender;

use crate::engine::command::CommandRequest;
use crate::engine::compaction::CompactReply;
use crate::engine::consumers::{ConsumerChange, ConsumerReport};
use crate::engine::discovery::message::Message;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::workers::outcome::OutcomeGroup;
use crate::model::{Cursor, FileKey, RootId};

/// Messages that may wait for the coordinator.
pub(crate) const CHANNEL_EVENTS: usize = 384;

/// One message.
pub(crate) enum Event {
    /// Changes that a scan or a watcher has found.
    Discovered(Message),
    /// A worker has finished files.
    Ended(OutcomeGroup),
    /// The record log is as it was committed.
    LogChecked,
    /// A thread can't continue.
    Failed(EngineError),
    /// A client requests a commit tick now, and its cursor.
    Checkpoint(SyncSender<Cursor>),
    /// A client requests something that needs the state.
    Command(CommandRequest),
    /// A caller wants these files processed again, or forgotten, and a reply when that is committed.
    Asked { changes: Vec<(FileKey, FileEvent)>, reply: SyncSender<Cursor> },
    /// A caller wants this root removed from the state, and to know whether it was: not while it is served, or files
    /// of it are known.
    Forget { root: RootId, reply: SyncSender<Result<bool, EngineError>> },
    /// A caller wants a consumer of the log changed.
    Consumer { change: ConsumerChange, reply: SyncSender<Result<ConsumerReport, EngineError>> },
    /// A caller wants the record log compacted, and a reply when it is.
    Compact(CompactReply),
}

impl From<Message> for Event {
    fn from(message: Message) -> Self {
        Self::Discovered(message)
    }
}
