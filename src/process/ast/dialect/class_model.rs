//! The class model that parsers of Java write: classes with their fields, methods and calls.

use super::{Clues, Description, Dialect, Facts, Frame, Span};

#[derive(Debug, Default)]
pub(super) struct ClassModel;

const PLACE: usize = 5;

pub(super) const DESCRIPTION: Description = Description {
    name: "class-model",
    kinds: &[],
    keys: &[],
    tags: &[],
    score: |_| 0.0,
    language: |_: &Clues<'_>| "unknown",
    read: Description::read::<ClassModel>,
};

impl Dialect for ClassModel {
    const PLACE: usize = PLACE;

    fn text(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _field: u8, _text: Span) {}

    fn close(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _parent: &mut Frame) {}
}
