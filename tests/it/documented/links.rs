//! Each link of README and guide leads somewhere, and each page is in the book and in the crate's documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::page::{Page, code, project};

/// Languages of blocks: rustdoc compiles any other as Rust.
const LANGUAGES: [&str; 10] =
    ["sh", "sh example", "console", "text", "rust", "json", "toml", "sql", "python", "python example"];
/// Lines of the README.
const README_MAX: usize = 250;

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// The anchor of a heading, as GitHub, mdbook and rustdoc make it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors(page: &Page) -> BTreeSet<String> {
    let prose = page.prose();
    let headings = prose
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    headings.map(anchor).collect()
}

/// The definitions at the end of a page: label and target.
fn definitions(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect()
}

/// A text without its spans of code.
fn without_code(prose: &str) -> String {
    prose.split('`').step_by(2).collect()
}

/// The labels that a page uses: `[text][label]`.
fn labels(prose: &str) -> impl Iterator<Item = &str> {
    prose.split("][").skip(1).filter_map(|rest| rest.split_once(']')).map(|(label, _)| label)
}

/// The targets that a page names in place: `[text](target)`.
fn targets(prose: &str) -> impl Iterator<Item = &str> {
    prose.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}

/// Why a target leads nowhere, if so.
fn dead(page: &Page, target: &str) -> Option<String> {
    if target.starts_with("http") {
        return None;
    }
    let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() {
        page.path.clone()
    } else {
        plain(&page.path.parent().unwrap_or(Path::new("")).join(file))
    };
    if !project().join(&path).exists() {
        return Some(format!("{}: {target} is not there", page.path.display()));
    }
    let is_there = fragment.is_empty() || anchors(&Page::read(path)).contains(fragment);
    (!is_there).then(|| format!("{}: {target} has no such heading", page.path.display()))
}

#[test]
fn every_link_leads_somewhere() {
    let mut problems = Vec::new();
    for page in Page::all() {
        let (prose, definitions) = (without_code(&page.prose()), definitions(&page.text));
        let used: BTreeSet<&str> = labels(&prose).collect();
        let defined: BTreeSet<&str> = definitions.keys().copied().collect();
        let odd = used.symmetric_difference(&defined);
        problems
            .extend(odd.map(|label| format!("{}: [{label}] is used or defined alone", page.path.display())));
        problems.extend(
            targets(&prose).chain(definitions.into_values()).filter_map(|target| dead(&page, target)),
        );
    }
    assert_none(&problems);
}

/// In rustdoc, the same labels lead to modules.
#[test]
fn labels_lead_to_the_same_pages_in_rustdoc() {
    let file = fs::read_to_string(project().join("src/guide/rustdoc_links.txt")).unwrap();
    let of_rustdoc = definitions(&file);
    let mut problems = Vec::new();
    for page in Page::all().into_iter().skip(1) {
        for (label, target) in definitions(&page.text) {
            let module = format!("crate::guide::{}", target.replace(".md", ""));
            if of_rustdoc.get(label) != Some(&module.as_str()) {
                problems.push(format!("rustdoc_links.txt: [{label}]: {module} for {}", page.path.display()));
            }
        }
        // Elsewhere than in definitions, rustdoc would take a file's name as it is.
        let in_place = without_code(&page.prose());
        let files =
            targets(&in_place).filter(|target| !target.starts_with("http") && !target.starts_with('#'));
        problems.extend(files.map(|target| format!("{}: {target} needs a label", page.path.display())));
    }
    assert_none(&problems);
}

#[test]
fn every_page_is_in_the_book_and_in_rustdoc() {
    let pages = Page::summary();
    let files = fs::read_dir(project().join("src/guide")).unwrap();
    let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files
        .filter_map(|name| Some(name.strip_suffix(".md")?.to_owned()))
        .filter(|name| name != "SUMMARY")
        .collect();
    assert_eq!(files, pages.iter().cloned().collect());
    let module = fs::read_to_string(project().join("src/guide/mod.rs")).unwrap();
    let modules = module.split("\npages! {").nth(1).unwrap().trim_end().trim_end_matches('}');
    assert_eq!(modules.split_whitespace().collect::<Vec<_>>(), pages);
}

#[test]
fn a_block_of_code_has_a_language() {
    let mut problems = Vec::new();
    for page in Page::all() {
        for block in page.blocks() {
            if !LANGUAGES.contains(&block.info.as_str()) {
                problems.push(format!("{}:{}: ```{}", page.path.display(), block.line, block.info));
            }
        }
    }
    assert_none(&problems);
}

/// The files that a page names are there, below the project or below `src`.
#[test]
fn the_files_that_are_named_exist() {
    let folders = [
        "src/",
        "tests/",
        "benches/",
        "data/",
        "examples/",
        "engine/",
        "ledger/",
        "source/",
        "sink/",
        "model/",
        "cli/",
        "service/",
        "process/",
    ];
    let mut problems = Vec::new();
    for page in Page::all() {
        for name in code(&page.prose()) {
            let is_file = folders.iter().any(|folder| name.starts_with(folder))
                && !name.contains(|c: char| c.is_whitespace() || c == '*')
                && !name.contains("NAME");
            let exists = || project().join(name).exists() || project().join("src").join(name).exists();
            if is_file && !exists() {
                problems.push(format!("{}: {name} is not there", page.path.display()));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn the_readme_is_short_and_has_the_front_pages_example() {
    let readme = Page::read("README.md");
    assert!(readme.text.lines().count() <= README_MAX, "details belong to the guide");
    let front = fs::read_to_string(project().join("src/lib.rs")).unwrap();
    let example = front.split("//! ```\n").nth(1).unwrap();
    let lines = example.lines().filter(|line| !line.starts_with("//! #"));
    let example: String = lines
        .map(|line| line.trim_start_matches("//!").strip_prefix(' ').unwrap_or("").to_owned() + "\n")
        .collect();
    assert!(readme.blocks().iter().any(|block| block.info == "rust" && block.text == example), "{example}");
}
