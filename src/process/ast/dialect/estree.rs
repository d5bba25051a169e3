//! The family of trees for JavaScript and TypeScript that follow ESTree: acorn, espree, Babel, typescript-estree, SWC.

use super::{Clues, Description, Dialect, Facts, Frame, Span};

#[derive(Debug, Default)]
pub(super) struct Estree;

const PLACE: usize = 1;

pub(super) const DESCRIPTION: Description = Description {
    name: "estree",
    kinds: &[],
    keys: &[],
    tags: &[],
    score: |_| 0.0,
    language: |_: &Clues<'_>| "unknown",
    read: Description::read::<Estree>,
};

impl Dialect for Estree {
    const PLACE: usize = PLACE;

    fn text(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _field: u8, _text: Span) {}

    fn close(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _parent: &mut Frame) {}
}
