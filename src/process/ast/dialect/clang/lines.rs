//! Lines, which clang names only where they differ from the previous one.
//!
//! "Previous" goes by clang's order: `loc`, `range.begin`, `range.end`, then `inner`. As a document's keys may be
//! in any other order, each part is summarised by the line that it passes on, and by what in it is still pending
//! for the line passed to it.

use super::{HAS_LINE, HAS_OFFSET, INCLUDED};
use crate::process::ast::facts::Symbol;
use crate::process::ast::facts::frame::Frame;
use crate::process::ast::json::{self, PlaceKey};

/// A line of the source, from 1. One number, as each open node holds a dozen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Line(u32);

impl Line {
    /// No place.
    pub(super) const NONE: Self = Self(0);
    /// The previous line, not known yet.
    pub(super) const BEFORE: Self = Self(u32::MAX);

    /// Returns the line of this number; none for 0.
    pub(super) fn known(number: u32) -> Self {
        Self(if number == u32::MAX { 0 } else { number })
    }

    pub(super) fn is_known(self) -> bool {
        self.0.wrapping_add(1) > 1
    }

    /// Returns the line, given the line before it.
    pub(super) fn after(self, before: Self) -> Self {
        if self == Self::BEFORE && before.is_known() { before } else { self }
    }

    /// Returns the line passed on after this one, if `before` was passed in.
    pub(super) fn hand_on(self, before: Self) -> Self {
        if self.is_known() { self } else { before }
    }

    /// Returns the line as a number, 0 while it isn't known.
    pub(super) fn number(self) -> u32 {
        if self.is_known() { self.0 } else { 0 }
    }
}

/// The keys of a place outside of macros, if the file is unchanged; the line only if it has changed.
const PLACE_KEYS: [PlaceKey; 4] = [
    PlaceKey::of("\"offset\":"),
    PlaceKey::of("\"line\":"),
    PlaceKey::of("\"col\":"),
    PlaceKey::of("\"tokLen\":"),
];

/// `loc`, `begin` or `end` of a node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) line: Line,
    /// The line it passes on: another one if a macro was written elsewhere.
    pub(super) last: Line,
    /// Byte in its file, plus one; 0 for unknown. For the product of a macro, where that is written.
    pub(super) at: u32,
    pub(super) is_of_macro: bool,
    /// Written here as an argument of a macro.
    pub(super) is_argument: bool,
    pub(super) included: bool,
}

impl Place {
    /// Returns its line, if it is in the source itself.
    pub(super) fn own_line(&self) -> Line {
        if self.included { Line::NONE } else { self.line }
    }

    /// Reads a place without other keys, as nearly all are; returns it, its number of values and the end position.
    #[inline(always)]
    pub(super) fn read(doc: &[u8], at: usize) -> Option<(Self, u64, usize)> {
        let place = json::place(doc, at, &PLACE_KEYS)?;
        let [Some(offset), line, ..] = place.numbers else { return None };
        let read = Self::new(line.map_or(Line::BEFORE, Line::known), offset + 1, false);
        Some((read, place.values, place.end))
    }

    /// Builds a place from its own members.
    pub(super) fn of(frame: &Frame) -> Self {
        let line = match (frame.has(HAS_OFFSET), frame.has(HAS_LINE)) {
            (true, true) => Line::known(frame.line),
            (true, false) => Line::BEFORE,
            _ => Line::NONE,
        };
        Self::new(line, frame.count, frame.has(INCLUDED))
    }

    fn new(line: Line, at: u32, included: bool) -> Self {
        Self { line, last: line.hand_on(Line::NONE), at, is_of_macro: false, is_argument: false, included }
    }

    /// Builds the place of a macro's product: written in one place, used in another, which counts.
    pub(super) fn of_macro(spelling: Self, expansion: Self) -> Self {
        Self {
            line: expansion.line.after(spelling.last),
            last: expansion.last.hand_on(spelling.last),
            at: spelling.at,
            is_of_macro: true,
            // A macro is defined before its uses, or in another file.
            is_argument: !spelling.included && !expansion.included && spelling.at > expansion.at,
            included: expansion.included,
        }
    }
}

/// What a part of a document passes to the enclosing node. Packed, so that an open node is copied as a few
/// registers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    /// The greatest line, 0 for none; in its highest bit, whether the line before the part counts too.
    line: u32,
    pub(super) branches: u32,
}

impl Sum {
    const BEFORE: u32 = 1 << 31;

    /// Returns the greatest known line, 0 for none.
    pub(super) fn known(self) -> u32 {
        self.line & !Self::BEFORE
    }

    pub(super) fn line(&mut self, line: Line) {
        let before = if line == Line::BEFORE { Self::BEFORE } else { 0 };
        let known = line.number() & !Self::BEFORE;
        self.line = self.known().max(known) | self.line & Self::BEFORE | before;
    }

    /// Adds a part that follows the line `before`.
    pub(super) fn add(&mut self, part: Self, before: Line) {
        self.line = self.known().max(part.known()) | self.line & Self::BEFORE;
        self.branches = self.branches.saturating_add(part.branches);
        if part.line & Self::BEFORE != 0 {
            self.line(Line::BEFORE.after(before));
        }
    }
}

/// The places of a node, in their order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Places {
    pub(super) loc: Place,
    pub(super) begin: Place,
    pub(super) end: Place,
}

impl Places {
    /// Resolves what the earlier places determine. Returns what they pass on to the nodes inside.
    pub(super) fn settle(&mut self) -> Line {
        let mut last = Line::NONE;
        for place in [&mut self.loc, &mut self.begin, &mut self.end] {
            place.line = place.line.after(last);
            last = place.last.hand_on(last);
        }
        last
    }

    /// Returns the first line of what the node is, in the source itself.
    pub(super) fn first(&self) -> Line {
        let begin = self.begin.own_line();
        if begin == Line::NONE { self.loc.own_line() } else { begin }
    }

    /// Returns whether the node begins after its name, as the call operator of a lambda's class does: that is named
    /// by the lambda's bracket.
    pub(super) fn begins_behind(&self) -> bool {
        self.loc.at < self.begin.at && self.loc.is_of_macro == self.begin.is_of_macro
    }

    /// Adds the lines that are in the source itself.
    pub(super) fn count(&self, sum: &mut Sum) {
        let places = [self.loc, self.begin, self.end];
        places.iter().for_each(|place| sum.line(place.own_line()));
    }
}

/// A symbol with pending lines or visibility.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    pub(super) number: u32,
    pub(super) at: u32,
    /// Whether its first and its last line are the previous one.
    pub(super) first: bool,
    pub(super) last: bool,
}

/// Pending symbols, in the order of closing.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Late>);

impl Waiting {
    pub(super) fn add(&mut self, late: Late) {
        self.0.push(late);
    }

    /// Drops those that began at this byte or later.
    pub(super) fn forget(&mut self, from: u32) {
        while self.0.pop_if(|late| late.at >= from).is_some() {}
    }

    /// Gives those that began at this byte or later what they are pending for.
    pub(super) fn give(
        &mut self,
        from: u32,
        symbols: &mut [Symbol],
        mut give: impl FnMut(&Late, &mut Symbol),
    ) {
        while let Some(late) = self.0.pop_if(|late| late.at >= from) {
            // After a symbol was dropped, another may have its number.
            if let Some(symbol) = symbols.get_mut(late.number as usize).filter(|one| one.at == late.at) {
                give(&late, symbol);
            }
        }
    }
}
