//! README and guide say what the program does: links, tables, examples, features, and every command in them.

mod commands;
mod features;
mod links;
mod loaders;
mod page;
mod records;
mod settings;
mod tables;
