//! Settings in a file, each with its line.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::found::{FileSettings, Found};
use super::profiles::FileProfiles;
use crate::model::PriorityRule;
use crate::model::name::checked;
use crate::service::settings::catalogue::{catalogue, setting};
use crate::service::settings::problem::{Origin, Problem};
use crate::service::settings::setting::{Given, Setting};
use crate::service::settings::suggest::{did_you_mean, nearest};
use crate::service::settings::values::Raw;
use crate::service::settings::values::priority::{check, set_member};

/// The file name that is looked for in each folder.
pub(crate) const NAME: &str = "outlast.toml";
/// The setting whose items are tables.
const ROOT: &str = "root";
/// The setting whose items are tables without names.
const PRIORITY: &str = "priority";
/// The table of profiles.
const PROFILE: &str = "profile";
/// The key of a profile that names another one.
const INHERITS: &str = "inherits";
/// The largest file that is read; one with every setting has a few kilobytes.
const BYTES_MAX: u64 = 1 << 20;

/// Reads the settings of the file at this path.
pub(crate) fn read(path: &Path, found: &mut Found) {
    match File::open(path) {
        Ok(file) => read_open(path, file, found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            found.wrong(Origin::file(path), "there is no such file; check the path");
        }
        Err(error) => found.wrong(Origin::file(path), format!("can't be read: {error}")),
    }
}

/// Reads the settings of the open file at this path.
pub(super) fn read_open(path: &Path, file: File, found: &mut Found) {
    match text_of(file) {
        Ok(text) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            TomlFile::new(&path, &text, found).read();
        }
        Err(error) => found.wrong(Origin::file(path), format!("can't be read: {error}")),
    }
}

fn text_of(file: File) -> io::Result<String> {
    let mut text = String::new();
    file.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(io::Error::other("larger than 1 MiB, which no configuration is"));
    }
    Ok(text)
}

struct TomlFile<'a> {
    path: &'a Path,
    text: &'a str,
    values: Vec<(&'static str, Given, Origin)>,
    profiles: FileProfiles,
    /// The profile in whose table the walk is.
    profile: Option<String>,
    found: &'a mut Found,
}

impl<'a> TomlFile<'a> {
    fn new(path: &'a Path, text: &'a str, found: &'a mut Found) -> Self {
        Self { path, text, values: Vec::new(), profiles: FileProfiles::new(), profile: None, found }
    }

    /// Returns the line of this byte.
    fn at(&self, byte: usize) -> Origin {
        let before = self.text.as_bytes().get(..byte).unwrap_or_default();
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        Origin::File { path: self.path.to_owned(), line: Some(line), profile: self.profile.clone() }
    }

    fn read(mut self) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        let of_error = |error: &toml::de::Error| Problem {
            origin: self.at(error.span().map_or(0, |span| span.start)),
            what: error.message().replace('\n', "; "),
        };
        let mut wrong: Vec<Problem> = errors.iter().map(of_error).collect();
        let before = self.found.problems.len();
        self.walk("", table.get_ref());
        // Problems that the parser's recovery causes on a line with a syntax error are noise.
        let lines: Vec<_> = wrong.iter().map(|problem| problem.origin.line()).collect();
        let others = self.found.problems.split_off(before);
        wrong.extend(others.into_iter().filter(|problem| !lines.contains(&problem.origin.line())));
        wrong.sort_by(|a, b| (a.origin.line(), &a.what).cmp(&(b.origin.line(), &b.what)));
        // The parser's recovery may report the same twice.
        wrong.dedup();
        self.found.problems.extend(wrong);
        let Self { values, profiles, .. } = self;
        self.found.files.push(FileSettings { path: self.path.to_owned(), values, profiles });
    }

    /// Takes over what a table sets; `prefix` is its key and a dot, unless it is the outermost.
    fn walk(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let origin = self.at(name.span().start);
            // In quotes, `"limit.depth"` is one name that contains a dot, and no setting.
            let known = setting(&key).filter(|_| !name.get_ref().contains('.'));
            let inner = format!("{key}.");
            let is_table = catalogue().iter().any(|setting| setting.key.starts_with(&inner));
            match (known, value.get_ref()) {
                (Some(setting), DeValue::Table(roots)) if key == ROOT => self.roots(setting, roots, origin),
                (Some(setting), DeValue::Array(tables)) if key == PRIORITY => {
                    self.rules(setting, tables, origin);
                }
                (Some(_), DeValue::Table(_)) if key == PRIORITY => {
                    self.found.wrong(origin, "priority is a list of tables: write [[priority]]");
                }
                (Some(setting), value) => self.take(setting, &raw(value), origin),
                (None, value) if key == PROFILE && self.profile.is_none() => self.all_profiles(value, origin),
                (None, value) if key == INHERITS && self.profile.is_some() => self.inherits(value, origin),
                (None, DeValue::Table(table)) if is_table => self.walk(&inner, table),
                (None, _) if is_table => {
                    self.found
                        .wrong(origin, format!("{key} is a table: write [{key}] and its settings below"));
                }
                (None, _) => {
                    let other = if self.profile.is_some() { INHERITS } else { PROFILE };
                    self.found.unknown(&key, origin, || unknown(&key, other));
                }
            }
        }
    }

    fn take(&mut self, setting: &'static Setting, raw: &Raw, origin: Origin) {
        let value = self.found.read(setting, raw, &origin);
        self.values.extend(value.map(|value| (&*setting.key, value, origin)));
    }

    /// Takes over the tables `[profile.NAME]`.
    fn all_profiles(&mut self, value: &DeValue<'_>, origin: Origin) {
        let DeValue::Table(profiles) = value else {
            let what = "profile is no setting of a file: choose one with --profile or OUTLAST_PROFILE, and write its \
                        settings below [profile.NAME]";
            return self.found.wrong(origin, what);
        };
        for (name, value) in profiles {
            let origin = self.at(name.span().start);
            match (checked(name.get_ref().to_string(), "name of a profile"), value.get_ref()) {
                (Ok(name), DeValue::Table(table)) => {
                    self.profiles.insert(name.clone(), None);
                    self.profile = Some(name);
                    self.walk("", table);
                    self.profile = None;
                }
                (Ok(name), _) => {
                    let what =
                        format!("profile.{name} is a table: write [profile.{name}] and its settings below");
                    self.found.wrong(origin, what);
                }
                (Err(wrong), _) => self.found.wrong(origin, wrong.to_string()),
            }
        }
    }

    /// Takes over which profile the present one inherits.
    fn inherits(&mut self, value: &DeValue<'_>, origin: Origin) {
        match (value, &self.profile) {
            (DeValue::String(other), Some(profile)) => {
                self.profiles.insert(profile.clone(), Some((other.to_string(), origin)));
            }
            (value, _) => {
                let what = format!("inherits is {}: must be the name of one other profile", raw(value));
                self.found.wrong(origin, what);
            }
        }
    }

    /// Takes over the tables `[root.NAME]`. Each that is wrong is reported with its own line.
    fn roots(&mut self, setting: &'static Setting, roots: &DeTable<'_>, origin: Origin) {
        let mut items = Vec::new();
        for (name, value) in roots {
            let item = root_item(name.get_ref(), value.get_ref());
            match item.and_then(|item| setting.check(&Raw::List(vec![item.clone()])).map(|()| item)) {
                Ok(item) => items.push(item),
                Err(what) => self.found.wrong(self.at(name.span().start), what),
            }
        }
        if !items.is_empty() {
            self.take(setting, &Raw::List(items), origin);
        }
    }

    /// Takes over the tables `[[priority]]`. Each member that is wrong is reported with its own line.
    fn rules(&mut self, setting: &'static Setting, tables: &DeArray<'_>, origin: Origin) {
        let before = self.found.problems.len();
        let mut items = Vec::new();
        for item in tables {
            items.push(match item.get_ref() {
                DeValue::Table(table) => Raw::Rule(Box::new(self.rule(table, self.at(item.span().start)))),
                other => raw(other),
            });
        }
        if self.found.problems.len() == before {
            self.take(setting, &Raw::List(items), origin);
        }
    }

    fn rule(&mut self, table: &DeTable<'_>, line: Origin) -> PriorityRule {
        let before = self.found.problems.len();
        let mut rule = PriorityRule { origin: line.to_string(), ..PriorityRule::default() };
        for (name, value) in table {
            if let Err(what) = set_member(&mut rule, name.get_ref(), &raw(value.get_ref())) {
                self.found.wrong(self.at(name.span().start), what);
            }
        }
        if !table.contains_key("class") {
            let what = "this priority rule has no class: add class = \"high\", \"normal\" or \"low\"";
            self.found.wrong(line.clone(), what);
        }
        if self.found.problems.len() == before
            && let Err(what) = check(&rule)
        {
            self.found.wrong(line, what);
        }
        rule
    }
}

/// Returns a table `[root.NAME]` as the `NAME=PATH` of a flag.
fn root_item(name: &str, value: &DeValue<'_>) -> Result<Raw, String> {
    let DeValue::Table(table) = value else {
        return Err(format!("root.{name} is a table: write [root.{name}] and its path below"));
    };
    if let Some((other, _)) = table.iter().find(|(key, _)| key.get_ref() != "path") {
        return Err(format!("root.{name}.{} is no setting; a root has a path alone", other.get_ref()));
    }
    match table.get("path").map(Spanned::get_ref) {
        Some(DeValue::String(path)) if !path.is_empty() => Ok(Raw::Text(format!("{name}={path}"))),
        _ => Err(format!("root.{name} has no path: write path = \"/srv/{name}\" below it")),
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        // Normalizes numbers such as 0x10 or 1_000 to decimal.
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            let plain = i128::from_str_radix(&digits, number.radix());
            Raw::Number(plain.map_or(digits, |plain| plain.to_string()))
        }
        DeValue::Float(number) => Raw::Number(number.as_str().replace('_', "")),
        DeValue::Boolean(switch) => Raw::Switch(*switch),
        DeValue::Array(items) => Raw::List(items.iter().map(Spanned::get_ref).map(raw).collect()),
        DeValue::Datetime(_) => Raw::Other("a time"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

/// Describes an unknown key. Suggestions include tables, `[limits]` is meant as `[limit]`, and the `other` name that
/// this place has.
fn unknown(key: &str, other: &str) -> String {
    let tables = |key: &'static str| key.match_indices('.').map(|(at, _)| &key[..at]);
    let names =
        catalogue().iter().flat_map(|setting| tables(&setting.key).chain([&*setting.key])).chain([other]);
    format!("{key} is no setting; {}", did_you_mean(nearest(key, names)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(text: &str) -> (Vec<String>, Vec<String>) {
        let mut found = Found::default();
        TomlFile::new(Path::new("/p/outlast.toml"), text, &mut found).read();
        let (mut lines, mut problems) = found.lines();
        lines.sort();
        problems.sort();
        (lines, problems)
    }

    #[test]
    fn values_have_their_lines_and_paths_are_below_the_files_folder() {
        let text = "state = \"s\"\nworkers = 0x1_0\n\n[retry.io-transient]\nattempts = 5\n\
                    [limit]\ndepth = 1_000\n";
        let (found, problems) = reported(text);
        assert!(problems.is_empty(), "{problems:?}");
        let lines = [
            "/p/outlast.toml:1 state=/p/s",
            "/p/outlast.toml:2 workers=16",
            "/p/outlast.toml:5 retry.io-transient.attempts=5",
            "/p/outlast.toml:7 limit.depth=1000",
        ];
        assert_eq!(found, lines);
        assert_eq!(reported("limit.kinds = 1\nheartbeat = 0.5").0.len(), 2, "dotted keys and fractions");
        assert_eq!(reported("\"limit.kinds\" = 1").1.len(), 1, "that is another name");
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = "workers = 0\nbatch_size = 3\nlimit = 5\norder = \"random\"\n[retry.parse]\nattempts = 2\n\
                    [retry.mount]\nattempts = 2\n[limits]\ndepth = 1\n[retry.io-transiet]\nattempts = 2\n";
        let lines = [
            "/p/outlast.toml:11: retry.io-transiet is no setting; did you mean retry.io-transient?",
            "/p/outlast.toml:1: workers is 0: must be 1 to 1024 threads",
            "/p/outlast.toml:2: batch_size is no setting; did you mean batch-size?",
            "/p/outlast.toml:3: limit is a table: write [limit] and its settings below",
            "/p/outlast.toml:4: order is \"random\": must be one of path, smallest, largest, newest, oldest",
            "/p/outlast.toml:6: retry.parse.attempts is 2: must be 1: the same content fails again",
            "/p/outlast.toml:7: retry.mount is no setting; `outlast config show` lists all",
            "/p/outlast.toml:9: limits is no setting; did you mean limit?",
        ];
        assert_eq!(reported(text).1, lines);
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line_too() {
        let (found, problems) = reported("workers = 2\nstate = \nworkers = 3\n");
        assert!(problems.iter().any(|line| line.starts_with("/p/outlast.toml:2: ")), "{problems:?}");
        assert!(problems.iter().any(|line| line.contains(":3: duplicate key")), "{problems:?}");
        assert!(found.len() <= 1, "{found:?}");
        for twice in [
            "profile = \"x\"\n[profile.a]\nworkers = 2\n",
            "root = 1\n[root.a]\n",
            "priority = 1\n[[priority]]\n",
        ] {
            let mut problems = reported(twice).1;
            let all = problems.len();
            problems.dedup();
            assert!(all > 0 && problems.len() == all, "{twice:?} is reported as {problems:?}, {all} in all");
        }
    }
}
