//! `outlast ctl`: orders for the process that holds the state.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use outlast::engine::{Order, OrderDone};
use outlast::service::{Request, ask};

use super::args::{Cli, Format};
use super::run::absolute;
use super::{exit, terminal};

/// How long a file system may take to resolve a path.
const PATIENCE: Duration = Duration::from_secs(2);

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
    /// Finish what is in hand, keep the rest pending, and end
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
        /// Its folder
        root: PathBuf,
        /// Jobs of higher priority come first
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        priority: i16,
    },
    /// Serve a root no longer; its records stay
    Remove {
        /// Its folder
        root: PathBuf,
    },
    /// End a job that is queued or runs
    Cancel {
        /// Its number, see `outlast jobs`
        job: u64,
    },
}

/// `outlast ctl`.
pub(crate) fn ctl(cli: &Cli, args: &CtlArgs) -> Result<u8> {
    let request = Request::Order(order_of(&args.order));
    let payload = ask(&cli.state, &request)?;
    let done: OrderDone =
        serde_json::from_slice(&payload).context("the answer does not tell what was done")?;
    match cli.format {
        Format::Json => terminal::print_json(&done)?,
        _ => terminal::print(|out| writeln!(out, "{}", done.what))?,
    }
    Ok(exit::DONE)
}

fn order_of(order: &CtlOrder) -> Order {
    match order {
        CtlOrder::Pause => Order::Pause,
        CtlOrder::Resume => Order::Resume,
        CtlOrder::Stop => Order::Stop,
        CtlOrder::Checkpoint => Order::Checkpoint,
        CtlOrder::Rescan { path } => {
            Order::Rescan { path: path.as_deref().map(|path| real(path).into_os_string()), scheduled: false }
        }
        CtlOrder::Workers { count } => Order::Workers { count: usize::from(*count) },
        CtlOrder::Reload => Order::Reload,
        CtlOrder::Add { root, priority } => {
            Order::Add { root: real(root).into_os_string(), priority: *priority }
        }
        CtlOrder::Remove { root } => Order::Remove { root: real(root).into_os_string() },
        CtlOrder::Cancel { job } => Order::Cancel { job: *job },
    }
}

/// The path without links, as far as it exists: the process knows roots by these. A file system that hangs is not
/// waited for, since the order may be to do without it.
fn real(path: &Path) -> PathBuf {
    let (send, resolved) = std::sync::mpsc::sync_channel(1);
    let given = path.to_owned();
    // Whoever asked may wait no longer.
    let resolve = move || drop(send.send(given.canonicalize().ok()));
    let begun = std::thread::Builder::new().name("resolve".to_owned()).spawn(resolve);
    let found = begun.ok().and_then(|_| resolved.recv_timeout(PATIENCE).ok().flatten());
    found.unwrap_or_else(|| absolute(path))
}
