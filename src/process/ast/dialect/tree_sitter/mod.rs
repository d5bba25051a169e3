//! Dumps of tree-sitter's concrete syntax trees, of any grammar.
//!
//! A node has its `type`, its place and, for some, its text; its children are in an array. What a node is depends
//! on those around and below it, so each leaves a part of itself with the enclosing node, which reads them when it
//! closes: see [`parts`].

mod c_calls;
mod c_family;
mod declarators;
mod imports;
mod kinds;
mod languages;
mod parts;
mod python;
mod relatives;
mod scripts;
mod symbols;
mod tables;
mod variables;

pub(super) use languages::is_foreign;

use kinds::{Action, Callee, Grammar, Kinds, kinds, no_kind, word};
use parts::{Field, Node, Part, path_of};
use scripts::Decorators;

use super::{Description, Dialect, Facts, Store};
use crate::process::ast::facts::frame::{Frame, Span, flag};
use crate::process::ast::json::{self, PlaceKey};

/// The state of reading one document.
#[derive(Debug, Default)]
pub(super) struct TreeSitter {
    reading: Option<Reading>,
    /// Some dumps have the named children beside all of them: those don't count, whichever come first.
    skips_named: bool,
    open: Vec<Open>,
    parts: Vec<Part>,
    decorators: Decorators,
}

/// How a document is read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    kinds: &'static Kinds,
    grammar: Grammar,
    is_cpp: bool,
}

/// An open object.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    /// The index of its part.
    part: u32,
    points: [Point; 4],
}

/// A place in the source: row and column from 0, and how many numbers it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    row: u32,
    column: u32,
    numbers: u32,
}

const PLACE: usize = 2;

pub(super) const DESCRIPTION: Description = Description {
    name: "tree-sitter",
    kinds: &[],
    keys: KEYS,
    tags: &[],
    score: languages::score,
    language: languages::language,
    read: super::extract::<TreeSitter>,
};

words! {
    mod key, KEYS;
    TYPE = "type",
    CHILDREN = "children",
    NAMED_CHILDREN = "namedChildren",
    TEXT = "text",
    FIELD = "field field_name fieldName",
    ROW = "row",
    COLUMN = "column",
    /// These four in this order.
    START = "start_point startPosition",
    END = "end_point endPosition",
    START_OTHER = "start",
    END_OTHER = "end",
}

/// Among the children of a node.
const INSIDE: u32 = flag::OWN;
/// Another member of a node: not read.
const IGNORED: u32 = flag::OWN << 1;
/// Its kind is known.
const IS_NODE: u32 = flag::OWN << 2;
/// Of a symbol, too: what it is depends on its surroundings.
const LOOSE: u32 = flag::OWN << 3;
/// Its last child is a comment.
const ENDS_IN_COMMENT: u32 = flag::OWN << 4;
/// It ends before the trailing comments that the grammar includes.
const ENDS_EARLY: u32 = flag::OWN << 5;
/// Of a symbol: the access that a class states does not apply.
const NO_ACCESS: u32 = flag::OWN << 6;
/// Of a variable of C++: its name states its scope.
const QUALIFIED: u32 = flag::OWN << 7;
/// Of a symbol of C++: begins with the template before it.
const OF_TEMPLATE: u32 = flag::OWN << 8;
/// Inside what only C's preprocessor reads.
const DIRECTIVE: u32 = flag::OWN << 9;

/// The keys of a point that is an object.
const PLACE_KEYS: [PlaceKey; 2] = [PlaceKey::of("\"row\":"), PlaceKey::of("\"column\":")];

impl Dialect for TreeSitter {
    const PLACE: usize = PLACE;
    const LOOKS_DOWN: bool = true;

    #[inline(always)]
    fn is_whole(field: u8) -> bool {
        (key::START..=key::END_OTHER).contains(&field)
    }

    /// Reads a point as a whole: each node has two of them, and this saves 12 % of the work.
    #[inline(always)]
    fn whole(&mut self, doc: &[u8], at: usize, _frame: &mut Frame, field: u8) -> Option<(u64, usize)> {
        let open = self.open.last_mut()?;
        let point = open.points.get_mut(usize::from(field.wrapping_sub(key::START)));
        let point = point.filter(|point| point.numbers == 0)?;
        let place = json::pair(doc, at).or_else(|| json::place(doc, at, &PLACE_KEYS))?;
        let [Some(row), Some(column)] = place.numbers else { return None };
        *point = Point { row, column, numbers: 2 };
        Some((place.values, place.end))
    }

    fn of(store: &mut Store) -> Self {
        Self { skips_named: store.has_children, ..Self::default() }
    }

    #[inline(always)]
    fn open(&mut self, frame: &mut Frame, parent: &Frame) {
        let mut flags = parent.flags & (INSIDE | IGNORED | DIRECTIVE);
        if matches!(frame.slot, key::CHILDREN | key::NAMED_CHILDREN) {
            let is_skipped = self.skips_named && frame.slot == key::NAMED_CHILDREN;
            flags |= if is_skipped { IGNORED } else { INSIDE };
        } else if flags & INSIDE != 0 {
            flags |= IGNORED;
        }
        frame.flags = flags;
        let part = self.parts.len() as u32;
        self.open.push(Open { part, ..Open::default() });
        self.parts.push(Part::new(no_kind(), frame.at));
    }

    #[inline(always)]
    fn text(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, text: Span) {
        let Some(open) = self.open.last() else { return };
        let Some(part) = self.parts.get_mut(open.part as usize) else { return };
        match field {
            key::TYPE => {
                let reading = self.reading.get_or_insert_with(|| Reading::of(facts));
                part.kind = reading.kinds.get(facts.text(text));
                frame.flags |= IS_NODE;
            }
            key::TEXT => part.text = Some(text),
            key::FIELD => part.field = Field::of(facts.text(text)),
            _ => {}
        }
    }

    #[inline(always)]
    fn number(&mut self, _facts: &mut Facts<'_, '_>, _frame: &mut Frame, field: u8, number: u32) {
        let Some(open) = self.open.last_mut() else { return };
        let place = usize::from(field.wrapping_sub(key::START));
        if let Some(point) = open.points.get_mut(place) {
            match point.numbers {
                0 => point.row = number,
                _ => point.column = number,
            }
            point.numbers += 1;
        } else if field == key::ROW {
            open.points[0].row = number;
            open.points[0].numbers = 2;
        } else if field == key::COLUMN {
            open.points[0].column = number;
        }
    }

    #[inline(always)]
    fn close(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
        let Some(open) = self.open.pop() else { return };
        let place = usize::from(frame.slot.wrapping_sub(key::START));
        if place < 4 {
            self.parts.truncate(open.part as usize);
            if let Some(around) = self.open.last_mut() {
                around.points[place] = open.points[0];
            }
            return;
        }
        if frame.flags & (IGNORED | IS_NODE) != IS_NODE {
            self.parts.truncate(open.part as usize);
        } else {
            self.close_node(open, facts, frame, parent);
        }
        parent.branches += frame.branches;
    }
}

impl Reading {
    /// Creates a reading for the language that the document is taken for.
    fn of(facts: &mut Facts<'_, '_>) -> Self {
        let language = facts.store.language;
        facts.store.read_as = Some(language);
        Self { kinds: kinds(), grammar: Grammar::of_language(language), is_cpp: language == "c++" }
    }
}

impl Open {
    /// Returns first and last line, 0 if unknown. An end in column 0 is the end of the line before.
    fn lines(&self) -> (u32, u32) {
        let [start, end, other_start, other_end] = self.points;
        let start = if start.numbers == 2 { start } else { other_start };
        let end = if end.numbers == 2 { end } else { other_end };
        if start.numbers != 2 || end.numbers != 2 {
            return (0, 0);
        }
        let is_before = end.column == 0 && end > start;
        (start.row.saturating_add(1), end.row.saturating_add(u32::from(!is_before)))
    }
}

impl TreeSitter {
    #[inline(always)]
    fn close_node(&mut self, open: Open, facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
        (frame.line, frame.end_line) = open.lines();
        facts.line(frame.line.max(frame.end_line));
        let place = open.part as usize;
        let size = (self.parts.len() - place) as u32;
        let Some(reading) = self.reading else { return };
        let Some(part) = self.parts.get_mut(place) else { return };
        let kind = part.kind;
        part.size = size;
        part.is_leaf = size == 1;
        if reading.grammar == Grammar::None {
            return self.parts.truncate(place + 1);
        }
        if reading.grammar == Grammar::Python {
            python::end_before_comments(kind.name, frame, parent);
        }
        if size > 1 {
            let action = kind.action(reading.grammar);
            if (action != Action::None && !frame.has(DIRECTIVE)) || reading.grammar.keeps_variables_close() {
                self.act(reading, action, place, facts, frame);
            }
        }
        if reading.grammar == Grammar::JavaScript {
            self.decorators.pass(kind.name, size > 1, facts, frame, parent);
        }
        if kind.shape != Default::default() || kind.is_modifier || kind.is_function {
            self.describe(reading.grammar, place, facts);
        } else if kind.is_directive && reading.grammar == Grammar::C {
            c_calls::pass_directive(kind.name, parent);
        }
        if !kind.stays && size > 1 {
            self.parts.truncate(place + 1);
            self.parts[place].size = 1;
        }
    }

    /// Fills in what the enclosing node needs.
    fn describe(&mut self, grammar: Grammar, place: usize, facts: &mut Facts<'_, '_>) {
        let Some(node) = Node::new(self.parts.get(place..).unwrap_or_default()) else { return };
        let is_script = grammar == Grammar::JavaScript;
        let path = if is_script { scripts::path_of(node, facts) } else { path_of(node, facts) };
        let mut words = node.operation();
        if node.part().is_some_and(|part| part.kind.is_function) {
            words = node.own_words();
        }
        if node.part().is_some_and(|part| part.kind.is_modifier) {
            words = node.words();
            if let Some(text) = node.text(facts) {
                let texts = facts.text(text).split(u8::is_ascii_whitespace);
                words = texts.fold(words, |words, text| words | word::of(text));
            }
        }
        if let Some(part) = self.parts.get_mut(place) {
            part.path = path;
            part.words = words;
        }
    }

    /// Performs the action of the node's kind.
    #[inline(never)]
    fn act(
        &self,
        reading: Reading,
        action: Action,
        place: usize,
        facts: &mut Facts<'_, '_>,
        frame: &mut Frame,
    ) {
        let Some(node) = Node::new(self.parts.get(place..).unwrap_or_default()) else { return };
        if reading.grammar.keeps_variables_close() {
            variables::drop_far(reading.grammar, node, facts, frame);
        }
        match action {
            Action::None => {}
            Action::Symbol(kind) => symbols::close(reading, kind, node, facts, frame),
            Action::Closer => declarators::close(reading, node, facts, frame),
            Action::Variables => variables::close(reading, node, facts, frame),
            Action::Branch => frame.branches += u32::from(!is_no_branch(reading.grammar, node)),
            Action::Operation => {
                frame.branches += operators(node);
                if matches!(reading.grammar, Grammar::Kotlin | Grammar::CSharp) {
                    facts.call(node.generic_callee(), frame);
                }
            }
            Action::Call(callee) => {
                if callee == Callee::Command {
                    // What is set for one command only is not a variable.
                    facts.drop_variables(frame);
                }
                if !imports::called(reading.grammar, node, facts, frame)
                    && !is_no_call(reading.grammar, node, facts, frame)
                {
                    let path = callee_of(callee, node, facts);
                    if reading.grammar == Grammar::Ruby {
                        symbols::defined_by_call(reading, node, facts, frame);
                    }
                    facts.call(path, frame);
                }
            }
            Action::Import => imports::close(reading.grammar, node, facts, frame),
            Action::Closure => symbols::close_closure(facts, frame),
            Action::Change => symbols::change(reading, node, facts, frame),
        }
    }
}

/// Returns whether a branch of a kind is the default, or has branches inside.
fn is_no_branch(grammar: Grammar, node: Node<'_>) -> bool {
    match node.kind() {
        // Scala's may be a case itself: `catch case e: E => f()`.
        "catch_clause" => grammar == Grammar::Scala && !node.has_token("case"),
        "switch_label" | "case_statement" => node.has_token("default"),
        // If its labels are nodes of their own, each of them is the branch.
        "switch_section" => {
            let labels = ["case_switch_label", "case_pattern_switch_label", "default_switch_label"];
            node.has_token("default") || node.first(&labels).is_some()
        }
        "when_entry" => node.has_token("else"),
        "switch_entry" => node.has_token("default_keyword"),
        _ => false,
    }
}

fn operators(node: Node<'_>) -> u32 {
    let count = |kind| node.children().filter(|child| child.kind() == kind).count() as u32;
    match node.kind() {
        "match_block" => count("match_arm").saturating_sub(1),
        "let_chain" => count("&&"),
        _ => u32::from(node.words() & word::OPERATOR != 0),
    }
}

/// Returns whether what the grammar reads as a call is something else: Swift's `defer` and subscripts, C#'s
/// `nameof`, C++'s casts, and `new int`.
fn is_no_call(grammar: Grammar, node: Node<'_>, facts: &mut Facts<'_, '_>, frame: &mut Frame) -> bool {
    let says =
        |word, facts: &mut Facts<'_, '_>| node.child(0).is_some_and(|first| first.says(facts, &[word]));
    match grammar {
        Grammar::C if node.kind() == "new_expression" => node.first(&["primitive_type"]).is_some(),
        Grammar::C => node.child(0).is_some_and(|callee| c_calls::is_none(callee, facts)),
        Grammar::CSharp => node.kind() == "invocation_expression" && (is_cast(node) || says("nameof", facts)),
        // Loops that are read as calls, such as `if (a) for (b in c) {}`: keywords there, in each of their places.
        Grammar::Kotlin | Grammar::Scala => {
            let is_loop = says("for", facts) || says("while", facts);
            frame.branches += u32::from(is_loop);
            is_loop || says("do", facts)
        }
        Grammar::Swift => {
            let given = node.first(&["call_suffix"]);
            let given = given.and_then(|suffix| suffix.first(&["value_arguments"]));
            given.is_some_and(|given| given.has_token("[")) || given.is_none() && says("defer", facts)
        }
        _ => false,
    }
}

/// Returns whether it is C#'s `(T)(x)`, which an older grammar reads as a call of what is in parentheses.
fn is_cast(node: Node<'_>) -> bool {
    let inner = node.first(&["parenthesized_expression"]).and_then(|callee| callee.child(1));
    let is_type = inner.is_some_and(|inner| {
        inner.is(&["identifier", "generic_name", "qualified_name", "member_access_expression"])
    });
    is_type && node.first(&["argument_list"]).is_some_and(|given| given.children().count() == 3)
}

fn callee_of(callee: Callee, node: Node<'_>, facts: &mut Facts<'_, '_>) -> Span {
    match callee {
        Callee::First => node.child(0).map_or(Span::NONE, Node::operand),
        Callee::Command => node.first(&["command_name"]).map_or(Span::NONE, Node::path),
        Callee::New => {
            let no_type =
                ["new", "arguments", "argument_list", "block", "do_block", "call_suffix", "type_arguments"];
            let named_node = node.field(Field::Constructor).or_else(|| node.field(Field::Type));
            let first = || node.children().find(|child| child.is_worded() && !child.is(&no_type));
            named_node.or_else(first).map_or(Span::NONE, Node::path)
        }
        Callee::Parts => {
            let arguments = ["arguments", "argument_list", "block", "do_block", "call_suffix"];
            let before = node.children().take_while(|child| !child.is(&arguments));
            let mut named = before.filter(|child| child.is_worded() && child.kind() != "type_arguments");
            let Some(first) = named.next() else { return Span::NONE };
            let Some(last) = named.last() else { return first.path() };
            let name = last.name(facts);
            if name.is_none() { Span::NONE } else { facts.join(first.path(), ".", name) }
        }
    }
}
