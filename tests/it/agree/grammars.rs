//! tree-sitter's grammars, each in two releases: of the newest Python wheel, and of the npm package tree-sitter-wasms.

use super::{About, Accepted, Difference, Family, Parser, whole};

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
            is_it: |found| {
                let is_property = found.what.starts_with("variable ") || found.what.starts_with("constant ");
                found.source.ends_with(".kt") && is_property
            },
            reason: "a property's accessors stand beside it in Kotlin's older grammar, inside of it in the newer one",
        },
        Accepted {
            parser: "wasm",
            about: About::Calls,
            is_it: |found| found.source.ends_with(".kt"),
            reason: "Kotlin's older grammar takes the body behind `by x`, and parentheses on the next line, for arguments",
        },
        Accepted {
            parser: "wasm",
            about: About::Lines,
            is_it: |found| found.source.ends_with(".cs") && found.what.starts_with("method "),
            reason: "C#'s newer grammar begins a member with the `#if` around its first attribute",
        },
        Accepted {
            parser: "wasm",
            about: About::Calls,
            is_it: |found| found.source.ends_with(".cs"),
            reason: "C#'s older grammar takes `using (A<B>.C(d))` for a declaration",
        },
        Accepted { parser: "wasm", about: About::Symbol, is_it: is_scala, reason: SCALA },
        Accepted { parser: "wasm", about: About::Lines, is_it: is_scala, reason: SCALA },
        Accepted { parser: "wasm", about: About::Calls, is_it: is_scala, reason: SCALA },
    ],
    compared: whole,
};

const SCALA: &str = "Scala's older grammar joins a function to the lines before it, and reads the body of a class without a name as a block";

fn is_scala(found: &Difference) -> bool {
    found.source.ends_with(".scala")
}

#[test]
fn releases_of_a_grammar_agree() {
    GRAMMARS.check_samples();
    GRAMMARS.check_trees();
}
