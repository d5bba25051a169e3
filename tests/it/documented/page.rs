//! README and the pages of the guide, as Markdown.

use std::fs;
use std::path::{Path, PathBuf};

/// Folder of the project.
pub(super) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One page.
pub(super) struct Page {
    /// Path below the project.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// A block of code.
pub(super) struct Block {
    /// Number of the line with the fence, from 1.
    pub(super) line: usize,
    /// What follows the fence: `sh`, or `sh example` for one that is not run.
    pub(super) info: String,
    pub(super) text: String,
}

impl Page {
    pub(super) fn read(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = fs::read_to_string(project().join(&path)).unwrap();
        Self { path, text }
    }

    /// A page of the guide.
    pub(super) fn guide(name: &str) -> Self {
        Self::read(format!("src/guide/{name}.md"))
    }

    /// README, and the guide's pages in their order.
    pub(super) fn all() -> Vec<Self> {
        let guide = Self::summary().into_iter().map(|name| Self::guide(&name));
        std::iter::once(Self::read("README.md")).chain(guide).collect()
    }

    /// The guide's pages, as the book lists them.
    pub(super) fn summary() -> Vec<String> {
        let summary = Self::read("src/guide/SUMMARY.md").text;
        let names = summary.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(".md)"));
        names.map(str::to_owned).collect()
    }

    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_open = false;
        for (at, line) in self.text.lines().enumerate() {
            match line.strip_prefix("```") {
                Some(_) if is_open => is_open = false,
                Some(info) => {
                    is_open = true;
                    blocks.push(Block { line: at + 1, info: info.to_owned(), text: String::new() });
                }
                None if is_open => {
                    let block = blocks.last_mut().unwrap();
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                None => {}
            }
        }
        assert!(!is_open, "{}: a block has no end", self.path.display());
        blocks
    }

    /// The text without blocks of code.
    pub(super) fn prose(&self) -> String {
        let parts = self.text.split("\n```").step_by(2);
        parts.map(|part| part.to_owned() + "\n").collect()
    }

    /// The rows of the table with this head, each by its cells.
    #[track_caller]
    pub(super) fn table(&self, head: &str) -> Vec<Vec<String>> {
        let lines = self.text.lines().skip_while(|line| *line != head);
        let rows: Vec<_> = lines.skip(2).take_while(|line| line.starts_with('|')).map(cells).collect();
        assert!(!rows.is_empty(), "{}: no table {head}", self.path.display());
        rows
    }
}

/// The cells of a row; `\|` is no border.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim_start_matches('|').trim_end_matches('|').replace("\\|", "\u{1}");
    row.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// The spans of code in a text.
pub(super) fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
