//! `/metrics`, read by a parser of the format that knows nothing of who writes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{HOSTILE, idle, paused};

/// Samples by their name and labels.
pub(super) type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Reads an exposition in the text format 0.0.4; anything that the format does not allow is an error.
pub(super) fn parse(text: &str) -> Result<Samples, String> {
    let mut samples = Samples::new();
    let mut families = BTreeSet::new();
    let mut family: Option<(String, Option<String>)> = None;
    let body = text.strip_suffix('\n').ok_or("the last line has no end")?;
    for line in body.split('\n') {
        let wrong = |what: &str| format!("{what}: {line:?}");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or_else(|| wrong("no help"))?;
            unescaped(help, false).ok_or_else(|| wrong("escapes"))?;
            if help.is_empty() || !families.insert(name.to_owned()) {
                return Err(wrong("a second time, or no help"));
            }
            family = Some((name.to_owned(), None));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or_else(|| wrong("no type"))?;
            match &mut family {
                Some((of, known @ None)) if of == name => *known = Some(kind.to_owned()),
                _ => return Err(wrong("a type without its help")),
            }
            let is_counter = name.ends_with("_total");
            match kind {
                "counter" if is_counter => {}
                "gauge" if !is_counter => {}
                _ => return Err(wrong("name and type differ")),
            }
        } else {
            let (name, labels, value) = sample(line).ok_or_else(|| wrong("no sample"))?;
            match &family {
                Some((of, Some(_))) if *of == name => {}
                _ => return Err(wrong("a sample outside of its family")),
            }
            if samples.insert((name, labels), value).is_some() {
                return Err(wrong("twice"));
            }
        }
    }
    Ok(samples)
}

fn sample(line: &str) -> Option<(String, BTreeMap<String, String>, f64)> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, behind) = rest.split_once("=\"")?;
            let close = closing_quote(behind)?;
            let value = unescaped(&behind[..close], true)?;
            if !is_name(label) || label.contains(':') || labels.insert(label.to_owned(), value).is_some() {
                return None;
            }
            rest = &behind[close + 1..];
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None => break,
            }
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = rest.strip_prefix(' ')?;
    let value = if value.contains([' ', '+']) { None } else { value.parse::<f64>().ok() }?;
    is_name(name).then(|| (name.to_owned(), labels, value))
}

fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

fn unescaped(text: &str, quoted: bool) -> Option<String> {
    let (mut plain, mut rest) = (String::new(), text.chars());
    while let Some(c) = rest.next() {
        match c {
            '\\' => plain.push(match rest.next()? {
                '\\' => '\\',
                'n' => '\n',
                '"' if quoted => '"',
                _ => return None,
            }),
            c => plain.push(c),
        }
    }
    Some(plain)
}

pub(super) fn value(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> f64 {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let key = (format!("outlast_{name}"), labels);
    *samples.get(&key).unwrap_or_else(|| panic!("no {key:?} in {:?}", samples.keys()))
}

#[test]
fn the_parser_is_strict() {
    let sound = "# HELP a_total A\n# TYPE a_total counter\na_total{x=\"\\\"}\",y=\"\"} 1.5\na_total 2\n";
    assert_eq!(parse(sound).unwrap().len(), 2);
    for (from, to) in [
        ("a_total 2\n", "a_total 2"),
        ("a_total 2", "a_total  2"),
        ("a_total 2", "b_total 2"),
        ("a_total 2", "a_total{x=\"\\\"}\",y=\"\"} 2"),
        ("x=", "1x="),
        ("\\\"", "\\x"),
        ("counter", "gauge"),
        ("# TYPE a_total counter\n", ""),
        ("a_total 2", "a_total two"),
        ("y=\"\"", "x=\"\""),
        ("A\n", "A\n\n"),
    ] {
        let broken = sound.replacen(from, to, 1);
        assert!(broken != sound && parse(&broken).is_err(), "{broken}");
    }
}

#[test]
fn metrics_are_well_formed_and_agree_with_the_status() {
    let (sandbox, _run, client) = paused();
    let reply = client.get("/metrics").expect(200);
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let samples = parse(&reply.text).unwrap();
    assert!(samples.keys().all(|(name, _)| name.starts_with("outlast_")));
    let status = sandbox.status();
    let (running, total) = (&status["running"], &status["total"]);
    let agree = |name: &str, labels: &[(&str, &str)], told: &Value| {
        assert_eq!(Some(value(&samples, name, labels)), told.as_f64(), "{name}");
    };
    agree("pending_files", &[], &running["pending"]);
    agree("pending_bytes", &[], &running["pending_bytes"]);
    agree("in_flight_files", &[], &running["in_flight"]);
    agree("ticks_total", &[], &running["cursor"]["tick"]);
    agree("batches_total", &[], &running["batches"]);
    agree("read_bytes_total", &[], &running["bytes"]);
    agree("processed_files_total", &[], &running["workers"][0]["files"]);
    agree("worker_files_total", &[("worker", "0")], &running["workers"][0]["files"]);
    for outcome in ["ok", "failed", "unchanged", "removed"] {
        agree("job_files", &[("outcome", outcome)], &running[outcome]);
    }
    for of in ["pending", "ok", "failed"] {
        agree("state_files", &[("status", of)], &total[of]);
    }
    agree("records_bytes", &[], &status["records_bytes"]);
    agree("memory_limit_bytes", &[], &running["memory"]["limit_bytes"]);
    assert_eq!(value(&samples, "failed_files", &[("class", "parse")]), 2.0);
    assert_eq!(value(&samples, "state", &[("state", "paused")]), 1.0);
    let states: f64 =
        samples.iter().filter(|((name, _), _)| name == "outlast_state").map(|(_, value)| value).sum();
    assert_eq!(states, 1.0);
    let closed = [("resource", "disk"), ("state", "closed")];
    assert_eq!((value(&samples, "breaker_state", &closed), value(&samples, "ready", &[])), (1.0, 0.0));
    assert_eq!(value(&samples, "build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
}

#[test]
fn no_label_says_where_files_are() {
    let (sandbox, _run, client) = paused();
    let text = client.get("/metrics").expect(200).text;
    let samples = parse(&text).unwrap();
    let labels: BTreeSet<&str> =
        samples.keys().flat_map(|(_, labels)| labels.keys().map(String::as_str)).collect();
    let known = ["class", "outcome", "resource", "state", "status", "version", "worker"];
    assert_eq!(labels, BTreeSet::from(known));
    let root = sandbox.root.file_name().unwrap().to_str().unwrap();
    assert!(samples.keys().all(|(_, labels)| labels.values().all(|of| !of.contains('/') && of != root)));
    assert!(!text.contains(&HOSTILE[..4]) && !text.contains(sandbox.root.to_str().unwrap()));
}

#[test]
fn without_a_run_there_are_still_metrics() {
    let (_served, client) = idle(None);
    let samples = parse(&client.get("/metrics").expect(200).text).unwrap();
    assert_eq!(value(&samples, "state", &[("state", "idle")]), 1.0);
}
