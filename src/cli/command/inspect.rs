//! `outlast inspect`: what the processor extracts from one file.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use outlast::engine::{self, Inspection};
use outlast::service::settings::Settings;
use outlast::{AstProcessor, FileError};
use serde::Deserialize;

use crate::cli::exit_code;
use crate::cli::options::flags::{Flags, OfInspect};
use crate::cli::options::global::{Format, Global};
use crate::cli::output::sanitize::show_place;
use crate::cli::output::terminal::{self, Lines};

/// How many items of each list are shown to people. JSON has all.
const KINDS_SHOWN: usize = 10;
const SYMBOLS_SHOWN: usize = 100;
const IMPORTS_SHOWN: usize = 30;
const NAMES_SHOWN: usize = 10;
const CALLS_SHOWN: usize = 15;

/// Runs `outlast inspect`.
pub(crate) fn inspect(global: &Global, args: &InspectArgs, settings: &Settings) -> Result<u8> {
    let processor = AstProcessor::with_limits(settings.limits());
    let seen = engine::inspect(&args.file, &processor, &settings.batch())?;
    let code = if seen.outcome.is_ok() { exit_code::DONE } else { exit_code::SOME_FAILED };
    terminal::code_of_printed(show(&seen, global.format), code)
}

fn show(seen: &Inspection, format: Format) -> Result<()> {
    match (&seen.outcome, format == Format::Json) {
        (Ok(result), true) => {
            let mut out = terminal::json_out();
            out.write_all(result)?;
            out.write_all(b"\n")?;
            Ok(out.flush()?)
        }
        (Err(error), true) => terminal::print_json(&serde_json::json!({ "error": error })),
        (Ok(result), false) => {
            let shown: Shown = serde_json::from_slice(result).context("the result is none of ast")?;
            terminal::print(|out| title(seen, out).and_then(|()| shown.write(out)))
        }
        (Err(error), false) => terminal::print(|out| failure(seen, error, out)),
    }
}

fn title(seen: &Inspection, out: &mut Lines<'_>) -> io::Result<()> {
    writeln!(out, "{}: {} bytes", seen.path.to_string_lossy(), seen.content.len())
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

/// The result as in a record.
#[derive(Deserialize)]
struct Shown {
    dialect: String,
    confidence: f64,
    language: String,
    values: u64,
    depth: u64,
    nodes: u64,
    kind_field: Option<String>,
    kinds: BTreeMap<String, u64>,
    #[serde(default)]
    kinds_omitted: u64,
    lines: Option<u64>,
    symbols: Vec<Symbol>,
    imports: Vec<Import>,
    calls: Vec<Call>,
    totals: Totals,
    #[serde(default)]
    notes: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Totals {
    symbols: usize,
    imports: usize,
    calls: u64,
}

#[derive(Deserialize)]
struct Symbol {
    kind: String,
    qualified_name: String,
    line: Option<u64>,
    end_line: Option<u64>,
    visibility: Option<String>,
    #[serde(default, rename = "async")]
    is_async: bool,
    #[serde(default, rename = "static")]
    is_static: bool,
    complexity: Option<u64>,
}

#[derive(Deserialize)]
struct Import {
    module: String,
    names: Vec<Name>,
    alias: Option<String>,
    line: Option<u64>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
    alias: Option<String>,
}

#[derive(Deserialize)]
struct Call {
    caller: Option<String>,
    callee: String,
    count: u64,
}

impl Shown {
    fn write(&self, out: &mut Lines<'_>) -> io::Result<()> {
        writeln!(out, "  dialect    {}, confidence {}", self.dialect, self.confidence)?;
        writeln!(out, "  language   {}", self.language)?;
        let lines = self.lines.map_or_else(String::new, |lines| format!(", up to line {lines}"));
        writeln!(
            out,
            "  counts     {} values, {} nodes, {} levels{lines}",
            self.values, self.nodes, self.depth
        )?;
        self.notes(out)?;
        self.kinds(out)?;
        self.symbols(out)?;
        self.imports(out)?;
        self.calls(out)
    }

    fn notes(&self, out: &mut Lines<'_>) -> io::Result<()> {
        for (name, value) in &self.notes {
            match value {
                serde_json::Value::Bool(true) => writeln!(out, "  note       {name}")?,
                serde_json::Value::String(text) => writeln!(out, "  note       {name}: {text}")?,
                value => writeln!(out, "  note       {name}: {value}")?,
            }
        }
        Ok(())
    }

    fn kinds(&self, out: &mut Lines<'_>) -> io::Result<()> {
        if self.nodes == 0 {
            return Ok(());
        }
        let by = self.kind_field.as_ref().map_or_else(String::new, |field| format!(", named by {field}"));
        writeln!(out, "  kinds      {}{by}", self.kinds.len())?;
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by(|a, b| b.1.cmp(a.1));
        for (kind, count) in kinds.iter().take(KINDS_SHOWN) {
            writeln!(out, "    {count:>7}  {}", kind)?;
        }
        let rest = kinds.iter().skip(KINDS_SHOWN).map(|(_, count)| **count).sum::<u64>() + self.kinds_omitted;
        if rest > 0 {
            writeln!(out, "    {rest:>7}  in further kinds")?;
        }
        Ok(())
    }

    /// Prints each symbol indented below the one that prefixes its qualified name.
    fn symbols(&self, out: &mut Lines<'_>) -> io::Result<()> {
        writeln!(out, "  symbols    {}", self.totals.symbols)?;
        let mut around: Vec<&str> = Vec::new();
        for symbol in self.symbols.iter().take(SYMBOLS_SHOWN) {
            while around.last().is_some_and(|outer| inner_name(outer, symbol).is_none()) {
                around.pop();
            }
            let name = around.last().and_then(|outer| inner_name(outer, symbol));
            let name = name.unwrap_or(&symbol.qualified_name);
            let indent = "  ".repeat(around.len());
            let named = format!("{indent}{} {name}", symbol.kind);
            writeln!(out, "    {:<44} {}", named, symbol.details().trim_end())?;
            if !matches!(symbol.kind.as_str(), "variable" | "constant") {
                around.push(&symbol.qualified_name);
            }
        }
        more(self.totals.symbols, SYMBOLS_SHOWN, out)
    }

    fn imports(&self, out: &mut Lines<'_>) -> io::Result<()> {
        writeln!(out, "  imports    {}", self.totals.imports)?;
        for import in self.imports.iter().take(IMPORTS_SHOWN) {
            let named = named(&import.module, import.alias.as_deref());
            let mut names: Vec<_> = import.names.iter().take(NAMES_SHOWN).map(Name::shown).collect();
            if import.names.len() > NAMES_SHOWN {
                names.push(format!("and {} more", import.names.len() - NAMES_SHOWN));
            }
            let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
            let line = import.line.map_or_else(String::new, |line| format!("line {line}"));
            writeln!(out, "    {line:<10} {named}{names}")?;
        }
        more(self.totals.imports, IMPORTS_SHOWN, out)
    }

    fn calls(&self, out: &mut Lines<'_>) -> io::Result<()> {
        writeln!(out, "  calls      {}", self.totals.calls)?;
        for call in self.calls.iter().take(CALLS_SHOWN) {
            let from = call.caller.as_ref().map_or_else(String::new, |caller| format!("  from {}", caller));
            writeln!(out, "    {:>7}  {}{from}", call.count, &call.callee)?;
        }
        let shown: u64 = self.calls.iter().take(CALLS_SHOWN).map(|call| call.count).sum();
        if self.totals.calls > shown {
            writeln!(out, "    {:>7}  more", self.totals.calls - shown)?;
        }
        Ok(())
    }
}

impl Symbol {
    /// Formats lines, complexity, and other known facts.
    fn details(&self) -> String {
        let lines = match (self.line, self.end_line) {
            (Some(line), Some(end)) if end != line => format!("lines {line}-{end}"),
            (Some(line), _) => format!("line {line}"),
            (None, _) => String::new(),
        };
        let complexity = self.complexity.map_or_else(String::new, |value| format!("complexity {value}"));
        let mut words: Vec<&str> = self.visibility.as_deref().into_iter().collect();
        words.extend(self.is_async.then_some("async"));
        words.extend(self.is_static.then_some("static"));
        format!("{lines:<17} {complexity:<14} {}", words.join(" "))
    }
}

impl Name {
    fn shown(&self) -> String {
        named(&self.name, self.alias.as_deref())
    }
}

fn named(name: &str, alias: Option<&str>) -> String {
    let alias = alias.map_or_else(String::new, |alias| format!(" as {}", alias));
    format!("{}{alias}", name)
}

/// Returns a symbol's name within another one's, if it is inside.
fn inner_name<'a>(outer: &str, symbol: &'a Symbol) -> Option<&'a str> {
    symbol.qualified_name.strip_prefix(outer)?.strip_prefix('.')
}

fn more(total: usize, shown: usize, out: &mut Lines<'_>) -> io::Result<()> {
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
