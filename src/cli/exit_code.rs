//! Exit codes, and their errors.

use outlast::ExecError;
use outlast::engine::EngineError;
use outlast::ledger::LedgerError;
use outlast::service::settings::SettingsError;
use outlast::service::{ControlError, HttpError};
use outlast::sink::SinkError;
use outlast::sink::export::ExportError;
use outlast::source::list::ListError;

/// Success.
pub(crate) const DONE: u8 = 0;
/// An unexpected error.
pub(crate) const UNEXPECTED: u8 = 1;
/// An invalid command line.
pub(crate) const USAGE: u8 = 2;
/// Done, but some files failed, now or earlier unless known failures are accepted, or some folders could not be
/// listed.
pub(crate) const SOME_FAILED: u8 = 3;
/// No file matched.
pub(crate) const NOTHING_MATCHED: u8 = 4;
/// There is no state.
pub(crate) const NO_STATE: u8 = 10;
/// The state is in use.
pub(crate) const IN_USE: u8 = 11;
/// The state is damaged.
pub(crate) const DAMAGED: u8 = 12;
/// The log no longer has what comes after a cursor.
pub(crate) const CURSOR_GONE: u8 = 13;
/// A resource did not come back in time: the file system, disk space, memory, descriptors; or a process does not
/// answer.
pub(crate) const UNAVAILABLE: u8 = 75;
/// An invalid configuration.
pub(crate) const CONFIG: u8 = 78;
/// A run that was asked to stop, such as by SIGTERM.
pub(crate) const STOPPED: u8 = 143;

/// The table at the end of `outlast --help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    unexpected failure
  2    wrong usage
  3    done, but some files failed
  4    nothing matched
  10   no state here, or no more
  11   state in use, or its lock was removed or lost
  12   state damaged: run `outlast repair`
  13   the log no longer has what comes after the cursor: start over with the
       current records
  75   a resource did not come back in time, work kept, or the process that
       holds the state does not answer: try again
  78   bad configuration
  130  interrupted by SIGINT, work kept
  143  interrupted by SIGTERM, or a run by `outlast ctl stop`, work kept";

/// Returns the exit code of an error.
pub(crate) fn code_of(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<EngineError>() {
        return code_of_engine(error);
    }
    if let Some(ExecError::Away { .. }) = error.downcast_ref() {
        return UNAVAILABLE;
    }
    if error.is::<SettingsError>() || error.is::<ExecError>() {
        return CONFIG;
    }
    if let Some(HttpError::Open(_)) = error.downcast_ref() {
        return CONFIG;
    }
    match error.downcast_ref::<ControlError>() {
        Some(ControlError::NotListening(_)) => NO_STATE,
        Some(ControlError::Wrong(_)) => USAGE,
        Some(ControlError::CursorGone(_)) => CURSOR_GONE,
        Some(ControlError::Later(_) | ControlError::Silent { .. }) => UNAVAILABLE,
        Some(ControlError::Settings(_)) => CONFIG,
        Some(ControlError::Refused(_) | ControlError::Io(_)) | None => UNEXPECTED,
    }
}

fn code_of_engine(error: &EngineError) -> u8 {
    match error {
        EngineError::Ledger(error) => code_of_ledger(error),
        EngineError::Sink(SinkError::Damaged { .. } | SinkError::Missing { .. } | SinkError::Lost { .. }) => {
            DAMAGED
        }
        EngineError::Sink(SinkError::InUse { .. }) => IN_USE,
        EngineError::Sink(SinkError::Io { source, .. }) => code_of_state_io(source),
        EngineError::Sink(SinkError::NoFolder { .. }) => USAGE,
        EngineError::Export(ExportError::Target { .. })
        | EngineError::Root { .. }
        | EngineError::OtherProcessor { .. }
        | EngineError::UnknownJob { .. }
        | EngineError::NotRunning { .. }
        | EngineError::Checkpoint { .. }
        | EngineError::JobConfig { .. }
        | EngineError::Inspect { .. }
        | EngineError::List(ListError::Read(_) | ListError::Entry { .. })
        | EngineError::Busy
        | EngineError::NoRun
        | EngineError::Refused(_) => USAGE,
        EngineError::Sink(SinkError::Poisoned { .. })
        | EngineError::Export(_)
        | EngineError::List(ListError::Sort(_))
        | EngineError::Io { .. }
        | EngineError::Panicked(_)
        | EngineError::Crashed { .. } => UNEXPECTED,
        EngineError::CursorGone { .. } => CURSOR_GONE,
        EngineError::Unavailable { .. } => UNAVAILABLE,
        EngineError::Config(_) | EngineError::Filter(_) => CONFIG,
    }
}

fn code_of_ledger(error: &LedgerError) -> u8 {
    match error {
        LedgerError::NoState { .. } | LedgerError::NoShards { .. } | LedgerError::Gone { .. } => NO_STATE,
        LedgerError::InUse { .. }
        | LedgerError::BeingRead { .. }
        | LedgerError::LockGone { .. }
        | LedgerError::LockLost { .. } => IN_USE,
        LedgerError::NoThreads { .. } => UNAVAILABLE,
        LedgerError::Damaged { .. } | LedgerError::Lost { .. } | LedgerError::OtherFormat { .. } => DAMAGED,
        LedgerError::OtherRecords { .. }
        | LedgerError::OtherShard { .. }
        | LedgerError::LocksLocal { .. } => CONFIG,
        LedgerError::Foreign { .. } | LedgerError::NoFolder { .. } => USAGE,
        LedgerError::Io { error, .. } => code_of_state_io(error),
        LedgerError::ReadOnly { .. }
        | LedgerError::Poisoned
        | LedgerError::Closed
        | LedgerError::Invalid(_) => UNEXPECTED,
    }
}

/// Handles a limit on file size or memory, which leaves the state without room, and everything committed intact.
fn code_of_state_io(error: &std::io::Error) -> u8 {
    use std::io::ErrorKind::{FileTooLarge, OutOfMemory};
    if matches!(error.kind(), FileTooLarge | OutOfMemory) { UNAVAILABLE } else { UNEXPECTED }
}
