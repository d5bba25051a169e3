//! What a tick leaves pending of the files that it is about: whether a round over a priority is worth it again.

use crate::ledger::Retry;
use crate::model::BatchPriority;

/// What a tick has left pending of its files.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LeftPending {
    pub by_priority: [Left; 3],
}

/// The same, of one priority.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Left {
    /// Some wait for no retry.
    pub now: bool,
    /// The first retry that the others wait for.
    pub retry: Option<Retry>,
}

impl LeftPending {
    /// Notes a file that is pending once the tick is committed.
    pub(crate) fn note(&mut self, priority: BatchPriority, retry: Option<Retry>) {
        let left = &mut self.by_priority[priority as usize];
        match retry {
            None => left.now = true,
            Some(retry) => left.retry = Some(earlier(left.retry, retry)),
        }
    }

    /// Notes that there may be files of any priority.
    pub(crate) fn note_any(&mut self) {
        self.by_priority.iter_mut().for_each(|left| left.now = true);
    }
}

/// Returns the retry that is due first.
pub(crate) fn earlier(next: Option<Retry>, retry: Retry) -> Retry {
    next.filter(|next| next.at <= retry.at).unwrap_or(retry)
}
