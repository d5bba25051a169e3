//! What is still to come from discovery.

use crate::engine::stats::ProcessingState;

/// Which of discovery's threads may still report changes.
#[derive(Debug)]
pub(super) struct DiscoveryState {
    /// The attempt scans nothing: it waits for watch events.
    is_standing: bool,
    is_scanning: bool,
    is_following: bool,
    /// A directory could not be listed for want of something that may come back.
    is_incomplete: bool,
}

impl DiscoveryState {
    pub(super) fn new(scans: bool, is_following: bool) -> Self {
        Self { is_standing: !scans, is_scanning: scans, is_following, is_incomplete: false }
    }

    pub(super) fn is_standing(&self) -> bool {
        self.is_standing
    }

    pub(super) fn is_scanning(&self) -> bool {
        self.is_scanning
    }

    pub(super) fn is_following(&self) -> bool {
        self.is_following
    }

    pub(super) fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

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

    pub(super) fn scans_ended(&mut self) {
        self.is_scanning = false;
    }

    pub(super) fn watch_ended(&mut self) {
        self.is_following = false;
    }

    pub(super) fn not_listed(&mut self) {
        self.is_incomplete = true;
    }
}
