//! What is kept of a node while the enclosing one is open.
//!
//! A closing node leaves one part; for the kinds that rules look into, the parts below stay after it.

use super::kinds::{Kind, Shape, word};
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::frame::Span;

/// Names of the fields that rules use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Field {
    #[default]
    None,
    Name,
    Value,
    Left,
    Path,
    Property,
    Type,
    Constructor,
    Pattern,
}

impl Field {
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"name" => Self::Name,
            b"value" => Self::Value,
            b"left" => Self::Left,
            b"path" => Self::Path,
            b"property" => Self::Property,
            b"type" => Self::Type,
            b"constructor" => Self::Constructor,
            b"pattern" => Self::Pattern,
            _ => Self::None,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) kind: &'static Kind,
    /// How many parts it takes, including those kept below it.
    pub(super) size: u32,
    /// Byte of the node's opening brace, plus one.
    pub(super) at: u32,
    /// Its own text, if it has one.
    pub(super) text: Option<Span>,
    /// As a callee: the names after the last computed part.
    pub(super) path: Span,
    /// Bits of `word` that it passes to the enclosing node.
    pub(super) words: u16,
    pub(super) field: Field,
    pub(super) is_leaf: bool,
}

impl Part {
    pub(super) fn new(kind: &'static Kind, at: u32) -> Self {
        Self { kind, size: 1, at, text: None, path: Span::NONE, words: 0, field: Field::None, is_leaf: true }
    }
}

/// A part and those below it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'p> {
    parts: &'p [Part],
}

impl<'p> Node<'p> {
    pub(super) fn new(parts: &'p [Part]) -> Option<Self> {
        parts.first().map(|_| Self { parts })
    }

    pub(super) fn part(self) -> Option<&'p Part> {
        self.parts.first()
    }

    /// Returns the kind's name; empty for one without a rule.
    pub(super) fn kind(self) -> &'static str {
        self.part().map_or("", |part| part.kind.name)
    }

    pub(super) fn is(self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind())
    }

    pub(super) fn is_leaf(self) -> bool {
        self.part().is_none_or(|part| part.is_leaf)
    }

    pub(super) fn at(self) -> u32 {
        self.part().map_or(0, |part| part.at)
    }

    pub(super) fn path(self) -> Span {
        let is_value = |part: &&Part| part.words & word::OPERATION == 0;
        self.part().filter(is_value).map_or(Span::NONE, |part| part.path)
    }

    /// Returns the path; for an operation, that of its last operand, or of what is compared.
    pub(super) fn operand(self) -> Span {
        self.part().map_or(Span::NONE, |part| part.path)
    }

    /// Returns what is called if type arguments were read as comparisons, `f < T > (x)`.
    pub(super) fn generic_callee(self) -> Span {
        let is_less = |part: &Part| part.words & word::LESS != 0;
        let left = self.child(0).filter(|left| left.part().is_some_and(is_less));
        let left = left.filter(|_| self.child(1).is_some_and(|sign| sign.kind() == ">"));
        left.map_or(Span::NONE, Self::operand)
    }

    /// Returns what an operation leaves beside its path.
    pub(super) fn operation(self) -> u16 {
        let Some(part) = self.part() else { return 0 };
        let is_less = || self.has_token("<");
        match part.kind.shape {
            Shape::Operation if self.is_awaited() => 0,
            Shape::Operation if is_less() => word::OPERATION | word::LESS,
            Shape::Operation => word::OPERATION,
            Shape::Assert if !self.asserts() => word::OPERATION,
            // `-a!`, which TypeScript's grammar reads as `(-a)!`.
            Shape::Through if part.kind.name == "non_null_expression" => self
                .children()
                .filter_map(Self::part)
                .fold(0, |words, part| words | part.words & word::OPERATION),
            // What was read as a member of an operation is its operand.
            Shape::Join => self.child(0).and_then(Self::part).map_or(0, |part| part.words) & word::OPERATION,
            _ => 0,
        }
    }

    /// Returns whether it is Rust's `a.await`, which passes like a member does.
    fn is_awaited(self) -> bool {
        self.kind() == "await_expression" && self.last().is_some_and(|last| last.kind() == "await")
    }

    /// Returns whether it asserts that its operand is there: `a!`, `a!!`.
    fn asserts(self) -> bool {
        self.last().is_some_and(|sign| sign.is(&["!", "!!", "bang"]))
    }

    /// Returns whether the kind is a word, which those of most tokens are not.
    pub(super) fn is_worded(self) -> bool {
        self.part().is_some_and(|part| part.kind.is_worded)
    }

    /// Returns whether it is a part of a path of names, by itself.
    pub(super) fn is_name(self) -> bool {
        self.part().is_some_and(|part| part.kind.shape.is_name())
    }

    pub(super) fn is_through(self) -> bool {
        self.part().is_some_and(|part| part.kind.shape == Shape::Through)
    }

    pub(super) fn children(self) -> Children<'p> {
        Children { parts: self.parts.get(1..).unwrap_or_default() }
    }

    pub(super) fn child(self, place: usize) -> Option<Self> {
        self.children().nth(place)
    }

    pub(super) fn last(self) -> Option<Self> {
        self.children().last()
    }

    /// Returns the first child of one of these kinds.
    pub(super) fn first(self, kinds: &[&str]) -> Option<Self> {
        self.children().find(|child| child.is(kinds))
    }

    pub(super) fn first_name(self) -> Option<Self> {
        self.children().find(|child| child.is_name())
    }

    pub(super) fn field(self, field: Field) -> Option<Self> {
        self.children().find(|child| child.part().is_some_and(|part| part.field == field))
    }

    /// Returns whether a leaf of this kind is among the children.
    pub(super) fn has_token(self, kind: &str) -> bool {
        self.children().any(|child| child.kind() == kind && child.is_leaf())
    }

    /// Returns the words of the leaves among the children, and of those that hold modifiers.
    pub(super) fn words(self) -> u16 {
        self.children().filter_map(Self::part).fold(self.own_words(), |words, part| words | part.words)
    }

    /// Does the same for the children before one.
    pub(super) fn words_until(self, is_end: impl Fn(&Self) -> bool) -> u16 {
        let ahead = self.children().take_while(|child| !is_end(child)).filter_map(Self::part);
        ahead.fold(0, |words, part| words | part.words | if part.is_leaf { part.kind.word } else { 0 })
    }

    /// Returns the words of the leaves among the children.
    pub(super) fn own_words(self) -> u16 {
        let leaves = self.children().filter_map(Self::part).filter(|part| part.is_leaf);
        leaves.fold(0, |words, part| words | part.kind.word)
    }

    /// Returns the own text, or else the leaves' texts concatenated. `None` if one is not known.
    pub(super) fn text(self, facts: &mut Facts<'_, '_>) -> Option<Span> {
        let own = self.part()?;
        if own.text.is_some() {
            return own.text;
        }
        let mut leaves = Vec::new();
        self.leaves(&mut leaves).then(|| facts.chain(&leaves))
    }

    fn leaves(self, found: &mut Vec<Span>) -> bool {
        let mut rest = self.parts;
        while let Some(part) = rest.first() {
            let taken = match part.text {
                Some(text) => {
                    found.push(text);
                    part.size as usize
                }
                None if part.size < 2 => return false,
                None => 1,
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        true
    }

    /// Returns the text, empty if there is none.
    pub(super) fn name(self, facts: &mut Facts<'_, '_>) -> Span {
        self.text(facts).unwrap_or_default()
    }

    /// Returns whether its text is known to be one of these.
    pub(super) fn says(self, facts: &mut Facts<'_, '_>, texts: &[&str]) -> bool {
        let text = self.name(facts);
        texts.iter().any(|one| one.as_bytes() == facts.text(text))
    }

    /// Returns the text between a string's quotes, or Lua's long brackets: `[==[a]==]`.
    pub(super) fn unquoted(self, facts: &mut Facts<'_, '_>) -> Span {
        let span = self.name(facts);
        let text = facts.text(span);
        if let Some(rest) = text.strip_prefix(b"[").filter(|_| self.kind() == "string") {
            let bracket = 2 + rest.iter().take_while(|&&byte| byte == b'=').count();
            return facts.part(span, bracket, text.len().saturating_sub(bracket));
        }
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>');
        let from = text.iter().take_while(|byte| is_quote(byte)).count();
        let to = text.len() - text.iter().rev().take_while(|byte| is_quote(byte)).count();
        facts.part(span, from, to)
    }

    /// Returns the children that are not tokens. A child whose text equals its kind is still a name.
    pub(super) fn named(self, facts: &mut Facts<'_, '_>) -> Vec<Self> {
        let is_named = |child: &Self| {
            child.is_worded()
                && (!child.is_leaf()
                    || child.is_name()
                    || child.kind().as_bytes() != {
                        let text = child.name(facts);
                        facts.text(text)
                    })
        };
        self.children().filter(is_named).collect()
    }
}

/// The children of a node, in order.
#[derive(Debug, Clone)]
pub(super) struct Children<'p> {
    parts: &'p [Part],
}

impl<'p> Iterator for Children<'p> {
    type Item = Node<'p>;

    #[inline]
    fn next(&mut self) -> Option<Node<'p>> {
        let size = self.parts.first()?.size as usize;
        let (child, rest) = self.parts.split_at_checked(size)?;
        self.parts = rest;
        Some(Node { parts: child })
    }
}

/// Reads a node as a callee, or a part of one.
pub(super) fn path_of(node: Node<'_>, facts: &mut Facts<'_, '_>) -> Span {
    let Some(part) = node.part() else { return Span::NONE };
    let is_named = |child: &Node<'_>| child.is_worded() && !child.is(&["type_arguments", "optional_chain"]);
    let mut named = node.children().filter(is_named);
    match part.kind.shape {
        Shape::None => Span::NONE,
        Shape::Variable => {
            let name = node.name(facts);
            let dollars = facts.text(name).iter().take_while(|&&byte| byte == b'$').count();
            facts.part(name, dollars, usize::from(name.len))
        }
        Shape::Operation if node.is_awaited() || node.has_token("<") => {
            node.child(0).map_or(Span::NONE, Node::path)
        }
        Shape::Assert if node.asserts() => named.next().map_or(Span::NONE, Node::path),
        Shape::Operation | Shape::Assert => node.last().map_or(Span::NONE, Node::operand),
        // The type precedes what is cast.
        Shape::Through if part.kind.name == "cast_expression" => node.last().map_or(Span::NONE, Node::path),
        // Rust's `<A as B>::f` is `B`'s, and `<A>::f` has no path.
        Shape::Through if node.kind() == "bracketed_type" => {
            let cast = named.next().filter(|inner| inner.kind() == "qualified_type");
            cast.and_then(Node::last).map_or(Span::NONE, Node::path)
        }
        Shape::Through => named.next().map_or(Span::NONE, Node::path),
        Shape::Name => name_path(node, facts),
        Shape::Join | Shape::NameOrJoin => match named.next() {
            Some(first) => joined_path(node, first, named, facts),
            None if part.kind.shape == Shape::NameOrJoin => name_path(node, facts),
            None => Span::NONE,
        },
    }
}

fn name_path(node: Node<'_>, facts: &mut Facts<'_, '_>) -> Span {
    let mut name = node.name(facts);
    if node.kind() == "command_name" {
        name = command_path(name, facts);
    }
    if facts.text(name).contains(&b' ') { Span::NONE } else { name }
}

/// Returns the path of a shell's command, which may be quoted or composed.
fn command_path(name: Span, facts: &Facts<'_, '_>) -> Span {
    let text = facts.text(name);
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
    let inner = match text {
        [first, inner @ .., last] if is_quote(first) && first == last => inner,
        _ => text,
    };
    if inner.iter().any(|byte| is_quote(byte) || *byte == b'$') {
        return Span::NONE;
    }
    let quote = (text.len() - inner.len()) / 2;
    facts.part(name, quote, text.len() - quote)
}

fn joined_path<'p>(
    node: Node<'p>,
    first: Node<'p>,
    rest: impl Iterator<Item = Node<'p>>,
    facts: &mut Facts<'_, '_>,
) -> Span {
    let is_list = node.is(&["dotted_name", "user_type", "identifier", "namespace_name"]);
    let mut last = None;
    let mut whole = if is_list { first.name(facts) } else { Span::NONE };
    for part in rest {
        last = Some(part);
        if is_list {
            let name = part.name(facts);
            whole = facts.join(whole, ".", name);
        }
    }
    let (ahead, mut last) = match last {
        Some(_) if is_list => return whole,
        // A word that is a keyword elsewhere is a keyword leaf inside.
        None if node.kind() == "identifier" && first.is_leaf() => return name_path(node, facts),
        None if node.is(&["navigation_suffix", "user_type", "identifier", "variable"]) => {
            return first.path();
        }
        None => (Span::NONE, first),
        Some(last) if node.is(&["navigation_expression", "field_expression", "member_expression"]) => {
            (first.operand(), last)
        }
        Some(last) => (first.path(), last),
    };
    // An index, Kotlin's `A::class`, or `import.meta`, for which later grammars have a node.
    let is_class = node.kind() == "navigation_expression" && node.has_token("::");
    if node.has_token("[") || is_class || first.kind() == "import" {
        return Span::NONE;
    }
    if last.is(&["navigation_suffix", "member_binding_expression"]) {
        match last.children().filter(|child| child.is_name()).last() {
            Some(name) => last = name,
            None => return Span::NONE,
        }
    }
    if last.is(&["qualified_identifier", "dependent_name"]) {
        return behind(node, ahead, last.path(), facts);
    }
    if last.is_through() {
        last = last.first_name().unwrap_or(last);
    }
    let name = last.name(facts);
    if !last.is_name() || name.is_none() {
        return Span::NONE;
    }
    facts.join(ahead, ".", name)
}

/// Returns a name of C++ with leading scopes or `template`, after the path before it. For a member its own name is
/// used.
fn behind(node: Node<'_>, ahead: Span, inner: Span, facts: &mut Facts<'_, '_>) -> Span {
    let dot = facts.text(inner).iter().rposition(|&byte| byte == b'.');
    let from = dot.filter(|_| node.kind() == "field_expression").map_or(0, |dot| dot + 1);
    let own = facts.part(inner, from, usize::from(inner.len));
    if own.is_none() { Span::NONE } else { facts.join(ahead, ".", own) }
}
