//! The record log, read raw, and the checker of what it must hold.

mod check;
mod checkpoints;
mod lines;
mod schema;
mod trail;

pub(crate) use check::{Checker, summary_adds_up};
pub(crate) use checkpoints::Checkpoints;
pub(crate) use lines::{Position, Record, current, read_log, read_segments};
pub(crate) use schema::{assert_record, schema};
pub(crate) use trail::Trail;
