//! Detects dialect, language and soundness of a document.

pub(super) mod evidence;
pub(super) mod kind_counts;
pub(super) mod known;
pub(super) mod vocabulary;
