//! `outlast failures` and `outlast retry`.

use std::ffi::OsString;
use std::io;

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use outlast::ErrorClass;
use outlast::engine::{self, FailureGroup, FailureReport, FailureSample, RetryFilter, RetryReport};
use outlast::service::Request;

use crate::cli::options::global::Global;
use crate::cli::output::summary;
use crate::cli::output::terminal::{self, Lines};
use crate::cli::{client, exit_code};

#[derive(Debug, Args)]
pub(crate) struct FailuresArgs {
    /// Only failures of this class
    #[arg(long, value_name = "CLASS", value_parser = class())]
    class: Option<ErrorClass>,

    /// Files that are shown of each class
    #[arg(long, value_name = "N", default_value_t = engine::SAMPLES as u16,
          value_parser = clap::value_parser!(u16).range(0..=1000))]
    samples: u16,
}

#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    /// A file, a folder, or a glob: files whose name (or, with a `/`, path) matches [default: all that failed]
    #[arg(value_name = "GLOB")]
    glob: Option<OsString>,

    /// Only files that failed with this class
    #[arg(long, value_name = "CLASS", value_parser = class())]
    class: Option<ErrorClass>,
}

fn class() -> impl TypedValueParser<Value = ErrorClass> {
    let of_name = |name: String| ErrorClass::ALL.into_iter().find(|class| class.as_str() == name);
    PossibleValuesParser::new(ErrorClass::ALL.map(ErrorClass::as_str))
        .try_map(move |name| of_name(name).ok_or("no class of failures"))
}

/// Runs `outlast failures`.
pub(crate) fn failures(global: &Global, args: &FailuresArgs) -> Result<u8> {
    let request = Request::Failures { class: args.class, samples: usize::from(args.samples) };
    let payload = client::put(global, &request)?;
    let report: FailureReport = serde_json::from_slice(&payload).context("the answer tells no failures")?;
    terminal::print_report(global.format, &report, |out| show(&report, args, out))?;
    Ok(exit_code::DONE)
}

fn show(report: &FailureReport, args: &FailuresArgs, out: &mut Lines<'_>) -> io::Result<()> {
    if report.classes.is_empty() {
        let of = args.class.map_or_else(String::new, |class| format!(" with class {class}"));
        return writeln!(out, "no file failed{of}");
    }
    writeln!(out, "{} failed, {} to be tried again", files(report.failed), report.waiting)?;
    for group in &report.classes {
        writeln!(out, "  {:<14}{:>10}{}", group.class.as_str(), group.failed, details(group))?;
    }
    for group in report.classes.iter().filter(|group| !group.samples.is_empty()) {
        writeln!(out)?;
        writeln!(out, "{}", group.class)?;
        group.samples.iter().try_for_each(|sample| show_sample(sample, out))?;
        let more =
            (group.failed + group.waiting + group.suspected).saturating_sub(group.samples.len() as u64);
        if more > 0 {
            writeln!(out, "  and {more} more")?;
        }
    }
    writeln!(out)?;
    writeln!(out, "A file that is changed is done again by the next run.")?;
    // The same content fails again.
    let helped = report.classes.iter().filter(|group| group.class.can_pass());
    for (number, group) in helped.enumerate() {
        if number == 0 {
            writeln!(out, "To have others tried again:")?;
        }
        writeln!(out, "  outlast retry --class {}", group.class)?;
    }
    Ok(())
}

/// Formats the details of a class besides its count.
fn details(group: &FailureGroup) -> String {
    let mut text = String::new();
    if group.quarantined > 0 {
        text += &format!(", {} set aside", group.quarantined);
    }
    if group.waiting > 0 {
        text += &format!(", {} to be tried again", group.waiting);
        if let Some(at) = group.next_at {
            text += &format!(" from {}", summary::to_the_second(at));
        }
    }
    if group.suspected > 0 {
        text += &format!(", {} brought the process down and will be tried once more", files(group.suspected));
    }
    text
}

fn show_sample(sample: &FailureSample, out: &mut Lines<'_>) -> io::Result<()> {
    let aside = if sample.quarantined { " (set aside)" } else { "" };
    writeln!(out, "  {}/{}{aside}", sample.root, sample.path)?;
    match (&sample.message, sample.line, sample.column) {
        (Some(message), Some(line), Some(column)) => {
            writeln!(out, "    line {line}, column {column}: {}", message)
        }
        (Some(message), ..) => writeln!(out, "    {}", message),
        (None, ..) => match sample.next_at {
            Some(at) => writeln!(
                out,
                "    failed {} times, next attempt from {}",
                sample.attempts,
                summary::to_the_second(at)
            ),
            None => Ok(()),
        },
    }
}

fn files(count: u64) -> String {
    summary::counted(count, "file", "files")
}

/// Runs `outlast retry`.
pub(crate) fn retry(global: &Global, args: &RetryArgs) -> Result<u8> {
    let path = args.glob.as_ref().map(std::path::absolute).transpose()?;
    let filter = RetryFilter {
        glob: args.glob.as_ref().map(|glob| glob.to_string_lossy().into_owned()),
        path: path.map(OsString::from),
        class: args.class,
    };
    let payload =
        client::put_or(global, &Request::Retry(filter.clone()), || engine::retry(&global.state, &filter))?;
    let report: RetryReport = serde_json::from_slice(&payload).context("the answer tells no retries")?;
    let printed = terminal::print_report(global.format, &report, |out| show_retried(&report, out));
    let code = if report.files == 0 { exit_code::NOTHING_MATCHED } else { exit_code::DONE };
    terminal::code_of_printed(printed, code)
}

fn show_retried(report: &RetryReport, out: &mut Lines<'_>) -> io::Result<()> {
    if report.files > 0 {
        let then = if report.running { "the run that goes on does them" } else { "`outlast run` does them" };
        let are = if report.files == 1 { "is" } else { "are" };
        writeln!(out, "{} {are} due again: {then}", files(report.files))?;
    } else if report.elsewhere == 0 && report.left_out == 0 {
        writeln!(out, "no failed file matches; `outlast failures` shows what failed")?;
    }
    for (class, count) in &report.classes {
        writeln!(out, "  {:<14}{count:>10}", class.as_str())?;
    }
    if report.elsewhere > 0 {
        let what = "under roots that the present run does not ingest; ask again when it has ended";
        writeln!(out, "{} left as before, {what}", files(report.elsewhere))?;
    }
    if report.left_out > 0 {
        let what = "which the latest run leaves out; `outlast explain FILE` tells the rule";
        writeln!(out, "{} left as before, {what}", files(report.left_out))?;
    }
    Ok(())
}
