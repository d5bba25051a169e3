//! The tables of commands, flags, exit codes, fields, classes, paths and metrics are the program's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;

use super::page::{Page, code, project};
use super::settings::settings;
use crate::support::{Background, Client, Sandbox, outlast, ran};

type Names = BTreeSet<String>;

const COMMANDS: &str = "| command | what it does | its flags beside settings |";

fn help(words: &[&str]) -> String {
    ran(outlast().args(words).arg("--help")).expect(0).text()
}

/// The commands that a help lists.
fn commands(help: &str) -> Names {
    let section = help.split("\nCommands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = section.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// The flags of a command that are neither settings nor common to all commands.
fn own_flags(words: &[&str]) -> Names {
    let common = ["help", "version", "config", "profile", "format"];
    let rows = settings("");
    let of_settings: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row["key"].as_str())
        .chain(common)
        .filter(|key| *key != "root")
        .collect();
    let help = help(words);
    let flags =
        help.lines().filter_map(|line| line.trim_start().trim_start_matches("-h, ").strip_prefix("--"));
    // Each of these sets several settings, or is another flag elsewhere.
    let of_some = ["limit <NAME=N>", "retry <CLASS=", "root <NAME=PATH>"];
    let single = flags.filter(|flag| !of_some.iter().any(|begin| flag.starts_with(begin)));
    let names = single.filter_map(|rest| rest.split([' ', '=']).next());
    names.filter(|name| !of_settings.contains(name)).map(|name| format!("--{name}")).collect()
}

/// The spans of code in a cell.
fn spans(cell: &str) -> Names {
    code(cell).map(str::to_owned).collect()
}

/// The first words of the spans of code in a cell.
fn first_words(cell: &str) -> Names {
    code(cell).filter_map(|span| span.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_tables_of_commands_have_every_command_and_flag() {
    let names = commands(&help(&[]));
    let guide = Page::guide("commands").table(COMMANDS);
    let readme = Page::read("README.md").table("| command | what it does |");
    assert_eq!(names, guide.iter().flat_map(|row| first_words(&row[0])).collect());
    assert_eq!(names, readme.iter().flat_map(|row| first_words(&row[0])).collect());
    for row in guide {
        let command = first_words(&row[0]).into_iter().next().unwrap();
        // Those of its own commands are elsewhere.
        if !["ctl", "config"].contains(&command.as_str()) {
            assert_eq!(own_flags(&[&command]), spans(&row[2]), "{command}");
        }
    }
    for command in commands(&help(&["config"])) {
        assert_eq!(own_flags(&["config", &command]), Names::new(), "config {command}");
    }
}

#[test]
fn the_table_of_orders_has_every_order_and_flag() {
    let rows = Page::guide("watching").table("| order | what it does | for `run`, too |");
    let of_rows: BTreeMap<String, String> =
        rows.iter().map(|row| (first_words(&row[0]).into_iter().next().unwrap(), row.join(" "))).collect();
    assert_eq!(commands(&help(&["ctl"])), of_rows.keys().cloned().collect());
    for (order, text) in of_rows {
        let missing: Vec<_> =
            own_flags(&["ctl", &order]).into_iter().filter(|flag| !text.contains(flag)).collect();
        assert!(missing.is_empty(), "{order}: {missing:?}");
    }
}

#[test]
fn the_table_of_exit_codes_has_every_code() {
    let help = help(&[]);
    let section = help.split("\nExit codes:\n").nth(1).unwrap();
    let codes = section.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let codes: Names = codes.filter(|code| !code.is_empty()).map(str::to_owned).collect();
    let rows = Page::guide("commands").table("| code | meaning |");
    let documented = rows.iter().flat_map(|row| row[0].split(", ").map(str::to_owned));
    assert_eq!(codes, documented.collect());
}

#[test]
fn the_table_of_the_summary_has_every_field() {
    let sandbox = Sandbox::with(&[("a.ast.json", "{}")]);
    let summary = sandbox.run_ok(&[]);
    let fields: Names = summary.as_object().unwrap().keys().cloned().collect();
    let rows = Page::guide("commands").table("| field | what it says |");
    assert_eq!(fields, rows.iter().flat_map(|row| spans(&row[0])).collect());
}

#[test]
fn the_table_of_the_state_has_every_entry() {
    let sandbox = Sandbox::with(&[("a.ast.json", "{}")]);
    sandbox.run_ok(&[]);
    let rows = Page::guide("state").table("| in it | what it is |");
    let documented: Names = rows.iter().flat_map(|row| spans(&row[0])).collect();
    for entry in fs::read_dir(&sandbox.state).unwrap() {
        let entry = entry.unwrap();
        let slash = if entry.path().is_dir() { "/" } else { "" };
        let name = entry.file_name().into_string().unwrap() + slash;
        assert!(documented.contains(&name), "{name}");
    }
}

#[test]
fn the_table_of_classes_has_every_class() {
    let rows = Page::guide("failures").table("| class | what happened |");
    let documented: Names = rows.iter().flat_map(|row| spans(&row[0])).collect();
    let classes = outlast::ErrorClass::ALL.map(|class| class.as_str().to_owned());
    assert_eq!(documented, classes.into());
}

#[test]
fn the_table_of_paths_has_every_route() {
    let routes = fs::read_to_string(project().join("src/service/http/routes.rs")).unwrap();
    let routes = routes.split(".route(\"").skip(1).map(|rest| {
        let (path, rest) = rest.split_once("\", ").unwrap();
        let (method, _) = rest.split_once('(').unwrap();
        format!("{} {path}", method.to_uppercase())
    });
    let rows = Page::guide("http").table("| path | answers with |");
    let documented = rows.iter().flat_map(|row| spans(&row[0]));
    let documented: Names = documented.map(|span| span.split('?').next().unwrap().to_owned()).collect();
    assert_eq!(routes.collect::<Names>(), documented);
}

/// The rows that `/metrics` makes: name, type, labels, help.
fn metrics(text: &str) -> BTreeMap<String, [String; 3]> {
    let mut rows = BTreeMap::new();
    let (mut name, mut row) = (String::new(), [const { String::new() }; 3]);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (new, help) = rest.split_once(' ').unwrap();
            (name, row) = (new.to_owned(), [String::new(), String::new(), help.to_owned()]);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            row[0] = rest.split_once(' ').unwrap().1.to_owned();
        } else if let Some((labels, _)) = line.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
            let labels = labels.split("\",").filter_map(|label| label.split_once('='));
            row[1] = labels.map(|(label, _)| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        }
        rows.insert(name.clone(), row.clone());
    }
    rows
}

#[test]
fn the_table_of_metrics_is_the_programs() {
    let sandbox = Sandbox::with(&[("a.ast.json", "{}")]);
    sandbox.run_ok(&[]);
    ran(&mut sandbox.command(["records", "--consumer", "next", "--commit", "1:0"])).expect(0);
    let mut command = sandbox.command(["watch", "--listen", "127.0.0.1:0"]);
    let mut watch = Background::start(command.arg(&sandbox.root));
    let address = watch.says("outlast: serving http://");
    let client = Client(address.trim_end_matches('/').parse::<SocketAddr>().unwrap());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while client.get("/readyz").status != 200 {
        assert!(std::time::Instant::now() < deadline, "it is not ready");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let text = client.get("/metrics").expect(200).text;
    let rows = Page::guide("http").table("| metric | type | labels | meaning |");
    let documented = rows.into_iter().map(|row| {
        let [name, kind, labels, help] = row.try_into().unwrap();
        (code(&name).next().unwrap().to_owned(), [kind, labels, help])
    });
    assert_eq!(metrics(&text), documented.collect());
}

#[test]
fn the_table_of_a_collectors_metrics_has_every_one() {
    let source = fs::read_to_string(project().join("src/cli/setup/otel.rs")).unwrap();
    let names = source.split('"').filter(|text| text.starts_with("outlast."));
    let rows = Page::guide("service").table("| metric | what it counts |");
    assert_eq!(
        names.map(str::to_owned).collect::<Names>(),
        rows.iter().flat_map(|row| spans(&row[0])).collect()
    );
}
