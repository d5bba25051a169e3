//! Lines, which clang names only where they differ from the one before.
//!
//! "Before" goes by clang's order: `loc`, `range.begin`, `range.end`, then `inner`. As a document's keys may
//! stand in any other, each part is summed up by the line that it hands on, and by what in it still waits
//! for the one that it is handed.

use crate::process::ast::facts::Symbol;

/// A line of the source, from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Line {
    /// No place.
    #[default]
    None,
    /// The one before, not known yet.
    Before,
    Known(u32),
}

impl Line {
    /// The line, where `before` is the one before it.
    pub(super) fn after(self, before: Self) -> Self {
        match (self, before) {
            (Self::Before, Self::Known(_)) => before,
            _ => self,
        }
    }

    /// What is handed on behind this one, where `before` was handed in.
    pub(super) fn hand_on(self, before: Self) -> Self {
        if let Self::Known(_) = self { self } else { before }
    }

    /// The line as a number, 0 while it isn't known.
    pub(super) fn number(self) -> u32 {
        if let Self::Known(line) = self { line } else { 0 }
    }
}

/// `loc`, `begin` or `end` of a node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) line: Line,
    /// What it hands on: another line where a macro was written elsewhere.
    pub(super) last: Line,
    pub(super) included: bool,
}

impl Place {
    /// Its line, where it is in the source itself.
    pub(super) fn own_line(&self) -> Line {
        if self.included { Line::None } else { self.line }
    }

    pub(super) fn new(line: Line, included: bool) -> Self {
        Self { line, last: line.hand_on(Line::None), included }
    }

    /// What a macro makes: written in one place, used in another, which counts.
    pub(super) fn of_macro(spelling: Self, expansion: Self) -> Self {
        Self {
            line: expansion.line.after(spelling.last),
            last: expansion.last.hand_on(spelling.last),
            included: expansion.included,
        }
    }
}

/// What a part of a document hands to the node around.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    /// The greatest line, 0 for none.
    pub(super) line: u32,
    /// Whether the line before the part counts too.
    pub(super) before: bool,
    pub(super) branches: u32,
}

impl Sum {
    pub(super) fn line(&mut self, line: Line) {
        match line {
            Line::None => {}
            Line::Before => self.before = true,
            Line::Known(line) => self.line = self.line.max(line),
        }
    }

    /// Adds a part that stands behind the line `before`.
    pub(super) fn add(&mut self, part: Self, before: Line) {
        self.line = self.line.max(part.line);
        self.branches = self.branches.saturating_add(part.branches);
        if part.before {
            self.line(Line::Before.after(before));
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
    /// Makes known what the places before tell. Returns what they hand on to the nodes inside.
    pub(super) fn settle(&mut self) -> Line {
        let mut last = Line::None;
        for place in [&mut self.loc, &mut self.begin, &mut self.end] {
            place.line = place.line.after(last);
            last = place.last.hand_on(last);
        }
        last
    }

    /// The first line of what the node is, in the source itself.
    pub(super) fn first(&self) -> Line {
        let begin = self.begin.own_line();
        if begin == Line::None { self.loc.own_line() } else { begin }
    }

    /// Adds the lines that are in the source itself.
    pub(super) fn count(&self, sum: &mut Sum) {
        let places = [self.loc, self.begin, self.end];
        places.iter().for_each(|place| sum.line(place.own_line()));
    }
}

/// A symbol that waits for something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    pub(super) number: u32,
    pub(super) at: u32,
    /// Whether its first and its last line are the one before.
    pub(super) first: bool,
    pub(super) last: bool,
}

/// Symbols that wait, in the order of closing.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Late>);

impl Waiting {
    pub(super) fn add(&mut self, late: Late) {
        self.0.push(late);
    }

    /// Forgets those that began at a byte or behind.
    pub(super) fn forget(&mut self, from: u32) {
        while self.0.pop_if(|late| late.at >= from).is_some() {}
    }

    /// Gives those that began at a byte or behind what they wait for.
    pub(super) fn give(
        &mut self,
        from: u32,
        symbols: &mut [Symbol],
        mut give: impl FnMut(&Late, &mut Symbol),
    ) {
        while let Some(late) = self.0.pop_if(|late| late.at >= from) {
            // Another one may have its number, when it was dropped.
            if let Some(symbol) = symbols.get_mut(late.number as usize).filter(|one| one.at == late.at) {
                give(&late, symbol);
            }
        }
    }
}
