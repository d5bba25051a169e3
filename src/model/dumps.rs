//! The names of dumps of syntax trees.

/// Returns what the name of a dump has before its ending: `a.py` of `a.py.ast.json`.
pub(crate) fn dumped_name(name: &[u8]) -> Option<&[u8]> {
    let endings: [&[u8]; 4] = [b".ast.json", b".syntax.json", b"_ast.json", b".json"];
    endings.iter().find_map(|ending| name.strip_suffix(*ending))
}
