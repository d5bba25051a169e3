//! Whether the version was raised when results changed: `tests/golden/results.txt` holds the version and, of
//! each sample, digests of its content and of its result.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::golden::files;
use crate::process::ast::VERSION;
use crate::process::{AstProcessor, FileContent, Processor, ResultWriter};

const FILE: &str = "tests/golden/results.txt";
const WRITE: &str = "OUTLAST_WRITE_GOLDEN";
const COMMAND: &str = "cargo test --lib results_change_with_the_version_only";

/// Returns the version, and a line for each sample: content, result, path.
fn results() -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    ["data/sample", "data/dialects"].iter().for_each(|folder| files(&project.join(folder), &mut found));
    let mut text = format!("{VERSION}\n");
    for path in found {
        let bytes = fs::read(&path).unwrap();
        let path = path.strip_prefix(project).unwrap().to_str().unwrap();
        let mut result = ResultWriter::default();
        let outcome =
            AstProcessor::new().process(&FileContent { path: path.as_bytes(), bytes: &bytes }, &mut result);
        let reported =
            outcome.map_or_else(|error| error.to_string().into_bytes(), |()| result.as_bytes().to_vec());
        let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..16].to_owned();
        writeln!(text, "{} {} {path}", digest(&bytes), digest(&reported)).unwrap();
    }
    text
}

/// Returns the result of each sample, by its content and path.
fn by_sample(text: &str) -> BTreeMap<(&str, &str), &str> {
    let sample = |line| {
        let mut parts = str::splitn(line, 3, ' ');
        let content = parts.next()?;
        let result = parts.next()?;
        let path = parts.next()?;
        Some(((content, path), result))
    };
    text.lines().skip(1).filter_map(sample).collect()
}

fn version(text: &str) -> (u32, &str) {
    let version = text.lines().next().unwrap_or_default();
    (version.strip_prefix("ast/").and_then(|number| number.parse().ok()).unwrap_or(0), version)
}

/// Checks whether the new results may replace the old ones, as far as requested.
fn judge(before: &str, now: &str, asked: &str) -> Result<(), String> {
    let was = by_sample(before);
    let is = by_sample(now);
    let other = |(sample, result): &(_, _)| was.get(sample).is_some_and(|before| before != result);
    let changed: String =
        is.clone().into_iter().filter(other).map(|((_, path), _)| format!("  {path}\n")).collect();
    let name = version(now).1;
    let why = match version(now).0.cmp(&version(before).0) {
        _ if before == now => return Ok(()),
        Ordering::Less => {
            return Err(format!("{FILE} is of {}, a later version than {name}", version(before).1));
        }
        Ordering::Equal if changed.is_empty() => "there are other samples",
        Ordering::Equal if asked == "unreleased" => return Ok(()),
        Ordering::Equal => {
            return Err(format!(
                "the same content has another result, and the version is still {name}:\n{changed}\
                 raise VERSION in src/process/ast/mod.rs, then run\n  {WRITE}=1 {COMMAND}\n\
                 or, while no release has {name},\n  {WRITE}=unreleased {COMMAND}"
            ));
        }
        Ordering::Greater => &format!("no results of {name} are there yet"),
    };
    if asked.is_empty() { Err(format!("{why}: run\n  {WRITE}=1 {COMMAND}")) } else { Ok(()) }
}

#[test]
fn results_change_with_the_version_only() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let before = fs::read_to_string(&path).unwrap_or_default();
    let now = results();
    let asked = std::env::var(WRITE).unwrap_or_default();
    if let Err(problem) = judge(&before, &now, &asked) {
        panic!("{problem}");
    }
    if before != now {
        fs::write(path, now).unwrap();
    }
}

#[test]
fn a_changed_result_needs_a_higher_version() {
    let before = "ast/2\nc1 r1 a\nc2 r2 b\n";
    let reported = |now: &str, asked: &str| judge(before, now, asked).err().unwrap_or_default();
    assert_eq!(reported(before, ""), "");
    let other = "ast/2\nc1 r9 a\nc2 r2 b\n";
    for asked in ["", "1"] {
        let problem = reported(other, asked);
        assert!(problem.contains("raise VERSION") && problem.contains("  a\n") && !problem.contains("  b\n"));
    }
    assert_eq!(reported(other, "unreleased"), "");
    let raised = "ast/3\nc1 r9 a\nc2 r2 b\n";
    assert!(reported(raised, "").contains("no results of ast/3") && reported(raised, "1").is_empty());
    let more = "ast/2\nc1 r1 a\nc8 r8 b\nc3 r3 c\n";
    assert!(reported(more, "").contains("other samples") && reported(more, "1").is_empty());
    assert!(reported("ast/1\nc1 r1 a\nc2 r2 b\n", "unreleased").contains("later version"));
    assert!(judge("ast/9\n", "ast/10\n", "1").is_ok());
}
