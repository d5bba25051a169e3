//! Calls of the watcher, which may fail in every way.

use std::io;
use std::path::Path;

use notify::{ErrorKind, RecursiveMode};

use super::events::Handler;
use super::folders::Reason;
use crate::model::panic_guard::quietly;

pub(super) type Watcher = Box<dyn notify::Watcher + Send>;
pub(super) type MakeWatcher = dyn Fn(Handler) -> notify::Result<Watcher> + Send + Sync;

/// Creates the system's watcher. It does not report a failure to start its thread, but panics at each later call.
pub(super) fn inotify(handler: Handler) -> notify::Result<Watcher> {
    std::thread::Builder::new().spawn(|| ()).map_err(notify::Error::io)?;
    let watcher = <notify::INotifyWatcher as notify::Watcher>::new(handler, notify::Config::default())?;
    Ok(Box::new(watcher))
}

/// Why a folder is not watched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The folder is gone.
    Gone,
    /// The watcher's thread has ended.
    Dead,
    Because(Reason),
}

/// Watches one folder, but nothing below it.
pub(super) fn watch(watcher: Option<&mut Watcher>, path: &Path) -> Result<(), Refusal> {
    let Some(watcher) = watcher else { return Err(Refusal::Because(Reason::NoWatcher)) };
    match quietly(|| watcher.watch(path, RecursiveMode::NonRecursive)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(match error.kind {
            ErrorKind::MaxFilesWatch => Refusal::Because(Reason::Limit),
            ErrorKind::PathNotFound => Refusal::Gone,
            ErrorKind::Io(error) if is_gone(&error) => Refusal::Gone,
            ErrorKind::Io(error) => Refusal::Because(Reason::Refused(error.to_string().into())),
            other => Refusal::Because(Reason::Refused(format!("{other:?}").into())),
        }),
        // The watcher's calls panic where its thread has ended.
        Err(_) => Err(Refusal::Dead),
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Removes a watch, if it exists.
pub(super) fn unwatch(watcher: Option<&mut Watcher>, path: &Path) {
    let _ = quietly(|| watcher.map(|watcher| watcher.unwatch(path)));
}

/// Ends a watcher.
pub(super) fn end(watcher: &mut Option<Watcher>) {
    let _ = quietly(|| *watcher = None);
}
