//! Values: as they are found, as they are shown, and what leads from one to the other.

pub(super) mod kinds;
pub(super) mod priority;
#[cfg(test)]
mod tests;
mod units;

use std::ffi::OsString;
use std::fmt;

use serde::Serialize;

use super::problem::{Origin, Sourced};
use crate::model::PriorityRule;
pub(super) use units::duration_text;

/// An unparsed value of a layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// Text: of a flag, a variable, or a string in a file.
    Text(String),
    /// Of a flag or a variable, and not UTF-8.
    Bytes(OsString),
    /// A number in a file.
    Number(String),
    /// A boolean in a file.
    Switch(bool),
    /// A list in a file, or of a flag that was repeated.
    List(Vec<Raw>),
    /// A priority rule in a file, as its own lines have it.
    Rule(Box<PriorityRule>),
    /// Another type in a file, which no setting has.
    Other(&'static str),
}

impl Raw {
    fn text(&self) -> Result<&str, InvalidValue> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Bytes(_) => Err(InvalidValue::Because("is no text".to_owned())),
            _ => Err(InvalidValue::Limits),
        }
    }

    fn text_or_number(&self) -> Result<&str, InvalidValue> {
        match self {
            Self::Number(text) => Ok(text),
            _ => self.text().map(str::trim),
        }
    }

    /// Returns the items of a list, or those of a text that `split` finds.
    fn items(&self, split: fn(&str) -> Vec<String>) -> Result<Vec<String>, InvalidValue> {
        match self {
            Self::List(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
            _ => self.text().map(split),
        }
    }
}

impl From<OsString> for Raw {
    fn from(text: OsString) -> Self {
        text.into_string().map_or_else(Self::Bytes, Self::Text)
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) => write!(f, "{:?}", bytes.to_string_lossy()),
            Self::Number(text) => f.write_str(text),
            Self::Switch(switch) => write!(f, "{switch}"),
            Self::List(_) => f.write_str("a list"),
            Self::Rule(rule) => write!(f, "{rule}"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// The value of a setting, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// No value.
    Unset,
    /// A whole number.
    Count(u64),
    /// A boolean.
    Switch(bool),
    /// Any other value, with its unit.
    Text(String),
    /// Globs.
    List(Vec<String>),
}

/// Formats the value as in a file, without the quotes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("-"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Switch(switch) => write!(f, "{switch}"),
            Self::Text(text) => f.write_str(text),
            Self::List(items) if items.is_empty() => f.write_str("-"),
            Self::List(items) => f.write_str(&items.join(",")),
        }
    }
}

/// The form in which a value is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueForm {
    /// The unit, for tables.
    pub unit: &'static str,
    /// What stands for the value in help texts.
    pub placeholder: &'static str,
    /// How a flag takes it.
    pub input: ValueInput,
}

/// How a flag takes a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueInput {
    /// As a text.
    Text,
    /// As one of these words.
    Word(Vec<String>),
    /// As a path, which need not be UTF-8.
    Path,
    /// As a text, and again for each further item.
    Items,
    /// Without a value.
    Switch,
}

impl ValueForm {
    fn new(unit: &'static str, placeholder: &'static str, input: ValueInput) -> Self {
        Self { unit, placeholder, input }
    }

    fn text(unit: &'static str, placeholder: &'static str) -> Self {
        Self::new(unit, placeholder, ValueInput::Text)
    }
}

/// Why a value is refused.
#[derive(Debug)]
pub(super) enum InvalidValue {
    /// It is not within the limits.
    Limits,
    /// This, and so it is not within the limits.
    Because(String),
    /// Messages that name the setting and the value themselves.
    Parts(Vec<String>),
}

impl InvalidValue {
    /// Formats the messages; `before` names the setting and the value.
    pub(super) fn messages(self, limits: &str, before: &str) -> Vec<String> {
        match self {
            Self::Limits => vec![format!("{before}must be {limits}")],
            Self::Because(what) => vec![format!("{before}{what}; must be {limits}")],
            Self::Parts(parts) => parts,
        }
    }
}

type Read<T> = Box<dyn Fn(&Raw, &Origin) -> Result<T, InvalidValue> + Send + Sync>;
type Show<T> = Box<dyn Fn(&T) -> Value + Send + Sync>;

/// A kind of value: its limits, the one way from what a layer has to the type of its field, and the way back.
pub(super) struct Kind<T> {
    pub(super) form: ValueForm,
    /// The valid values, in words.
    pub(super) limits: String,
    pub(super) read: Read<T>,
    pub(super) show: Show<T>,
}

impl<T: 'static> Kind<T> {
    fn new(
        form: ValueForm,
        limits: impl Into<String>,
        read: impl Fn(&Raw, &Origin) -> Result<T, InvalidValue> + Send + Sync + 'static,
        show: impl Fn(&T) -> Value + Send + Sync + 'static,
    ) -> Self {
        Self { form, limits: limits.into(), read: Box::new(read), show: Box::new(show) }
    }

    /// Converts values to the type of a field.
    pub(super) fn stored_as<U: 'static>(self, to: fn(T) -> U, from: fn(&U) -> T) -> Kind<U> {
        self.within(move |value, _| to(value), move |value, show| show(&from(value)))
    }

    /// Allows no value, which only the default is.
    pub(super) fn optional(self) -> Kind<Option<T>> {
        self.within(|value, _| Some(value), |value, show| value.as_ref().map_or(Value::Unset, show))
    }

    /// Keeps the source with the value.
    pub(super) fn sourced(self) -> Kind<Sourced<T>> {
        let sourced = |value, origin: &Origin| Sourced { value, origin: origin.clone() };
        self.within(sourced, |sourced, show| show(&sourced.value))
    }

    fn within<U: 'static>(
        self,
        to: impl Fn(T, &Origin) -> U + Send + Sync + 'static,
        shown: impl Fn(&U, &Show<T>) -> Value + Send + Sync + 'static,
    ) -> Kind<U> {
        let Self { form, limits, read, show } = self;
        let read = move |raw: &Raw, origin: &Origin| Ok(to(read(raw, origin)?, origin));
        Kind::new(form, limits, read, move |value| shown(value, &show))
    }
}
