//! The names in `use` trees.
//!
//! A path's first part may be known last, since keys come in any order. So the tree of one `use` is kept until all
//! of it is read: its paths, each with the path that it continues, and its leaves.

use super::Facts;
use crate::process::ast::facts::frame::{Frame, Span};

/// A module with more parts is longer than a name may be.
const PARTS_MAX: usize = Span::LEN_MAX / 3 + 1;

#[derive(Debug, Default)]
pub(super) struct Uses {
    paths: Vec<Path>,
    leaves: Vec<Leaf>,
}

/// A part of a path, and the number of the one before it; 0 for none.
#[derive(Debug, Clone, Copy)]
struct Path {
    part: Span,
    before: u32,
}

/// A name that is used.
#[derive(Debug, Clone, Copy)]
struct Leaf {
    /// Equal for leaves that share a pair of braces.
    group: u32,
    /// Number of the path that it ends.
    path: u32,
    name: Span,
    alias: Span,
}

impl Uses {
    /// Begins a path that continues another one; returns its number, from 1.
    pub(super) fn begin_path(&mut self, before: u32) -> u32 {
        self.paths.push(Path { part: Span::NONE, before });
        self.paths.len() as u32
    }

    /// Sets the part that a path adds.
    pub(super) fn end_path(&mut self, path: u32, part: Span) {
        if let Some(path) = self.paths.get_mut((path as usize).wrapping_sub(1)) {
            path.part = part;
        }
    }

    pub(super) fn leaf(&mut self, group: u32, path: u32, name: Span, alias: Span) {
        self.leaves.push(Leaf { group, path, name, alias });
    }

    /// Ends a `use`: each leaf without a path is a module, those grouped after one are names of it.
    pub(super) fn end(&mut self, facts: &mut Facts<'_, '_>, frame: &Frame) {
        let mut leaves = std::mem::take(&mut self.leaves);
        leaves.sort_by_key(|leaf| leaf.group);
        for together in leaves.chunk_by(|a, b| a.group == b.group) {
            match together.first().map_or(0, |leaf| leaf.path) {
                0 => together.iter().for_each(|leaf| facts.import_module(leaf.name, leaf.alias, frame)),
                path => {
                    let inside = Frame { at: u32::MAX, ..Frame::default() };
                    together.iter().for_each(|leaf| facts.name(leaf.name, leaf.alias, &inside));
                    let module = self.module(facts, path);
                    facts.import(module, Span::NONE, frame);
                }
            }
        }
        leaves.clear();
        self.leaves = leaves;
        self.paths.clear();
    }

    /// Joins all parts of a path.
    fn module(&self, facts: &mut Facts<'_, '_>, mut number: u32) -> Span {
        let mut parts = Vec::new();
        while let Some(path) = self.paths.get((number as usize).wrapping_sub(1)) {
            if path.part.is_none() || parts.len() > PARTS_MAX {
                return Span::NONE;
            }
            parts.push(path.part);
            number = path.before;
        }
        let mut module = Span::NONE;
        for (at, &part) in parts.iter().rev().enumerate() {
            if at > 0 && module.is_none() {
                return module;
            }
            module = facts.join(module, "::", part);
        }
        module
    }
}
