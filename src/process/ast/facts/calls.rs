//! Call sites, and their callers.

use super::frame::{Frame, Span};
use super::{Call, Facts, since};
use crate::process::ast::interner::NameDigest;

/// Calls in an object that may be repeated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeated {
    /// Byte of the enclosing object's opening brace, plus one.
    within: u32,
    /// The range of the pending calls.
    calls: (usize, usize),
}

impl Facts<'_, '_> {
    /// Adds a call site.
    pub(in crate::process::ast) fn call(&mut self, callee: Span, frame: &Frame) {
        if callee.is_none() || self.store.is_full() {
            return;
        }
        let name = self.store.text(self.doc, callee);
        let digest = NameDigest::of(name);
        let found = self.store.callees.find(name, digest);
        let callee = found.unwrap_or_else(|slot| {
            let from = if callee.made { &self.store.made[..] } else { self.doc };
            let at = callee.at as usize;
            let name = from.get(at..at + usize::from(callee.len)).unwrap_or_default();
            self.store.callees.add(name, digest, slot)
        });
        self.store.calls_waiting.push(Call { caller: frame.at, callee: callee as u32 });
    }

    /// Gives the calls and branches pending since this object began to the last symbol that is pending, too.
    pub(in crate::process::ast) fn give_to_waiting(&mut self, frame: &mut Frame) {
        let store = &mut *self.store;
        let inside = since(&store.waiting, &store.symbols, frame.at);
        let Some(&number) = store.waiting.get(inside..).and_then(<[u32]>::last) else { return };
        let Some(symbol) = store.symbols.get_mut(number as usize) else { return };
        symbol.complexity = symbol.complexity.saturating_add(std::mem::take(&mut frame.branches));
        store.move_calls(number + 1, frame.at);
    }

    /// Gives the calls pending since a byte, plus one, to the newest symbol.
    pub(in crate::process::ast) fn give_to_newest(&mut self, from: u32) {
        let newest = self.store.symbols.len() as u32;
        self.store.move_calls(newest, from - 1);
    }

    /// Notes that the calls in an object are repeated, should the enclosing one be of a kind that does so.
    pub(in crate::process::ast) fn may_be_repeated(&mut self, frame: &Frame, around: &Frame) {
        let store = &mut *self.store;
        let to = store.calls_waiting.len();
        let inside = store.calls_waiting.iter().rev().take_while(|call| call.caller >= frame.at).count();
        if inside > 0 {
            store.repeated.push(Repeated { within: around.at, calls: (to - inside, to) });
        }
    }

    /// Drops the calls in what an object repeats.
    pub(in crate::process::ast) fn drop_repeated(&mut self, frame: &Frame) {
        let store = &mut *self.store;
        while let Some(one) = store.repeated.pop_if(|one| one.within >= frame.at) {
            let to = one.calls.1.min(store.calls_waiting.len());
            if one.within == frame.at {
                store.calls_waiting.drain(one.calls.0.min(to)..to);
            }
        }
    }
}
