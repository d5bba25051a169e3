//! README and guide say what the program does: links, tables, examples, and every command in them.

mod commands;
mod links;
mod loaders;
mod page;
mod records;
mod settings;
mod tables;
