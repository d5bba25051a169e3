//! Kinds of values, and their text.
//!
//! There is one way from text to each kind.

#[cfg(test)]
mod tests;
pub(super) mod units;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Serialize, Serializer};
use tracing::level_filters::LevelFilter;

use crate::model::FailureLimit;
use crate::service::schedule::read_cron;

/// The type of a setting's value, and its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueKind {
    /// A whole number.
    Count {
        /// The minimum.
        min: u64,
        /// The maximum.
        max: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// A duration.
    Duration {
        /// The minimum.
        min: Duration,
        /// The maximum.
        max: Duration,
        /// Whether a number without a unit counts as seconds; otherwise it is refused.
        bare_seconds: bool,
        /// Whether fractions of a second are refused.
        whole_seconds: bool,
    },
    /// A number of bytes.
    Size {
        /// The minimum.
        min: u64,
        /// The maximum.
        max: u64,
        /// A size is rounded down to a multiple of this.
        step: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A boolean.
    Switch,
    /// Globs.
    Globs,
    /// A path.
    Path,
    /// A log level, or levels of targets.
    LogFilter,
    /// A number of failures, or a share.
    Failures,
    /// A schedule, as a cron expression.
    Cron,
    /// An address to listen on.
    Address,
}

/// An unparsed value of a layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw<'a> {
    /// Text: of a flag, a variable, or a string in a file.
    Text(Cow<'a, str>),
    /// A number in a file.
    Number(Cow<'a, str>),
    /// A boolean in a file.
    Switch(bool),
    /// A list in a file.
    List(Vec<Raw<'a>>),
    /// Another type in a file, which no setting has.
    Other(&'static str),
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Unset,
    /// A whole number.
    Count(u64),
    /// A duration.
    Duration(Duration),
    /// A number of bytes.
    Size(u64),
    /// One of its kind's words.
    Choice(&'static str),
    /// A boolean.
    Switch(bool),
    /// Globs.
    List(Vec<String>),
    /// A path.
    Path(PathBuf),
    /// A log level, or levels of targets.
    LogFilter(String),
    /// A number of failures, or a share.
    Failures(FailureLimit),
    /// A schedule, as a cron expression.
    Cron(String),
    /// An address to listen on.
    Address(SocketAddr),
}

impl ValueKind {
    /// Parses a text, or a value of a file.
    ///
    /// # Errors
    /// What it must be, for a message that already names the setting and the value.
    pub fn parse(&self, raw: &Raw<'_>) -> Result<Value, String> {
        let must = || format!("must be {}", self.limits());
        match (self, raw) {
            (Self::Globs, Raw::List(items)) => {
                let texts = items.iter().map(|item| match item {
                    Raw::Text(text) => Ok(text.to_string()),
                    _ => Err(must()),
                });
                texts.collect::<Result<_, _>>().map(Value::List)
            }
            (Self::Globs, Raw::Text(text)) => Ok(Value::List(split_globs(text))),
            (Self::Switch, Raw::Switch(switch)) => Ok(Value::Switch(*switch)),
            (Self::Switch, Raw::Text(text)) => switch(text).map(Value::Switch).ok_or_else(must),
            (Self::Path, Raw::Text(text)) if !text.is_empty() => Ok(Value::Path(PathBuf::from(&**text))),
            (Self::LogFilter, Raw::Text(text)) => {
                is_filter(text).then(|| Value::LogFilter(text.to_string())).ok_or_else(must)
            }
            (Self::Cron, Raw::Text(text)) => match read_cron(text) {
                Ok(_) => Ok(Value::Cron(text.trim().to_owned())),
                Err(wrong) => Err(format!("{wrong}; {}", must())),
            },
            (Self::Choice(words), Raw::Text(text)) => {
                words.iter().find(|word| *word == text).map(|word| Value::Choice(word)).ok_or_else(must)
            }
            (Self::Address, Raw::Text(text) | Raw::Number(text)) => {
                units::address(text.trim()).map(Value::Address).ok_or_else(must)
            }
            (
                Self::Count { .. } | Self::Duration { .. } | Self::Size { .. } | Self::Failures,
                Raw::Text(text) | Raw::Number(text),
            ) => self.number(text.trim()),
            _ => Err(must()),
        }
    }

    /// Parses an environment variable, which need not be UTF-8 for a path.
    ///
    /// # Errors
    /// As of [`ValueKind::parse`].
    pub fn parse_os(&self, text: &OsStr) -> Result<Value, String> {
        match (self, text.to_str()) {
            (_, Some(text)) => self.parse(&Raw::Text(text.into())),
            (Self::Path, None) => Ok(Value::Path(text.into())),
            (_, None) => Err(format!("is no text; must be {}", self.limits())),
        }
    }

    fn number(&self, text: &str) -> Result<Value, String> {
        let must = || format!("must be {}", self.limits());
        match *self {
            Self::Count { min, max, .. } => {
                let count = text.parse().map_err(|_| format!("is no number; {}", must()))?;
                (min..=max).contains(&count).then_some(Value::Count(count)).ok_or_else(must)
            }
            Self::Duration { min, max, bare_seconds, whole_seconds } => {
                let fits = |time: &Duration| {
                    (min..=max).contains(time) && (!whole_seconds || time.subsec_nanos() == 0)
                };
                units::duration(text, bare_seconds).filter(fits).map(Value::Duration).ok_or_else(must)
            }
            Self::Size { min, max, step } => {
                let size = units::size(text).map(|bytes| bytes - bytes % step);
                size.filter(|size| (min..=max).contains(size)).map(Value::Size).ok_or_else(must)
            }
            _ => text.parse().map(Value::Failures).map_err(|_| must()),
        }
    }

    /// Describes the valid values, in words.
    pub fn limits(&self) -> String {
        let time = units::duration_text;
        match *self {
            // Only the attempts of a permanent error class are fixed.
            Self::Count { min, max, .. } if min == max => {
                format!("{min}: the same content fails again")
            }
            Self::Count { min, max, unit } => format!("{min} to {max} {unit}").trim_end().to_owned(),
            Self::Duration { min, max, bare_seconds, whole_seconds } => {
                let whole = if whole_seconds { ", in whole seconds" } else { "" };
                let bare =
                    if bare_seconds { "a number alone is seconds" } else { "with its unit, such as 250ms" };
                format!("{} to {}{whole}; {bare}", time(min), time(max))
            }
            Self::Size { min, max, step } => {
                let range = match max {
                    u64::MAX => format!("{} or more", units::size_text(min)),
                    max => format!("{} to {}", units::size_text(min), units::size_text(max)),
                };
                let step = match step {
                    1 => String::new(),
                    step => format!(", rounded down to whole {}", &units::size_text(step)[1..]),
                };
                format!("{range}, with its unit, such as 512MB or 2GiB{step}")
            }
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Switch => "true or false".to_owned(),
            Self::Globs => "a list of globs in quotes".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::LogFilter => "off, error, warn, info, debug or trace, or a level for each target, such as \
                 warn,outlast=debug"
                .to_owned(),
            Self::Cron => {
                "minute, hour, day, month and weekday, such as \"30 2 * * *\", in local time".to_owned()
            }
            Self::Failures => "a number of files, such as 100, or a share of them, such as 5%".to_owned(),
            Self::Address => {
                "an address and port, such as 127.0.0.1:7650, or a port of this machine".to_owned()
            }
        }
    }

    /// Returns the unit, for tables.
    pub fn unit(&self) -> &'static str {
        match *self {
            Self::Count { unit, .. } => unit,
            Self::Duration { .. } => "duration",
            Self::Size { .. } => "size",
            Self::Choice(_) => "word",
            Self::Switch => "switch",
            Self::Globs => "globs",
            Self::Path => "path",
            Self::LogFilter => "filter",
            Self::Failures => "files or %",
            Self::Cron => "times",
            Self::Address => "address",
        }
    }
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Returns whether each part is a level, or a target with a level. A bare word that is no level would name a target
/// and log only that target: more likely it was meant as a level.
fn is_filter(text: &str) -> bool {
    let is_level = |level: &str| level.trim().parse::<LevelFilter>().is_ok() && !level.trim().is_empty();
    text.split(',').all(|part| match part.rsplit_once('=') {
        Some((target, level)) => !target.trim().is_empty() && is_level(level),
        None => is_level(part),
    })
}

/// Splits globs at commas that are outside of brackets.
fn split_globs(text: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut from = 0;
    let mut globs = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                globs.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    globs.push(&text[from..]);
    globs.into_iter().map(|glob| glob.trim().to_owned()).filter(|glob| !glob.is_empty()).collect()
}

impl Value {
    /// Resolves a path relative to this folder.
    #[must_use]
    pub(super) fn below(self, folder: &Path) -> Self {
        match self {
            Self::Path(path) => Self::Path(folder.join(path)),
            other => other,
        }
    }
}

/// Formats the value as in a file, without the quotes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("-"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Duration(time) => f.write_str(&units::duration_text(*time)),
            Self::Size(bytes) => f.write_str(&units::size_text(*bytes)),
            Self::Choice(word) => f.write_str(word),
            Self::Switch(switch) => write!(f, "{switch}"),
            Self::List(items) if items.is_empty() => f.write_str("-"),
            Self::List(items) => f.write_str(&items.join(",")),
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::LogFilter(text) | Self::Cron(text) => f.write_str(text),
            Self::Failures(limit) => write!(f, "{limit}"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unset => serializer.serialize_none(),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Switch(switch) => serializer.serialize_bool(*switch),
            Self::List(items) => items.serialize(serializer),
            other => serializer.collect_str(other),
        }
    }
}

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(text) => f.write_str(text),
            Self::Switch(switch) => write!(f, "{switch}"),
            Self::List(_) => f.write_str("a list"),
            Self::Other(what) => f.write_str(what),
        }
    }
}
