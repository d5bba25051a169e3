//! Which names a scan accepts, and why: shards, include and exclude globs, ignore files.

pub(super) mod hidden;
pub(super) mod ignored;

use std::fmt;

use crate::model::Shard;
pub use crate::model::rules::globs::FilterError;
use crate::model::rules::globs::Globs;

/// Include and exclude globs, and the shard.
///
/// A glob without `/` is matched with the name of a file, one with `/` with the path relative to
/// the root; `*` and `?` don't match `/`, `**` does. A leading `/` only anchors. Exclude globs cut
/// folders as well, and one that ends in `/` cuts folders only. Exclude wins over include. No
/// include glob at all lets every file in.
///
/// ```
/// use outlast::source::Filters;
///
/// let filters = Filters::new(&["*.ast.json".to_owned()], &["build/".to_owned()])?;
/// assert!(filters.accepts(b"src/a.ast.json"));
/// assert!(!filters.accepts(b"build/a.ast.json"));
/// assert!(!filters.accepts(b"src/a.txt"));
/// # Ok::<(), outlast::source::FilterError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Filters {
    include: Globs,
    exclude: Globs,
    shard: Option<Shard>,
}

impl Filters {
    /// Compiles the globs.
    ///
    /// # Errors
    /// The first invalid glob.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, FilterError> {
        let include = Globs::of_files("include", include)?;
        Ok(Self { include, exclude: Globs::new("exclude", exclude)?, shard: None })
    }

    /// Lets in the files of this shard only.
    #[must_use]
    pub fn with_shard(self, shard: Option<Shard>) -> Self {
        Self { shard, ..self }
    }

    /// Returns a text that is equal exactly when the rules are: one line per rule, sorted. The contents of
    /// `.outlastignore` files are not in it, since every scan reads them again.
    pub fn signature(&self) -> String {
        let lines = |list: &str, globs: &Globs| {
            let escaped = |text: &String| text.replace('\\', "\\\\").replace('\n', "\\n");
            globs.texts().iter().map(|text| format!("{list} {}\n", escaped(text))).collect::<Vec<_>>()
        };
        let mut all = lines("exclude", &self.exclude);
        all.extend(lines("include", &self.include));
        all.extend(self.shard.map(|shard| format!("shard {shard}\n")));
        all.sort();
        all.dedup();
        all.concat()
    }

    /// Returns whether the globs accept the file at this relative path: none of its folders is excluded, and its
    /// name is included. `.outlastignore` files are not consulted; [`TreeSource::explain`] does that.
    ///
    /// [`TreeSource::explain`]: super::TreeSource::explain
    pub fn accepts(&self, relative: &[u8]) -> bool {
        let mut entry = EntryPath::in_folder(b"");
        let mut components = relative.split(|&byte| byte == b'/').peekable();
        while let Some(name) = components.next() {
            entry.set(name);
            let is_folder = components.peek().is_some();
            if self.cut(&entry, is_folder).is_some() {
                return false;
            }
            entry.enter();
        }
        true
    }

    /// Returns the rule that excludes this entry. The shard comes first, so that each file counts once over all shards.
    pub(super) fn cut(&self, entry: &EntryPath, is_folder: bool) -> Option<ExclusionRule<'_>> {
        if !is_folder && let Some(own) = self.shard.filter(|own| !own.holds(entry.path())) {
            return Some(ExclusionRule::Shard(own));
        }
        if !is_folder
            && !self.include.is_empty()
            && self.include.find(entry.name(), || entry.path(), false).is_none()
        {
            return Some(ExclusionRule::Include);
        }
        self.exclude.find(entry.name(), || entry.path(), is_folder).map(ExclusionRule::Exclude)
    }
}

/// The rule that excluded an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExclusionRule<'a> {
    /// The file is of another shard than this one.
    Shard(Shard),
    /// No include glob matches.
    Include,
    /// This exclude glob matches.
    Exclude(&'a str),
    /// This pattern of the `.outlastignore` in this folder matches.
    Ignored { folder: &'a [u8], pattern: &'a str },
    /// The folder holds state or records.
    State,
}

impl ExclusionRule<'_> {
    /// Returns the name used in summaries, with the folder of the `.outlastignore` that holds the pattern.
    pub(super) fn in_full(&self) -> String {
        match self {
            Self::Ignored { folder, .. } if !folder.is_empty() => {
                format!("{}/{self}", String::from_utf8_lossy(folder))
            }
            _ => self.to_string(),
        }
    }
}

/// The name used in summaries.
impl fmt::Display for ExclusionRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shard(own) => write!(f, "shard {own}"),
            Self::Include => f.write_str("include"),
            Self::Exclude(glob) => write!(f, "exclude:{glob}"),
            Self::Ignored { pattern, .. } => write!(f, ".outlastignore:{pattern}"),
            Self::State => f.write_str("state-folder"),
        }
    }
}

/// The relative path of the current entry; one buffer serves all entries of a folder.
#[derive(Debug)]
pub(super) struct EntryPath {
    bytes: Vec<u8>,
    name_at: usize,
}

/// Capacity for a name: allocated once per folder, and few names are longer.
const NAME_BYTES: usize = 64;

impl EntryPath {
    /// Creates the path for entries of this folder; empty for the root.
    pub(super) fn in_folder(relative: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(relative.len() + NAME_BYTES);
        bytes.extend_from_slice(relative);
        let mut entry = Self { bytes, name_at: relative.len() };
        if !relative.is_empty() {
            entry.enter();
        }
        entry
    }

    /// Makes the entry of this name the current one.
    pub(super) fn set(&mut self, name: &[u8]) {
        self.bytes.truncate(self.name_at);
        self.bytes.extend_from_slice(name);
    }

    /// Enters the current entry, which is a folder.
    pub(super) fn enter(&mut self) {
        self.bytes.push(b'/');
        self.name_at = self.bytes.len();
    }

    /// Returns the entry's name.
    pub(super) fn name(&self) -> &[u8] {
        &self.bytes[self.name_at..]
    }

    /// Returns the path of the entry's folder, relative to the root; empty for the root.
    pub(super) fn folder(&self) -> &[u8] {
        &self.bytes[..self.name_at.saturating_sub(1)]
    }

    /// Returns the entry's path, relative to the root.
    pub(super) fn path(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(include: &[&str], exclude: &[&str]) -> Filters {
        let owned = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect::<Vec<_>>();
        Filters::new(&owned(include), &owned(exclude)).unwrap()
    }

    #[test]
    fn names_and_paths_are_matched_as_documented() {
        for (glob, path, expected) in [
            ("*.ast.json", &b"a/b/.x.ast.json"[..], true),
            ("*.ast.json", b".ast.json", true),
            ("*.ast.json", b"new\nline\xff.ast.json", true),
            ("*_ast.json", b"a_ast.json", true),
            ("*.ast.json", b"a.ast.json.tmp", false),
            ("[ab].json", b"x/a.json", true),
            ("?[!x].js*", b"\xff\n.json", true),
            ("*.{ast,syntax}.json", b"d/a.syntax.json", true),
            ("src/*.json", b"src/a.json", true),
            ("src/*.json", b"src/deep/a.json", false),
            ("src/**/*.json", b"src/very/deep/a.json", true),
            ("**/gen/*", b"a/gen/x", true),
            ("/top.json", b"top.json", true),
            ("/top.json", b"a/top.json", false),
            ("./src/*", b"src/a", true),
        ] {
            assert_eq!(filters(&[glob], &[]).accepts(path), expected, "{glob} {}", path.escape_ascii());
        }
    }

    #[test]
    fn an_exclude_cuts_files_and_folders_and_wins() {
        let filters = filters(&["*.json"], &["build/", "*.tmp.json", "a/b", "node_*"]);
        let accepts = |path: &str| filters.accepts(path.as_bytes());
        assert!(accepts("x/y.json") && accepts("build.json") && accepts("b/x.json"));
        assert!(!accepts("build/y.json") && !accepts("x/build/z/y.json"));
        assert!(!accepts("y.tmp.json") && !accepts("a/b/y.json") && !accepts("node_modules/y.json"));
        assert!(Filters::default().accepts(b"anything"));
        let file = {
            let mut entry = EntryPath::in_folder(b"");
            entry.set(b"build");
            entry
        };
        assert_eq!(filters.cut(&file, true).map(|cut| cut.to_string()).as_deref(), Some("exclude:build/"));
        assert_eq!(filters.cut(&file, false), Some(ExclusionRule::Include));
    }

    #[test]
    fn a_glob_that_is_none_is_named_with_a_remedy() {
        let error = |include: &str, exclude: &str| {
            let list = |glob: &str| if glob.is_empty() { vec![] } else { vec![glob.to_owned()] };
            Filters::new(&list(include), &list(exclude)).unwrap_err().to_string()
        };
        assert!(error("src/", "").contains("\"src/**\""));
        assert!(error("", "[a").starts_with("exclude glob \"[a\": "));
        assert!(error("", "/").contains("empty"));
    }

    #[test]
    fn a_shard_lets_in_its_own_files_and_every_folder() {
        let all: Vec<String> = (0..100).map(|number| format!("a/b/{number}.json")).collect();
        let shard = |index| filters(&["*.json"], &[]).with_shard(Some(Shard::new(index, 3).unwrap()));
        for path in &all {
            let accepting = (0..3).filter(|&index| shard(index).accepts(path.as_bytes()));
            assert_eq!(accepting.collect::<Vec<_>>(), [Shard::index_of(path.as_bytes(), 3)], "{path}");
        }
        assert!((0..3).all(|index| !shard(index).accepts(b"a/b/x.txt")));
        assert_eq!(shard(1).signature(), "include *.json\nshard 1/3\n");
    }

    #[test]
    fn the_signature_follows_the_rules_and_not_their_order() {
        let signature = |i: &[&str], e: &[&str]| filters(i, e).signature();
        assert_eq!(signature(&["b", "a"], &["c"]), "exclude c\ninclude a\ninclude b\n");
        assert_eq!(signature(&["a", "b", "a"], &[]), signature(&["b", "a"], &[]));
        assert_ne!(signature(&["a"], &[]), signature(&[], &["a"]));
        assert_ne!(signature(&["a\ninclude b"], &[]), signature(&["a", "b"], &[]));
    }
}
