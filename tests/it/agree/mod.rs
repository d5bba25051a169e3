//! Parsers of different dialects read the same sources, and what is told of a source is the same whichever of
//! them wrote the tree.
//!
//! A [`Family`] is a language with its parsers. Of each source the dump of the first parser that has one is the
//! yardstick for the others; a dump belongs to the source that its path names, without `.ast.json`.
//!
//! | which dumps | where those of a parser are |
//! |---|---|
//! | the small ones of the project | in the parser's folders below `data/dialects` |
//! | whole trees: `OUTLAST_AGREE_TREES=FOLDER` | in `FOLDER/FAMILY/PARSER`, as `data/make_agree.sh FAMILY SOURCES FOLDER` makes them |
//!
//! A difference is allowed where one of the family's [`Accepted`] gives the reason. One that is seen nowhere in the
//! project's own dumps fails the test: either it is gone, or a source is missing that shows it.

mod compare;
mod cpp;
mod figures;
mod grammars;
mod javascript;
mod python;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use outlast::{AstProcessor, FileContent, Limits, Processor, ResultWriter};
use serde_json::Value;

use compare::differences;
use figures::Figures;

/// A language whose sources several parsers read.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) parsers: &'static [Parser],
    pub(crate) accepted: &'static [Accepted],
    /// What of a callee is compared.
    pub(crate) compared: fn(&str) -> &str,
}

/// All of a callee.
pub(crate) fn whole(callee: &str) -> &str {
    callee
}

/// A parser, or a way to write its trees.
pub(crate) struct Parser {
    /// The folder of its dumps in whole trees.
    pub(crate) name: &'static str,
    /// The folders of its dumps below `data/dialects`, or single dumps.
    pub(crate) folders: &'static [&'static str],
}

/// A difference that stays, and why.
pub(crate) struct Accepted {
    /// The parser that differs from the family's first.
    pub(crate) parser: &'static str,
    pub(crate) about: About,
    /// Which differences about that it is.
    pub(crate) is_it: fn(&Difference) -> bool,
    pub(crate) reason: &'static str,
}

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    /// A symbol, by kind and qualified name, that only one of them tells.
    Symbol,
    /// First and last line of a symbol, where both tell them.
    Lines,
    /// `async`, `static`, `visibility`.
    Words,
    Complexity,
    /// An import with its names and aliases.
    Import,
    /// How often something calls something.
    Calls,
}

/// What one parser tells of a source otherwise than the first.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The source's path.
    pub(crate) source: String,
    pub(crate) parser: &'static str,
    pub(crate) about: About,
    /// What differs: `method Shelf.lend`, `import a.b`, `Shelf.lend calls os.path.join`.
    pub(crate) what: String,
    /// What the first parser and this one tell; empty where one tells nothing.
    pub(crate) first: String,
    pub(crate) other: String,
}

impl Family {
    /// Compares the dumps of the project, and fails where the parsers disagree.
    fn check_samples(&self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/dialects");
        let parsers = self.parsers.iter();
        let found = self.compare(parsers.flat_map(|parser| {
            parser.folders.iter().map(|name| (parser.name, folder.join(name))).collect::<Vec<_>>()
        }));
        let unseen: Vec<_> =
            self.accepted.iter().zip(&found.accepted).filter(|(_, seen)| **seen == 0).collect();
        let unseen: String =
            unseen.iter().map(|(one, _)| format!("\n{}: {}", one.parser, one.reason)).collect();
        assert!(unseen.is_empty(), "accepted, but seen in no dump:{unseen}");
    }

    /// The same with whole trees, where the environment names their folder.
    fn check_trees(&self) {
        let Some(folder) = std::env::var_os("OUTLAST_AGREE_TREES") else { return };
        let folder = PathBuf::from(folder).join(self.name);
        if !folder.is_dir() {
            return; // Trees of other families only.
        }
        let found = self.compare(self.parsers.iter().map(|parser| (parser.name, folder.join(parser.name))));
        found.print(self);
    }

    /// Compares the dumps in these folders of parsers. What is not accepted makes it fail.
    fn compare(&self, folders: impl Iterator<Item = (&'static str, PathBuf)>) -> Figures {
        let mut sources: BTreeMap<String, Vec<(&'static str, PathBuf)>> = BTreeMap::new();
        for (parser, folder) in folders {
            let mut dumps = Vec::new();
            dumps_in(&folder, &mut dumps);
            for dump in dumps {
                let above = if folder.is_dir() { &folder } else { folder.parent().unwrap() };
                let source = dump.strip_prefix(above).unwrap().to_str().unwrap();
                let source = source.strip_suffix(".ast.json").unwrap_or(source).to_owned();
                sources.entry(source).or_default().push((parser, dump));
            }
        }
        let mut figures = Figures::of(self);
        for (source, dumps) in sources {
            let [(_, first), others @ ..] = &dumps[..] else { continue };
            if others.is_empty() {
                continue;
            }
            let first = result_of(first);
            figures.source(&first);
            for (parser, dump) in others {
                let other = result_of(dump);
                let found = differences(&source, parser, &first, &other, self.compared);
                found.into_iter().for_each(|difference| figures.difference(self, difference));
            }
        }
        assert!(figures.sources > 0, "{}: no source was read by two parsers", self.name);
        figures.assert_all_accepted(self);
        figures
    }
}

/// All dumps in a folder, and in those below; the one that a path leads to.
fn dumps_in(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.is_file() {
        return found.push(folder.to_owned());
    }
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            dumps_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

/// What the processor says, with nothing left out.
fn result_of(dump: &Path) -> Value {
    const ALL: usize = 1_000_000;
    let limits = Limits { symbols: ALL, imports: ALL, calls: ALL, kinds: ALL, ..Limits::default() };
    let bytes = fs::read(dump).unwrap();
    let content = FileContent { path: dump.as_os_str().as_encoded_bytes(), bytes: &bytes };
    let mut result = ResultWriter::default();
    let outcome = AstProcessor::with_limits(limits).process(&content, &mut result);
    outcome.unwrap_or_else(|error| panic!("{}: {error}", dump.display()));
    serde_json::from_slice(result.as_bytes()).unwrap()
}
