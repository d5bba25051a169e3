//! Rust's syn, written by syn-serde: a tree without a kind field, tagged by keys.

use super::{Clues, Description, Dialect, Facts, Frame, Span};

#[derive(Debug, Default)]
pub(super) struct SynTree;

const PLACE: usize = 4;

pub(super) const DESCRIPTION: Description = Description {
    name: "syn",
    kinds: &[],
    keys: &[],
    tags: &[],
    score: |_| 0.0,
    language: |_: &Clues<'_>| "unknown",
    read: Description::read::<SynTree>,
};

impl Dialect for SynTree {
    const PLACE: usize = PLACE;

    fn text(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _field: u8, _text: Span) {}

    fn close(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _parent: &mut Frame) {}
}
