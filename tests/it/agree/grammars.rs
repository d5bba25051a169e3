//! tree-sitter's grammars, each in two releases: of the newest Python wheel, and of the npm package tree-sitter-wasms.

use super::{About, Accepted, Family, Parser};

static GRAMMARS: Family = Family {
    name: "grammars",
    parsers: &[
        Parser { name: "wheel", folders: &["tree-sitter/wheel"] },
        Parser { name: "wasm", folders: &["tree-sitter/wasm"] },
    ],
    accepted: &[
        Accepted {
            parser: "wasm",
            about: About::Lines,
            is_it: |found| found.source.ends_with(".kt") && found.what.starts_with("variable "),
            reason: "a property's accessors stand beside it in Kotlin's older grammar, inside of it in the newer one",
        },
        Accepted {
            parser: "wasm",
            about: About::Symbol,
            is_it: |found| found.source.ends_with(".scala") && found.what.ends_with(".heard"),
            reason: "Scala's older grammar reads the body of a class without a name as a block",
        },
    ],
};

#[test]
fn releases_of_a_grammar_agree() {
    GRAMMARS.check_samples();
    GRAMMARS.check_trees();
}
