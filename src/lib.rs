//! Outlast: a batch engine for files that outlasts crashes.

pub mod batch;
pub mod model;
pub mod sink;
pub mod source;
pub mod process;

pub use model::*;
