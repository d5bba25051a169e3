//! The rules of the crate's structure, held by reading its source.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use imports::Imports;

/// Each room's layer. A room sees the layers below its own and nothing else.
const LAYERS: [(&str, u8); 10] = [
    ("model", 1),
    ("source", 2),
    ("batch", 2),
    ("process", 2),
    ("ledger", 2),
    ("sink", 2),
    ("engine", 3),
    ("service", 4),
    ("async_api", 4),
    ("cli", 5),
];
/// Crates that are named in one place only, or in those of their rows.
const OWNED: [(&str, &str); 24] = [
    ("sled", "ledger/database/"),
    ("bincode", "ledger/"),
    ("crossbeam_deque", "engine/workers/pool/"),
    ("notify", "source/watch/"),
    ("parquet", "sink/export/"),
    ("globset", "model/rules/"),
    ("tokio", "service/"),
    ("tokio", "async_api/"),
    ("axum", "service/http/"),
    ("hyper", "service/http/"),
    ("hyper_util", "service/http/"),
    ("signal_hook", "service/"),
    ("toml", "service/settings/"),
    ("strsim", "service/settings/"),
    ("clap", "cli/"),
    ("anyhow", "cli/"),
    ("indicatif", "cli/"),
    ("tracing_subscriber", "cli/"),
    ("croner", "service/schedule/"),
    ("sd_notify", "service/systemd.rs"),
    ("opentelemetry", "cli/setup/otel.rs"),
    ("opentelemetry_otlp", "cli/setup/otel.rs"),
    ("opentelemetry_sdk", "cli/setup/otel.rs"),
    ("tracing_opentelemetry", "cli/setup/otel.rs"),
];
const LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 60;
/// Files in one folder.
const FILES_MAX: usize = 15;

/// The engine's rooms, top to bottom: none imports from one above.
const ENGINE: [&str; 20] = [
    "run",
    "coordinator",
    "watch",
    "edit",
    "query",
    "discovery",
    "dispatch",
    "commit",
    "workers",
    "compaction",
    "consumers",
    "job_plan",
    "roots",
    "store",
    "command",
    "stats",
    "resources",
    "lifecycle",
    "stop",
    "error",
];

/// Where modules may import each other: below these, for this reason.
const CYCLES: [(&str, &[&str]); 2] = [
    (
        "what tells a document's dialect are the words of all dialects, and each reads documents; a grammar recurses",
        &["process::ast::detect", "process::ast::dialect", "process::ast::extract"],
    ),
    (
        "a new state folder is made with its ledger in it, and hands it out",
        &["ledger::commit", "ledger::folder"],
    ),
];

/// A source file: its path below `src`, and its text without comments.
struct Source {
    path: String,
    lines: usize,
    code: String,
}

impl Source {
    fn read(src: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>();
        let path = path.strip_prefix(src).unwrap().to_str().unwrap().to_owned();
        Self { path, lines: text.lines().count(), code: code.join("\n") }
    }

    /// The room, or none for the roots of the two crates.
    fn room(&self) -> Option<&str> {
        self.path.split_once('/').map(|(room, _)| room)
    }

    /// Whether a crate is named.
    fn names(&self, krate: &str) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '$');
        let path = format!("{krate}::");
        self.code.contains(&format!("use {krate};"))
            || self.code.match_indices(&path).any(|(at, _)| !self.code[..at].ends_with(is_word))
    }
}

fn sources() -> Vec<Source> {
    let src = folder("src");
    let (mut folders, mut found) = (vec![src.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(extension) if extension == "rs" => found.push(Source::read(&src, &path)),
                _ => {}
            }
        }
    }
    assert!(found.len() > 50, "the source was not found");
    found
}

#[track_caller]
fn assert_none(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn a_room_imports_only_from_lower_layers() {
    let layers = BTreeMap::from(LAYERS);
    let layer = |room: &str| *layers.get(room).unwrap_or_else(|| panic!("{room} has no layer"));
    let mut broken = Vec::new();
    for (from, to) in Imports::of(&folder("src")).each() {
        // What the roots of the two crates import, they may.
        let (Some(room), Some(other)) = (from.first(), to.first()) else { continue };
        if room != other && layer(room) <= layer(other) {
            broken.push(format!("{} imports from {}", from.join("::"), to.join("::")));
        }
    }
    let outside = sources().into_iter().filter(|source| source.code.contains("outlast::"));
    let outside = outside.filter(|source| source.room().is_some_and(|room| room != "cli"));
    broken
        .extend(outside.map(|s| format!("{}: only the command line sees the library from outside", s.path)));
    assert_none(broken);
}

#[test]
fn a_heavy_crate_is_named_in_one_room() {
    let mut broken = Vec::new();
    let belongs = |name, path: &str| OWNED.iter().any(|row| row.0 == name && path.starts_with(row.1));
    for source in sources() {
        for (name, place) in OWNED {
            if source.names(name)
                && !belongs(name, &source.path)
                && !(name == "bincode" && source.path.starts_with("model/"))
            {
                broken.push(format!("{}: names {name}, which belongs in {place}", source.path));
            }
        }
    }
    assert_none(broken);
}

#[test]
fn no_file_is_too_long_to_read() {
    let long = sources().into_iter().filter(|source| source.lines > LINES_MAX);
    assert_none(long.map(|source| format!("{}: {} lines", source.path, source.lines)).collect());
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let mut long = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.code.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("fn ")) {
            let indent = &line[..line.len() - line.trim_start().len()];
            let end = format!("{indent}}}");
            let len = lines[at..].iter().position(|line| line.trim_end() == end).map_or(0, |len| len + 1);
            if len > FUNCTION_LINES_MAX && ends_in_body(line, &lines[at + 1..]) {
                long.push(format!("{}:{}: {len} lines", source.path, at + 1));
            }
        }
    }
    assert_none(long);
}

/// Whether a line with `fn` begins a function with a body of several lines.
fn ends_in_body(line: &str, behind: &[&str]) -> bool {
    let head = std::iter::once(&line).chain(behind).take_while(|line| !line.trim_end().ends_with(';'));
    head.map(|line| line.trim_end())
        .find(|line| line.ends_with('{') || line.ends_with('}'))
        .is_some_and(|line| line.ends_with('{'))
}

#[test]
fn a_name_stands_for_one_type() {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources().into_iter().filter(|source| !source.path.contains("/tests")) {
        for line in source.code.lines() {
            let item = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub "));
            let Some((kind, rest)) = item.and_then(|item| item.split_once(' ')) else { continue };
            if matches!(kind, "struct" | "enum" | "trait" | "type" | "union") {
                let name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                types.entry(name.to_owned()).or_default().push(source.path.clone());
            }
        }
    }
    let twice = types.iter().filter(|(_, paths)| paths.len() > 1);
    assert_none(twice.map(|(name, paths)| format!("{name} is defined in {}", paths.join(" and "))).collect());
}

#[test]
fn a_lint_that_is_set_aside_has_to_fire() {
    let set_aside =
        sources().into_iter().filter(|s| s.code.contains("#[allow(") || s.code.contains("#![allow("));
    assert_none(set_aside.map(|source| format!("{}: use #[expect(..., reason)]", source.path)).collect());
}

/// What is printed elsewhere would pass by what keeps it from steering a terminal.
#[test]
fn one_file_of_the_command_writes_to_stdout_and_stderr() {
    let writes = ["io::stdout", "io::stderr", "println!", "print!"];
    let others = sources().into_iter().filter(|source| {
        source.path.starts_with("cli/")
            && source.path != "cli/output/terminal.rs"
            && writes.iter().any(|name| source.code.contains(name))
    });
    assert_none(
        others.map(|source| format!("{}: prints past cli/output/terminal.rs", source.path)).collect(),
    );
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_engines_rooms_import_downwards_only() {
    let rank = |room: &str| ENGINE.iter().position(|known| *known == room);
    let imports = Imports::of(&folder("src"));
    let mut broken = Vec::new();
    for (from, to) in imports.each() {
        let ([top, room, ..], [other, lower, ..]) = (from.as_slice(), to.as_slice()) else { continue };
        if top != "engine" || other != "engine" || room == lower {
            continue;
        }
        match (rank(room), rank(lower)) {
            (Some(above), Some(below)) if above < below => {}
            _ => broken.push(format!("{} imports from {}", from.join("::"), to.join("::"))),
        }
    }
    assert_none(broken);
}

#[test]
fn the_page_on_architecture_lists_the_rooms_in_order() {
    let page = fs::read_to_string(folder("src/guide/architecture.md")).unwrap();
    let cells = |head: &str| -> Vec<Vec<String>> {
        let rows = page.lines().skip_while(|line| !line.starts_with(head)).skip(2);
        let rows = rows.take_while(|line| line.starts_with('|'));
        rows.map(|row| row.split('|').map(|cell| cell.trim().replace('`', "")).collect()).collect()
    };
    let engine: Vec<String> = cells("| room | does |").into_iter().map(|row| row[1].clone()).collect();
    assert_eq!(engine, ENGINE);
    let rooms: BTreeMap<String, u8> = cells("| layer | room |")
        .into_iter()
        .filter_map(|row| {
            Some((row[2].rsplit(", ").next()?.trim_end_matches('/').to_owned(), row[1].parse().ok()?))
        })
        .collect();
    assert_eq!(rooms, LAYERS.map(|(room, layer)| (room.to_owned(), layer)).into());
}

#[test]
fn no_modules_import_each_other_but_those_that_are_named() {
    let mut cycles = Imports::of(&folder("src")).cycles();
    cycles.extend(Imports::of(&folder("benches")).cycles());
    let fits = |cycle: &BTreeSet<String>, places: &[&str]| {
        cycle.iter().all(|module| places.iter().any(|place| module.starts_with(place)))
    };
    let is_named = |cycle: &BTreeSet<String>| CYCLES.iter().any(|(_, places)| fits(cycle, places));
    let new = cycles.iter().filter(|cycle| !is_named(cycle));
    assert_none(new.map(|cycle| format!("these import each other: {cycle:?}")).collect());
    let old = CYCLES.iter().filter(|(_, places)| !cycles.iter().any(|cycle| fits(cycle, places)));
    assert_none(old.map(|(reason, _)| format!("no longer: {reason}")).collect());
}

#[test]
fn a_folder_can_be_taken_in_at_a_glance() {
    let mut entries: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        let parts: Vec<&str> = source.path.split('/').collect();
        for at in 0..parts.len() {
            entries.entry(parts[..at].join("/")).or_default().insert(parts[at].to_owned());
        }
        if let [.., above, name] = parts.as_slice()
            && name.strip_suffix(".rs") == Some(*above)
        {
            panic!("{}: what a room is named for stands in its `mod.rs`", source.path);
        }
    }
    let files = |names: &BTreeSet<String>| names.iter().filter(|name| name.ends_with(".rs")).count();
    let wide = entries.iter().filter(|(_, names)| files(names) > FILES_MAX);
    assert_none(wide.map(|(path, names)| format!("{path}: {} files", files(names))).collect());
}
