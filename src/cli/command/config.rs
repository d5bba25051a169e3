//! `outlast config`: effective settings, their sources, and what is wrong with them.

use std::io;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use outlast::service::settings::{self, AppliesWhen, Layers, Problem, Settings, SettingsError};
use serde_json::json;

use crate::cli::options::flags::{Flags, OfRun, OfWatch};
use crate::cli::options::global::{Format, Global};
use crate::cli::output::terminal::{self, Lines};
use crate::cli::{exit_code, show_warnings};

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting: its value, where that comes from, with `+` what a running process takes over only
    /// with its next job, and with `*` only when it is started again
    Show(ShowArgs),
    /// Tell everything that is wrong in the configuration files and the environment, one a line
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) flags: Flags<OfRun>,

    #[command(flatten)]
    pub(crate) watching: Flags<OfWatch>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Check this file alone
    pub(crate) file: Option<PathBuf>,
}

/// Runs `outlast config`.
pub(crate) fn config(global: &Global, layers: &Layers, args: &ConfigArgs) -> Result<u8> {
    let file = match &args.command {
        ConfigCommand::Show(_) => return show(layers, global.format),
        ConfigCommand::Check(CheckArgs { file }) => file,
    };
    let (settings, problems) = match file {
        Some(file) => layers.check_file(file),
        None => layers.check(),
    };
    show_warnings(&settings);
    let code = if problems.is_empty() { exit_code::DONE } else { exit_code::CONFIG };
    terminal::code_of_printed(tell(global.format, &paths(&settings), &problems), code)
}

/// Shows the settings that a command here would use.
fn show(layers: &Layers, format: Format) -> Result<u8> {
    let (settings, problems) = layers.load_what_is_right();
    show_warnings(&settings);
    if !problems.is_empty() {
        return Err(SettingsError(problems).into());
    }
    let rows: Vec<_> = settings.all().iter().map(row).collect();
    let report = json!({ "files": paths(&settings), "profiles": settings.profiles(), "settings": rows });
    terminal::print_report(format, &report, |out| write_settings(&settings, out))?;
    Ok(exit_code::DONE)
}

fn write_settings(settings: &Settings, out: &mut Lines<'_>) -> io::Result<()> {
    let value_of = |one: &settings::Resolved| one.value.to_string();
    let width = settings.all().iter().map(|one| value_of(one).len()).max().unwrap_or(0).min(30);
    for one in settings.all() {
        let mark = match one.setting.takes {
            AppliesWhen::AtOnce => ' ',
            AppliesWhen::NextJob => '+',
            AppliesWhen::Restart => '*',
        };
        let settings::Resolved { setting, origin, .. } = one;
        writeln!(out, "{mark} {:<30} {:<width$} {:<9} {origin}", setting.key, value_of(one), unit(one))?;
    }
    writeln!(
        out,
        "+ a process that runs takes a change over with its next job; * only when it is started again"
    )?;
    for path in settings.files() {
        writeln!(out, "read {}", path.display())?;
    }
    match settings.profiles() {
        [] => Ok(()),
        profiles => writeln!(out, "profile {}", profiles.join(", which inherits ")),
    }
}

/// Returns the unit, if the value does not include it.
fn unit(one: &settings::Resolved) -> &'static str {
    if matches!(one.value, settings::Value::Count(_)) { one.setting.form.unit } else { "" }
}

fn row(one: &settings::Resolved) -> serde_json::Value {
    let setting = one.setting;
    json!({
        "key": setting.key,
        "value": one.value,
        "unit": setting.form.unit,
        "origin": one.origin.to_string(),
        "restart": setting.takes == AppliesWhen::Restart,
        "next_job": setting.takes == AppliesWhen::NextJob,
        "default": setting.default,
        "limits": setting.limits,
        "env": setting.variable(),
        "about": setting.about,
    })
}

fn paths(settings: &Settings) -> Vec<String> {
    settings.files().iter().map(|path| path.display().to_string()).collect()
}

fn tell(format: Format, files: &[String], problems: &[Problem]) -> Result<()> {
    let problem = |one: &Problem| json!({ "origin": one.origin.to_string(), "problem": one.what });
    let report = json!({ "files": files, "problems": problems.iter().map(problem).collect::<Vec<_>>() });
    terminal::print_report(format, &report, |out| {
        problems.iter().try_for_each(|problem| writeln!(out, "{problem}"))?;
        if !problems.is_empty() {
            return Ok(());
        }
        files.iter().try_for_each(|file| writeln!(out, "{file}: sound"))?;
        if files.is_empty() {
            writeln!(out, "there is no configuration file; the environment is sound")?;
        }
        Ok(())
    })
}
