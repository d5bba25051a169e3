//! Agreement with independent readers of JSON, and independence of how a document is written.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::properties::{Doc, Order, jiter_accepts, serde_accepts};
use super::{counts_of, text_of};
use crate::process::ast::detect::vocabulary::KIND_FIELDS;

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&KIND_FIELDS[..]).prop_map(str::to_owned),
        2 => select(&["body", "types", "kin", "name", "", "lineno", "node_typf"][..]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0u32..500).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(&["Call", "Name", "FunctionDeclaration", "", "a\"b\\c\n"][..]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            vec((key(), inner), 0..8)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Counts values, depth, and for each kind field the strings under it: by recursion over a tree.
fn count(value: &Value, depth: usize, sums: &mut (u64, usize, Vec<Map<String, Value>>)) {
    sums.0 += 1;
    let inner: Vec<&Value> = match value {
        Value::Array(elements) => elements.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => return,
    };
    sums.1 = sums.1.max(depth + 1);
    for (field, kinds) in KIND_FIELDS.iter().zip(&mut sums.2) {
        if let Some(kind) = value.get(field).and_then(Value::as_str) {
            let count = kinds.get(kind).and_then(Value::as_u64).unwrap_or(0) + 1;
            kinds.insert(kind.to_owned(), json!(count));
        }
    }
    inner.into_iter().for_each(|value| count(value, depth + 1, sums));
}

fn expected(value: &Value) -> Value {
    let mut sums = (0, 0, vec![Map::new(); KIND_FIELDS.len()]);
    count(value, 0, &mut sums);
    let nodes = |kinds: &Map<String, Value>| kinds.values().filter_map(Value::as_u64).sum::<u64>();
    let mut best = (None, 0, Map::new());
    for (field, kinds) in KIND_FIELDS.iter().zip(sums.2) {
        if nodes(&kinds) > best.1 {
            best = (Some(field), nodes(&kinds), kinds);
        }
    }
    json!({"values": sums.0, "depth": sums.1, "nodes": best.1, "kind_field": best.0, "kinds": best.2})
}

/// Changes to a text: position (scaled to the length), what to do, byte.
fn mutate(doc: &mut Vec<u8>, changes: &[(u16, u8, u8)]) {
    for &(place, action, byte) in changes {
        let at = usize::from(place) * (doc.len() + 1) / (usize::from(u16::MAX) + 1);
        match action {
            0 if at < doc.len() => doc[at] = byte,
            1 => doc.insert(at, byte),
            2 if at < doc.len() => drop(doc.remove(at)),
            3 => doc.truncate(at),
            _ => {}
        }
    }
}

fn change() -> impl Strategy<Value = (u16, u8, u8)> {
    let byte = prop_oneof![
        6 => select(&b"{}[]:,\"\\ \n\t0123456789-+.eEtfnul/bx\x00\x1f"[..]),
        1 => any::<u8>(),
    ];
    (any::<u16>(), 0u8..4, byte)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_agree_with_a_recursive_count(value in value()) {
        let expected = expected(&value);
        prop_assert_eq!(counts_of(serde_json::to_string(&value).unwrap()), expected.clone());
        prop_assert_eq!(counts_of(serde_json::to_string_pretty(&value).unwrap()), expected);
    }

    #[test]
    fn the_result_depends_neither_on_key_order_nor_on_white_space(value in value(), seed in any::<u64>()) {
        let other = Doc::from(&value).varied(seed, Order::AllMove);
        prop_assert_eq!(text_of(value.to_string()).unwrap(), text_of(&other).unwrap(), "{}", other);
    }

    #[test]
    fn mutations_are_accepted_exactly_when_the_oracles_accept(
        value in value(), seed in any::<u64>(), changes in vec(change(), 1..4),
    ) {
        let mut doc = Doc::from(&value).varied(seed, Order::AllMove).into_bytes();
        for change in &changes {
            mutate(&mut doc, std::slice::from_ref(change));
            let accepted = text_of(&doc).is_ok();
            let shown = String::from_utf8_lossy(&doc);
            prop_assert_eq!(accepted, serde_accepts(&doc), "serde_json: {}", shown);
            if jiter_accepts(&doc) {
                prop_assert!(accepted, "jiter: {}", shown);
            } else {
                prop_assert!(!accepted || shown.to_lowercase().contains("\\ud"), "jiter: {}", shown);
            }
        }
    }
}

/// Small alphabets reach every transition of the grammar that random values don't.
#[test]
fn short_texts_are_accepted_exactly_when_the_oracle_accepts() {
    for alphabet in [&b"[]{},:\"1 "[..], b"-0.1eE+ ", b"\"\\u0d8f\x1f ", b"truefalsn"] {
        let base = alphabet.len();
        for code in 0..base.pow(5) {
            let text: Vec<u8> = (0..5).map(|at| alphabet[code / base.pow(at) % base]).collect();
            for text in [&text[..], &[b"[", &text[..], b"]"].concat()] {
                let shown = String::from_utf8_lossy(text);
                assert_eq!(text_of(text).is_ok(), serde_accepts(text), "{shown}");
            }
        }
    }
}
