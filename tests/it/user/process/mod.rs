//! The process: signals, limits of its resources, terminals, service managers, orders.

mod addresses;
mod backup;
mod ctl;
mod file_size;
mod pulled;
mod signals;
mod stalled;
mod systemd;
mod terminal;
mod threads;
