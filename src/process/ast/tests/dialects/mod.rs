//! Documents of each dialect.

pub(super) mod clang;
mod class_model;
mod estree;
mod python;
mod syn_tree;
mod tree_sitter;
