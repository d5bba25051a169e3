//! Flags of settings, generated from the catalogue: help, limits and defaults are defined there, once.

use std::marker::PhantomData;
use std::path::PathBuf;

use clap::builder::{
    PathBufValueParser, PossibleValuesParser, StringValueParser, TypedValueParser, ValueParser,
};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use outlast::service::settings::{
    FlagValue, Pairs, Raw, Setting, Value, ValueKind, limit_pair, retry_pair, setting,
};

/// A group of settings that have flags.
pub(crate) trait Scope {
    /// Their keys, in the order of the help.
    const KEYS: &'static [&'static str];
    /// Flags that set several settings.
    const PAIRS: &'static [Pair] = &[];
    /// Whether the flags go with every command.
    const GLOBAL: bool = false;
}

/// A flag that sets several settings.
pub(crate) struct Pair {
    name: &'static str,
    value_name: &'static str,
    about: &'static str,
    parse: fn(&str) -> Result<Pairs, String>,
}

const LIMIT: Pair = Pair {
    name: "limit",
    value_name: "NAME=N",
    about: "How deep a document may be nested (`depth`), or how many `symbols`, `imports`, `calls` or `kinds` a \
            record lists; with other limits every file is due again [default: depth=10000, symbols=10000, \
            imports=2000, calls=10000, kinds=1000]",
    parse: limit_pair,
};
const RETRY: Pair = Pair {
    name: "retry",
    value_name: "CLASS=ATTEMPTS[,BACKOFF[,MAX]]",
    about: "When a file is tried again whose failure has this class, such as io-transient=5,250ms,1m",
    parse: retry_pair,
};

/// Flags of every command.
#[derive(Debug)]
pub(crate) struct Everywhere;
impl Scope for Everywhere {
    const KEYS: &'static [&'static str] =
        &["state", "log-level", "log-format", "log-file", "log-file-size", "log-files"];
    const GLOBAL: bool = true;
}

/// Flags of a run.
#[derive(Debug)]
pub(crate) struct OfRun;
impl Scope for OfRun {
    const KEYS: &'static [&'static str] = &[
        "out",
        "workers",
        "workers-max",
        "include",
        "exclude",
        "order",
        "strategy",
        "batch-size",
        "batches-ahead",
        "checkpoint-interval",
        "memory-limit",
        "timeout",
        "retry-attempts",
        "on-error",
        "max-failures",
        "drain-timeout",
        "wait",
        "accept-empty",
        "jobs-kept",
        "compact-above",
        "compact-min",
        "progress",
        "heartbeat",
        "listen",
        "token-file",
    ];
    const PAIRS: &'static [Pair] = &[RETRY, LIMIT];
}

/// Flags of a watching process, besides those of a run.
#[derive(Debug)]
pub(crate) struct OfWatch;
impl Scope for OfWatch {
    const KEYS: &'static [&'static str] =
        &["poll", "poll-interval", "settle", "reconcile", "every", "cron", "jitter"];
}

/// Flags of a command that reads one file.
#[derive(Debug)]
pub(crate) struct OfInspect;
impl Scope for OfInspect {
    const KEYS: &'static [&'static str] = &[];
    const PAIRS: &'static [Pair] = &[LIMIT];
}

/// Flags of a repair.
#[derive(Debug)]
pub(crate) struct OfRepair;
impl Scope for OfRepair {
    const KEYS: &'static [&'static str] = &["out"];
}

/// The settings given by flags.
#[derive(Debug)]
pub(crate) struct Flags<S> {
    pub(crate) given: Vec<FlagValue>,
    scope: PhantomData<S>,
}

impl<S: Scope> Args for Flags<S> {
    fn augment_args(command: Command) -> Command {
        let known = S::KEYS.iter().filter_map(|key| setting(key)).map(arg::<S>);
        command.args(known).args(S::PAIRS.iter().map(pair_arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Scope> FromArgMatches for Flags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let known = S::KEYS.iter().filter_map(|key| setting(key));
        let mut given: Vec<FlagValue> = known.filter_map(|setting| given(setting, matches)).collect();
        for pair in S::PAIRS {
            let parsed = matches.get_many::<Pairs>(pair.name).into_iter().flatten().flatten();
            let flag = format!("--{}", pair.name);
            given.extend(parsed.map(|(key, value)| FlagValue {
                key: key.clone(),
                flag: flag.clone(),
                value: value.clone(),
            }));
        }
        Ok(Self { given, scope: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn arg<S: Scope>(setting: &'static Setting) -> Arg {
    let key = setting.key.as_str();
    let has_default = !matches!(&setting.default, Value::Unset | Value::Switch(_) | Value::List(_));
    let about = if has_default && !setting.about.contains("; else ") {
        format!("{} [default: {}]", setting.about, setting.default)
    } else {
        setting.about.to_owned()
    };
    let arg = Arg::new(key).long(key).help(about).value_name(value_name(setting));
    let arg = if S::GLOBAL { arg.global(true).help_heading("Global options") } else { arg };
    let arg = if key == "log-level" { arg.alias("log") } else { arg };
    match setting.kind {
        ValueKind::Switch => arg.action(ArgAction::SetTrue),
        ValueKind::Globs => arg.action(ArgAction::Append).value_parser(StringValueParser::new()),
        ValueKind::Path => arg.value_parser(PathBufValueParser::new()),
        // clap lists the words in the help, and suggests the nearest one.
        ValueKind::Choice(words) => arg.value_parser(
            PossibleValuesParser::new(words).try_map(move |word| setting.kind.parse(&Raw::Text(word.into()))),
        ),
        kind => arg.value_parser(ValueParser::new(move |text: &str| kind.parse(&Raw::Text(text.into())))),
    }
}

fn value_name(setting: &Setting) -> &'static str {
    match setting.kind {
        ValueKind::Count { .. } => "N",
        ValueKind::Duration { .. } => "DURATION",
        ValueKind::Size { .. } => "SIZE",
        ValueKind::Globs => "GLOB",
        ValueKind::Path if setting.key.ends_with("file") => "FILE",
        ValueKind::Path => "DIR",
        ValueKind::Failures => "N|P%",
        ValueKind::Cron => "CRON",
        ValueKind::LogFilter => "LEVEL|FILTER",
        ValueKind::Address => "ADDRESS",
        ValueKind::Choice(_) | ValueKind::Switch => "WORD",
    }
}

fn pair_arg(pair: &'static Pair) -> Arg {
    let arg = Arg::new(pair.name).long(pair.name).help(pair.about).value_name(pair.value_name);
    arg.action(ArgAction::Append).value_parser(ValueParser::new(pair.parse))
}

/// Returns the value of a setting's flag, if present.
fn given(setting: &Setting, matches: &ArgMatches) -> Option<FlagValue> {
    let key = setting.key.as_str();
    if matches.value_source(key) != Some(ValueSource::CommandLine) {
        return None;
    }
    let value = match setting.kind {
        ValueKind::Switch => Value::Switch(true),
        ValueKind::Globs => Value::List(matches.get_many::<String>(key)?.cloned().collect()),
        ValueKind::Path => Value::Path(matches.get_one::<PathBuf>(key)?.clone()),
        _ => matches.get_one::<Value>(key)?.clone(),
    };
    Some(FlagValue { key: key.to_owned(), flag: setting.flag(), value })
}
