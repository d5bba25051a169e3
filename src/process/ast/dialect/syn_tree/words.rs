//! The relevant keys that syn-serde writes: most of them are tags.

/// Literals first, then the other tags, then keys that are neither.
#[rustfmt::skip]
const WORDS: [&str; 103] = [
    "str", "byte_str", "c_str", "byte", "char", "int", "float", "bool",
    "angle_bracketed", "array", "assign", "assoc_const", "assoc_type", "async", "await", "bare_fn", "binary", "block",
    "break", "call", "cast", "closure", "const", "constraint", "continue", "enum", "expr", "extern_crate", "field",
    "fn", "for_loop", "foreign_mod", "glob", "group", "ident", "if", "impl", "impl_trait", "index", "infer", "item",
    "let", "lifetime", "list", "lit", "loop", "macro", "match", "meta", "method", "method_call", "mod", "name_value",
    "named", "never", "or", "paren", "parenthesized", "path", "ptr", "punct", "range", "raw_addr", "receiver",
    "reference", "rename", "repeat", "rest", "restricted", "return", "slice", "static", "struct", "trait",
    "trait_alias", "trait_object", "try", "try_block", "tuple", "tuple_struct", "type", "typed", "unary", "union",
    "unnamed", "unsafe", "use", "verbatim", "while", "wild", "yield",
    "items", "content", "inputs", "vis", "tree", "segments", "func", "base", "arms", "op", "self_ty", "elem",
];

/// How many of the words are literals, and tags.
const LITERALS: u8 = 8;
const TAGGING: usize = 91;

/// Returns the number of a word, from 1.
const fn number(word: &str) -> u8 {
    let mut at = 0;
    while at < WORDS.len() {
        if same(WORDS[at].as_bytes(), word.as_bytes()) {
            return at as u8 + 1;
        }
        at += 1;
    }
    0
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

pub(super) const KEYS: [(u8, &str); WORDS.len()] = {
    let mut keys = [(0, ""); WORDS.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = (at as u8 + 1, WORDS[at]);
        at += 1;
    }
    keys
};

pub(super) const TAGS: &[(u8, &str)] = KEYS.split_at(TAGGING).0;

/// Returns whether a key determines the kind of its object, which has no other key, by an object or array under it.
#[inline(always)]
pub(super) const fn is_tag(key: u8) -> bool {
    key > 0 && key as usize <= TAGGING
}

/// Returns whether a key determines the kind of its object whatever is under it.
#[inline(always)]
pub(super) const fn is_literal(key: u8) -> bool {
    key > 0 && key <= LITERALS
}

/// Numbers of the keys that the dialect uses.
pub(super) mod key {
    use super::number;

    pub(in super::super) const ARMS: u8 = number("arms");
    pub(in super::super) const ASYNC: u8 = number("async");
    pub(in super::super) const AWAIT: u8 = number("await");
    pub(in super::super) const BASE: u8 = number("base");
    pub(in super::super) const BINARY: u8 = number("binary");
    pub(in super::super) const CALL: u8 = number("call");
    pub(in super::super) const CLOSURE: u8 = number("closure");
    pub(in super::super) const CONST: u8 = number("const");
    pub(in super::super) const CONTENT: u8 = number("content");
    pub(in super::super) const ELEM: u8 = number("elem");
    pub(in super::super) const ENUM: u8 = number("enum");
    pub(in super::super) const EXPR: u8 = number("expr");
    pub(in super::super) const EXTERN_CRATE: u8 = number("extern_crate");
    pub(in super::super) const FIELD: u8 = number("field");
    pub(in super::super) const FN: u8 = number("fn");
    pub(in super::super) const FOR_LOOP: u8 = number("for_loop");
    pub(in super::super) const FUNC: u8 = number("func");
    pub(in super::super) const GLOB: u8 = number("glob");
    pub(in super::super) const GROUP: u8 = number("group");
    pub(in super::super) const IDENT: u8 = number("ident");
    pub(in super::super) const IF: u8 = number("if");
    pub(in super::super) const IMPL: u8 = number("impl");
    pub(in super::super) const INPUTS: u8 = number("inputs");
    pub(in super::super) const ITEM: u8 = number("item");
    pub(in super::super) const ITEMS: u8 = number("items");
    pub(in super::super) const MATCH: u8 = number("match");
    pub(in super::super) const METHOD: u8 = number("method");
    pub(in super::super) const METHOD_CALL: u8 = number("method_call");
    pub(in super::super) const MOD: u8 = number("mod");
    pub(in super::super) const OP: u8 = number("op");
    pub(in super::super) const PAREN: u8 = number("paren");
    pub(in super::super) const PATH: u8 = number("path");
    pub(in super::super) const PTR: u8 = number("ptr");
    pub(in super::super) const RECEIVER: u8 = number("receiver");
    pub(in super::super) const REFERENCE: u8 = number("reference");
    pub(in super::super) const RENAME: u8 = number("rename");
    pub(in super::super) const SEGMENTS: u8 = number("segments");
    pub(in super::super) const SELF_TY: u8 = number("self_ty");
    pub(in super::super) const STATIC: u8 = number("static");
    pub(in super::super) const STRUCT: u8 = number("struct");
    pub(in super::super) const TRAIT: u8 = number("trait");
    pub(in super::super) const TREE: u8 = number("tree");
    pub(in super::super) const TRY: u8 = number("try");
    pub(in super::super) const TYPE: u8 = number("type");
    pub(in super::super) const UNION: u8 = number("union");
    pub(in super::super) const USE: u8 = number("use");
    pub(in super::super) const VIS: u8 = number("vis");
    pub(in super::super) const WHILE: u8 = number("while");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_stands_once() {
        for (at, word) in WORDS.iter().enumerate() {
            assert_eq!(usize::from(number(word)), at + 1, "{word}");
        }
        assert_eq!(number("ident "), 0);
        assert_eq!((WORDS[usize::from(LITERALS) - 1], WORDS[TAGGING - 1]), ("bool", "yield"));
    }
}
