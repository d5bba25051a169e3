//! Outlast: a batch engine for files that outlasts crashes.

pub mod ledger;
pub mod model;

pub use model::*;
