//! What is still to come from discovery.

use crate::engine::stats::ProcessingState;

/// The changes that may still be reported, by which threads.
#[derive(Debug)]
pub(super) struct DiscoveryState {
    /// The attempt scans nothing: it waits for watch events.
    pub is_standing: bool,
    pub is_scanning: bool,
    /// Watch events may still come.
    pub is_following: bool,
    /// A folder could not be listed for want of something that may come back.
    pub is_incomplete: bool,
}

impl DiscoveryState {
    /// Returns whether no more changes will be reported.
    pub(super) fn has_ended(&self) -> bool {
        !self.is_scanning && !self.is_following
    }

    /// Returns what the run does when nothing holds it back.
    pub(super) fn activity(&self) -> ProcessingState {
        if self.is_scanning {
            ProcessingState::Scanning
        } else if self.is_standing {
            ProcessingState::Watching
        } else {
            ProcessingState::Processing
        }
    }
}
