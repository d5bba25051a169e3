//! Counts what lies where.

pub mod stock;
mod wire;

pub use stock::{OutOfStock, Stock};
