//! Changes to entries that a user asks for: retry and forget. Written as any other change, in ticks.

pub(super) mod forget;
pub(super) mod retry;
