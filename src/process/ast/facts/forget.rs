//! Taking back what was found inside an object that turns out not to count.

use super::{Facts, Symbol, SymbolKind, since};
use crate::process::ast::frame::Frame;

impl Facts<'_, '_> {
    /// Drops those that wait since this object began and turn out to be none.
    pub(in super::super) fn drop_if(&mut self, frame: &Frame, mut is_none: impl FnMut(&Symbol) -> bool) {
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

    /// Drops the newest call, where it is the one at this byte, plus one, and turns out to be none.
    pub(in super::super) fn drop_call(&mut self, at: u32, is_none: impl Fn(&[u8]) -> bool) {
        let callees = &self.store.callees;
        self.store
            .calls_waiting
            .pop_if(|call| call.caller == at && is_none(callees.get(call.callee as usize)));
    }

    /// Forgets all that began at this byte, plus one, or behind it.
    pub(in super::super) fn forget(&mut self, from: u32) {
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
