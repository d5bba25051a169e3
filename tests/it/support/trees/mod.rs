//! Seeded trees: their contents, what is odd in them, and how they are walked.

mod content;
mod oddity;
mod tree;
mod walk;

pub(crate) use content::Content;
pub(crate) use oddity::{Locked, Oddity};
pub(crate) use tree::{ODD_NAMES, Tree};
pub(crate) use walk::{Found, History, list, walk};
