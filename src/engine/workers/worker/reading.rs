//! Reads one file into the buffer, with memory admitted for it.

use std::sync::atomic::Ordering;

use super::{BatchWorker, file_error};
use crate::engine::lifecycle::transition::AttemptOutcome;
use crate::engine::resources::memory_budget::{Admission, MemoryPermit};
use crate::engine::workers::context::WorkContext;
use crate::engine::workers::io_wait::Measured;
use crate::engine::workers::outcome::{Attempt, ReadFile};
use crate::engine::workers::slots::Stage;
use crate::model::{DiscoveredFile, ErrorClass, FileError, Resource, Root};
use crate::source::ReadError;

/// How often a file may have grown again when it is to be read.
const GROWTHS_MAX: usize = 5;
/// A file that is longer than its file system reported is allowed so many times as much for the next read: within
/// [`GROWTHS_MAX`] reads its length is known, up to what memory allows.
const LONGER_FACTOR: u64 = 64;

/// The end of a read.
pub(super) enum Reading {
    /// The content is in the buffer, if it was wanted.
    Read(ReadFile),
    /// The attempt has ended without it.
    Ended(Attempt),
    /// There is no memory for it now, and it was not to be waited for.
    NoMemory,
}

impl<S> BatchWorker<S> {
    /// Reads a file into the buffer. Where `waits` is false, it does not wait for memory.
    pub(super) fn read(
        &mut self,
        context: &WorkContext,
        file: &DiscoveredFile,
        waits: bool,
    ) -> (Reading, Option<Measured>) {
        let root = match root_of(context, file) {
            Ok(root) => root,
            Err(end) => return (Reading::Ended(Attempt::Plain(end)), None),
        };
        let mut size = file.fingerprint.size;
        for _ in 0..GROWTHS_MAX {
            let size_max = match self.admit(context, size, waits) {
                Ok(size_max) => size_max,
                Err(reading) => return (*reading, None),
            };
            let buffer = &mut self.content;
            let read = || context.source.read_expected(root, &file.key, &file.fingerprint, size_max, buffer);
            let (read, measured) = self.gauge.read(self.taken, read);
            let reading = match read {
                Ok(content) => Reading::Read(ReadFile { content, hash: blake3::hash(&self.content) }),
                Err(ReadError::Gone | ReadError::NotAFile(_)) => {
                    Reading::Ended(Attempt::Plain(AttemptOutcome::Gone))
                }
                // It has grown since it was found: that takes another permit.
                Err(ReadError::TooLarge { size: grown }) => {
                    size = grown;
                    continue;
                }
                Err(ReadError::Longer { read }) if read < context.budget.size_max() => {
                    size = read.saturating_mul(LONGER_FACTOR).min(context.budget.size_max());
                    continue;
                }
                Err(error) => Reading::Ended(unread(&error)),
            };
            return (reading, measured);
        }
        (Reading::Ended(unread(&ReadError::Unstable)), None)
    }

    /// Reads a file for its digest alone: it may be of any size, and none of it is kept.
    pub(super) fn read_digest(&mut self, context: &WorkContext, file: &DiscoveredFile) -> Reading {
        let root = match root_of(context, file) {
            Ok(root) => root,
            Err(end) => return Reading::Ended(Attempt::Plain(end)),
        };
        match context.source.digest(root, &file.key) {
            Ok((content, hash)) => Reading::Read(ReadFile { content, hash: hash.into() }),
            Err(ReadError::Gone | ReadError::NotAFile(_)) => {
                Reading::Ended(Attempt::Plain(AttemptOutcome::Gone))
            }
            Err(error) => Reading::Ended(unread(&error)),
        }
    }

    /// Gets memory for a file of this size, unless the current permit is good for it. Returns the largest content that
    /// may be read.
    fn admit(&mut self, context: &WorkContext, size: u64, waits: bool) -> Result<u64, Box<Reading>> {
        if let Some(permit) = self.permit.as_ref().filter(|permit| permit.is_good_for(size)) {
            return Ok(permit.size_max());
        }
        self.give_back();
        if let Some(permit) = context.budget.admit_now(size) {
            return Ok(self.keep(permit));
        }
        if !waits {
            return Err(Box::new(Reading::NoMemory));
        }
        self.slot.is_at(Stage::Waiting);
        let admission = context.budget.acquire(size, &context.stop);
        self.slot.restart(context.clock.now());
        let attempt = match admission {
            Admission::Admitted(permit) => return Ok(self.keep(permit)),
            Admission::Stopped => Attempt::Plain(AttemptOutcome::Released),
            Admission::Short => {
                let message = "there is no memory for it beside files that were given up";
                let error = FileError::new(ErrorClass::IoTransient, message);
                Attempt::Failed { read: None, error, short_of: Some(Resource::Memory) }
            }
            Admission::TooLarge { limit_bytes } => {
                let limit_mib = limit_bytes >> 20;
                let message = format!(
                    "{size} bytes take more than the memory limit of {limit_mib} MiB has for one file; \
                     raise the memory limit, or `ulimit -v` where that is less, to process it"
                );
                let error = FileError::new(ErrorClass::TooLarge, message);
                Attempt::Failed { read: None, error, short_of: None }
            }
        };
        Err(Box::new(Reading::Ended(attempt)))
    }

    /// Gets memory for a file of this size if that needs no waiting. Returns whether it did.
    pub(super) fn admit_beside(&mut self, context: &WorkContext, size: u64) -> bool {
        self.admit(context, size, false).is_ok()
    }

    fn keep(&mut self, permit: MemoryPermit) -> u64 {
        self.slot.admitted_bytes.store(self.admitted_beside + permit.bytes(), Ordering::Relaxed);
        self.permit.insert(permit).size_max()
    }

    /// Releases the content. A large buffer stays as it is while the permit for it may be kept.
    pub(super) fn put_down(&mut self) {
        if !self.permit.as_ref().is_some_and(|permit| permit.may_be_kept(self.workers)) {
            self.give_back();
        }
    }

    /// Frees what the content's buffer has grown by.
    pub(super) fn give_back(&mut self) {
        self.content.clear();
        self.content.shrink_to(self.kept);
        if self.permit.take().is_some() {
            self.slot.admitted_bytes.store(self.admitted_beside, Ordering::Relaxed);
        }
    }
}

/// Returns the root of a file that is to be read now, or how the attempt ends without that.
fn root_of<'a>(context: &'a WorkContext, file: &DiscoveredFile) -> Result<&'a Root, AttemptOutcome> {
    if context.stop.is_requested() {
        return Err(AttemptOutcome::Released);
    }
    let root = context.roots.get(file.key.root()).ok_or(AttemptOutcome::Released)?;
    if context.doubts_rules.load(Ordering::Relaxed) && context.source.is_hidden(root, &file.key) {
        return Err(AttemptOutcome::Hidden);
    }
    Ok(root)
}

pub(super) fn unread(error: &ReadError) -> Attempt {
    Attempt::Failed { read: None, error: file_error(error), short_of: error.short_of() }
}
