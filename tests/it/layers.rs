//! The rules of the crate's structure, held by reading its source.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room's layer. A room sees the layers below its own and nothing else.
const LAYERS: [(&str, u8); 9] = [
    ("model", 1),
    ("source", 2),
    ("batch", 2),
    ("process", 2),
    ("ledger", 2),
    ("sink", 2),
    ("engine", 3),
    ("service", 4),
    ("cli", 5),
];
/// Crates that are named in one place only.
const OWNED: [(&str, &str); 23] = [
    ("sled", "ledger/"),
    ("bincode", "ledger/"),
    ("crossbeam_deque", "engine/pool.rs"),
    ("notify", "source/watch/"),
    ("parquet", "sink/export/"),
    ("globset", "source/"),
    ("tokio", "service/"),
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
    ("croner", "service/schedule.rs"),
    ("sd_notify", "service/supervisor.rs"),
    ("opentelemetry", "cli/otel.rs"),
    ("opentelemetry_otlp", "cli/otel.rs"),
    ("opentelemetry_sdk", "cli/otel.rs"),
    ("tracing_opentelemetry", "cli/otel.rs"),
];
const LINES_MAX: usize = 500;

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

    /// How many `super::` lead to the crate's root.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        if self.path.ends_with("/mod.rs") { parts - 1 } else { parts }
    }

    /// What stands at the crate's root in each path of this file: `crate::NAME`, or as many `super::`
    /// as lead there.
    fn imports(&self) -> Vec<String> {
        let up = "super::".repeat(self.depth());
        let (code, tests) = self.code.split_once("#[cfg(test)]\nmod ").unwrap_or((&self.code, ""));
        let deeper = format!("super::{up}");
        let above = names_behind(code, &up).chain(names_behind(tests, &deeper));
        names_behind(&self.code, "crate::").chain(above).collect()
    }
}

/// The names behind a prefix: one, or each of a group in braces.
fn names_behind<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = String> + 'a {
    code.match_indices(prefix).flat_map(move |(at, _)| {
        let whole_word =
            !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$');
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            _ if !whole_word => Vec::new(),
            Some(group) => top_names(group),
            None => vec![word(rest)],
        }
    })
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first word of each member of a group, up to its closing brace.
fn top_names(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut begins) = (Vec::new(), 0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && !c.is_whitespace() => {
                names.push(word(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

fn sources() -> Vec<Source> {
    let src = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
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
    let mut broken = Vec::new();
    let mut seen = 0;
    for source in sources() {
        let Some(room) = source.room() else { continue };
        let Some(layer) = layers.get(room) else {
            broken.push(format!("{}: {room} has no layer", source.path));
            continue;
        };
        for name in source.imports() {
            seen += 1;
            let fits = name == room || layers.get(name.as_str()).is_some_and(|below| below < layer);
            if !fits {
                broken.push(format!("{}: a room of layer {layer} names {name}", source.path));
            }
        }
        let from_outside = source.code.contains("outlast::");
        if from_outside && room != "cli" {
            broken.push(format!("{}: only the command line sees the library from outside", source.path));
        }
    }
    assert_none(broken);
    assert!(seen > 50, "only {seen} imports were found");
}

#[test]
fn a_heavy_crate_is_named_in_one_room() {
    let mut broken = Vec::new();
    for source in sources() {
        for (name, place) in OWNED {
            let named = names_behind(&source.code, &format!("{name}::")).next().is_some()
                || source.code.contains(&format!("use {name};"));
            if named
                && !source.path.starts_with(place)
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
            && source.path != "cli/terminal.rs"
            && writes.iter().any(|name| source.code.contains(name))
    });
    assert_none(others.map(|source| format!("{}: prints past cli/terminal.rs", source.path)).collect());
}
