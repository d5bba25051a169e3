//! Globs of file names and paths, compiled.

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};

/// An invalid glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{list} glob \"{glob}\": {reason}")]
pub struct FilterError {
    /// `include`, `exclude` or `match`.
    pub list: &'static str,
    /// The glob as given.
    pub glob: String,
    /// What is wrong with it, and what to write instead.
    pub reason: String,
}

/// Globs of one list. Those of the form `*SUFFIX`, nearly all in use, are plain comparisons.
#[derive(Debug, Clone, Default)]
pub(crate) struct Globs {
    texts: Vec<String>,
    /// The suffix, and the index of its text.
    suffixes: Vec<(Box<[u8]>, usize)>,
    names: GlobSet,
    name_texts: Vec<usize>,
    paths: GlobSet,
    path_texts: Vec<usize>,
}

impl Globs {
    /// Compiles globs of files: one that names a folder is refused.
    pub(crate) fn of_files(list: &'static str, texts: &[String]) -> Result<Self, FilterError> {
        if let Some(glob) = texts.iter().find(|glob| glob.ends_with('/')) {
            let reason = format!("names a folder; write \"{glob}**\" for the files below it");
            return Err(FilterError { list, glob: glob.clone(), reason });
        }
        Self::new(list, texts)
    }

    /// Compiles globs; `list` names them in errors.
    pub(crate) fn new(list: &'static str, texts: &[String]) -> Result<Self, FilterError> {
        let mut globs = Self { texts: texts.to_vec(), ..Self::default() };
        let mut names = GlobSetBuilder::new();
        let mut paths = GlobSetBuilder::new();
        for (at, text) in texts.iter().enumerate() {
            let error = |reason: String| FilterError { list, glob: text.clone(), reason };
            let inner = text.strip_suffix('/').unwrap_or(text);
            let inner = inner.strip_prefix("./").unwrap_or(inner);
            if inner.trim().is_empty() {
                return Err(error("empty; write \"*\" for every file".to_owned()));
            }
            if let Some(suffix) = suffix_of(text) {
                globs.suffixes.push((suffix.as_bytes().into(), at));
                continue;
            }
            let glob = GlobBuilder::new(inner.strip_prefix('/').unwrap_or(inner))
                .literal_separator(true)
                .build()
                .map_err(|e| {
                    error(format!("{}; put \"\\\" before a character that stands for itself", e.kind()))
                })?;
            if inner.contains('/') {
                paths.add(glob);
                globs.path_texts.push(at);
            } else {
                names.add(glob);
                globs.name_texts.push(at);
            }
        }
        let too_large = |e: globset::Error| FilterError {
            list,
            glob: e.glob().unwrap_or_default().to_owned(),
            reason: format!("{}; use fewer or shorter globs", e.kind()),
        };
        globs.names = names.build().map_err(too_large)?;
        globs.paths = paths.build().map_err(too_large)?;
        Ok(globs)
    }

    /// Returns the globs as given.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Returns the first glob that matches an entry of this name and relative path; the path is asked for only if a
    /// glob needs it.
    pub(crate) fn find<P: AsRef<[u8]>>(
        &self,
        name: &[u8],
        path: impl FnOnce() -> P,
        is_folder: bool,
    ) -> Option<&str> {
        let in_paths = || {
            if self.paths.is_empty() {
                return None;
            }
            self.find_in(&self.paths, &self.path_texts, path().as_ref(), is_folder)
        };
        let suffix = self.suffixes.iter().find(|(suffix, _)| name.ends_with(suffix)).map(|&(_, at)| at);
        let found = suffix
            .or_else(|| self.find_in(&self.names, &self.name_texts, name, is_folder))
            .or_else(in_paths)?;
        self.texts.get(found).map(String::as_str)
    }

    /// Calls `found` with the index of each glob without a `/` that matches this name.
    pub(crate) fn each_of_name(&self, name: &[u8], mut found: impl FnMut(usize)) {
        let suffixes = self.suffixes.iter().filter(|(suffix, _)| name.ends_with(suffix));
        suffixes.for_each(|&(_, at)| found(at));
        each_in(&self.names, &self.name_texts, name, found);
    }

    /// Calls `found` with the index of each glob with a `/` that matches this path.
    pub(crate) fn each_of_path(&self, path: &[u8], found: impl FnMut(usize)) {
        each_in(&self.paths, &self.path_texts, path, found);
    }

    fn find_in(&self, set: &GlobSet, texts: &[usize], path: &[u8], is_folder: bool) -> Option<usize> {
        if set.is_empty() {
            return None;
        }
        let matching = set.matches_candidate(&Candidate::from_bytes(path));
        let fits = |at: &usize| is_folder || !self.texts.get(*at).is_some_and(|text| text.ends_with('/'));
        matching.into_iter().filter_map(|at| texts.get(at).copied()).find(fits)
    }
}

/// Returns the characters outside of brackets and braces that no backslash precedes, with their places: a comma or
/// another separator among them ends the glob.
pub(crate) fn bare_chars(text: &str) -> impl DoubleEndedIterator<Item = (usize, char)> {
    let mut bare = Vec::new();
    let mut braces = 0_usize;
    // Where a class began: a `]` that is first in it stands for itself.
    let mut class = None;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut is_escaped) {
            continue;
        }
        match (c, class) {
            (']', Some(from)) if !matches!(&text[from..at], "[" | "[!" | "[^") => class = None,
            (_, Some(_)) => {}
            ('\\', None) => is_escaped = true,
            ('[', None) => class = Some(at),
            ('{', None) => braces += 1,
            ('}', None) => braces = braces.saturating_sub(1),
            (c, None) if braces == 0 => bare.push((at, c)),
            (_, None) => {}
        }
    }
    bare.into_iter()
}

/// Puts what would end the glob within a rule into brackets: the result matches the same, and is read back as one glob.
pub(crate) fn protected(glob: &str) -> String {
    let mut text = glob.to_owned();
    for (at, c) in bare_chars(glob).rev() {
        let is_outermost = at == 0 || at + c.len_utf8() == glob.len();
        if matches!(c, ',' | '=') || (c.is_whitespace() && is_outermost) {
            text.replace_range(at..at + c.len_utf8(), &format!("[{c}]"));
        }
    }
    text
}

fn each_in(set: &GlobSet, texts: &[usize], path: &[u8], found: impl FnMut(usize)) {
    if !set.is_empty() {
        let matching = set.matches_candidate(&Candidate::from_bytes(path));
        matching.into_iter().filter_map(|at| texts.get(at).copied()).for_each(found);
    }
}

/// Returns `.ast.json` for `*.ast.json`; `None` where more than a comparison is needed.
fn suffix_of(glob: &str) -> Option<&str> {
    let suffix = glob.strip_prefix('*')?;
    (!suffix.is_empty() && !suffix.contains(['*', '?', '[', ']', '{', '}', '\\', '/'])).then_some(suffix)
}
