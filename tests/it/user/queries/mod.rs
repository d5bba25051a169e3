//! What the commands say that only read a state.

mod asking;
mod consumers;
mod explain;
mod export;
mod failures;
mod inspect;
mod jobs;
mod plan;
mod records;
mod silent;
