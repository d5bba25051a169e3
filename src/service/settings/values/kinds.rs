//! The kinds of values.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::level_filters::LevelFilter;

use super::{InvalidValue, Kind, Raw, Value, ValueForm, ValueInput, units};
use crate::engine::root_path;
use crate::model::rules::globs::bare_chars;
use crate::model::{FailureLimit, ShardError};
use crate::process::exec::ExecCommand;
use crate::service::schedule::read_cron;
use crate::service::settings::fields::NamedRoot;
use crate::service::settings::problem::Origin;
use crate::service::settings::shard::ShardChoice;
use crate::source::{FilterError, Filters};

/// A whole number.
pub(crate) fn count<T>(min: u64, max: u64, unit: &'static str) -> Kind<T>
where
    T: TryFrom<u64> + TryInto<u64> + Copy + 'static,
{
    let limits = if min == max {
        // Only the attempts of a permanent error class are fixed.
        format!("{min}: the same content fails again")
    } else {
        format!("{min} to {max} {unit}")
    };
    let read = move |raw: &Raw, _: &Origin| {
        let count = raw.text_or_number()?.parse();
        let count = count.map_err(|_| InvalidValue::Because("is no number".to_owned()))?;
        T::try_from(count).ok().filter(|_| (min..=max).contains(&count)).ok_or(InvalidValue::Limits)
    };
    let show = |count: &T| Value::Count((*count).try_into().unwrap_or(u64::MAX));
    Kind::new(ValueForm::text(unit, "N"), limits, read, show)
}

/// A duration with its unit.
pub(crate) fn time(min: Duration, max: Duration) -> Kind<Duration> {
    duration(min, max, "; with its unit, such as 250ms", move |text| units::duration(text, false))
}

/// A duration, where a number without a unit counts as seconds.
pub(crate) fn time_or_seconds(min: Duration, max: Duration) -> Kind<Duration> {
    duration(min, max, "; a number alone is seconds", move |text| units::duration(text, true))
}

/// A duration in whole seconds.
pub(crate) fn seconds(min: u64, max: Duration) -> Kind<u64> {
    let limits = ", in whole seconds; a number alone is seconds";
    let whole = |text: &str| units::duration(text, true).filter(|time| time.subsec_nanos() == 0);
    let time = duration(Duration::from_secs(min), max, limits, whole);
    time.stored_as(|time| time.as_secs(), |seconds| Duration::from_secs(*seconds))
}

/// An age in whole seconds, with its unit.
pub(crate) fn age(max: Duration) -> Kind<u64> {
    let limits = ", in whole seconds, with its unit, such as 7d or 90m";
    let whole = |text: &str| units::duration(text, false).filter(|time| time.subsec_nanos() == 0);
    let time = duration(Duration::from_secs(1), max, limits, whole);
    time.stored_as(|time| time.as_secs(), |seconds| Duration::from_secs(*seconds))
}

/// A duration with its unit, up to this, in milliseconds.
pub(crate) fn millis(max: Duration) -> Kind<u64> {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    time(Duration::ZERO, max).stored_as(millis, |millis| Duration::from_millis(*millis))
}

fn duration(
    min: Duration,
    max: Duration,
    unit: &str,
    read: impl Fn(&str) -> Option<Duration> + Send + Sync + 'static,
) -> Kind<Duration> {
    let limits = format!("{} to {}{unit}", units::duration_text(min), units::duration_text(max));
    let read =
        move |text: &str| read(text).filter(|time| (min..=max).contains(time)).ok_or(InvalidValue::Limits);
    parsed(ValueForm::text("duration", "DURATION"), limits, read, |time| units::duration_text(*time))
}

/// A number of bytes of which there is no maximum, rounded down to a multiple of `step`.
pub(crate) fn size(min: u64, step: u64) -> Kind<u64> {
    let rounded = match step {
        1 => String::new(),
        step => format!(", rounded down to whole {}", &units::size_text(step)[1..]),
    };
    let limits = format!("{} or more, with its unit, such as 512MB or 2GiB{rounded}", units::size_text(min));
    let read = move |text: &str| {
        let size = units::size(text).map(|bytes| bytes - bytes % step);
        size.filter(|size| *size >= min).ok_or(InvalidValue::Limits)
    };
    parsed(ValueForm::text("size", "SIZE"), limits, read, |bytes| units::size_text(*bytes))
}

/// One of these words, as the type itself names them.
pub(crate) fn word<T, const N: usize>(values: [T; N]) -> Kind<T>
where
    T: Serialize + DeserializeOwned + 'static,
{
    let name = |value: &T| match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    };
    let names = values.iter().map(name).collect::<Vec<_>>();
    let limits = format!("one of {}", names.join(", "));
    let read = |text: &str| serde_json::from_value(text.into()).map_err(|_| InvalidValue::Limits);
    parsed(ValueForm::new("word", "WORD", ValueInput::Word(names)), limits, read, name)
}

/// A boolean.
pub(crate) fn switch() -> Kind<bool> {
    let read = |raw: &Raw, _: &Origin| match raw {
        Raw::Switch(switch) => Ok(*switch),
        raw => match raw.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(InvalidValue::Limits),
        },
    };
    Kind::new(ValueForm::new("switch", "WORD", ValueInput::Switch), "true or false", read, |switch| {
        Value::Switch(*switch)
    })
}

/// Globs of files, which this reads.
pub(crate) fn globs(filters: fn(&[String]) -> Result<Filters, FilterError>) -> Kind<Vec<String>> {
    let read = move |raw: &Raw, _: &Origin| {
        let globs = raw.items(split_globs)?;
        let wrong = |glob| Some(filters(std::slice::from_ref(glob)).err()?.to_string());
        let wrong: Vec<String> = globs.iter().filter_map(wrong).collect();
        if wrong.is_empty() { Ok(globs) } else { Err(InvalidValue::Parts(wrong)) }
    };
    let form = ValueForm::new("globs", "GLOB", ValueInput::Items);
    Kind::new(form, "a list of globs in quotes", read, |globs| Value::List(globs.clone()))
}

/// A path, of which this stands for the value in help texts.
pub(crate) fn path(placeholder: &'static str) -> Kind<PathBuf> {
    let read = |raw: &Raw, origin: &Origin| {
        let path = match raw {
            Raw::Bytes(bytes) => Path::new(bytes),
            raw => Path::new(raw.text()?),
        };
        if path.as_os_str().is_empty() {
            return Err(InvalidValue::Limits);
        }
        Ok(in_place(path, origin))
    };
    let form = ValueForm::new("path", placeholder, ValueInput::Path);
    Kind::new(form, "a path", read, |path| Value::Text(path.display().to_string()))
}

/// Returns a path as its source means it: one in a file is relative to the file's folder.
fn in_place(path: &Path, origin: &Origin) -> PathBuf {
    folder_of(origin).map_or_else(|| path.to_owned(), |folder| folder.join(path))
}

/// Returns the folder of the file that a value comes from.
fn folder_of(origin: &Origin) -> Option<&Path> {
    match origin {
        Origin::File { path: file, .. } => Some(file.parent().unwrap_or(Path::new("/"))),
        _ => None,
    }
}

/// Roots with their names, each name and each path once.
pub(crate) fn roots() -> Kind<Vec<NamedRoot>> {
    let read = |raw: &Raw, origin: &Origin| {
        let items = raw.items(split_globs)?;
        let mut roots = Vec::<NamedRoot>::new();
        let mut wrong = Vec::new();
        for item in items {
            match named_root(&item, origin, &roots) {
                Ok(root) => roots.push(root),
                Err(what) => wrong.push(what),
            }
        }
        if wrong.is_empty() { Ok(roots) } else { Err(InvalidValue::Parts(wrong)) }
    };
    let show = |root: &NamedRoot| format!("{}={}", root.name, root.path.display());
    Kind::new(
        ValueForm::new("roots", "NAME=PATH", ValueInput::Items),
        "NAME=PATH, again for each; in a file a table [root.NAME] with a path",
        read,
        move |roots| Value::List(roots.iter().map(show).collect()),
    )
}

fn named_root(item: &str, origin: &Origin, others: &[NamedRoot]) -> Result<NamedRoot, String> {
    let Some((name, path)) = item.split_once('=').filter(|(_, path)| !path.is_empty()) else {
        return Err(format!("root is {item:?}: must be NAME=PATH, such as asts=/srv/asts"));
    };
    let name = name.parse().map_err(|wrong| format!("root: {wrong}"))?;
    let root = NamedRoot { name, path: in_place(Path::new(path), origin) };
    let clash = others.iter().find_map(|other| clash(other, &root));
    clash.map_or(Ok(root), Err)
}

/// Returns why two roots can't go together.
fn clash(one: &NamedRoot, other: &NamedRoot) -> Option<String> {
    let name = &other.name;
    let path = other.path.display();
    if one.name == other.name {
        let first = one.path.display();
        return Some(format!("root {name} is both {first} and {path}; each needs a name of its own"));
    }
    let is_same = root_path(&one.path) == root_path(&other.path);
    is_same.then(|| format!("root {name} is {path}, which is root {} already; leave one out", one.name))
}

/// A command line, or its words.
pub(crate) fn command() -> Kind<ExecCommand> {
    let read = |raw: &Raw, origin: &Origin| {
        let command = match raw {
            Raw::List(words) => {
                let words: Result<Vec<_>, _> = words.iter().map(Raw::text).collect();
                ExecCommand::new(words?)
            }
            raw => ExecCommand::parse(raw.text()?),
        };
        let command = command.map_err(|wrong| InvalidValue::Because(wrong.to_string()))?;
        Ok(match folder_of(origin) {
            Some(folder) => command.within(folder),
            None => command,
        })
    };
    let limits = "a program and its arguments, such as \"wc -l {}\", or in a file a list of words";
    Kind::new(ValueForm::text("command", "COMMAND"), limits, read, |command| Value::Text(command.to_string()))
}

/// A version of a processor.
pub(crate) fn version() -> Kind<String> {
    let limits = "a word without spaces, such as 2 or 2026-11-30";
    let is_word =
        |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let read =
        move |text: &str| Some(text.to_owned()).filter(|text| is_word(text)).ok_or(InvalidValue::Limits);
    parsed(ValueForm::text("version", "VERSION"), limits, read, String::clone)
}

/// A log level, or levels of targets.
pub(crate) fn log_filter() -> Kind<String> {
    let limits =
        "off, error, warn, info, debug or trace, or a level for each target, such as warn,outlast=debug";
    let read = |text: &str| is_filter(text).then(|| text.to_owned()).ok_or(InvalidValue::Limits);
    parsed(ValueForm::text("filter", "LEVEL|FILTER"), limits, read, String::clone)
}

/// A number of failures, or a share.
pub(crate) fn failures() -> Kind<FailureLimit> {
    let limits = "a number of files, such as 100, or a share of them, such as 5%";
    let read = |text: &str| text.parse().map_err(|_| InvalidValue::Limits);
    parsed(ValueForm::text("files or %", "N|P%"), limits, read, FailureLimit::to_string)
}

/// A schedule, as a cron expression.
pub(crate) fn cron() -> Kind<String> {
    let limits = "minute, hour, day, month and weekday, such as \"30 2 * * *\", in local time";
    let read = |text: &str| read_cron(text).map(|_| text.to_owned()).map_err(InvalidValue::Because);
    parsed(ValueForm::text("times", "CRON"), limits, read, String::clone)
}

/// An address to listen on.
pub(crate) fn address() -> Kind<SocketAddr> {
    let limits = "an address and port, such as 127.0.0.1:7650, or a port of this machine";
    let read = |text: &str| units::address(text).ok_or(InvalidValue::Limits);
    parsed(ValueForm::text("address", "ADDRESS"), limits, read, SocketAddr::to_string)
}

/// A shard, or `auto/N`.
pub(crate) fn shard() -> Kind<ShardChoice> {
    let limits = "K/N, such as 3/64, or auto/N for the number that the scheduler gave the process";
    let read =
        |text: &str| text.parse().map_err(|error: ShardError| InvalidValue::Because(error.to_string()));
    parsed(ValueForm::text("shard", "K/N"), limits, read, ShardChoice::to_string)
}

/// A kind that is parsed from a text or a number, and shown as a text.
fn parsed<T: 'static>(
    form: ValueForm,
    limits: impl Into<String>,
    read: impl Fn(&str) -> Result<T, InvalidValue> + Send + Sync + 'static,
    show: impl Fn(&T) -> String + Send + Sync + 'static,
) -> Kind<T> {
    Kind::new(form, limits, move |raw, _| read(raw.text_or_number()?), move |value| Value::Text(show(value)))
}

/// Returns whether each part is a level, or a target with a level. A bare word that is no level would name a target
/// and log only that target: more likely it was meant as a level.
pub(super) fn is_filter(text: &str) -> bool {
    let is_level = |level: &str| level.trim().parse::<LevelFilter>().is_ok() && !level.trim().is_empty();
    text.split(',').all(|part| match part.rsplit_once('=') {
        Some((target, level)) => !target.trim().is_empty() && is_level(level),
        None => is_level(part),
    })
}

/// Splits globs at commas that are outside of brackets.
pub(super) fn split_globs(text: &str) -> Vec<String> {
    let mut from = 0;
    let mut globs = Vec::new();
    for (at, _) in bare_chars(text).filter(|(_, c)| *c == ',') {
        globs.push(&text[from..at]);
        from = at + 1;
    }
    globs.push(&text[from..]);
    globs.into_iter().map(|glob| glob.trim().to_owned()).filter(|glob| !glob.is_empty()).collect()
}
