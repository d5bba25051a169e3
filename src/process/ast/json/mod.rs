//! Reading JSON: one pass over the bytes, reported to a visitor that is compiled into the pass.
//!
//! Constraints: the whole of RFC 8259, to the last byte, and beyond it only what parsers of sources really write: a
//! byte order mark, `NaN` and the infinities, lone surrogate escapes. No recursion, no tree, no conversion of
//! numbers.

pub(crate) mod fault;
pub(super) mod open_keys;
mod place;
mod scan;
pub(crate) mod swar;
mod token;
mod unescape;
pub(super) mod visit;

pub(crate) use fault::{BOM, SyntaxFault, What};
pub(crate) use place::{PlaceKey, only_text, pair, place};
pub(crate) use scan::{Stack, scan};
pub(crate) use unescape::{has_lone_surrogate, unescape};
pub(crate) use visit::{Form, Text, ValueCount, Visitor};
