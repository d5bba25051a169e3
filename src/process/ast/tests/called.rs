//! Callees of C's family, in dumps of real parsers.

use std::path::Path;

use crate::process::ast::AstProcessor;
use crate::process::{FileContent, Processor, ResultWriter};

/// Returns what a function calls, as `callee count`, in a dump below `data/dialects`.
fn called(dump: &str, caller: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/dialects").join(dump);
    let bytes = std::fs::read(path).unwrap();
    let mut result = ResultWriter::default();
    AstProcessor::new().process(&FileContent { path: dump.as_bytes(), bytes: &bytes }, &mut result).unwrap();
    let result: serde_json::Value = serde_json::from_slice(result.as_bytes()).unwrap();
    let calls = result["calls"].as_array().unwrap().iter().filter(|call| call["caller"] == caller);
    let mut reported: Vec<_> =
        calls.map(|call| format!("{} {}", call["callee"].as_str().unwrap(), call["count"])).collect();
    reported.sort_unstable();
    reported
}

const TREE_SITTER: &str = "tree-sitter/leaves/called.cpp.ast.json";
const CLANG: &str = "clang/called.cpp.ast.json";

#[test]
fn a_name_with_scopes_in_front_is_told_with_all_of_them() {
    let scoped = ["least 1", "price 1", "shop.Desk.Row.size 1", "shop.Desk.free 1", "shop.Desk.of 1"];
    let reported = called(TREE_SITTER, "qualified");
    assert_eq!(reported[..5], scoped);
    assert_eq!(reported[5..], ["shop.back.door 2", "shop.open 1"]);
    // clang reports the function's own name.
    let own = ["door 2", "free 1", "least 1", "of 1", "open 1", "price 1", "size 1"];
    assert_eq!(called(CLANG, "qualified"), own);
}

#[test]
fn members_pointers_and_casts_are_called_by_their_names() {
    for dump in [TREE_SITTER, CLANG] {
        let members = [
            "one.count 1",
            "one.lend 2",
            "other.count 2",
            "other.lend 1",
            "other.next.lend 1",
            "other.price 1",
        ];
        assert_eq!(called(dump, "members"), members, "{dump}");
        let pointed = ["by 1", "lend 1", "one.lend 2", "one.price 1", "some 1", "some.lend 1", "table 1"];
        assert_eq!(called(dump, "pointed"), pointed, "{dump}");
    }
}

#[test]
fn what_is_made_is_a_call_of_its_type_but_of_those_of_numbers() {
    for dump in [TREE_SITTER, CLANG] {
        assert_eq!(called(dump, "made"), ["Book 3", "Pair 3", "T 3"], "{dump}");
    }
}

#[test]
fn attributes_and_what_the_preprocessor_reads_call_nothing() {
    for dump in [TREE_SITTER, CLANG] {
        assert_eq!(called(dump, "told"), ["price 2"], "{dump}");
        assert_eq!(called(dump, ""), [""; 0], "{dump}");
    }
}

#[test]
fn what_stands_in_a_macro_s_argument_is_called_once() {
    assert_eq!(called("clang/macros.c.ast.json", "most"), ["price 2"]);
    assert_eq!(called("clang/macros.c.ast.json", "both"), ["price 4"]);
}

#[test]
fn messages_are_sent_to_variables_and_properties() {
    let reported = called("clang/receivers.m.ast.json", "Shelf.lend:");
    let expected = "Shelf.first 1, _done 1, _next.lend: 2, _next.other.lend: 1, _next.other.told 1, lend: 2, self._done 1, \
                    self._next.lend: 1, self.last 1, self.last.lend: 1, self.other.lend: 1, self.told 1";
    assert_eq!(reported.join(", "), expected);
}
