//! What clang writes with `-ast-dump=json`.

use super::{Clues, Description, Dialect, Facts, Frame, Span};

#[derive(Debug, Default)]
pub(super) struct Clang;

const PLACE: usize = 3;

pub(super) const DESCRIPTION: Description = Description {
    name: "clang",
    kinds: &[],
    keys: &[],
    tags: &[],
    score: |_| 0.0,
    language: |_: &Clues<'_>| "unknown",
    read: Description::read::<Clang>,
};

impl Dialect for Clang {
    const PLACE: usize = PLACE;

    fn text(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _field: u8, _text: Span) {}

    fn close(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _parent: &mut Frame) {}
}
