//! A document that no dialect fits: it is only counted.

use super::{Description, Dialect, Facts, LanguageHints};
use crate::process::ast::facts::frame::{Frame, Span};

#[derive(Debug, Default)]
pub(super) struct Generic;

pub(super) const DESCRIPTION: Description = Description {
    name: "generic",
    kinds: &[],
    keys: &[],
    tags: &[],
    score: |_| 0.0,
    language: |_: &LanguageHints<'_>| "unknown",
    read: super::extract::<Generic>,
};

impl Dialect for Generic {
    const PLACE: usize = super::DIALECTS - 1;

    fn text(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _field: u8, _text: Span) {}

    fn close(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, _parent: &mut Frame) {}
}
