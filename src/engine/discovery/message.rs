//! What the threads of discovery report, and where to: they know no other message, and not who receives them.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use crate::engine::error::EngineError;
use crate::engine::lifecycle::counts::ScanCounts;
use crate::engine::lifecycle::transition::Change;
use crate::engine::resources::semaphore::Pass;
use crate::engine::roots::identity::LostRoot;
use crate::model::{Cursor, FileKey, Resource};
use crate::source::ScanReport;

/// One message.
pub(crate) enum Message {
    /// A scan found changes.
    Found { changes: Vec<(FileKey, Change)>, counts: ScanCounts, pass: Pass },
    /// A watcher's news has led to these changes: each [`Change::Touched`], [`Change::Missing`] or [`Change::Hidden`], in
    /// the order in which they were seen. They overtake all else. `since` is when the oldest of the news came.
    ///
    /// A file that is not there is reported as missing also where the ledger does not know it yet, as the default
    /// entry then: it may have been processed, and only wait to be committed.
    Touched { changes: Vec<(FileKey, Change)>, since: Instant, pass: Pass },
    /// A scan of one root has ended.
    Scanned(ScanReport),
    /// A folder could not be listed, for want of something that may come back. `lost` is the root whose own folder it
    /// is: nothing of that was seen.
    Unlisted { resource: Resource, why: String, lost: Option<LostRoot> },
    /// All scans have ended.
    ScansEnded,
    /// The watcher is followed no longer; all that was taken from it has been reported.
    WatchEnded,
    /// What is finished has to be committed before a folder is listed; the reply is the cursor of that commit.
    Commit(SyncSender<Cursor>),
    /// A thread can't go on.
    Failed(EngineError),
}

/// The way to the receiver of messages.
#[derive(Clone)]
pub(crate) struct Reports(Arc<dyn Fn(Message) -> bool + Send + Sync>);

impl Reports {
    /// Sends each message through this channel, as one of its own kind.
    pub(crate) fn to<E: From<Message> + Send + 'static>(send: &SyncSender<E>) -> Self {
        let send = send.clone();
        Self(Arc::new(move |message| send.send(message.into()).is_ok()))
    }

    /// Sends a message. Returns false where nobody receives any more: the attempt has failed, and nothing counts then.
    pub(crate) fn send(&self, message: Message) -> bool {
        (self.0)(message)
    }
}
