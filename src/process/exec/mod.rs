//! Work in any language: a command for each file, or children that stay and answer over a socket.
//!
//! [The guide](crate::guide::exec) describes the protocol. The files, in the order in which a file passes through them:
//!
//! | file | does |
//! |---|---|
//! | `command.rs` | the command line: words, placeholders, identity |
//! | `options.rs` | how the command is used |
//! | `processor.rs` | a command as a processor of either kind |
//! | `spawner.rs` | starts processes, each in a process group that ends with it; what the groups take, and their end with a process that ends at once |
//! | `output.rs` | drains what a process prints, into the log |
//! | `per_file.rs`, `command_window.rs` | a command that is run for one file: its exit code and output |
//! | `message.rs` | the messages between engine and child as JSON |
//! | `channel.rs` | the socket: writes and reads without waiting for either |
//! | `child.rs` | a process that answers: its start, its files, its end |
//! | `children.rs` | the children of a run, taken and given back by workers, replaced when they end or grow |
//! | `check.rs` | tries a command for its author |
//! | `window.rs` | the files that a worker has in flight with a child, and who is to blame when it ends |
//!
//! Constraints: nothing that a child does stops the engine or blocks it beyond the time limit; every process group that
//! was begun here is killed here.

mod channel;
mod check;
mod child;
mod children;
mod command;
mod command_window;
mod message;
mod options;
mod output;
mod per_file;
mod processor;
mod spawner;
mod window;

pub use check::{ExecTrial, check};
pub use command::{ExecCommand, ExecCommandError, ExecError};
pub use options::ExecOptions;
pub use processor::ExecProcessor;
pub use spawner::kill_groups;

#[cfg(test)]
mod tests;
