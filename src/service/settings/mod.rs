//! Settings: what can be set, where a value comes from, and what is wrong with it.
//!
//! Constraints: every setting is defined once, in the catalogue, with its unit, limits and default; every layer
//! parses values with the same function, so that an error reads the same wherever it is made. An unknown name is an
//! error, never ignored. All problems are reported at once, each with its place and the remedy.
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
//! A path in a file is relative to the file's folder. A list replaces the lists of the layers below it.

mod apply;
mod catalogue;
mod change;
mod layers;
mod load;
mod pair;
mod sections;
mod start;
mod suggest;
pub(super) mod values;

pub use apply::{LogSettings, ScheduleSettings};
pub use catalogue::{AppliesWhen, Setting, catalogue, setting};
pub use change::Changed;
pub use load::{
    FlagValue, Layers, Origin, Problem, ProcessEnv, Resolved, Settings, SettingsError, check, load,
};
pub use pair::{Pairs, limit_pair, retry_pair};
pub use values::{Raw, Value, ValueKind};
