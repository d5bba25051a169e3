//! Python: its own `ast`, also as ast2json writes it, and tree-sitter. No difference is accepted.

use super::{Family, Parser, whole};

static PYTHON: Family = Family {
    name: "python",
    parsers: &[
        Parser { name: "ast", folders: &["python-ast/_type", "python-ast/ast_type"] },
        Parser { name: "ast2json", folders: &["python-ast/ast2json"] },
        Parser { name: "tree-sitter", folders: &["tree-sitter/leaves", "tree-sitter/points"] },
    ],
    accepted: &[],
    compared: whole,
};

/// The same with two releases of tree-sitter's grammar.
static RELEASES: Family = Family {
    name: "python-releases",
    parsers: &[
        Parser { name: "ast", folders: &["python-ast/releases"] },
        Parser {
            name: "tree-sitter",
            folders: &["tree-sitter/wheel/lending.py.ast.json", "tree-sitter/wasm/lending.py.ast.json"],
        },
    ],
    accepted: &[],
    compared: whole,
};

#[test]
fn parsers_of_python_agree_whatever_the_grammar_s_release() {
    RELEASES.check_samples();
}

#[test]
fn parsers_of_python_agree() {
    PYTHON.check_samples();
    PYTHON.check_trees();
}
