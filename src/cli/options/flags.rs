//! Flags of settings, generated from the catalogue: help, limits and defaults are defined there, once.

use std::ffi::OsString;
use std::marker::PhantomData;
use std::path::PathBuf;

use clap::builder::{
    PathBufValueParser, PossibleValuesParser, StringValueParser, TypedValueParser, ValueParser,
};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use outlast::service::settings::{FlagOf, FlagValue, Raw, Setting, Value, ValueInput, catalogue, pairs};

/// A group of settings that have flags.
pub(crate) trait Scope {
    /// Which settings are of it, if any.
    const FLAG_OF: Option<FlagOf>;
    /// Flags that set several settings.
    const PAIRS: &'static [Pair] = &[];
    /// Whether the flags go with every command.
    const GLOBAL: bool = false;

    /// Returns the settings, in the order of the help.
    fn settings() -> impl Iterator<Item = &'static Setting> {
        catalogue().iter().filter(|setting| Some(setting.flag_of) == Self::FLAG_OF)
    }
}

/// A flag that sets several settings.
pub(crate) struct Pair {
    name: &'static str,
    value_name: &'static str,
    about: &'static str,
}

const LIMIT: Pair = Pair {
    name: "limit",
    value_name: "NAME=N",
    about: "How deep a document may be nested (`depth`), or how many `symbols`, `imports`, `calls` or `kinds` a \
            record lists; with other limits every file is due again [default: depth=10000, symbols=10000, \
            imports=2000, calls=10000, kinds=1000]",
};
const RETRY: Pair = Pair {
    name: "retry",
    value_name: "CLASS=ATTEMPTS[,BACKOFF[,MAX]]",
    about: "When a file is tried again whose failure has this class, such as io-transient=5,250ms,1m",
};

/// Flags of every command.
#[derive(Debug)]
pub(crate) struct Everywhere;
impl Scope for Everywhere {
    const FLAG_OF: Option<FlagOf> = Some(FlagOf::All);
    const GLOBAL: bool = true;
}

/// Flags of a run.
#[derive(Debug)]
pub(crate) struct OfRun;
impl Scope for OfRun {
    const FLAG_OF: Option<FlagOf> = Some(FlagOf::Run);
    const PAIRS: &'static [Pair] = &[RETRY, LIMIT];
}

/// Flags of a watching process, besides those of a run.
#[derive(Debug)]
pub(crate) struct OfWatch;
impl Scope for OfWatch {
    const FLAG_OF: Option<FlagOf> = Some(FlagOf::Watch);
}

/// Flags of a command that reads one file.
#[derive(Debug)]
pub(crate) struct OfInspect;
impl Scope for OfInspect {
    const FLAG_OF: Option<FlagOf> = None;
    const PAIRS: &'static [Pair] = &[LIMIT];

    fn settings() -> impl Iterator<Item = &'static Setting> {
        catalogue().iter().filter(|setting| OF_COMMANDS.contains(&setting.key.as_str()))
    }
}

/// Settings of a command as the processor that matter for one file.
const OF_COMMANDS: [&str; 3] = ["exec", "processor-version", "exec-start-timeout"];

/// Flags of a command that tries one.
#[derive(Debug)]
pub(crate) struct OfExecCheck;
impl Scope for OfExecCheck {
    const FLAG_OF: Option<FlagOf> = None;

    fn settings() -> impl Iterator<Item = &'static Setting> {
        catalogue().iter().filter(|setting| ["exec-start-timeout", "timeout"].contains(&setting.key.as_str()))
    }
}

/// Flags of a repair.
#[derive(Debug)]
pub(crate) struct OfRepair;
impl Scope for OfRepair {
    const FLAG_OF: Option<FlagOf> = None;

    fn settings() -> impl Iterator<Item = &'static Setting> {
        catalogue().iter().filter(|setting| setting.key == "out")
    }
}

/// The settings given by flags.
#[derive(Debug)]
pub(crate) struct Flags<S> {
    pub(crate) given: Vec<FlagValue>,
    scope: PhantomData<S>,
}

impl<S: Scope> Args for Flags<S> {
    fn augment_args(command: Command) -> Command {
        command.args(S::settings().map(arg::<S>)).args(S::PAIRS.iter().map(pair_arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Scope> FromArgMatches for Flags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let one = |setting| Some(FlagValue { setting, raw: given(setting, matches)? });
        let mut given: Vec<FlagValue> = S::settings().filter_map(one).collect();
        for pair in S::PAIRS {
            let parsed = matches.get_many::<Vec<FlagValue>>(pair.name);
            given.extend(parsed.into_iter().flatten().flatten().cloned());
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
    let arg = Arg::new(key).long(key).help(about).value_name(setting.form.placeholder);
    let arg = if S::GLOBAL { arg.global(true).help_heading("Global options") } else { arg };
    let arg = if key == "log-level" { arg.alias("log") } else { arg };
    match &setting.form.input {
        ValueInput::Switch => arg.action(ArgAction::SetTrue),
        ValueInput::Items => arg.action(ArgAction::Append).value_parser(StringValueParser::new()),
        ValueInput::Path => arg.value_parser(PathBufValueParser::new().map(PathBuf::into_os_string)),
        // clap lists the words in the help, and suggests the nearest one.
        ValueInput::Word(words) => {
            arg.value_parser(PossibleValuesParser::new(words.iter().map(String::as_str)))
        }
        _ => arg.value_parser(ValueParser::new(move |text: &str| {
            setting.check(&Raw::Text(text.to_owned())).map(|()| text.to_owned())
        })),
    }
}

fn pair_arg(pair: &'static Pair) -> Arg {
    let arg = Arg::new(pair.name).long(pair.name).help(pair.about).value_name(pair.value_name);
    arg.action(ArgAction::Append).value_parser(ValueParser::new(|text: &str| pairs(pair.name, text)))
}

/// Returns the value of a setting's flag, if present.
fn given(setting: &Setting, matches: &ArgMatches) -> Option<Raw> {
    let key = setting.key.as_str();
    if matches.value_source(key) != Some(ValueSource::CommandLine) {
        return None;
    }
    Some(match setting.form.input {
        ValueInput::Switch => Raw::Switch(true),
        ValueInput::Items => Raw::List(matches.get_many::<String>(key)?.cloned().map(Raw::Text).collect()),
        ValueInput::Path => matches.get_one::<OsString>(key)?.clone().into(),
        _ => Raw::Text(matches.get_one::<String>(key)?.clone()),
    })
}
