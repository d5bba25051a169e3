//! The tables and examples of settings have every setting.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::page::{Page, project};
use crate::support::{Sandbox, ran};

/// Every setting as the program tells it, with this file in the current folder.
pub(super) fn settings(file: &str) -> Vec<Value> {
    let sandbox = Sandbox::new();
    fs::write(sandbox.dir.path().join("outlast.toml"), file).unwrap();
    let mut command = crate::support::outlast();
    // Named, for one that was merely found must not say what is run.
    let arguments = ["config", "show", "--format", "json", "--config", "outlast.toml"];
    command.current_dir(sandbox.dir.path()).args(arguments);
    ran(&mut command).expect(0).json()["settings"].as_array().unwrap().clone()
}

fn text<'a>(row: &'a Value, member: &str) -> &'a str {
    row[member].as_str().unwrap()
}

/// What the table on the page says of a setting. The classes of failures share three lines.
fn line_of(row: &Value) -> String {
    let (key, about, limits) = (text(row, "key"), text(row, "about"), text(row, "limits"));
    let default = match &row["default"] {
        Value::String(text) => text.clone(),
        Value::Number(_) if key == "workers" => "the cores".to_owned(),
        // Or the cores, of which the machine that this runs on may have more.
        Value::Number(_) if key == "workers-max" => "64".to_owned(),
        Value::Null | Value::Array(_) => String::new(),
        other => other.to_string(),
    };
    match key.strip_prefix("retry.").and_then(|rest| rest.split_once('.')) {
        Some((_, "attempts")) => {
            format!("| `retry.CLASS.attempts` | {about} | by class | 1 to 100 attempts |")
        }
        Some((_, part)) => format!("| `retry.CLASS.{part}` | {about} | {default} | {limits} |"),
        None => format!("| `{key}` | {about} | {default} | {limits} |"),
    }
}

#[test]
fn the_table_of_settings_is_the_programs() {
    let page = Page::guide("configuration");
    let documented: BTreeSet<&str> = page.text.lines().filter(|line| line.starts_with("| `")).collect();
    let rows = settings("");
    let wanted: Vec<String> = rows.iter().map(line_of).collect();
    assert_eq!(documented, wanted.iter().map(String::as_str).collect());
}

#[test]
fn the_example_of_a_configuration_has_every_setting_with_its_default() {
    let example = fs::read_to_string(project().join("data/outlast.toml")).unwrap();
    assert!(settings(&example).iter().all(|row| row["origin"] == "default"), "as it is, it sets nothing");
    // A setting or table that is commented out has no space behind the mark.
    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting.to_owned() + "\n",
        _ => String::new(),
    };
    let all: String = example.lines().map(uncommented).collect();
    for row in settings(&all) {
        let key = text(&row, "key");
        assert!(text(&row, "origin").contains("outlast.toml:"), "{key} is not in it");
        let is_example = [
            "root",
            "priority",
            "workers",
            "workers-max",
            "include",
            "exclude",
            "shard",
            "out",
            "max-failures",
            "log-file",
            "every",
            "cron",
            "listen",
            "consumer-keep",
            "token-file",
            "exec",
            "processor-version",
            "exec-recycle",
            "exec-memory",
        ]
        .contains(&key);
        let is_default =
            row["value"] == row["default"] || (key == "state" && text(&row, "value").ends_with("/.outlast"));
        assert!(is_default || is_example, "{key} is {} and by default {}", row["value"], row["default"]);
        if !key.starts_with("retry.") || key.starts_with("retry.io-transient.") {
            let comment = format!("# {}.\n# Value: {}.\n", text(&row, "about"), text(&row, "limits"));
            assert!(example.contains(&comment), "{key}: no {comment:?}");
        }
    }
}

#[test]
fn the_profiles_of_the_example_can_be_chosen() {
    let example = fs::read_to_string(project().join("data/outlast.toml")).unwrap();
    let from = example.find("#[profile.shared]").unwrap();
    let profiles = example[from..].replace("\n#", "\n").split_off(1);
    let sandbox = Sandbox::with(&[("a.ast.json", "{}")]);
    fs::write(sandbox.dir.path().join("outlast.toml"), profiles).unwrap();
    let chosen = ["--profile", "nightly"];
    let shown = ran(sandbox.command(["config", "show", "--format", "json"]).args(chosen)).expect(0).json();
    assert_eq!(shown["profiles"], serde_json::json!(["nightly", "shared"]));
    for (key, value, profile) in [
        ("memory-limit", "488MiB", "shared"),
        ("workers", "2", "nightly"),
        ("retry.timeout.attempts", "3", "nightly"),
    ] {
        let row = shown["settings"].as_array().unwrap().iter().find(|row| row["key"] == key).unwrap();
        assert!(text(row, "origin").ends_with(&format!("[profile.{profile}]")), "{row}");
        assert_eq!(row["value"].to_string().trim_matches('"'), value, "{row}");
    }
    sandbox.run_ok(&chosen);
}
