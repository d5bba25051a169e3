//! The messages of discovery's threads, and where they go: the threads know no other message, nor the receiver.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use crate::engine::error::EngineError;
use crate::engine::lifecycle::counts::ScanCounts;
use crate::engine::lifecycle::transition::FileEvent;
use crate::engine::resources::semaphore::SemaphorePermit;
use crate::engine::roots::identity::LostRoot;
use crate::model::{Cursor, FileKey, Resource};
use crate::source::ScanReport;

/// One message.
pub(crate) enum Message {
    /// A scan found changes.
    Found { changes: Vec<(FileKey, FileEvent)>, counts: ScanCounts, permit: SemaphorePermit },
    /// Watch events have led to these changes: each [`FileEvent::Touched`], [`FileEvent::Missing`] or
    /// [`FileEvent::Hidden`], in the order in which they were seen. They overtake all else. `since` is when the oldest event came.
    ///
    /// A file that is not there is reported as missing also where the ledger does not know it yet, with the default
    /// entry: it may have been processed and only wait for its commit.
    Touched { changes: Vec<(FileKey, FileEvent)>, since: Instant, permit: SemaphorePermit },
    /// A scan of one root has ended.
    Scanned(ScanReport),
    /// A folder could not be listed, for want of something that may come back. `lost` is the root whose own folder it
    /// is: nothing in it was seen.
    Unlisted { resource: Resource, why: String, lost: Option<LostRoot> },
    /// All scans have ended.
    ScansEnded,
    /// The watcher is no longer followed; all that was taken from it has been reported.
    WatchEnded,
    /// What is finished must be committed before a folder is listed; the reply is the cursor of that commit.
    Commit(SyncSender<Cursor>),
    /// A thread can't go on.
    Failed(EngineError),
}

/// A sender of these messages.
#[derive(Clone)]
pub(crate) struct Reports(Arc<dyn Fn(Message) -> bool + Send + Sync>);

impl Reports {
    /// Sends each message through this channel, converted to its event type.
    pub(crate) fn to<E: From<Message> + Send + 'static>(send: &SyncSender<E>) -> Self {
        let send = send.clone();
        Self(Arc::new(move |message| send.send(message.into()).is_ok()))
    }

    /// Sends a message. Returns false if the receiver is gone: the attempt has failed, and nothing counts then.
    pub(crate) fn send(&self, message: Message) -> bool {
        (self.0)(message)
    }
}
