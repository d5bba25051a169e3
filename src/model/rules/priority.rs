//! Which files come first, by rules.

use std::cell::LazyCell;
use std::fmt;
use std::sync::Arc;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::globs::{Globs, protected};
use super::units::{duration_text, size_text};
use crate::model::key::{name_of, relative_path_of};
use crate::model::{Fingerprint, Timestamp, language_of};

/// How soon a file is wanted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "lowercase")]
pub enum BatchPriority {
    /// After all others, except for a share of the batches.
    Low,
    /// As usual.
    #[default]
    Normal,
    /// Before all others.
    High,
}

impl BatchPriority {
    /// All classes, the first of them first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// Returns its name in settings, in JSON and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

impl fmt::Display for BatchPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Files by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PriorityCounts {
    /// Of high priority.
    pub high: u64,
    /// Of the usual one.
    pub normal: u64,
    /// Of low priority.
    pub low: u64,
}

impl PriorityCounts {
    /// Returns the number of files of this class.
    pub fn of(&self, class: BatchPriority) -> u64 {
        match class {
            BatchPriority::High => self.high,
            BatchPriority::Normal => self.normal,
            BatchPriority::Low => self.low,
        }
    }

    pub(crate) fn of_mut(&mut self, class: BatchPriority) -> &mut u64 {
        match class {
            BatchPriority::High => &mut self.high,
            BatchPriority::Normal => &mut self.normal,
            BatchPriority::Low => &mut self.low,
        }
    }
}

/// A rule that gives files a class of priority: those that meet all its conditions.
///
/// The first rule that matches a file wins; without one it is [`BatchPriority::Normal`].
///
/// ```
/// use outlast::{BatchConfig, BatchPriority, PriorityRule};
///
/// let sources = PriorityRule {
///     languages: vec!["rs".to_owned()],
///     smaller_than: Some(1 << 20),
///     class: BatchPriority::High,
///     ..PriorityRule::default()
/// };
/// assert_eq!(sources.to_string(), "language:rs,smaller-than:1MiB=high");
/// let config = BatchConfig { priorities: vec![sources], ..BatchConfig::default() };
/// config.check().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Encode, Decode)]
#[serde(default, deny_unknown_fields)]
pub struct PriorityRule {
    /// Globs of which one matches the name or, with a `/`, the path below the root. Empty for all files.
    #[serde(rename = "match")]
    pub globs: Vec<String>,
    /// Languages of which the name tells one, such as `py` for `a.py` and `a.py.ast.json`, in any case. Empty for all
    /// files.
    #[serde(rename = "language")]
    pub languages: Vec<String>,
    /// Files of more bytes than this.
    pub larger_than: Option<u64>,
    /// Files of fewer bytes than this.
    pub smaller_than: Option<u64>,
    /// Files modified within so many seconds before the job began.
    pub newer_than_seconds: Option<u64>,
    /// The class.
    pub class: BatchPriority,
    /// Where the rule is from, in words for `explain`; empty if it is nowhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub origin: String,
}

/// Rules of a configuration, at most: there is a bit for each.
const RULES_MAX: usize = 64;
/// Bytes of all their globs, languages and origins, at most: they are kept with each job and in the ledger.
const TEXT_BYTES_MAX: usize = 8192;

impl PriorityRule {
    /// Returns whether it has no condition.
    fn is_empty(&self) -> bool {
        let Self { globs, languages, larger_than, smaller_than, newer_than_seconds, .. } = self;
        globs.is_empty()
            && languages.is_empty()
            && larger_than.is_none()
            && smaller_than.is_none()
            && newer_than_seconds.is_none()
    }

    fn text_bytes(&self) -> usize {
        self.globs.iter().chain(&self.languages).chain([&self.origin]).map(String::len).sum()
    }

    fn check(&self) -> Result<(), String> {
        if self.is_empty() {
            return Err(
                "a priority rule has no condition: give it match, language, larger-than, smaller-than or \
                        newer-than"
                    .to_owned(),
            );
        }
        for language in &self.languages {
            let is_none = |c: char| c.is_whitespace() || "./*?[]{},:=\\".contains(c);
            if language.is_empty() || language.contains(is_none) {
                let plain = language.trim_matches(is_none);
                return Err(format!(
                    "language {language:?} is no extension: write one alone, without dots, blanks and wildcards, such \
                     as {:?}",
                    if plain.is_empty() || plain.contains(is_none) { "py" } else { plain }
                ));
            }
        }
        if let (Some(larger), Some(smaller)) = (self.larger_than, self.smaller_than)
            && larger.saturating_add(1) >= smaller
        {
            let (larger, smaller) = (size_text(larger), size_text(smaller));
            return Err(format!(
                "no file is larger than {larger} and smaller than {smaller}: swap or drop one"
            ));
        }
        Ok(())
    }
}

/// Formats the rule as a value of `--priority`.
impl fmt::Display for PriorityRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> =
            self.globs.iter().map(|glob| format!("match:{}", protected(glob))).collect();
        parts.extend(self.languages.iter().map(|language| format!("language:{language}")));
        parts.extend(self.larger_than.map(|bytes| format!("larger-than:{}", size_text(bytes))));
        parts.extend(self.smaller_than.map(|bytes| format!("smaller-than:{}", size_text(bytes))));
        let newer = self.newer_than_seconds.map(std::time::Duration::from_secs).map(duration_text);
        parts.extend(newer.map(|time| format!("newer-than:{time}")));
        write!(f, "{}={}", parts.join(","), self.class)
    }
}

/// Rules, and the globs of all of them compiled together: over tiny files, 64 rules with a glob each cost 10 % of a
/// run, and 135 % where each rule compares its own.
#[derive(Debug, Default)]
struct Compiled {
    rules: Vec<PriorityRule>,
    globs: Globs,
    /// The bit of the rule that each glob belongs to.
    bits: Vec<u64>,
    /// The rules that have a glob of paths.
    with_paths: u64,
}

impl Compiled {
    fn new(rules: &[PriorityRule]) -> Result<Self, String> {
        rules.iter().try_for_each(PriorityRule::check)?;
        let texts: Vec<String> = rules.iter().flat_map(|rule| &rule.globs).cloned().collect();
        let globs = Globs::of_files("match", &texts).map_err(|wrong| wrong.to_string())?;
        let of_rule = |(at, rule): (usize, &PriorityRule)| std::iter::repeat_n(1 << at, rule.globs.len());
        let bits: Vec<u64> = rules.iter().enumerate().flat_map(of_rule).collect();
        let with_paths = texts.iter().zip(&bits).filter(|(text, _)| text.contains('/')).map(|(_, bit)| bit);
        let with_paths = with_paths.fold(0, |all, bit| all | bit);
        Ok(Self { rules: rules.to_vec(), globs, bits, with_paths })
    }

    /// Returns the index of the first rule that matches. What the key tells is found once for all rules, and only where
    /// one asks for it.
    fn first(&self, key: &[u8], version: &Fingerprint, base: Timestamp) -> Option<usize> {
        let language = LazyCell::new(|| language_of(name_of(key)));
        let is_of = |one: &String| language.is_some_and(|found| one.as_bytes().eq_ignore_ascii_case(found));
        let by_name = LazyCell::new(|| {
            let mut rules = 0;
            self.globs.each_of_name(name_of(key), |glob| rules |= self.bits[glob]);
            rules
        });
        let by_path = LazyCell::new(|| {
            let mut rules = 0;
            self.globs.each_of_path(&relative_path_of(key), |glob| rules |= self.bits[glob]);
            rules
        });
        let has_glob = |bit: u64| *by_name & bit != 0 || (self.with_paths & bit != 0 && *by_path & bit != 0);
        self.rules.iter().zip(0..).position(|(rule, at)| {
            let PriorityRule { globs, languages, larger_than, smaller_than, newer_than_seconds, .. } = rule;
            larger_than.is_none_or(|bytes| version.size > bytes)
                && smaller_than.is_none_or(|bytes| version.size < bytes)
                && newer_than_seconds.is_none_or(|seconds| version.mtime > before(base, seconds))
                && (languages.is_empty() || languages.iter().any(is_of))
                && (globs.is_empty() || has_glob(1 << at))
        })
    }
}

/// Returns the time so many seconds before another.
fn before(base: Timestamp, seconds: u64) -> Timestamp {
    let nanos = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
    Timestamp(base.0.saturating_sub(nanos))
}

/// Rules that are ready to be applied. A clone shares them.
#[derive(Debug, Clone, Default)]
pub(crate) struct PriorityRules(Arc<Compiled>);

impl PriorityRules {
    /// Compiles rules.
    ///
    /// # Errors
    /// What is wrong with one of them, and how to fix it.
    pub(crate) fn new(rules: &[PriorityRule]) -> Result<Self, String> {
        if rules.len() > RULES_MAX {
            return Err(format!("{} priority rules are given: use {RULES_MAX} at most", rules.len()));
        }
        let bytes: usize = rules.iter().map(PriorityRule::text_bytes).sum();
        if bytes > TEXT_BYTES_MAX {
            return Err(format!(
                "the globs, languages and origins of all priority rules have {bytes} bytes: use {TEXT_BYTES_MAX} at \
                 most"
            ));
        }
        Ok(Self(Arc::new(Compiled::new(rules)?)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.rules.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &PriorityRule> {
        self.0.rules.iter()
    }

    /// Returns whether the class of a file depends on when the job began.
    pub(crate) fn age(&self) -> bool {
        self.iter().any(|rule| rule.newer_than_seconds.is_some())
    }

    /// Returns the first rule that matches a version of a file, by its encoded key, and the rule's number, from 1.
    /// Ages are measured from `base`.
    pub(crate) fn first(
        &self,
        key: &[u8],
        version: &Fingerprint,
        base: Timestamp,
    ) -> Option<(usize, &PriorityRule)> {
        let found = self.0.first(key, version, base)?;
        Some((found + 1, &self.0.rules[found]))
    }

    /// Returns the class of a version of a file.
    pub(crate) fn class_of(&self, key: &[u8], version: &Fingerprint, base: Timestamp) -> BatchPriority {
        self.first(key, version, base).map_or(BatchPriority::Normal, |(_, rule)| rule.class)
    }
}

impl PartialEq for PriorityRules {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{FileKey, RootId};

    fn rule(globs: &[&str], languages: &[&str], class: BatchPriority) -> PriorityRule {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        PriorityRule { globs: owned(globs), languages: owned(languages), class, ..PriorityRule::default() }
    }

    fn key(path: &str) -> FileKey {
        FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap()
    }

    /// What the documentation says of a rule, word by word.
    fn meets(rule: &PriorityRule, path: &str, version: &Fingerprint, base: i64) -> bool {
        let name = path.rsplit('/').next().unwrap();
        let glob = |glob: &String| match glob.as_str() {
            "*.rs.ast.json" => name.ends_with(".rs.ast.json"),
            "a?" => name.len() == 2 && name.starts_with('a'),
            "src/*" => path.strip_prefix("src/").is_some_and(|rest| !rest.contains('/')),
            "**/deep/**" => path.starts_with("deep/") || path.contains("/deep/"),
            _ => unreachable!(),
        };
        let language = |language: &String| {
            let extension = name.strip_suffix(".ast.json").and_then(|name| name.split_once('.'));
            extension.is_some_and(|(_, extension)| extension.eq_ignore_ascii_case(language))
        };
        (rule.globs.is_empty() || rule.globs.iter().any(glob))
            && (rule.languages.is_empty() || rule.languages.iter().any(language))
            && rule.larger_than.is_none_or(|bytes| version.size > bytes)
            && rule.smaller_than.is_none_or(|bytes| version.size < bytes)
            && rule.newer_than_seconds.is_none_or(|age| version.mtime.0 > base - age as i64 * 1_000_000_000)
    }

    fn any_rule() -> impl Strategy<Value = PriorityRule> {
        let globs = proptest::sample::subsequence(vec!["*.rs.ast.json", "a?", "src/*", "**/deep/**"], 0..3);
        let languages = proptest::sample::subsequence(vec!["rs", "PY", "go"], 0..3);
        let sizes = (proptest::option::of(0..4_u64), proptest::option::of(5..9_u64));
        let class = proptest::sample::select(BatchPriority::ALL.to_vec());
        (globs, languages, sizes, proptest::option::of(1..9_u64), class).prop_filter_map(
            "a rule without a condition",
            |(globs, languages, (larger_than, smaller_than), newer_than_seconds, class)| {
                let plain = rule(&globs, &languages, class);
                let rule = PriorityRule { larger_than, smaller_than, newer_than_seconds, ..plain };
                (!rule.is_empty()).then_some(rule)
            },
        )
    }

    proptest! {
        #[test]
        fn the_first_rule_that_a_file_meets_wins(
            rules in proptest::collection::vec(any_rule(), 0..6),
            folder in proptest::sample::select(vec!["", "src/", "src/deep/", "deep/", "x/deep/src/"]),
            name in proptest::sample::select(vec![
                "a1", "ab", "f.rs.ast.json", "f.py.ast.json", ".rs.ast.json", "f.ast.json", "f.Go.ast.json",
            ]),
            size in 0..10_u64,
            age in 0..10_i64,
        ) {
            let path = format!("{folder}{name}");
            let base = 100_000_000_000;
            let mtime = Timestamp(base - age * 1_000_000_000);
            let version = Fingerprint { size, mtime, ..Fingerprint::default() };
            // A name that begins with a dot has no extension: so `.rs.ast.json` tells no language.
            let first = rules.iter().position(|rule| {
                meets(rule, &path, &version, base) && (name != ".rs.ast.json" || rule.languages.is_empty())
            });
            let compiled = PriorityRules::new(&rules).unwrap();
            let found = compiled.first(key(&path).as_bytes(), &version, Timestamp(base));
            prop_assert_eq!(found.map(|(number, _)| number - 1), first);
            let class = first.map_or(BatchPriority::Normal, |at| rules[at].class);
            prop_assert_eq!(compiled.class_of(key(&path).as_bytes(), &version, Timestamp(base)), class);
        }
    }

    #[test]
    fn many_rules_cost_little_more_than_a_few() {
        let keys: Vec<_> = (0..2000).map(|n| key(&format!("src/m{}/f{n}.rs.ast.json", n % 100))).collect();
        let fastest = |count: usize| {
            let glob = |at| format!("src/**/m{at}/f*");
            let rules: Vec<_> = (0..count).map(|at| rule(&[&glob(at)], &[], BatchPriority::High)).collect();
            let rules = PriorityRules::new(&rules).unwrap();
            let once = || {
                let begun = std::time::Instant::now();
                let class_of =
                    |key: &FileKey| rules.class_of(key.as_bytes(), &Fingerprint::default(), Timestamp(0));
                let high = keys.iter().map(class_of).filter(|class| *class == BatchPriority::High).count();
                assert_eq!(high, 20 * count);
                begun.elapsed()
            };
            (0..9).map(|_| once()).min().unwrap()
        };
        let (few, many) = (fastest(1), fastest(64));
        assert!(many < few * 12, "{few:?} with one rule, {many:?} with 64");
    }

    #[test]
    fn a_rule_that_can_not_be_applied_is_named_with_a_remedy() {
        let wrong = |rule: PriorityRule| PriorityRules::new(&[rule]).unwrap_err();
        let high = BatchPriority::High;
        assert!(wrong(rule(&[], &[], high)).contains("no condition"));
        assert!(wrong(rule(&["[a"], &[], high)).starts_with("match glob \"[a\": "));
        assert!(wrong(rule(&["src/"], &[], high)).contains("\"src/**\""));
        for language in
            [".py", "*.py", "py*", " py", "p?", "{py,rs}", "py,rs", "", " ", "a/py", "py:rs", "py="]
        {
            let wrong = wrong(rule(&[], &[language], high));
            assert!(wrong.contains(&format!("language {language:?} is no extension")), "{wrong}");
        }
        assert!(wrong(rule(&[], &["*.py"], high)).contains("such as \"py\""));
        let sizes =
            PriorityRule { larger_than: Some(5 << 20), smaller_than: Some(5 << 20), ..Default::default() };
        assert!(wrong(sizes).contains("larger than 5MiB and smaller than 5MiB"));
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        assert!(wrong(rule(&[&long], &[], high)).contains("use 8192 at most"));
        let far = PriorityRule { origin: long, ..rule(&["a"], &[], high) };
        assert!(wrong(far).contains("use 8192 at most"));
        let many = vec![rule(&["a"], &[], high); RULES_MAX + 1];
        assert!(PriorityRules::new(&many).unwrap_err().contains("use 64 at most"));
    }
}
