//! What a document says about the source: symbols, imports and calls as they are found.
//!
//! Objects close from the inside out, so a symbol is known before its enclosing one. Each is pending, in the order
//! of closing, until the next symbol that began before it closes and adopts it.

mod calls;
mod forget;
pub(crate) mod frame;
mod imports;
pub(crate) mod symbol_kind;

use super::interner::Names;
use super::json::{self, Text};
use frame::{Frame, Span, Visibility, flag};
pub(super) use symbol_kind::SymbolKind;

/// Maximum number of symbols, imported names and call sites of a document; with more it is too large.
const KEPT_MAX: usize = 4_000_000;
/// Maximum size of the texts built from a document's, in bytes; with more it is too large.
const MADE_MAX: usize = 1 << 29;
/// Bytes and entries that the scratch keeps between documents.
const KEPT_BETWEEN_MAX: usize = 4_096;

#[derive(Debug, Clone, Copy)]
pub(super) struct Symbol {
    pub(super) kind: SymbolKind,
    pub(super) visibility: Visibility,
    pub(super) flags: u32,
    pub(super) name: Span,
    /// The whole qualified name, if the document states it.
    pub(super) qualified: Span,
    /// Byte where its object begins, plus one.
    pub(super) at: u32,
    pub(super) line: u32,
    pub(super) end_line: u32,
    /// Number of the enclosing symbol, plus one; 0 at the top.
    pub(super) outer: u32,
    /// 0 when unknown.
    pub(super) complexity: u32,
}

/// A name pending for the import, or the declaration, that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    pub(super) name: Span,
    pub(super) alias: Span,
    pub(super) at: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Import {
    pub(super) module: Span,
    pub(super) alias: Span,
    pub(super) line: u32,
    /// Where its names begin and end among all names of imports.
    pub(super) names: (u32, u32),
    /// Byte where its object begins, plus one.
    at: u32,
}

/// Call sites of one callee in one symbol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// Number of the symbol, plus one; 0 at the top. Until that is known: where the call's object begins.
    pub(super) caller: u32,
    pub(super) callee: u32,
}

/// Everything kept of a document, reused from one to the next.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) symbols: Vec<Symbol>,
    /// Numbers of the symbols not adopted yet; variables are in a separate list, as a function without a name drops
    /// those inside it.
    waiting: Vec<u32>,
    variables_waiting: Vec<u32>,
    pub(super) imports: Vec<Import>,
    pub(super) imported: Vec<Name>,
    names: Vec<Name>,
    pub(super) calls: Vec<Call>,
    calls_waiting: Vec<Call>,
    repeated: Vec<calls::Repeated>,
    pub(super) callees: Names,
    /// The greatest line that was named.
    pub(super) lines: u32,
    /// The language of the sources, if the dialect reads each in its own way: the one that the document is taken
    /// for, and the one that it was read as.
    pub(super) language: &'static str,
    pub(super) read_as: Option<&'static str>,
    /// Whether a document of tree-sitter that has named children is assumed to have `children`, too.
    pub(super) has_children: bool,
    /// The source that the document names, if the dialect looks for it.
    pub(super) source: Span,
    /// The dialect's own bits that indicate the language.
    pub(super) hints: u8,
    /// The number of nodes for each of the dialect's tags.
    pub(super) tags: Vec<u64>,
    made: Vec<u8>,
    /// Whether something was not kept, which stays so even if other things are dropped.
    is_over: bool,
}

impl Store {
    /// Clears the document, and frees memory after an unusual one.
    pub(super) fn clear(&mut self) {
        fn clear<T>(list: &mut Vec<T>) {
            list.clear();
            list.shrink_to(KEPT_BETWEEN_MAX);
        }
        clear(&mut self.symbols);
        clear(&mut self.waiting);
        clear(&mut self.variables_waiting);
        clear(&mut self.imports);
        clear(&mut self.imported);
        clear(&mut self.names);
        clear(&mut self.calls);
        clear(&mut self.calls_waiting);
        clear(&mut self.repeated);
        clear(&mut self.made);
        self.tags.clear();
        self.callees.clear();
        self.lines = 0;
        self.source = Span::NONE;
        self.read_as = None;
        self.hints = 0;
        self.is_over = false;
    }

    /// Returns whether the document holds more than is kept of one.
    pub(super) fn is_full(&mut self) -> bool {
        self.is_over = self.is_over
            || self.symbols.len() >= KEPT_MAX
            || self.calls.len() + self.calls_waiting.len() >= KEPT_MAX
            || self.imports.len() + self.imported.len() + self.names.len() >= KEPT_MAX
            || self.made.len() >= MADE_MAX;
        self.is_over
    }

    pub(super) fn text<'a>(&'a self, doc: &'a [u8], span: Span) -> &'a [u8] {
        let from = if span.made { &self.made[..] } else { doc };
        let at = span.at as usize;
        from.get(at..at + usize::from(span.len)).unwrap_or_default()
    }
}

/// The store together with the document that it points into.
pub(super) struct Facts<'a, 's> {
    pub(super) doc: &'a [u8],
    pub(super) store: &'s mut Store,
}

impl Facts<'_, '_> {
    pub(super) fn text(&self, span: Span) -> &[u8] {
        self.store.text(self.doc, span)
    }

    /// Returns a string of the document as a span, with its escapes resolved. None if it is too long for a name.
    #[inline]
    pub(super) fn span(&mut self, text: Text<'_>) -> Span {
        if text.escaped {
            return self.unescaped(text);
        }
        Span::of(text.at..text.at + text.raw.len())
    }

    #[cold]
    fn unescaped(&mut self, text: Text<'_>) -> Span {
        // Each escape of up to twelve bytes stands for at least one.
        if text.raw.len() > Span::LEN_MAX * 12 {
            return Span::NONE;
        }
        let at = self.store.made.len();
        json::unescape(text.raw, &mut self.store.made);
        self.made_from(at)
    }

    /// Returns the text built from this position on. If it is too long, drops it and returns none.
    fn made_from(&mut self, at: usize) -> Span {
        let Store { made, is_over, .. } = &mut *self.store;
        if made.len() > MADE_MAX {
            *is_over = true;
            made.truncate(at);
        }
        match (u32::try_from(at), u16::try_from(made.len() - at)) {
            (Ok(at), Ok(len)) if usize::from(len) <= Span::LEN_MAX => Span { at, len, made: true },
            _ => {
                made.truncate(at);
                Span::NONE
            }
        }
    }

    /// Stores a copy of this text.
    pub(super) fn make(&mut self, text: &[u8]) -> Span {
        let at = self.store.made.len();
        self.store.made.extend_from_slice(text);
        self.made_from(at)
    }

    /// Joins two texts with another one between them; if only one exists, returns that.
    pub(super) fn join(&mut self, first: Span, between: &str, second: Span) -> Span {
        if first.is_none() || second.is_none() {
            return first.or(second);
        }
        let end = self.store.made.len();
        let ends_there = first.made && first.at as usize + usize::from(first.len) == end;
        let at = if ends_there { first.at as usize } else { end };
        if !ends_there {
            self.append(first);
        }
        self.store.made.extend_from_slice(between.as_bytes());
        self.append(second);
        self.made_from(at)
    }

    /// Concatenates texts.
    pub(super) fn chain(&mut self, texts: &[Span]) -> Span {
        if let [text] = texts {
            return *text;
        }
        let at = self.store.made.len();
        texts.iter().for_each(|&text| self.append(text));
        self.made_from(at)
    }

    fn append(&mut self, span: Span) {
        let at = span.at as usize;
        let range = at..at + usize::from(span.len);
        if span.made {
            self.store.made.extend_from_within(range);
        } else {
            self.store.made.extend_from_slice(self.doc.get(range).unwrap_or_default());
        }
    }

    /// Returns a part of a text, in bytes from its beginning.
    pub(super) fn part(&self, span: Span, from: usize, to: usize) -> Span {
        let from = from.min(to);
        let to = to.min(usize::from(span.len));
        Span { at: span.at + from as u32, len: to.saturating_sub(from) as u16, made: span.made }
    }

    /// Adds this object as a symbol, which adopts what began inside.
    pub(super) fn symbol(&mut self, kind: SymbolKind, name: Span, frame: &Frame) {
        if name.is_none() || self.store.is_full() {
            return;
        }
        let store = &mut *self.store;
        store.symbols.push(Symbol {
            kind,
            visibility: frame.visibility,
            flags: frame.flags & flag::OF_SYMBOLS,
            name,
            qualified: Span::NONE,
            at: frame.at,
            line: frame.line,
            end_line: frame.end_line,
            outer: 0,
            complexity: frame.branches.saturating_add(1),
        });
        let number = store.symbols.len() as u32 - 1;
        if kind.is_variable() {
            store.variables_waiting.push(number);
        } else {
            store.adopt(kind, frame.at);
            store.waiting.push(number);
        }
    }

    /// Returns the symbol of this object, if it was the last one made.
    pub(super) fn newest(&mut self, frame: &Frame) -> Option<&mut Symbol> {
        self.store.symbols.last_mut().filter(|symbol| symbol.at == frame.at)
    }

    /// Counts a node of one of the dialect's tags.
    #[inline(always)]
    pub(super) fn tag(&mut self, tag: u8) {
        match self.store.tags.get_mut(usize::from(tag)) {
            Some(count) => *count += 1,
            None => self.store.first_tag(tag),
        }
    }

    /// Drops the variables that began inside an object that is a function without a name, or the like.
    pub(super) fn drop_variables(&mut self, frame: &Frame) {
        let Store { variables_waiting, symbols, .. } = &mut *self.store;
        let inside = since(variables_waiting, symbols, frame.at);
        for number in variables_waiting.drain(inside..) {
            let symbol = symbols.get_mut(number as usize);
            symbol.into_iter().for_each(|symbol| symbol.kind = SymbolKind::Dropped);
        }
        while symbols.pop_if(|symbol| symbol.kind == SymbolKind::Dropped).is_some() {}
    }

    /// Changes the variables pending since this object began.
    pub(super) fn each_variable(&mut self, frame: &Frame, mut change: impl FnMut(&mut Symbol)) {
        let inside = since(&self.store.variables_waiting, &self.store.symbols, frame.at);
        for &number in self.store.variables_waiting.get(inside..).unwrap_or_default() {
            self.store.symbols.get_mut(number as usize).into_iter().for_each(&mut change);
        }
    }

    /// Changes the symbols, but not the variables, pending since this object began.
    pub(super) fn each_waiting(&mut self, frame: &Frame, mut change: impl FnMut(&mut Symbol)) {
        let Store { waiting, variables_waiting, symbols, .. } = &mut *self.store;
        for list in [waiting, variables_waiting] {
            let inside = since(list, symbols, frame.at);
            for &number in list.get(inside..).unwrap_or_default() {
                symbols.get_mut(number as usize).into_iter().for_each(&mut change);
            }
        }
    }

    /// Records that the source has at least this many lines.
    #[inline(always)]
    pub(super) fn line(&mut self, line: u32) {
        self.store.lines = self.store.lines.max(line);
    }
}

impl Store {
    #[cold]
    fn first_tag(&mut self, tag: u8) {
        self.tags.resize(usize::from(u8::MAX) + 1, 0);
        if let Some(count) = self.tags.get_mut(usize::from(tag)) {
            *count = 1;
        }
    }

    /// Gives the newest symbol, which began at `at`, what is pending inside of it.
    fn adopt(&mut self, kind: SymbolKind, at: u32) {
        let number = self.symbols.len() as u32;
        let inside = since(&self.variables_waiting, &self.symbols, at);
        for child in self.variables_waiting.drain(inside..) {
            let Some(symbol) = self.symbols.get_mut(child as usize) else { continue };
            symbol.outer = number;
            symbol.kind = if kind == SymbolKind::Module { symbol.kind } else { SymbolKind::Dropped };
        }
        let inside = since(&self.waiting, &self.symbols, at);
        let mut left = inside;
        for place in inside..self.waiting.len() {
            let child = self.waiting.get(place).copied().unwrap_or_default();
            let Some(symbol) = self.symbols.get_mut(child as usize) else { continue };
            let is_outside = kind.has_methods() && symbol.flags & flag::OUTSIDE != 0;
            if is_outside || kind == SymbolKind::TypeAlias {
                self.waiting.swap(left, place);
                left += 1;
                continue;
            }
            symbol.outer = number;
            let free = symbol.flags & flag::FREE != 0;
            if kind.has_methods() && symbol.kind == SymbolKind::Function && !free {
                symbol.kind = SymbolKind::Method;
            }
        }
        self.waiting.truncate(left);
        self.move_calls(number, at);
    }

    /// Makes a symbol, by its number plus one, the caller of what is pending since an object began.
    fn move_calls(&mut self, symbol: u32, at: u32) {
        let inside = self.calls_waiting.iter().rev().take_while(|call| call.caller > at).count();
        let calls = self.calls_waiting.drain(self.calls_waiting.len() - inside..);
        self.calls.extend(calls.map(|call| Call { caller: symbol, ..call }));
    }

    /// Puts what is left at the document's end at the top.
    pub(super) fn end(&mut self) {
        let calls = self.calls_waiting.drain(..);
        self.calls.extend(calls.map(|call| Call { caller: 0, ..call }));
        self.waiting.clear();
        self.variables_waiting.clear();
    }
}

/// Returns the index of the first pending symbol that began inside the object at a byte.
fn since(waiting: &[u32], symbols: &[Symbol], at: u32) -> usize {
    let inside = |number: &&u32| symbols.get(**number as usize).is_some_and(|symbol| symbol.at > at);
    waiting.len() - waiting.iter().rev().take_while(inside).count()
}
