//! Agreement with independent readers of JSON, and independence of how a document is written.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::super::vocabulary::KIND_FIELDS;
use super::{counts_of, text_of};

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

/// Values, depth, and for each kind field the strings under it: by recursion over a tree.
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

/// Prints values with their keys in another order, other white space and other escapes.
pub(super) struct Printer {
    seed: u64,
    out: String,
}

impl Printer {
    pub(super) fn print(value: &Value, seed: u64) -> String {
        let mut printer = Self { seed, out: String::new() };
        printer.value(value);
        printer.out
    }

    fn draw(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as usize % below
    }

    fn space(&mut self) {
        let spaces = ["", "", " ", "\n        ", "\r\n\t\t\t", "                                     "];
        let drawn = self.draw(spaces.len());
        self.out.push_str(spaces[drawn]);
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            if c < ' ' || c == '"' || c == '\\' || self.draw(6) == 0 {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| self.out += &format!("\\u{unit:04x}"));
            } else {
                self.out.push(c);
            }
        }
        self.out.push('"');
    }

    fn value(&mut self, value: &Value) {
        self.space();
        match value {
            Value::Array(elements) => {
                self.out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    self.out.push_str(if at > 0 { "," } else { "" });
                    self.value(element);
                }
                self.space();
                self.out.push(']');
            }
            Value::Object(members) => self.object(members),
            Value::String(string) => self.text(string),
            other => self.out += &other.to_string(),
        }
        self.space();
    }

    fn object(&mut self, members: &Map<String, Value>) {
        let mut members: Vec<_> = members.iter().collect();
        for at in (1..members.len()).rev() {
            let other = self.draw(at + 1);
            members.swap(at, other);
        }
        self.out.push('{');
        for (at, (key, member)) in members.into_iter().enumerate() {
            self.out.push_str(if at > 0 { "," } else { "" });
            self.space();
            self.text(key);
            self.space();
            self.out.push(':');
            self.value(member);
        }
        self.space();
        self.out.push('}');
    }
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

/// serde_json skipping everything checks the same grammar, lone surrogates let through, but knows no
/// numbers that are not finite.
fn serde_accepts(doc: &[u8]) -> bool {
    std::str::from_utf8(doc).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

fn jiter_accepts(doc: &[u8]) -> bool {
    let mut jiter = jiter::Jiter::new(doc);
    std::str::from_utf8(doc).is_ok() && jiter.next_skip().is_ok() && jiter.finish().is_ok()
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
        let other = Printer::print(&value, seed);
        prop_assert_eq!(text_of(value.to_string()).unwrap(), text_of(&other).unwrap(), "{}", other);
    }

    #[test]
    fn mutations_are_accepted_exactly_when_the_oracles_accept(
        value in value(), seed in any::<u64>(), changes in vec(change(), 1..4),
    ) {
        let mut doc = Printer::print(&value, seed).into_bytes();
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
