//! The words that all rooms share: keys, fingerprints, outcomes, records, configuration.
//!
//! Plain data and pure functions: nothing here starts a thread, the time is told by [`Clock`], and tests let I/O fail
//! by [`failpoint`]. Only `durable` touches the file system: what all rooms that write need of it; `quiet` makes
//! values of panics, and `joining` waits for threads that others start.

mod batch;
mod clock;
mod config;
mod copied;
pub(crate) mod durable;
#[doc(hidden)]
pub mod failpoint;
mod failure;
mod fingerprint;
pub(crate) mod joining;
mod key;
pub(crate) mod memory;
pub(crate) mod quiet;
mod record;
mod record_cursor;
mod retry;

pub use batch::{BatchPriority, DiscoveredFile, FileBatch};
pub use clock::Clock;
pub use config::{BatchConfig, ConfigError, ErrorMode, FailureLimit, Order, StrategyKind};
pub use copied::{RecordOf, push_copy, without_copy_mark};
pub use failure::{ErrorClass, FileError, Resource, with_remedy};
pub use fingerprint::{Digest, Fingerprint, Timestamp};
pub(crate) use key::shared_prefix;
pub use key::{FileKey, FolderKey, Root, RootId, RootTable};
pub use memory::{can_do_without_memory, is_for_want_of_stack};
pub use record::{Cursor, LogPosition, LogStart, RecordHead, RecordLine, RecordStatus};
pub use record_cursor::RecordCursor;
pub use retry::RetryPolicy;
