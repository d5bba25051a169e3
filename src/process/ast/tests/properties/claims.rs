//! What holds for every result, whatever the document.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Limits;

const KINDS: [&str; 10] = [
    "class",
    "constant",
    "enum",
    "function",
    "interface",
    "method",
    "module",
    "struct",
    "type_alias",
    "variable",
];
/// Maximum length of a name, in bytes.
const NAME_LEN_MAX: usize = 1_024;

/// Reads a result and checks its consistency.
pub(crate) fn check(text: &str, limits: &Limits) -> Value {
    assert!(!text.contains('\n'), "more than one line");
    let result: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON: {error}: {text}"));
    let confidence = result["confidence"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&confidence), "confidence {confidence}");
    assert_eq!(result["dialect"] == "generic", confidence == 0.0, "confidence {confidence}");
    assert!(!text_in(&result, "language").is_empty());
    check_kinds(&result, limits);
    check_symbols(&result, limits);
    check_imports(&result, limits);
    check_calls(&result, limits);
    result
}

fn list<'a>(result: &'a Value, name: &str) -> &'a [Value] {
    result[name].as_array().map(Vec::as_slice).unwrap()
}

fn text_in<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// Returns a line that is at least 1 and not beyond the last one; 0 if there is none.
fn line(result: &Value, value: &Value, name: &str) -> u64 {
    let Some(line) = value.get(name) else { return 0 };
    let line = line.as_u64().unwrap();
    let last = result["lines"].as_u64().unwrap_or(0);
    assert!((1..=last).contains(&line), "{name} beyond {last} in {value}");
    line
}

/// Checks that as many are listed as the limit allows, and that the total is how many there are.
fn check_total(result: &Value, name: &str, limit: usize) {
    let total = result["totals"][name].as_u64().unwrap();
    assert_eq!(list(result, name).len() as u64, total.min(limit as u64), "of {total} {name}");
}

fn check_sorted<K: Ord>(values: &[Value], what: &str, key: impl Fn(&Value) -> K) {
    let out_of_order = values.iter().zip(values.iter().skip(1)).find(|(one, next)| key(one) > key(next));
    assert!(out_of_order.is_none(), "{what} out of order: {out_of_order:?}");
}

fn check_kinds(result: &Value, limits: &Limits) {
    let kinds = result["kinds"].as_object().unwrap();
    let listed: u64 = kinds.values().map(|count| count.as_u64().unwrap()).sum();
    let omitted = result["kinds_omitted"].as_u64().unwrap_or(0);
    assert_eq!(listed + omitted, result["nodes"].as_u64().unwrap(), "{} kinds", kinds.len());
    assert!(kinds.len() <= limits.kinds && kinds.values().all(|count| count != 0));
    assert!(result["nodes"].as_u64() < result["values"].as_u64().map(|values| values + 1));
}

fn check_symbols(result: &Value, limits: &Limits) {
    let symbols = list(result, "symbols");
    check_total(result, "symbols", limits.symbols);
    let mut variables = BTreeSet::new();
    for symbol in symbols {
        let (kind, name, qualified) =
            (text_in(symbol, "kind"), text_in(symbol, "name"), text_in(symbol, "qualified_name"));
        assert!(KINDS.contains(&kind), "{symbol}");
        assert!(!name.is_empty() && name.len() <= NAME_LEN_MAX, "{symbol}");
        let complexity = symbol.get("complexity").map_or(1, |it| it.as_u64().unwrap());
        let callable = matches!(kind, "function" | "method");
        assert!(complexity > 0 && (callable || symbol.get("complexity").is_none()), "{symbol}");
        // A class model states both itself.
        if result["dialect"] != "class-model" {
            let before = qualified.strip_suffix(name);
            assert!(before.is_some_and(|before| before.is_empty() || before.ends_with('.')), "{symbol}");
            assert_eq!(callable, symbol.get("complexity").is_some(), "{symbol}");
        }
        line(result, symbol, "end_line");
        if matches!(kind, "variable" | "constant") {
            assert!(variables.insert((kind, qualified)), "twice: {symbol}");
        }
    }
    let key = |one: &Value| {
        (
            line(result, one, "line"),
            text_in(one, "qualified_name").to_owned(),
            text_in(one, "kind").to_owned(),
        )
    };
    check_sorted(symbols, "symbols", key);
}

fn check_imports(result: &Value, limits: &Limits) {
    let imports = list(result, "imports");
    check_total(result, "imports", limits.imports);
    for import in imports {
        assert!(!text_in(import, "module").is_empty(), "{import}");
        let names = list(import, "names");
        assert!(names.len() <= limits.imports);
        for name in names {
            assert!(!text_in(name, "name").is_empty(), "{import}");
        }
        for value in names.iter().chain([import]) {
            assert_ne!(value.get("alias"), Some(&Value::from("")), "{import}");
        }
    }
    check_sorted(imports, "imports", |one| (line(result, one, "line"), text_in(one, "module").to_owned()));
}

fn check_calls(result: &Value, limits: &Limits) {
    let calls = list(result, "calls");
    let count = |call: &Value| call["count"].as_u64().unwrap();
    let sites = calls.iter().map(count).sum::<u64>();
    let total = result["totals"]["calls"].as_u64().unwrap();
    if calls.len() < limits.calls {
        assert_eq!(sites, total, "call sites");
    }
    assert!(sites <= total && calls.len() <= limits.calls);
    let caller = |call: &Value| call.get("caller").map_or("", |_| text_in(call, "caller")).to_owned();
    let key = |call: &Value| (u64::MAX - count(call), caller(call), text_in(call, "callee").to_owned());
    check_sorted(calls, "calls", key);
    let pairs: BTreeSet<_> = calls.iter().map(|call| (caller(call), text_in(call, "callee"))).collect();
    assert_eq!(pairs.len(), calls.len(), "a pair of caller and callee twice");
    assert!(pairs.iter().all(|(_, callee)| !callee.is_empty()));
    // If all are listed, each caller is among them.
    let symbols = list(result, "symbols");
    if symbols.len() < limits.symbols {
        let known: BTreeSet<_> = symbols.iter().map(|symbol| text_in(symbol, "qualified_name")).collect();
        for call in calls.iter().filter(|call| call.get("caller").is_some()) {
            assert!(known.contains(text_in(call, "caller")), "no such symbol: {call}");
        }
    }
}

/// Checks that with low limits the lists are the beginnings of the full ones, and the totals stay.
pub(crate) fn check_cut(full: &Value, cut: &Value) {
    for name in ["dialect", "confidence", "language", "values", "depth", "nodes", "kind_field", "totals"] {
        assert_eq!(full[name], cut[name], "{name}");
    }
    for name in ["symbols", "calls"] {
        assert!(list(full, name).starts_with(list(cut, name)), "{name} with low limits");
    }
    for (full, cut) in list(full, "imports").iter().zip(list(cut, "imports")) {
        assert_eq!(full["module"], cut["module"]);
        assert!(list(full, "names").starts_with(list(cut, "names")), "{cut} of {full}");
    }
    let kinds = cut["kinds"].as_object().unwrap();
    assert!(kinds.iter().all(|(kind, count)| full["kinds"].get(kind) == Some(count)), "kinds");
}
