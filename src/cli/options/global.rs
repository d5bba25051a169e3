//! Options that every command takes.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use outlast::service::settings::{self, Origin, Problem};

use super::flags::{Everywhere, Flags};

/// The global options.
#[derive(Debug, Args)]
pub(crate) struct Global {
    #[command(flatten)]
    pub(crate) flags: Flags<Everywhere>,

    /// Configuration file [default: the nearest outlast.toml, from the current folder upwards]
    #[arg(long, global = true, help_heading = "Global options", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Profile whose settings hold: those in tables [profile.NAME] of the configuration files
    #[arg(long, global = true, help_heading = "Global options", value_name = "NAME")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) profile: Option<String>,

    /// Ignored
    #[arg(long, global = true, hide = true)]
    log_file_size: Option<String>,

    /// Ignored
    #[arg(long, global = true, hide = true)]
    log_files: Option<String>,

    /// How results are printed
    #[arg(long, global = true, help_heading = "Global options", value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,

    /// Problems with the settings that were reported.
    #[arg(skip)]
    pub(crate) reported: Vec<String>,

    /// The state folder that the settings name, once they are read.
    #[arg(skip)]
    pub(crate) state: PathBuf,
}

impl Global {
    /// Returns why given flags are ignored.
    pub(crate) fn warnings(&self) -> Vec<Problem> {
        let flags = [("log-file-size", &self.log_file_size), ("log-files", &self.log_files)];
        let given = flags.into_iter().filter(|(_, value)| value.is_some());
        let warning = |(key, _): (&str, _)| {
            Some(Problem { origin: Origin::Flag(format!("--{key}")), what: settings::ignored(key)? })
        };
        given.filter_map(warning).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// One JSON object
    Json,
    /// One JSON object on each line; of `records` only
    #[value(hide = true)]
    Ndjson,
    /// A table; of `records` only
    #[value(hide = true)]
    Parquet,
}

/// Resolves a record folder against the current folder.
pub(crate) fn absolute(out: &Path) -> PathBuf {
    std::path::absolute(out).unwrap_or_else(|_| out.to_owned())
}
