//! The words that all rooms share: keys, fingerprints, outcomes, records, configuration.
//!
//! Plain data and pure functions: nothing here starts a thread, the time comes from [`Clock`], and tests make I/O
//! fail by [`failpoint`]. Only `durable` touches the file system: the functions of all rooms that write;
//! `panic_guard` makes values of panics, and `joining` waits for threads that others start.

mod batch;
pub(super) mod clock;
pub(crate) mod config;
mod dumps;
pub(crate) mod durable;
#[doc(hidden)]
pub mod failpoint;
pub(super) mod failure;
mod fingerprint;
pub(crate) mod joining;
pub(crate) mod key;
pub(crate) mod memory;
pub(crate) mod name;
pub(crate) mod panic_guard;
mod record;
mod retry;
pub(crate) mod rules;

pub use batch::{DiscoveredFile, FileBatch};
#[doc(hidden)]
pub use clock::Clock;
pub use config::{BatchConfig, ConfigError, ErrorMode, FailureLimit, Order, StrategyKind};
pub(crate) use dumps::{extension_of, language_of, source_extension};
#[doc(hidden)]
pub use failure::with_remedy;
pub use failure::{ErrorClass, FileError, Resource};
pub use fingerprint::{Digest, Fingerprint, Timestamp};
pub(crate) use key::shared_prefix;
pub use key::{FileKey, FolderKey, Root, RootId, RootTable};
#[doc(hidden)]
pub use memory::{can_do_without_memory, is_for_want_of_stack};
pub use name::{ParseError, RootName};
pub use record::ast::{AstCall, AstImport, AstImportedName, AstNotes, AstResult, AstSymbol, AstTotals};
#[doc(hidden)]
pub use record::copies::{RecordOf, push_copy, without_copy_mark};
pub use record::cursor::{ConsumerName, RecordCursor};
#[doc(hidden)]
pub use record::in_base64;
pub use record::{Cursor, LogPosition, LogStart, RecordHead, RecordLine, RecordStatus};
pub use retry::RetryPolicy;
pub(crate) use rules::priority::PriorityRules;
pub use rules::priority::{BatchPriority, PriorityCounts, PriorityRule};
pub use rules::shard::{Shard, ShardError};
