//! Settings, and what each does.

pub(crate) mod config;
mod config_files;
mod filters;
mod known_failures;
mod limits;
mod log_rotation;
mod logging;
mod modes;
mod options;
mod priorities;
mod profiles;
mod reload;
mod zones;
