//! The words that all rooms share: keys, fingerprints, outcomes, records, configuration.
//!
//! Plain data and pure functions only: nothing here opens a file, reads a clock or starts a thread.

mod batch;
mod config;
mod failure;
mod fingerprint;
mod key;
mod record;

pub use batch::{BatchPriority, DiscoveredFile, FileBatch};
pub use config::{BatchConfig, ConfigError, Order, StrategyKind};
pub use failure::{ErrorClass, FileError};
pub use fingerprint::{Digest, Fingerprint, Timestamp};
pub use key::{FileKey, FolderKey, Root, RootId, RootTable};
pub use record::{Cursor, LogPosition, RecordHead, RecordLine, RecordStatus};
