//! What is processed: roots, files and their names, and what becomes of them later.

mod again;
mod bad;
mod compact;
mod files_from;
mod forget;
mod links;
mod named_roots;
mod names;
mod refusals;
mod resume;
mod roots;
