//! C++: clang and tree-sitter. Of symbols one difference is accepted, which no grammar can tell.

use super::{About, Accepted, Difference, Family, Parser};

static CPP: Family = Family {
    name: "cpp",
    parsers: &[
        Parser { name: "clang", folders: &["clang"] },
        Parser { name: "tree-sitter", folders: &["tree-sitter/leaves"] },
    ],
    accepted: &[
        Accepted {
            parser: "tree-sitter",
            about: About::Lines,
            is_it: |one| line(&one.first) > line(&one.other),
            reason: "clang begins a declaration behind the attributes in front of it",
        },
        Accepted {
            parser: "tree-sitter",
            about: About::Lines,
            is_it: |one| line(&one.first) == line(&one.other),
            reason: "tree-sitter ends a declaration with its semicolon, which may stand in a line of its own",
        },
        Accepted {
            parser: "tree-sitter",
            about: About::Symbol,
            is_it: |one| {
                let is_constant = one.what.starts_with("constant ") && one.other.is_empty();
                let is_function = one.what.starts_with("function ") && one.first.is_empty();
                ["tr1/regex.hpp", "called.cpp"].contains(&&one.source[..]) && (is_constant || is_function)
            },
            reason: "what a name in round brackets initialises is written as a function is declared, and tree-sitter does not know which names are types",
        },
        Accepted {
            parser: "tree-sitter",
            about: About::Complexity,
            is_it: |one| one.first < one.other,
            reason: "clang's tree of a function has no condition of `noexcept` or `requires`",
        },
        Accepted {
            parser: "tree-sitter",
            about: About::Import,
            is_it: |one| one.first.is_empty(),
            reason: "clang's tree has no `#include`",
        },
        Accepted {
            parser: "tree-sitter",
            about: About::Calls,
            is_it: |one| callee(one).starts_with("operator"),
            reason: "clang knows which operators and literals are functions, and calls these",
        },
        Accepted {
            parser: "tree-sitter",
            about: About::Calls,
            is_it: |one| counts(one).0 > counts(one).1,
            reason: "clang tells what a declaration or an initialiser constructs beside what is constructed in expressions",
        },
        Accepted {
            parser: "tree-sitter",
            about: About::Calls,
            is_it: |one| counts(one).0 < counts(one).1,
            reason: "clang's tree has no name of what depends on a template's types, nothing of `decltype`, and casts for constructions of what is no record",
        },
    ],
    // tree-sitter has the scope in front, `std.begin`, and clang the function alone.
    compared: |callee| callee.rsplit('.').next().unwrap_or_default(),
};

fn callee(difference: &Difference) -> &str {
    difference.what.split(" calls ").nth(1).unwrap_or_default()
}

/// The first line that a parser tells.
fn line(told: &str) -> u32 {
    told.split(' ').nth(1).and_then(|line| line.parse().ok()).unwrap_or_default()
}

/// How often clang and tree-sitter see a call.
fn counts(difference: &Difference) -> (u64, u64) {
    let number = |text: &str| text.parse().unwrap_or_default();
    (number(&difference.first), number(&difference.other))
}

#[test]
fn parsers_of_cpp_agree() {
    CPP.check_samples();
    CPP.check_trees();
}
