//! `outlast inspect`: what the processor extracts from one file.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use outlast::FileError;
use outlast::engine::{self, Inspection};
use outlast::process::ast::{AstNotes, AstResult, AstSymbol};
use outlast::service::settings::Settings;

use crate::cli::exit_code;
use crate::cli::options::flags::{Flags, OfInspect};
use crate::cli::options::global::{Format, Global};
use crate::cli::output::sanitize::show_place;
use crate::cli::output::terminal::{self, Lines};
use crate::cli::setup::processor::ChosenProcessor;

/// How many items of each list are shown to people. JSON has all.
const KINDS_SHOWN: usize = 10;
const SYMBOLS_SHOWN: usize = 100;
const IMPORTS_SHOWN: usize = 30;
const NAMES_SHOWN: usize = 10;
const CALLS_SHOWN: usize = 15;

/// Runs `outlast inspect`.
pub(crate) fn inspect(global: &Global, args: &InspectArgs, settings: &Settings) -> Result<u8> {
    let chosen = ChosenProcessor::start(settings, &[])?;
    let seen = engine::inspect(&args.file, &*chosen.processor(), &settings.fields().batch)?;
    chosen.end(Duration::from_secs(settings.fields().batch.drain_seconds));
    let code = if seen.outcome.is_ok() { exit_code::DONE } else { exit_code::SOME_FAILED };
    let is_ast = matches!(chosen, ChosenProcessor::Ast(_));
    terminal::code_of_printed(show(&seen, is_ast, global.format), code)
}

fn show(seen: &Inspection, is_ast: bool, format: Format) -> Result<()> {
    match (&seen.outcome, format == Format::Json) {
        (Ok(result), true) => {
            let mut out = terminal::json_out();
            out.write_all(result)?;
            out.write_all(b"\n")?;
            Ok(out.flush()?)
        }
        (Err(error), true) => terminal::print_json(&serde_json::json!({ "error": error })),
        (Ok(result), false) => {
            let shown: Option<AstResult<'_>> = is_ast.then(|| serde_json::from_slice(result)).transpose()?;
            terminal::print(|out| {
                title(seen, out)?;
                match &shown {
                    Some(shown) => write(shown, out),
                    None => writeln!(out, "  result     {}", String::from_utf8_lossy(result)),
                }
            })
        }
        (Err(error), false) => terminal::print(|out| failure(seen, error, out)),
    }
}

fn title(seen: &Inspection, out: &mut Lines<'_>) -> io::Result<()> {
    writeln!(out, "{}: {} bytes", seen.path.to_string_lossy(), seen.size)
}

fn failure(seen: &Inspection, error: &FileError, out: &mut Lines<'_>) -> io::Result<()> {
    title(seen, out)?;
    writeln!(out, "  failed     {}: {}", error.class, &error.message)?;
    if let (Some(line), Some(column)) = (error.line, error.column) {
        writeln!(out, "  at         line {line}, column {column}")?;
        show_place(&seen.content, line, column, out)?;
    }
    Ok(())
}

fn write(result: &AstResult<'_>, out: &mut Lines<'_>) -> io::Result<()> {
    writeln!(out, "  dialect    {}, confidence {}", result.dialect, result.confidence.unwrap_or_default())?;
    writeln!(out, "  language   {}", result.language)?;
    let lines = result.lines.map_or_else(String::new, |lines| format!(", up to line {lines}"));
    writeln!(
        out,
        "  counts     {} values, {} nodes, {} levels{lines}",
        result.values, result.nodes, result.depth
    )?;
    if let Some(notes) = &result.notes {
        write_notes(notes, out)?;
    }
    write_kinds(result, out)?;
    write_symbols(result, out)?;
    write_imports(result, out)?;
    write_calls(result, out)
}

fn write_notes(notes: &AstNotes<'_>, out: &mut Lines<'_>) -> io::Result<()> {
    if notes.bom == Some(true) {
        writeln!(out, "  note       bom")?;
    }
    let count = |count: Option<u32>| count.map(|count| count.to_string());
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let noted = [
        ("duplicate_keys", count(notes.duplicate_keys)),
        ("grammar", text(&notes.grammar)),
        ("lone_surrogates", count(notes.lone_surrogates)),
        ("non_finite_numbers", count(notes.non_finite_numbers)),
        ("numbers_beyond_f64", count(notes.numbers_beyond_f64)),
        ("top_level", text(&notes.top_level)),
    ];
    for (name, value) in noted {
        if let Some(value) = value {
            writeln!(out, "  note       {name}: {value}")?;
        }
    }
    Ok(())
}

fn write_kinds(result: &AstResult<'_>, out: &mut Lines<'_>) -> io::Result<()> {
    if result.nodes == 0 {
        return Ok(());
    }
    let by = result.kind_field.as_ref().map_or_else(String::new, |field| format!(", named by {field}"));
    writeln!(out, "  kinds      {}{by}", result.kinds.len())?;
    for (kind, count) in result.kinds.iter().take(KINDS_SHOWN) {
        writeln!(out, "    {count:>7}  {kind}")?;
    }
    let not_shown: u32 = result.kinds.iter().skip(KINDS_SHOWN).map(|(_, count)| count).sum();
    let rest = not_shown + result.kinds_omitted;
    if rest > 0 {
        writeln!(out, "    {rest:>7}  in further kinds")?;
    }
    Ok(())
}

/// Prints each symbol indented below the one that prefixes its qualified name.
fn write_symbols(result: &AstResult<'_>, out: &mut Lines<'_>) -> io::Result<()> {
    let total = result.totals.unwrap_or_default().symbols;
    writeln!(out, "  symbols    {total}")?;
    let mut around: Vec<&str> = Vec::new();
    for symbol in result.symbols.iter().flatten().take(SYMBOLS_SHOWN) {
        while around.last().is_some_and(|outer| inner_name(outer, symbol).is_none()) {
            around.pop();
        }
        let name = around.last().and_then(|outer| inner_name(outer, symbol));
        let name = name.unwrap_or(&symbol.qualified_name);
        let indent = "  ".repeat(around.len());
        let named = format!("{indent}{} {name}", symbol.kind);
        writeln!(out, "    {:<44} {}", named, details(symbol).trim_end())?;
        if !matches!(&*symbol.kind, "variable" | "constant") {
            around.push(&symbol.qualified_name);
        }
    }
    more(total, SYMBOLS_SHOWN, out)
}

fn write_imports(result: &AstResult<'_>, out: &mut Lines<'_>) -> io::Result<()> {
    let total = result.totals.unwrap_or_default().imports;
    writeln!(out, "  imports    {total}")?;
    for import in result.imports.iter().flatten().take(IMPORTS_SHOWN) {
        let module = named(&import.module, import.alias.as_deref());
        let names = import.names.iter().take(NAMES_SHOWN);
        let mut names: Vec<_> = names.map(|name| named(&name.name, name.alias.as_deref())).collect();
        if import.names.len() > NAMES_SHOWN {
            names.push(format!("and {} more", import.names.len() - NAMES_SHOWN));
        }
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        let line = import.line.map_or_else(String::new, |line| format!("line {line}"));
        writeln!(out, "    {line:<10} {module}{names}")?;
    }
    more(total, IMPORTS_SHOWN, out)
}

fn write_calls(result: &AstResult<'_>, out: &mut Lines<'_>) -> io::Result<()> {
    let mut rest = result.totals.unwrap_or_default().calls;
    writeln!(out, "  calls      {rest}")?;
    for call in result.calls.iter().flatten().take(CALLS_SHOWN) {
        let from = call.caller.as_ref().map_or_else(String::new, |caller| format!("  from {caller}"));
        writeln!(out, "    {:>7}  {}{from}", call.count, call.callee)?;
        rest = rest.saturating_sub(call.count);
    }
    if rest > 0 {
        writeln!(out, "    {rest:>7}  more")?;
    }
    Ok(())
}

/// Formats lines, complexity, and other known facts.
fn details(symbol: &AstSymbol<'_>) -> String {
    let lines = match (symbol.line, symbol.end_line) {
        (Some(line), Some(end)) if end != line => format!("lines {line}-{end}"),
        (Some(line), _) => format!("line {line}"),
        (None, _) => String::new(),
    };
    let complexity = symbol.complexity.map_or_else(String::new, |value| format!("complexity {value}"));
    let mut words: Vec<&str> = symbol.visibility.as_deref().into_iter().collect();
    words.extend(symbol.is_async.then_some("async"));
    words.extend(symbol.is_static.then_some("static"));
    format!("{lines:<17} {complexity:<14} {}", words.join(" "))
}

fn named(name: &str, alias: Option<&str>) -> String {
    alias.map_or_else(|| name.to_owned(), |alias| format!("{name} as {alias}"))
}

/// Returns a symbol's name within another one's, if it is inside.
fn inner_name<'a>(outer: &str, symbol: &'a AstSymbol<'_>) -> Option<&'a str> {
    symbol.qualified_name.strip_prefix(outer)?.strip_prefix('.')
}

fn more(total: u32, shown: usize, out: &mut Lines<'_>) -> io::Result<()> {
    let total = total as usize;
    if total > shown {
        writeln!(out, "             {} more: --format json lists what a record lists", total - shown)?;
    }
    Ok(())
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The file, under any name
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) flags: Flags<OfInspect>,
}
