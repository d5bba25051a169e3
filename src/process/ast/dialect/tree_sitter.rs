//! Dumps of tree-sitter's concrete syntax trees, of any grammar.

use super::{Clues, Description, Dialect, Facts, Frame, Span};

#[derive(Debug, Default)]
pub(super) struct TreeSitter;

const PLACE: usize = 2;

pub(super) const DESCRIPTION: Description = Description {
    name: "tree-sitter",
    kinds: &[],
    keys: &[],
    tags: &[],
    score: |_| 0.0,
    language: |_: &Clues<'_>| "unknown",
    read: Description::read::<TreeSitter>,
};

impl Dialect for TreeSitter {
    const PLACE: usize = PLACE;

    fn text(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _field: u8, _text: Span) {}

    fn close(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _parent: &mut Frame) {}
}
