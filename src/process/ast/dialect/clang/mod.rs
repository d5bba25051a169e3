//! What clang writes with `-ast-dump=json`: C, C++ and Objective-C.
//!
//! Nodes are objects nested under `inner`; those that are only referred to don't count. What the compiler made up,
//! and what is in an included file, is left out. Often that is known only when the node closes: then everything
//! found inside is dropped. Repetitions count once.

mod declare;
mod keys;
mod kinds;
mod lines;
mod paths;
mod scopes;
mod written;

use super::{Description, Dialect, Facts, LanguageHints, language_of};
use crate::process::ast::detect::evidence::Evidence;
use crate::process::ast::detect::vocabulary::marker;
use crate::process::ast::facts::frame::{Frame, Span, Visibility, flag};
use crate::process::ast::json;
use keys::{KEYS, QUAL_TYPE, key, name};
use kinds::{KINDS, SAW_CXX, SAW_OBJC, role, saw};
use lines::{Line, Place, Places, Sum, Waiting};
use scopes::Scopes;
use written::{Extent, Once};

/// The state of one reading.
#[derive(Debug, Default)]
pub(super) struct Clang {
    /// The open nodes; the first represents what is around the document.
    nodes: Vec<Node>,
    /// The macro of the innermost place: where it is written, and where it is used.
    spelling: Place,
    expansion: Place,
    /// Symbols whose lines are the previous one, and those whose visibility is the record's default.
    late_lines: Waiting,
    late_access: Waiting,
    scopes: Scopes,
    once: Once,
    /// Where the names of templates of variables are written.
    variable_templates: Vec<u32>,
    text: Vec<u8>,
}

/// The state of an open node beside its frame.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    places: Places,
    /// The line its last child passed on.
    last: Line,
    /// The first child: its byte plus one, its extent and its sum.
    first: u32,
    first_extent: Extent,
    sum_first: Sum,
    /// The second child: its byte plus one.
    second: u32,
    /// The sum from there on.
    sum: Sum,
    /// First child that is left out together with the following, if the node is a template: its byte plus one.
    cut: u32,
    /// The sum from there on.
    sum_cut: Sum,
    /// Whether some child is before the node itself, or in another file.
    has_elsewhere: bool,
    /// The least byte at which a child begins, plus one; outside of macros.
    least: u32,
    has_function: bool,
    /// What the last access specifier said.
    access: Visibility,
    id: Span,
    context: Span,
    is_implied: bool,
    /// Languages that the nodes inside indicate.
    saw: u8,
}

/// A larger node is copied by a call at each beginning and end.
const _: () = assert!(size_of::<Node>() <= 128, "an open node is too large");

const PLACE: usize = 3;

pub(super) const DESCRIPTION: Description = Description {
    name: "clang",
    kinds: KINDS,
    keys: KEYS,
    tags: &[],
    score,
    language,
    read: super::extract::<Clang>,
};

/// Scores a document: other parsers of such languages share some of the kinds, but not clang's places.
fn score(evidence: &Evidence) -> f64 {
    let has_places = evidence.marker(const { marker("range") }) > 0
        && evidence.marker(const { marker("inner") }) + evidence.marker(const { marker("loc") }) > 0;
    match evidence.kind_field() {
        Some(("kind", _)) if has_places => evidence.known(PLACE),
        _ => 0.0,
    }
}

fn language(hints: &LanguageHints<'_>) -> &'static str {
    match hints.store.hints {
        SAW_CXX => return "c++",
        SAW_OBJC => return "objective-c",
        0 => {}
        _ => return "objective-c++",
    }
    let others = ["c++", "objective-c", "objective-c++"];
    language_of(hints.path).filter(|language| others.contains(language)).unwrap_or("c")
}

const NODE: u32 = flag::OWN;
const RANGE: u32 = flag::OWN << 1;
const PLACE_OF_NODE: u32 = flag::OWN << 2;
/// A node: inside of what is known to be left out.
const SKIPPED: u32 = flag::OWN << 3;
/// A node: in an included file.
const INCLUDED: u32 = flag::OWN << 4;
const IS_IMPLICIT: u32 = flag::OWN << 5;
/// A node: made of a template by the compiler.
const IS_MADE: u32 = flag::OWN << 13;
const LEFT_OUT: u32 = SKIPPED | INCLUDED | IS_IMPLICIT | IS_MADE;
/// A record, or what is known of its definition: the class of a lambda, which holds its parameters.
const IS_CLOSURE: u32 = flag::OWN << 18;
/// A function whose body the compiler writes, though it is declared in the source.
const IS_DEFAULTED: u32 = flag::OWN << 14;
/// Something inside constructs: a type that it names itself, or by a list in braces the one in its last name.
const HAS_CONSTRUCTED: u32 = flag::OWN << 15;
const HAS_LISTED: u32 = flag::OWN << 16;
/// A child is a list in braces, of what has no constructor: its type is in the last name.
const HAS_BRACES: u32 = flag::OWN << 19;
/// A construction, or a variable's: by a list in braces.
const IS_LIST: u32 = flag::OWN << 17;
/// What it is called by may be a callee, or a part of one.
const IN_CALLEE: u32 = flag::OWN << 7;
const IS_COMPLETE: u32 = flag::OWN << 8;
/// A record: written as a class. A message: to a class.
const IS_CLASS: u32 = flag::OWN << 9;
const IS_SUPER: u32 = flag::OWN << 10;
/// `&&`, `||`.
const IS_LOGICAL: u32 = flag::OWN << 11;
/// `*`, `&`.
const IS_POINTER: u32 = flag::OWN << 12;
/// A place: has an offset, a line, a macro.
const HAS_OFFSET: u32 = flag::OWN << 5;
const HAS_LINE: u32 = flag::OWN << 6;
const HAS_MACRO: u32 = flag::OWN << 7;

impl Dialect for Clang {
    const PLACE: usize = PLACE;
    const LOOKS_DOWN: bool = true;

    fn is_whole(field: u8) -> bool {
        matches!(field, key::LOC | key::BEGIN | key::END | key::TYPE)
    }

    #[inline(always)]
    fn whole(&mut self, doc: &[u8], at: usize, frame: &mut Frame, field: u8) -> Option<(u64, usize)> {
        if field == key::TYPE {
            let (text, end) = json::only_text(doc, at, QUAL_TYPE)?;
            frame.names[name::TYPE] = Span::of(text);
            return Some((2, end));
        }
        if !frame.has(if field == key::LOC { NODE } else { RANGE }) {
            return None;
        }
        let (place, values, end) = Place::read(doc, at)?;
        self.set_place(place, frame, field);
        Some((values, end))
    }

    #[inline(always)]
    fn open(&mut self, frame: &mut Frame, parent: &Frame) {
        match frame.slot {
            key::INNER if parent.has(NODE) => self.open_node(frame, parent),
            key::LOC if parent.has(NODE) => self.open_place(frame),
            key::RANGE if parent.has(NODE) => frame.flags = RANGE,
            key::BEGIN | key::END if parent.has(RANGE) => self.open_place(frame),
            0 if parent.at == 0 => self.open_document(frame, parent),
            _ => {}
        }
    }

    #[inline(always)]
    fn text(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, text: Span) {
        match field {
            key::NAME => frame.names[name::OWN] = text,
            key::ID | key::CONTEXT if frame.has(NODE) => {
                if let Some(node) = self.nodes.last_mut() {
                    *(if field == key::ID { &mut node.id } else { &mut node.context }) = text;
                }
            }
            key::PATTERN => frame.set(IS_MADE, frame.has(NODE)),
            key::TAG..=key::INIT => read_word(facts, frame, field, text),
            _ => {}
        }
    }

    #[inline(always)]
    fn number(&mut self, _facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, number: u32) {
        match field {
            key::OFFSET => {
                frame.count = number + 1;
                frame.flags |= HAS_OFFSET;
            }
            key::LINE => {
                frame.line = number;
                frame.flags |= HAS_LINE;
            }
            _ => {}
        }
    }

    #[inline(always)]
    fn truth(&mut self, _facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, truth: bool) {
        match field {
            key::IS_IMPLICIT => frame.set(IS_IMPLICIT, truth && !frame.has(IS_CLOSURE)),
            key::IS_LAMBDA => frame.set(IS_CLOSURE, truth),
            key::COMPLETE => frame.set(IS_COMPLETE, truth),
            key::INSTANCE => frame.set(flag::STATIC, !truth),
            key::LIST => frame.set(IS_LIST, truth),
            key::IMPLICIT if frame.has(NODE) => {
                self.nodes.last_mut().into_iter().for_each(|node| node.is_implied = truth);
            }
            _ => {}
        }
    }

    #[inline(always)]
    fn close(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
        match frame.slot {
            _ if frame.has(NODE) => self.close_node(facts, frame, parent),
            _ if frame.has(PLACE_OF_NODE) => self.close_place(frame, parent),
            key::TYPE => parent.names[name::TYPE] = frame.names[name::OWN],
            key::OTHER => parent.names[name::OTHER] = frame.names[name::OWN],
            key::SPELLING => self.spelling = part_of_macro(frame, parent),
            key::EXPANSION => self.expansion = part_of_macro(frame, parent),
            key::DEFINITION if frame.has(IS_CLOSURE) => {
                parent.set(IS_IMPLICIT, false);
                parent.flags |= IS_CLOSURE;
            }
            key::INCLUDED_FROM if !parent.has(NODE) => parent.flags |= INCLUDED,
            _ => {}
        }
    }
}

/// Reads members that are one word out of few.
fn read_word(facts: &Facts<'_, '_>, frame: &mut Frame, field: u8, text: Span) {
    let word = facts.text(text);
    match field {
        key::TAG => frame.set(IS_CLASS, word == b"class"),
        key::STORAGE => frame.set(flag::STATIC, word == b"static"),
        key::ACCESS => frame.visibility = Visibility::of_word(word),
        key::OPCODE => {
            frame.set(IS_LOGICAL, matches!(word, b"&&" | b"||"));
            frame.set(IS_POINTER, matches!(word, b"*" | b"&"));
        }
        key::RECEIVER => {
            frame.set(IS_CLASS, word.starts_with(b"class"));
            frame.set(IS_SUPER, word.starts_with(b"super"));
        }
        key::DEFAULTED => frame.set(IS_DEFAULTED, true),
        key::INIT => frame.set(IS_LIST, word == b"list"),
        _ => {}
    }
}

fn part_of_macro(frame: &Frame, parent: &mut Frame) -> Place {
    parent.flags |= HAS_MACRO;
    Place::of(frame)
}

impl Clang {
    #[cold]
    fn open_document(&mut self, frame: &mut Frame, parent: &Frame) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        self.open_node(frame, parent);
    }

    fn open_node(&mut self, frame: &mut Frame, parent: &Frame) {
        let around = self.nodes.last();
        let is_left_out = match parent.role {
            role::CUT_TEMPLATE | role::VARIABLE_TEMPLATE => around.is_some_and(|around| around.cut > 0),
            role::FIRST_ONLY | role::PSEUDO => parent.count > 0,
            role::UNWRITTEN | role::BINDING => true,
            // The contents of a loop's variable, or of a lambda's class, may be written.
            0 | role::VARIABLE | role::CXX_RECORD => parent.flags & (SKIPPED | INCLUDED) != 0,
            _ => parent.flags & LEFT_OUT != 0,
        };
        let goes_on = match parent.role {
            0 | role::OPERATOR_CALL => parent.count < 2,
            role::CALL | role::CXX_CALL | role::LITERAL_CALL | role::OBJC_MESSAGE => parent.count == 0,
            _ => parent.has(IN_CALLEE) && parent.count == 0,
        };
        frame.flags = NODE;
        frame.set(SKIPPED, is_left_out);
        frame.set(IN_CALLEE, goes_on);
        self.nodes.push(Node::default());
    }

    fn open_place(&mut self, frame: &mut Frame) {
        frame.flags = PLACE_OF_NODE;
        self.spelling = Place::default();
        self.expansion = Place::default();
    }

    fn close_place(&mut self, frame: &Frame, parent: &mut Frame) {
        let place = if frame.has(HAS_MACRO) {
            Place::of_macro(self.spelling, self.expansion)
        } else {
            Place::of(frame)
        };
        self.set_place(place, parent, frame.slot);
    }

    /// Sets a place of the innermost node: one under a key of this object.
    fn set_place(&mut self, place: Place, parent: &mut Frame, field: u8) {
        let Some(Node { places, .. }) = self.nodes.last_mut() else { return };
        match field {
            key::BEGIN => places.begin = place,
            key::END => places.end = place,
            _ => {
                places.loc = place;
                parent.set(INCLUDED, place.included);
            }
        }
    }

    fn close_node(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
        let Some(mut node) = self.nodes.pop() else { return };
        let handed = node.places.settle();
        let inside = self.keep(facts, frame, &node);
        self.settle_left_out(facts, frame, &node);
        let mut sum = Sum::default();
        if frame.flags & LEFT_OUT == 0 {
            self.settle_lines(facts, frame.at + 1, handed);
            node.places.count(&mut sum);
            sum.add(inside, handed);
            frame.branches = sum.branches;
            self.declare(facts, frame, &node);
            sum.branches = frame.branches;
        } else {
            // Inside of what was skipped from its beginning on, nothing was found.
            if !frame.has(SKIPPED) {
                self.forget(facts, frame.at + 1);
            }
            self.declare_left_out(frame, &node);
        }
        if frame.has(IN_CALLEE) && parent.count < 2 {
            let place = if parent.count == 0 { name::FIRST } else { name::SECOND };
            parent.names[place] = declare::path(facts, frame, node.is_implied);
        }
        if frame.has(HAS_CONSTRUCTED | HAS_LISTED) || frame.role == role::LIST {
            declare::hand_constructed(frame, parent);
        }
        parent.count += 1;
        node.saw |= saw(frame.role);
        let may_be_made = matches!(parent.role, 0 | role::SPECIALIZATION);
        self.hand_up(facts, frame, &node, sum, node.last.hand_on(handed), may_be_made);
        if parent.at == 0 {
            self.end(facts);
        }
    }

    /// Drops the children that repeat, also in the compiler's words, what is said elsewhere. Returns the sum of the
    /// others.
    #[inline(always)]
    fn keep(&mut self, facts: &mut Facts<'_, '_>, frame: &Frame, node: &Node) -> Sum {
        let mut inside = node.sum_first;
        match frame.role {
            role::FIRST_ONLY | role::PSEUDO => {
                if node.second > 0 {
                    self.forget(facts, node.second);
                }
                return inside;
            }
            _ if frame.has(IS_DEFAULTED) || frame.role == role::BINDING => {
                self.forget(facts, frame.at + 1);
                return Sum::default();
            }
            role::CUT_TEMPLATE | role::VARIABLE_TEMPLATE if node.cut > 0 => self.forget(facts, node.cut),
            _ => inside.add(node.sum_cut, Line::BEFORE),
        }
        inside.add(node.sum, Line::BEFORE);
        inside
    }

    /// Determines whether a node is left out for reasons known only at its end.
    #[inline(always)]
    fn settle_left_out(&mut self, facts: &Facts<'_, '_>, frame: &mut Frame, node: &Node) {
        let Places { loc, begin, .. } = node.places;
        if loc.line == Line::NONE && begin.included && frame.role != role::VARIABLE {
            frame.flags |= INCLUDED;
        }
        match frame.role {
            role::UNWRITTEN => frame.flags |= IS_MADE,
            // It holds what a loop iterates over, as it is written.
            role::VARIABLE if frame.has(IS_IMPLICIT) => {
                let is_range = facts.text(frame.names[name::OWN]).starts_with(b"__range");
                frame.set(IS_IMPLICIT, !is_range);
            }
            // A template's own variable names itself as what it is made of.
            role::VARIABLE => frame.set(IS_MADE, false),
            // Made by an explicit instantiation: its members are at the template's position.
            role::SPECIALIZATION if !begin.is_of_macro && begin.at > 0 => {
                let is_made = node.has_elsewhere || node.least > 0 && node.least < begin.at;
                frame.flags |= if is_made { IS_MADE } else { 0 };
            }
            role::VARIABLE_TEMPLATE | role::PARTIAL_VARIABLE => self.variable_templates.push(loc.at),
            role::VARIABLE_SPECIALIZATION if loc.at > 0 && self.variable_templates.contains(&loc.at) => {
                frame.flags |= IS_MADE;
            }
            _ => {}
        }
    }

    /// Passes on to the enclosing node what this one leaves.
    fn hand_up(
        &mut self,
        facts: &mut Facts<'_, '_>,
        frame: &Frame,
        node: &Node,
        sum: Sum,
        last: Line,
        may_be_made: bool,
    ) {
        let Some(around) = self.nodes.last_mut() else { return };
        let is_function = declare::is_function(frame.role);
        let is_specialization = matches!(frame.role, role::SPECIALIZATION | role::VARIABLE_SPECIALIZATION);
        let is_cut = is_specialization || is_function && around.has_function;
        around.has_function |= is_function;
        if is_cut && around.cut == 0 {
            around.cut = frame.at;
        }
        let before = around.last;
        let sums = match around {
            _ if around.cut > 0 => &mut around.sum_cut,
            _ if around.first == 0 => &mut around.sum_first,
            _ => &mut around.sum,
        };
        sums.add(sum, if before == Line::NONE { Line::BEFORE } else { before });
        if around.first == 0 {
            around.first = frame.at;
            around.first_extent = Extent::of(&node.places);
        } else if around.second == 0 {
            around.second = frame.at;
        }
        if may_be_made {
            around.has_elsewhere |= frame.has(INCLUDED);
            let begin = node.places.begin;
            if !begin.is_of_macro && begin.at > 0 && (around.least == 0 || begin.at < around.least) {
                around.least = begin.at;
            }
        }
        around.last = last.hand_on(before);
        if !frame.has(IS_IMPLICIT) {
            around.saw |= node.saw;
        }
        self.settle_lines(facts, frame.at, before);
    }

    /// Gives the previous line to pending symbols that began at this byte or later.
    fn settle_lines(&mut self, facts: &mut Facts<'_, '_>, from: u32, before: Line) {
        if !before.is_known() {
            return;
        }
        let line = before.number();
        self.late_lines.give(from, &mut facts.store.symbols, |late, symbol| {
            symbol.line = if late.first { line } else { symbol.line };
            symbol.end_line = if late.last { line } else { symbol.end_line };
        });
    }

    fn forget(&mut self, facts: &mut Facts<'_, '_>, from: u32) {
        facts.forget(from);
        self.late_lines.forget(from);
        self.late_access.forget(from);
        self.once.forget(from);
    }

    /// Ends the document, or one of several in an array.
    fn end(&mut self, facts: &mut Facts<'_, '_>) {
        let Some(around) = self.nodes.last_mut() else { return };
        let Node { sum_first, sum, sum_cut, .. } = *around;
        facts.line(sum_first.known().max(sum.known()).max(sum_cut.known()));
        facts.store.hints |= around.saw;
        // If the previous lines are in no place, the last lines alone say nothing.
        self.late_lines.give(0, &mut facts.store.symbols, |late, symbol| {
            symbol.end_line = if late.first { 0 } else { symbol.end_line };
        });
        self.late_access.forget(0);
        self.scopes.end(facts);
        self.once.clear();
        self.variable_templates.clear();
    }
}
