//! Whether what is on disk is what was committed last, and what can be learnt where it is not.

pub(super) mod checking;
pub(super) mod in_flight_markers;
pub(super) mod salvage;
pub(super) mod verify;
pub(super) mod witness;
