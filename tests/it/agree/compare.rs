//! What two results tell of one source, held against each other.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{About, Difference};

/// Things by what they are called, each with what is told of it.
type Told = BTreeMap<String, Vec<String>>;

/// All in which a parser's result differs from the first one's.
pub(super) fn differences(
    source: &str,
    parser: &'static str,
    first: &Value,
    other: &Value,
    compared: fn(&str) -> &str,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut note = |about, what: &str, first: String, other: String| {
        let (source, what) = (source.to_owned(), what.to_owned());
        found.push(Difference { source, parser, about, what, first, other });
    };
    symbols(first, other, &mut note);
    listed(About::Import, imports(first), imports(other), &mut note);
    listed(About::Calls, calls(first, compared), calls(other, compared), &mut note);
    found
}

/// Symbols of one kind and qualified name are compared in the order of their lines.
fn symbols(first: &Value, other: &Value, note: &mut impl FnMut(About, &str, String, String)) {
    let mut pairs: BTreeMap<String, [Vec<&Value>; 2]> = BTreeMap::new();
    for (side, result) in [first, other].into_iter().enumerate() {
        for symbol in members(result, "symbols") {
            let what = format!("{} {}", text(symbol, "kind"), text(symbol, "qualified_name"));
            pairs.entry(what).or_default()[side].push(symbol);
        }
    }
    for (what, [mut first, mut other]) in pairs {
        let has_lines = |symbols: &[&Value]| symbols.iter().all(|symbol| !symbol["line"].is_null());
        if !has_lines(&first) || !has_lines(&other) {
            // Nothing tells which of those that share a name is which.
            let words = |symbol: &&Value| told(symbol, &["async", "static", "visibility", "complexity"]);
            first.sort_by_key(words);
            other.sort_by_key(words);
        }
        if first.len() != other.len() {
            note(About::Symbol, &what, places(&first), places(&other));
            continue;
        }
        for (first, other) in first.into_iter().zip(other) {
            let mut differ = |about, names: &[&str], always: bool| {
                let (first, other) = (told(first, names), told(other, names));
                if first != other && (always || !first.is_empty() && !other.is_empty()) {
                    note(about, &what, first, other);
                }
            };
            differ(About::Lines, &["line", "end_line"], false);
            differ(About::Words, &["async", "static", "visibility"], true);
            differ(About::Complexity, &["complexity"], true);
        }
    }
}

/// How many there are, and at which lines.
fn places(symbols: &[&Value]) -> String {
    let lines: Vec<_> = symbols.iter().map(|symbol| told(symbol, &["line"])).collect();
    if lines.is_empty() { String::new() } else { format!("{} ({})", lines.len(), lines.join(", ")) }
}

/// Each import as a source would write it, with its lines.
fn imports(result: &Value) -> Told {
    let mut found = Told::new();
    for import in members(result, "imports") {
        let names: Vec<_> = members(import, "names").map(|name| aliased(name, "name")).collect();
        let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        let what = format!("import {}{names}", aliased(import, "module"));
        found.entry(what).or_default().push(told(import, &["line"]));
    }
    found
}

fn aliased(value: &Value, name: &str) -> String {
    let alias = value["alias"].as_str().map_or(String::new(), |alias| format!(" as {alias}"));
    format!("{}{alias}", text(value, name))
}

/// How often each symbol calls something.
fn calls(result: &Value, compared: fn(&str) -> &str) -> Told {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for call in members(result, "calls") {
        let callee = compared(text(call, "callee"));
        let what = format!("{} calls {callee}", call["caller"].as_str().unwrap_or("-"));
        *counts.entry(what).or_default() += call["count"].as_u64().unwrap();
    }
    counts.into_iter().map(|(what, count)| (what, vec![count.to_string()])).collect()
}

/// Notes what only one of them lists, or what they list otherwise. Lines count where both tell them.
fn listed(about: About, first: Told, mut other: Told, note: &mut impl FnMut(About, &str, String, String)) {
    for (what, first) in first {
        let other = other.remove(&what).unwrap_or_default();
        let is_told = |told: &[String]| told.iter().all(|one| !one.is_empty());
        let same =
            if is_told(&first) && is_told(&other) { first == other } else { first.len() == other.len() };
        if !same {
            note(about, &what, first.join(", "), other.join(", "));
        }
    }
    for (what, other) in other {
        note(about, &what, String::new(), other.join(", "));
    }
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The members of these names that are there.
fn told(value: &Value, names: &[&str]) -> String {
    let there = names.iter().filter(|name| !value[**name].is_null());
    there.map(|name| format!("{name} {}", value[*name]).replace('"', "")).collect::<Vec<_>>().join(" ")
}
