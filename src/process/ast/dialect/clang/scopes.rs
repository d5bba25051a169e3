//! Functions defined outside of the record or namespace that they belong to, which they name by its number.

use std::collections::HashMap;

use super::Node;
use super::kinds::role;
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::Symbol;
use crate::process::ast::facts::frame::{Frame, Span, Visibility};
use crate::process::ast::facts::symbol_kind::SymbolKind;

/// Maximum number of scopes and strays kept; further ones are attributed to where they are written.
const KEPT_MAX: usize = 4_000_000;

/// A record or namespace, also one that is left out.
#[derive(Debug, Clone, Copy)]
struct Scope {
    at: u32,
    id: Span,
    /// The id of the scope that it belongs to, if it is written elsewhere.
    context: Span,
    name: Span,
    /// Number of its symbol.
    number: Option<u32>,
    is_type: bool,
}

/// A symbol outside of its scope.
#[derive(Debug, Clone, Copy)]
struct Stray {
    number: u32,
    at: u32,
    scope: Span,
}

/// All scopes, in the order of closing, and the symbols still to be matched with theirs.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    scopes: Vec<Scope>,
    strays: Vec<Stray>,
}

impl Scopes {
    pub(super) fn add(&mut self, frame: &Frame, node: &Node, name: Span, number: Option<u32>) {
        let is_type = frame.role != role::NAMESPACE;
        let context = if is_type { node.context } else { Span::NONE };
        if name.is_some() && self.scopes.len() < KEPT_MAX {
            self.scopes.push(Scope { at: frame.at, id: node.id, context, name, number, is_type });
        }
    }

    pub(super) fn add_stray(&mut self, number: u32, at: u32, scope: Span) {
        if self.strays.len() < KEPT_MAX {
            self.strays.push(Stray { number, at, scope });
        }
    }

    /// Moves each stray of a document into its scope, and drops the variables that are a type's. Another document
    /// has its own numbers.
    pub(super) fn end(&mut self, facts: &mut Facts<'_, '_>) {
        if !self.strays.is_empty() {
            self.bring_home(facts);
        }
        self.scopes.clear();
    }

    fn bring_home(&mut self, facts: &mut Facts<'_, '_>) {
        let mut outer = self.outer();
        let mut ids: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (place, scope) in (0..).zip(&self.scopes).filter(|(_, scope)| scope.id.is_some()) {
            ids.entry(facts.text(scope.id).to_vec()).or_default().push(place);
        }
        let scopes = &self.scopes;
        // Only scopes that began earlier: so no scope is ever inside of itself. clang may name an instance twice.
        let find = |id: Span, at: u32, facts: &Facts<'_, '_>| {
            let began = |place: &&usize| scopes.get(**place).is_some_and(|scope| scope.at < at);
            ids.get(facts.text(id)).and_then(|places| places.iter().rev().find(began)).copied()
        };
        for (scope, outer) in scopes.iter().zip(&mut outer) {
            *outer = find(scope.context, scope.at, facts).or(*outer);
        }
        let strays = std::mem::take(&mut self.strays);
        let homes: Vec<_> = strays.iter().map(|stray| find(stray.scope, stray.at, facts)).collect();
        for (Stray { number, at, .. }, place) in strays.into_iter().zip(homes) {
            let Some(place) = place else { continue };
            let Some(&Scope { is_type, .. }) = self.scopes.get(place) else { continue };
            let of_stray = |symbol: &&mut Symbol| symbol.at == at;
            let Some(symbol) = facts.store.symbols.get_mut(number as usize).filter(of_stray) else {
                continue;
            };
            if symbol.kind.is_variable() && is_type {
                symbol.kind = SymbolKind::Dropped;
                continue;
            }
            let home = self.symbol_of(place, &outer, facts);
            if let Some(symbol) = facts.store.symbols.get_mut(number as usize) {
                symbol.outer = home;
            }
        }
    }

    /// Returns the enclosing scope of each scope.
    fn outer(&self) -> Vec<Option<usize>> {
        let mut outer = vec![None; self.scopes.len()];
        let mut open: Vec<(usize, u32)> = Vec::new();
        for (place, scope) in self.scopes.iter().enumerate() {
            while let Some((inside, _)) = open.pop_if(|(_, at)| *at > scope.at) {
                outer.get_mut(inside).into_iter().for_each(|outer| *outer = Some(place));
            }
            open.push((place, scope.at));
        }
        outer
    }

    /// Returns the number, plus one, of a scope's symbol. If the scope is left out, makes a symbol just for its
    /// name.
    fn symbol_of(&mut self, place: usize, outer: &[Option<usize>], facts: &mut Facts<'_, '_>) -> u32 {
        let symbols = &mut facts.store.symbols;
        let mut home = 0;
        let mut inside = None;
        let mut next = Some(place);
        while let Some(scope) = next.and_then(|place| self.scopes.get_mut(place)) {
            let known = scope
                .number
                .filter(|&number| symbols.get(number as usize).is_some_and(|symbol| symbol.at == scope.at));
            let number = known.unwrap_or(symbols.len() as u32);
            if known.is_none() {
                symbols.push(name_only(scope));
                scope.number = Some(number);
            }
            match inside.and_then(|inside: u32| symbols.get_mut(inside as usize)) {
                Some(symbol) => symbol.outer = number + 1,
                None => home = number + 1,
            }
            if known.is_some() {
                break;
            }
            inside = Some(number);
            next = next.and_then(|place| outer.get(place).copied().flatten());
        }
        home
    }
}

fn name_only(scope: &Scope) -> Symbol {
    Symbol {
        kind: SymbolKind::Scope,
        visibility: Visibility::Unknown,
        flags: 0,
        name: scope.name,
        qualified: Span::NONE,
        at: scope.at,
        line: 0,
        end_line: 0,
        outer: 0,
        complexity: 0,
    }
}
