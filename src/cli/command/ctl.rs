//! `outlast ctl`: commands for the process that holds the state.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use outlast::RootName;
use outlast::engine::{Command, CommandReply, root_path};
use outlast::service::Request;
use outlast::service::settings::Settings;

use super::roots::{ForgetArgs, order_forget};
use crate::cli::client;
use crate::cli::exit_code;
use crate::cli::options::global::Global;
use crate::cli::output::terminal;

#[derive(Debug, Args)]
pub(crate) struct CtlArgs {
    #[command(subcommand)]
    order: CtlOrder,
}

#[derive(Debug, Subcommand)]
enum CtlOrder {
    /// Begin no file until `resume`
    Pause,
    /// Go on
    Resume,
    /// Finish the files in flight, keep the rest pending, and end
    Stop,
    /// Commit what is finished, and print the cursor
    Checkpoint,
    /// Scan again: everything, or what is at and below a path
    Rescan {
        /// A file or folder below a root
        path: Option<PathBuf>,
    },
    /// Go on with so many worker threads
    Workers {
        /// Their number
        #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
        count: u16,
    },
    /// Read the configuration again
    Reload,
    /// Serve another root as well, also after a restart
    Add {
        /// Its folder, or a root of the settings by its name; with NAME= before it, the name that its records have
        #[arg(value_name = "[NAME=]ROOT")]
        root: PathBuf,
        /// Jobs of higher priority come first
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        priority: i16,
    },
    /// Serve a root no longer; its records stay
    Remove {
        /// Its folder, or its name
        root: PathBuf,
    },
    /// End the records of files, or of a whole root, as removed
    Forget(ForgetArgs),
    /// End a job that is queued or runs
    Cancel {
        /// Its number, see `outlast jobs`
        job: u64,
    },
}

/// Runs `outlast ctl`.
pub(crate) fn ctl(global: &Global, args: &CtlArgs, settings: &Settings) -> Result<u8> {
    let order = match order_of(&args.order, settings) {
        Ok(order) => order,
        Err(forget) => return order_forget(global, forget),
    };
    let request = Request::Order(order);
    let payload = client::ask_when_open(&global.state, &request)?;
    let done: CommandReply =
        serde_json::from_slice(&payload).context("the answer does not tell what was done")?;
    terminal::print_report(global.format, &done, |out| writeln!(out, "{}", done.what))?;
    Ok(exit_code::DONE)
}

/// Converts to a command for the run's thread; `forget` is a request of its own, as it takes several commands.
fn order_of<'a>(order: &'a CtlOrder, settings: &Settings) -> std::result::Result<Command, &'a ForgetArgs> {
    Ok(match order {
        CtlOrder::Pause => Command::Pause,
        CtlOrder::Resume => Command::Resume,
        CtlOrder::Stop => Command::Stop,
        CtlOrder::Checkpoint => Command::Checkpoint,
        CtlOrder::Rescan { path } => {
            let path = path.as_deref().map(|path| root_path(path).into_os_string());
            Command::Rescan { path, scheduled: false }
        }
        CtlOrder::Workers { count } => Command::Workers { count: usize::from(*count) },
        CtlOrder::Reload => Command::Reload,
        CtlOrder::Add { root, priority } => {
            let (root, name) = named_root(root, settings);
            Command::Add { root: root.into_os_string(), name, priority: *priority }
        }
        CtlOrder::Remove { root } => {
            Command::Remove { root: root_path(root).into_os_string(), name: root.to_str().map(str::to_owned) }
        }
        CtlOrder::Forget(forget) => return Err(forget),
        CtlOrder::Cancel { job } => Command::Cancel { job_id: *job },
    })
}

/// Returns the path of a root that is given as NAME=PATH, by a name of the settings, or by its path, and its name if
/// one of them says it. A folder that exists is meant by its path.
fn named_root(given: &Path, settings: &Settings) -> (PathBuf, Option<RootName>) {
    let text = given.to_str().filter(|_| !given.exists());
    if let Some((name, path)) = text.and_then(|text| text.split_once('='))
        && let Ok(name) = name.parse()
    {
        return (root_path(Path::new(path)), Some(name));
    }
    let path = root_path(given);
    let mut known = settings.fields().roots.value.iter().map(|root| (root_path(&root.path), &root.name));
    match known.find(|(known, name)| *known == path || text == Some(name.as_str())) {
        Some((path, name)) => (path, Some(name.clone())),
        None => (path, None),
    }
}
