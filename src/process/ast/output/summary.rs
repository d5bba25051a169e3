//! The facts of a whole document, in order: what is listed, and how many there are.

use std::cmp::Reverse;

use crate::process::ast::facts::frame::Visibility;
use crate::process::ast::facts::symbol_kind::SymbolKind;
use crate::process::ast::facts::{Store, Symbol};
use crate::process::ast::interner::{NameDigest, Names};

/// Lists and sums, reused from document to document.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Numbers of the symbols, by line, then qualified name, then kind.
    pub(super) symbols: Vec<u32>,
    /// Numbers of the imports, by line, then module, then names.
    pub(super) imports: Vec<u32>,
    /// By count, most first, then caller, then callee.
    pub(super) calls: Vec<CallSum>,
    /// Call sites.
    pub(super) calls_total: u64,
    callers: Names,
    caller_ranks: Vec<u32>,
    callee_ranks: Vec<u32>,
    text: Vec<u8>,
}

/// How often a callee is called in the symbols of one qualified name.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallSum {
    caller: u32,
    pub(super) callee: u32,
    pub(super) count: u64,
}

impl Summary {
    /// Orders a document's facts.
    pub(crate) fn make(&mut self, doc: &[u8], store: &mut Store) {
        self.symbols.clear();
        self.drop_repeated_variables(doc, store);
        let listed = |symbol: &Symbol| !symbol.kind.name().is_empty();
        self.symbols
            .extend((0..).zip(&store.symbols).filter(|(_, one)| listed(one)).map(|(number, _)| number));
        self.sort_symbols(doc, store);
        self.imports.clear();
        self.imports.extend(0..store.imports.len() as u32);
        if self.imports.len() > 1 {
            self.imports.sort_by_cached_key(|&number| import_key(doc, store, number));
        }
        self.sum_calls(doc, store);
    }

    /// Returns a caller's qualified name; empty at the top.
    pub(super) fn caller(&self, call: &CallSum) -> &[u8] {
        self.callers.get(call.caller as usize)
    }

    /// Frees memory after an unusual document.
    pub(crate) fn clear(&mut self) {
        const KEPT_MAX: usize = 4_096;
        self.symbols.clear();
        self.symbols.shrink_to(KEPT_MAX);
        self.imports.clear();
        self.imports.shrink_to(KEPT_MAX);
        self.calls.clear();
        self.calls.shrink_to(KEPT_MAX);
        self.callers.clear();
        self.caller_ranks.shrink_to(KEPT_MAX);
        self.callee_ranks.shrink_to(KEPT_MAX);
    }

    /// Keeps, of the variables of one kind and qualified name, the one with the smallest line.
    fn drop_repeated_variables(&mut self, doc: &[u8], store: &mut Store) {
        let variables = (0..).zip(&store.symbols).filter(|(_, symbol)| symbol.kind.is_variable());
        self.symbols.extend(variables.map(|(number, _)| number));
        if self.symbols.len() > 1 {
            let key = |number: u32| {
                let symbol = store.symbols.get(number as usize);
                (symbol.map(|one| one.kind), qualified(doc, store, number), symbol.map(rest))
            };
            sort_by_key(&mut self.symbols, key);
            let name = |number: u32| {
                (store.symbols.get(number as usize).map(|one| one.kind), qualified(doc, store, number))
            };
            let pairs = self.symbols.iter().zip(self.symbols.iter().skip(1));
            let repeated: Vec<u32> = pairs.filter(|(a, b)| name(**a) == name(**b)).map(|(_, b)| *b).collect();
            for number in repeated {
                if let Some(symbol) = store.symbols.get_mut(number as usize) {
                    symbol.kind = SymbolKind::Dropped;
                }
            }
        }
        self.symbols.clear();
    }

    fn sort_symbols(&mut self, doc: &[u8], store: &Store) {
        let symbol = |number: u32| store.symbols.get(number as usize);
        let line = |number: u32| symbol(number).map(|one| one.line);
        let own = |number: u32| symbol(number).map(|one| (one.kind, store.text(doc, one.name), rest(one)));
        let name = |number: u32| (qualified(doc, store, number), own(number));
        if store.lines == 0 {
            sort_by_key(&mut self.symbols, name);
        } else {
            // Few symbols share a line.
            self.symbols.sort_by(|&a, &b| line(a).cmp(&line(b)).then_with(|| name(a).cmp(&name(b))));
        }
    }

    fn sum_calls(&mut self, doc: &[u8], store: &mut Store) {
        self.calls_total = store.calls.len() as u64;
        self.calls.clear();
        self.callers.clear();
        store.calls.sort_unstable_by_key(|call| (call.caller, call.callee));
        let mut last = None;
        for call in &store.calls {
            let caller = match last {
                Some((symbol, name)) if symbol == call.caller => name,
                _ => self.name_caller(doc, store, call.caller),
            };
            last = Some((call.caller, caller));
            match self.calls.last_mut() {
                Some(sum) if (sum.caller, sum.callee) == (caller, call.callee) => sum.count += 1,
                _ => self.calls.push(CallSum { caller, callee: call.callee, count: 1 }),
            }
        }
        // Symbols of one name, such as overloads, may be anywhere.
        self.calls.sort_unstable_by_key(|sum| (sum.caller, sum.callee));
        self.calls.dedup_by(|next, kept| {
            let same = (kept.caller, kept.callee) == (next.caller, next.callee);
            kept.count += if same { next.count } else { 0 };
            same
        });
        self.sort_calls(&store.callees);
    }

    /// Sorts by ranks of the names rather than by the names, which are compared only when they are ranked: 4 % of
    /// the work on documents of many calls, such as class models.
    fn sort_calls(&mut self, callees: &Names) {
        if self.calls.len() < 2 {
            return;
        }
        self.callers.rank(&mut self.caller_ranks);
        callees.rank(&mut self.callee_ranks);
        let Self { calls, caller_ranks, callee_ranks, .. } = self;
        let rank = |ranks: &[u32], name: u32| ranks.get(name as usize).copied().unwrap_or(0);
        calls.sort_unstable_by_key(|sum| {
            (Reverse(sum.count), rank(caller_ranks, sum.caller), rank(callee_ranks, sum.callee))
        });
    }

    /// Returns the number of a caller's qualified name. `symbol` is a number plus one, 0 at the top.
    fn name_caller(&mut self, doc: &[u8], store: &Store, mut symbol: u32) -> u32 {
        while let Some(scope) = at(store, symbol)
            && scope.kind.name().is_empty()
        {
            symbol = scope.outer;
        }
        self.text.clear();
        if symbol > 0 {
            write_qualified(doc, store, symbol - 1, &mut self.text);
        }
        let digest = NameDigest::of(&self.text);
        let found = self.callers.find(&self.text, digest);
        found.unwrap_or_else(|slot| self.callers.add(&self.text, digest, slot)) as u32
    }
}

/// Returns what else is written of a symbol, from its line on. Symbols that share everything else may come in any
/// order, as the keys above them do.
fn rest(symbol: &Symbol) -> (u32, u32, Visibility, u32, u32) {
    (symbol.line, symbol.end_line, symbol.visibility, symbol.flags, symbol.complexity)
}

/// Sorts by a key that takes memory: cached for each number only if they are not too many.
fn sort_by_key<K: Ord>(numbers: &mut [u32], key: impl Fn(u32) -> K) {
    if numbers.len() <= 50_000 {
        numbers.sort_by_cached_key(|&number| key(number));
    } else {
        numbers.sort_by_key(|&number| key(number));
    }
}

/// Returns the symbol of a number plus one; `None` for 0.
fn at(store: &Store, number: u32) -> Option<&Symbol> {
    store.symbols.get((number as usize).checked_sub(1)?)
}

/// Returns whether the qualified names together are much longer than a document of this length needs: nested
/// symbols can have names of a multiple of its length.
pub(crate) fn has_long_names(doc: &[u8], store: &Store) -> bool {
    const ALWAYS: usize = 64 << 20;
    if store.symbols.len() <= ALWAYS / QUALIFIED_LEN_MAX {
        return false;
    }
    let mut lens: Vec<u16> = vec![0; store.symbols.len()];
    let mut sum = 0;
    // Enclosing symbols were found after those within.
    for (place, symbol) in store.symbols.iter().enumerate().rev() {
        let around = (symbol.outer as usize).checked_sub(1).filter(|_| symbol.qualified.is_none());
        let around = around.and_then(|around| lens.get(around)).map_or(0, |&len| usize::from(len) + 1);
        let own = usize::from(symbol.qualified.or(symbol.name).len);
        let len = (around + own).min(QUALIFIED_LEN_MAX);
        if let Some(kept) = lens.get_mut(place) {
            *kept = len as u16;
        }
        sum += len;
    }
    sum > doc.len().max(ALWAYS)
}

fn qualified(doc: &[u8], store: &Store, number: u32) -> Vec<u8> {
    let mut name = Vec::new();
    write_qualified(doc, store, number, &mut name);
    name
}

/// A longer qualified name loses its outer names, in bytes: a few MB of nested symbols would otherwise have
/// qualified names of GB.
const QUALIFIED_LEN_MAX: usize = 2_048;

/// Appends a symbol's name after the names of those around it.
pub(super) fn write_qualified(doc: &[u8], store: &Store, number: u32, out: &mut Vec<u8>) {
    let start = out.len();
    let mut next = number + 1;
    // From the inside out, each name backwards; then all of it is reversed.
    while let Some(symbol) = at(store, next) {
        let name = store.text(doc, symbol.qualified.or(symbol.name));
        if out.len() > start {
            if out.len() - start + 1 + name.len() > QUALIFIED_LEN_MAX {
                break;
            }
            out.push(b'.');
        }
        out.extend(name.iter().rev());
        next = if symbol.qualified.is_some() { 0 } else { symbol.outer };
    }
    out.get_mut(start..).unwrap_or_default().reverse();
}

type ImportKey<'a> = (u32, &'a [u8], Vec<(&'a [u8], &'a [u8])>, &'a [u8]);

fn import_key<'a>(doc: &'a [u8], store: &'a Store, number: u32) -> ImportKey<'a> {
    let Some(import) = store.imports.get(number as usize) else { return ImportKey::default() };
    let names = store.imported.get(import.names.0 as usize..import.names.1 as usize).unwrap_or_default();
    let names = names.iter().map(|name| (store.text(doc, name.name), store.text(doc, name.alias)));
    (import.line, store.text(doc, import.module), names.collect(), store.text(doc, import.alias))
}
