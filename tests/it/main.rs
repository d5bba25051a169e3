//! Outlast as its users meet it: the binary, run on real trees, killed, damaged, cut off from power.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod agree;
mod at_once;
mod churn;
mod damage;
mod documented;
mod exec;
mod faults;
mod kill;
mod layers;
#[cfg(feature = "otel")]
mod otel;
mod outage;
mod poison;
mod power;
mod schema;
mod shards;
mod support;
mod user;
mod watch;
