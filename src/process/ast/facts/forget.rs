//! Takes back what was found inside an object that turns out not to count.

use super::frame::Frame;
use super::symbol_kind::SymbolKind;
use super::{Call, Facts, Symbol, since};

impl Facts<'_, '_> {
    /// Drops the symbols pending since this object began that turn out not to be symbols.
    pub(in crate::process::ast) fn drop_if(
        &mut self,
        frame: &Frame,
        mut is_none: impl FnMut(&Symbol) -> bool,
    ) {
        let store = &mut *self.store;
        for waiting in [&mut store.waiting, &mut store.variables_waiting] {
            let inside = since(waiting, &store.symbols, frame.at);
            let mut left = inside;
            for place in inside..waiting.len() {
                let number = waiting.get(place).copied().unwrap_or_default();
                match store.symbols.get_mut(number as usize) {
                    Some(symbol) if is_none(symbol) => symbol.kind = SymbolKind::Dropped,
                    _ => {
                        waiting.swap(left, place);
                        left += 1;
                    }
                }
            }
            waiting.truncate(left);
        }
    }

    /// Drops the newest call, if it is the one at this byte, plus one, and turns out not to be a call.
    pub(in crate::process::ast) fn drop_call(&mut self, at: u32, is_none: impl Fn(&[u8]) -> bool) {
        let callees = &self.store.callees;
        self.store
            .calls_waiting
            .pop_if(|call| call.caller == at && is_none(callees.get(call.callee as usize)));
    }

    /// Drops the newest call, if it began at this byte, plus one, or later.
    pub(in crate::process::ast) fn drop_newest_call(&mut self, from: u32) {
        self.store.calls_waiting.pop_if(|call| call.caller >= from);
    }

    /// Takes back symbols directly inside this object that turn out not to be symbols, but not their contents:
    /// those are pending again, and the branches are the object's.
    pub(in crate::process::ast) fn dissolve(
        &mut self,
        frame: &mut Frame,
        mut is_none: impl FnMut(&Symbol) -> bool,
    ) {
        let store = &mut *self.store;
        let from = since(&store.waiting, &store.symbols, frame.at);
        let is_one = |number: &mut u32| store.symbols.get(*number as usize).is_some_and(&mut is_none);
        let mut dissolved: Vec<u32> = store.waiting.extract_if(from.., is_one).collect();
        if dissolved.is_empty() {
            return;
        }
        dissolved.sort_unstable();
        let was_in_one = |outer: u32| outer > 0 && dissolved.binary_search(&(outer - 1)).is_ok();
        let inside = store.symbols.iter().rev().take_while(|symbol| symbol.at > frame.at).count();
        let first = store.symbols.len() - inside;
        for (number, symbol) in (0..).zip(&mut store.symbols).skip(first) {
            if dissolved.binary_search(&number).is_ok() {
                symbol.kind = SymbolKind::Dropped;
                frame.branches = frame.branches.saturating_add(symbol.complexity.saturating_sub(1));
            } else if was_in_one(symbol.outer) && symbol.kind != SymbolKind::Dropped {
                symbol.outer = 0;
                store.waiting.push(number);
            }
        }
        // Since the object began, only symbols inside of it have become callers.
        let taken = store.calls.iter().rev().take_while(|call| call.caller as usize > first).count();
        let from = store.calls.len() - taken;
        let again = store.calls.extract_if(from.., |call| was_in_one(call.caller));
        store.calls_waiting.extend(again.map(|call| Call { caller: frame.at + 1, ..call }));
    }

    /// Drops everything that began at this byte, plus one, or later.
    pub(in crate::process::ast) fn forget(&mut self, from: u32) {
        let store = &mut *self.store;
        while store.symbols.pop_if(|symbol| symbol.at >= from).is_some() {}
        let left = store.symbols.len() as u32;
        while store.waiting.pop_if(|number| *number >= left).is_some() {}
        while store.variables_waiting.pop_if(|number| *number >= left).is_some() {}
        while store.calls_waiting.pop_if(|call| call.caller >= from).is_some() {}
        while store.calls.pop_if(|call| call.caller > left).is_some() {}
        while store.names.pop_if(|name| name.at >= from).is_some() {}
        while let Some(import) = store.imports.pop_if(|import| import.at >= from) {
            if import.names != (0, 0) {
                store.imported.truncate(import.names.0 as usize);
            }
        }
    }
}
