//! `outlast forget` and `outlast move-root`.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use outlast::engine::{self, ForgetFilter, ForgetReport, MovedRoot, root_path};
use outlast::service::Request;

use crate::cli::options::global::Global;
use crate::cli::output::summary::counted;
use crate::cli::output::terminal::{self, Lines};
use crate::cli::{client, exit_code};

#[derive(Debug, Args)]
pub(crate) struct ForgetArgs {
    /// A root; or a file, a folder, or a glob: files whose name (or, with a `/`, path) matches
    #[arg(value_name = "ROOT|GLOB")]
    what: OsString,

    /// Only tell what would be forgotten
    #[arg(long)]
    dry_run: bool,
}

impl ForgetArgs {
    fn filter(&self) -> ForgetFilter {
        let glob = Some(self.what.to_string_lossy().into_owned());
        let path = Some(root_path(&self.what).into_os_string());
        ForgetFilter { glob, path, dry_run: self.dry_run }
    }
}

#[derive(Debug, Args)]
pub(crate) struct MoveRootArgs {
    /// The root as `outlast status` lists it: its path, or its name
    old: PathBuf,

    /// The folder, or a link to it, that the tree is in now
    new: PathBuf,
}

/// Runs `outlast forget`.
pub(crate) fn forget(global: &Global, args: &ForgetArgs) -> Result<u8> {
    let filter = args.filter();
    tell_forgotten(
        global,
        &client::put_or(global, &Request::Forget(filter.clone()), || engine::forget(&global.state, &filter))?,
    )
}

/// Runs `outlast ctl forget`.
pub(crate) fn order_forget(global: &Global, args: &ForgetArgs) -> Result<u8> {
    tell_forgotten(global, &client::ask_when_open(&global.state, &Request::Forget(args.filter()))?)
}

fn tell_forgotten(global: &Global, payload: &[u8]) -> Result<u8> {
    let report: ForgetReport =
        serde_json::from_slice(payload).context("the answer does not tell what was forgotten")?;
    let printed = terminal::print_report(global.format, &report, |out| show_forgotten(&report, out));
    let code = if report.is_empty() { exit_code::NOTHING_MATCHED } else { exit_code::DONE };
    terminal::code_of_printed(printed, code)
}

fn show_forgotten(report: &ForgetReport, out: &mut Lines<'_>) -> io::Result<()> {
    if report.is_empty() {
        return writeln!(
            out,
            "no file that the state knows matches: `outlast records` prints them, and `outlast status` the paths of roots"
        );
    }
    let would = if report.dry_run { "would be " } else { "" };
    let files = counted(report.files, "file", "files");
    writeln!(out, "{files} {would}forgotten; records that {would}ended as removed: {}", report.records)?;
    match &report.root {
        Some(root) => {
            let leaves = if report.dry_run { "would leave the state" } else { "has left the state" };
            writeln!(out, "root {root} {leaves}; a run that names it begins with it anew")
        }
        None => writeln!(out, "what is still there, and left out by no rule, comes back with the next scan"),
    }
}

/// Runs `outlast move-root`.
pub(crate) fn move_root(global: &Global, args: &MoveRootArgs) -> Result<u8> {
    let moved = client::when_free(&global.state, || engine::move_root(&global.state, &args.old, &args.new));
    let moved: MovedRoot = moved.context("the root stays where it is")?;
    let printed = terminal::print_report(global.format, &moved, |out| show_moved(&moved, out));
    if !moved.has_known_files {
        let (from, to) = (moved.from.display(), moved.to.display());
        terminal::tell(&format!(
            "outlast: {to} has none of the files that are known of the root, and a run waits for them: is its file system \
             mounted? If it is the wrong folder, give `outlast move-root {to} {from}`, or the right one; if it was emptied \
             on purpose, give the run `--accept-empty`"
        ));
    }
    terminal::code_of_printed(printed, exit_code::DONE)
}

fn show_moved(MovedRoot { name, from, to, files, .. }: &MovedRoot, out: &mut Lines<'_>) -> io::Result<()> {
    let from = from.display();
    let to = to.display();
    writeln!(out, "root {name}: {from} is {to} now")?;
    let files = counted(*files, "file is", "files are");
    writeln!(out, "{files} known of it, and records keep the root's name, {name}")?;
    writeln!(out, "from now on, give {to} to `outlast run` and `outlast watch`")
}
