//! How much was compared, and what differed.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::Value;

use super::{About, Difference, Family};

/// Differences about the same that are told one by one; the others are only counted.
const TOLD_MAX: u64 = 15;

#[derive(Debug)]
pub(super) struct Figures {
    /// Sources that two parsers or more have read.
    pub(super) sources: u64,
    symbols: u64,
    imports: u64,
    calls: u64,
    /// How often each of the accepted differences was seen.
    pub(super) accepted: Vec<u64>,
    /// How many of the others there are, by parser.
    others: BTreeMap<(&'static str, About), u64>,
    told: Vec<Difference>,
}

impl Figures {
    pub(super) fn of(family: &Family) -> Self {
        let accepted = vec![0; family.accepted.len()];
        let (others, told) = (BTreeMap::new(), Vec::new());
        Self { sources: 0, symbols: 0, imports: 0, calls: 0, accepted, others, told }
    }

    /// Counts a source by the first parser's result.
    pub(super) fn source(&mut self, first: &Value) {
        let total = |name: &str| first["totals"][name].as_u64().unwrap();
        self.sources += 1;
        self.symbols += total("symbols");
        self.imports += total("imports");
        self.calls += total("calls");
    }

    /// Counts a difference: for the first of the accepted ones that it is, else as one that is not accepted.
    pub(super) fn difference(&mut self, family: &Family, found: Difference) {
        let is_it = |one: &&super::Accepted| {
            one.parser == found.parser && one.about == found.about && (one.is_it)(&found)
        };
        if let Some(place) = family.accepted.iter().position(|one| is_it(&one)) {
            self.accepted[place] += 1;
            return;
        }
        let count = self.others.entry((found.parser, found.about)).or_default();
        *count += 1;
        if *count <= TOLD_MAX {
            self.told.push(found);
        }
    }

    /// Fails where there is a difference that is not accepted.
    pub(super) fn assert_all_accepted(&self, family: &Family) {
        if self.others.is_empty() {
            return;
        }
        self.print(family);
        let line = |one: &Difference| {
            let Difference { source, parser, about, what, first, other } = one;
            format!("\n{source}: {about:?} of {parser}: {what}: {other:?} instead of {first:?}")
        };
        panic!(
            "{}: differences that are not accepted:{}",
            family.name,
            self.told.iter().map(line).collect::<String>()
        );
    }

    /// Prints the figures past the capture of what tests print.
    pub(super) fn print(&self, family: &Family) {
        let mut text = format!(
            "{}: {} sources, {} symbols, {} imports, {} calls\n",
            family.name, self.sources, self.symbols, self.imports, self.calls
        );
        for ((parser, about), count) in &self.others {
            text += &format!("  {parser}, {about:?}: {count} not accepted\n");
        }
        for (one, count) in family.accepted.iter().zip(&self.accepted) {
            text += &format!("  {}, {:?}: {count}, {}\n", one.parser, one.about, one.reason);
        }
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}
