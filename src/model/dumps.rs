//! What the name of a file tells: dumps of syntax trees have that of their source in it.

/// The endings of dumps, in the order they are tried. The last is also that of plain JSON.
const ENDINGS: [&[u8]; 4] = [b".ast.json", b".syntax.json", b"_ast.json", PLAIN];
const PLAIN: &[u8] = b".json";

/// Returns the language that a name tells, as an extension: `py` for `a.py`, `a.py.ast.json`, `a.py_ast.json` and
/// `a.py.json`, `json` for `a.json`. `None` where there is no extension, as in `a.ast.json` or `.py`.
pub(crate) fn language_of(name: &[u8]) -> Option<&[u8]> {
    let is_plain = ending_of(name).is_some_and(|ending| ending == PLAIN);
    source_extension(name).or_else(|| extension_of(name).filter(|_| is_plain))
}

/// Returns the extension of the source that a dump was made from, by the dump's name; of another file its own.
pub(crate) fn source_extension(name: &[u8]) -> Option<&[u8]> {
    extension_of(ending_of(name).map_or(name, |ending| &name[..name.len() - ending.len()]))
}

fn ending_of(name: &[u8]) -> Option<&'static [u8]> {
    ENDINGS.into_iter().find(|ending| name.ends_with(ending))
}

/// Returns what a name has after its last dot. A dot in front makes a hidden file, and no extension.
pub(crate) fn extension_of(name: &[u8]) -> Option<&[u8]> {
    let dot = name.iter().rposition(|&byte| byte == b'.').filter(|&dot| dot > 0)?;
    Some(&name[dot + 1..]).filter(|extension| !extension.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_language_of_a_source_and_of_its_dump() {
        for (name, language) in [
            ("a.py", Some("py")),
            ("a.tar.gz", Some("gz")),
            ("a.txt", Some("txt")),
            ("a.py.ast.json", Some("py")),
            ("a.py.syntax.json", Some("py")),
            ("a.test.js_ast.json", Some("js")),
            ("a.py.json", Some("py")),
            ("a.json", Some("json")),
            (".a.json", Some("json")),
            ("a.ast.json", None),
            ("a_ast.json", None),
            (".py.ast.json", None),
            ("Makefile", None),
            (".py", None),
            (".json", None),
            ("a.", None),
            ("", None),
        ] {
            assert_eq!(language_of(name.as_bytes()), language.map(str::as_bytes), "{name}");
        }
        assert_eq!(source_extension(b"a.json"), None, "a dump of what its name does not tell");
    }
}
