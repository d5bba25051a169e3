//! Outlast: a batch engine for files that outlasts crashes.

pub mod model;
pub mod process;

pub use model::*;
