//! Settings that belong together: schedules, watching, what is served.

pub(super) mod scheduled;
pub(super) mod served;
pub(super) mod watched;
