//! Imports, and the names pending for one.

use super::frame::{Frame, Span};
use super::{Facts, Import, Name};

impl Facts<'_, '_> {
    /// Adds a name that is pending for its import or declaration.
    pub(in crate::process::ast) fn name(&mut self, name: Span, alias: Span, frame: &Frame) {
        if name.is_some() && !self.store.is_full() {
            self.store.names.push(Name { name, alias, at: frame.at });
        }
    }

    /// Takes the next name that began inside this object, the last one first.
    pub(in crate::process::ast) fn take_name(&mut self, frame: &Frame) -> Option<Name> {
        self.store.names.pop_if(|name| name.at > frame.at)
    }

    /// Drops the names that began inside this object.
    pub(in crate::process::ast) fn drop_names(&mut self, frame: &Frame) {
        while self.take_name(frame).is_some() {}
    }

    /// Adds this object as an import, with the names that began inside.
    pub(in crate::process::ast) fn import(&mut self, module: Span, alias: Span, frame: &Frame) {
        let store = &mut *self.store;
        let inside = store.names.partition_point(|name| name.at <= frame.at);
        if module.is_some() && !store.is_full() {
            let start = store.imported.len() as u32;
            store.imported.extend(store.names.drain(inside..));
            let names = (start, store.imported.len() as u32);
            store.imports.push(Import { module, alias, line: frame.line, names, at: frame.at });
        }
        store.names.truncate(inside);
    }

    /// Adds an import of a whole module.
    pub(in crate::process::ast) fn import_module(&mut self, module: Span, alias: Span, frame: &Frame) {
        if module.is_some() && !self.store.is_full() {
            let names = (0, 0);
            self.store.imports.push(Import { module, alias, line: frame.line, names, at: frame.at });
        }
    }
}
