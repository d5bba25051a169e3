//! JavaScript and TypeScript: the parsers of the ESTree family, and tree-sitter. No difference is accepted.

use super::{Family, Parser, whole};

const fn parser(name: &'static str, folders: &'static [&'static str]) -> Parser {
    Parser { name, folders }
}

static JAVASCRIPT: Family = Family {
    name: "javascript",
    parsers: &[
        parser("acorn-lines", &["estree/acorn-lines"]),
        parser("acorn", &["estree/acorn"]),
        parser("espree", &["estree/espree"]),
        parser("estree-lines", &["estree/estree-lines"]),
        parser("estree", &["estree/estree"]),
        parser("babel", &["estree/babel", "estree/babel-flow"]),
        parser("swc", &["estree/swc"]),
        parser("oxc", &["estree/oxc"]),
        parser("oxc-0.30", &["estree/oxc-0.30"]),
        parser("estree-5", &["estree/estree-5"]),
        parser("hermes", &["estree/hermes"]),
        parser("flow", &["estree/flow"]),
        parser("tree-sitter", &["tree-sitter/points"]),
        parser("tree-sitter-tsx", &["tree-sitter/leaves"]),
        parser("tree-sitter-wasm", &["tree-sitter/web"]),
    ],
    accepted: &[],
    compared: whole,
};

#[test]
fn parsers_of_javascript_agree() {
    JAVASCRIPT.check_samples();
    JAVASCRIPT.check_trees();
}
