//! `outlast plan`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use indicatif::HumanBytes;
use outlast::engine::BatchPlan;
use outlast::model::in_base64;
use outlast::service::settings::Settings;
use outlast::{BatchPriority, DiscoveredFile, FileBatch, RootTable, Timestamp};
use serde::{Serialize, Serializer};

use super::PreparedRun;
use super::target::read_list;
use crate::cli::exit_code;
use crate::cli::options::flags::{Flags, OfRun};
use crate::cli::options::global::Global;
use crate::cli::output::summary::counted;
use crate::cli::output::terminal::{self, Lines};

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Folders whose files are cut into batches, done or not; else those that the setting `root` names
    #[arg(value_name = "ROOT")]
    pub(crate) roots: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) flags: Flags<OfRun>,

    /// Only the files that this list names, as for `run`
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<PathBuf>,
}

/// Runs `outlast plan`.
pub(crate) fn plan(global: &Global, args: &PlanArgs, settings: &Settings, started: Instant) -> Result<u8> {
    let roots = settings.chosen_roots(&args.roots);
    let files = args.files_from.as_deref().map(|list| read_list(list, &roots)).transpose()?;
    let mut run = PreparedRun::prepare(global, settings, settings.fields().batch.clone(), &roots, started)?;
    run.options.files = files;
    let planned = run.engine.plan(&roots, &run.config, &run.options);
    run.end_children();
    let plan = planned?;
    if plan.interrupted {
        return Ok(run.signals.exit_code().unwrap_or(exit_code::STOPPED));
    }
    let printed = terminal::print_report(global.format, &PlanReport(&plan), |out| write_plan(&plan, out));
    let code = match plan.batches.is_empty() {
        _ if plan.unreadable_folders > 0 => exit_code::SOME_FAILED,
        true => exit_code::NOTHING_MATCHED,
        false => exit_code::DONE,
    };
    terminal::code_of_printed(printed, code)
}

fn write_plan(plan: &BatchPlan, out: &mut Lines<'_>) -> io::Result<()> {
    writeln!(out, "{:>7}  {:<8}  {:>7}  {:>14}  {:>12}", "batch", "priority", "files", "bytes", "estimate")?;
    for batch in &plan.batches {
        let FileBatch { batch_id, files, total_size, estimated_processing_time, priority, .. } = batch;
        let files = files.len();
        let millis = estimated_processing_time.as_secs_f64() * 1e3;
        writeln!(
            out,
            "{batch_id:>7}  {:<8}  {files:>7}  {total_size:>14}  {millis:>9.1} ms",
            priority.as_str()
        )?;
    }
    let files = counted(plan.files(), "file", "files");
    let batches = counted(plan.batches.len() as u64, "batch", "batches");
    writeln!(out, "{files}, {}, {batches}", HumanBytes(plan.total_size()))?;
    for (reason, count) in &plan.skipped {
        writeln!(out, "skipped {count} ({reason})")?;
    }
    for (rule, count) in &plan.filtered {
        writeln!(out, "left out {count} ({rule})")?;
    }
    Ok(())
}

/// A plan as JSON; its batches are written one after the other.
struct PlanReport<'a>(&'a BatchPlan);

impl Serialize for PlanReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Whole<'a> {
            batches: Batches<'a>,
            files: u64,
            total_size: u64,
            skipped: &'a BTreeMap<String, u64>,
            filtered: &'a BTreeMap<String, u64>,
            unreadable_folders: u64,
        }
        let Self(plan) = self;
        let BatchPlan { skipped, filtered, unreadable_folders, .. } = plan;
        let whole = Whole {
            batches: Batches(plan),
            files: plan.files(),
            total_size: plan.total_size(),
            skipped,
            filtered,
            unreadable_folders: *unreadable_folders,
        };
        whole.serialize(serializer)
    }
}

struct Batches<'a>(&'a BatchPlan);

impl Serialize for Batches<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let roots = &self.0.roots;
        serializer.collect_seq(self.0.batches.iter().map(|batch| BatchReport {
            batch_id: batch.batch_id,
            files: Files { files: &batch.files, roots },
            total_size: batch.total_size,
            estimated_processing_time: batch.estimated_processing_time.as_secs_f64(),
            priority: batch.priority,
            created_at: Timestamp::from_system_time(batch.created_at),
        }))
    }
}

#[derive(Serialize)]
struct BatchReport<'a> {
    batch_id: u64,
    files: Files<'a>,
    total_size: u64,
    /// In seconds.
    estimated_processing_time: f64,
    priority: BatchPriority,
    created_at: Timestamp,
}

struct Files<'a> {
    files: &'a [DiscoveredFile],
    roots: &'a RootTable,
}

impl Serialize for Files<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.files.iter().map(|file| {
            let path = file.key.relative_path();
            let abs = self.roots.path_of(&file.key).unwrap_or_default().into_os_string();
            FileReport {
                root: self.roots.get(file.key.root()).map_or(Cow::Borrowed(""), |root| (&root.name).into()),
                path: String::from_utf8_lossy(&path).into_owned(),
                path_bytes: in_base64(&path),
                abs: abs.to_string_lossy().into_owned(),
                abs_bytes: in_base64(abs.as_bytes()),
                size: file.fingerprint.size,
            }
        }))
    }
}

#[derive(Serialize)]
struct FileReport<'a> {
    root: Cow<'a, str>,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    abs: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    abs_bytes: Option<String>,
    size: u64,
}
