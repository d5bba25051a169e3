//! Settings: what can be set, where a value comes from, and what is wrong with it.
//!
//! Constraints: every setting is defined once, as a row of the catalogue, with the kind of its values and the typed
//! field that they go to. Every layer parses values by that row, so that an error reads the same wherever it is made.
//! Keys are looked up where text is read and nowhere else. An unknown name is an error, never ignored. All problems are
//! reported at once, each with its place and the remedy.
//!
//! The layers, by precedence:
//!
//! 1. flags of the command line;
//! 2. variables of the environment, `OUTLAST_` and the key in upper case;
//! 3. the file that `--config` or `OUTLAST_CONFIG` names, else the nearest `outlast.toml`, from the current
//!    upwards, that only the user and root can have put there;
//! 4. the user's `outlast/outlast.toml` in `XDG_CONFIG_HOME`, else in `~/.config`;
//! 5. the default.
//!
//! In each file, the tables of the chosen profile win over what is outside of them, and over those of the profile that it
//! inherits. A path in a file is relative to the file's folder. A list replaces the lists of the layers below it.

mod catalogue;
mod change;
mod fields;
mod layers;
mod load;
mod named_files;
mod pair;
mod problem;
mod resolved;
mod setting;
mod shard;
mod suggest;
mod values;

pub use catalogue::catalogue;
pub use change::Changed;
pub use fields::{Fields, KnownFailures, LogFormat, NamedRoot, ProgressMode};
pub use layers::environment::ProcessEnv;
pub use load::{FlagValue, Layers};
pub use named_files::log_file_problem;
pub use pair::pairs;
pub use problem::{Origin, Problem, SettingsError, Sourced};
pub use resolved::{Resolved, Settings};
pub use setting::{AppliesWhen, FlagOf, Setting};
pub use shard::ShardChoice;
pub use suggest::ignored;
pub(crate) use suggest::nearest_of;
pub use values::{Raw, Value, ValueForm, ValueInput};
