//! AST-like JSON in the conventions of several parsers, and files that are none.

use crate::support::Rng;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A syntax tree of about so many nodes.
    Ast(u64),
    /// A syntax tree of about so many KiB.
    Large(u64),
    /// JSON that breaks off.
    Broken,
    /// Nothing.
    Empty,
}

/// The field for a node's kind, and for its children.
const CONVENTIONS: [(&str, &str); 5] = [
    ("type", "body"),
    ("_type", "body"),
    ("kind", "inner"),
    ("node_type", "children"),
    ("nodeType", "nodes"),
];
const KINDS: [&str; 6] = ["Module", "FunctionDef", "Name", "Call", "Übergabe", "If \"quoted\""];

impl Content {
    /// Nearly always a small tree, now and then something else.
    pub(crate) fn any(rng: &mut Rng) -> Self {
        match rng.within(0..100) {
            0..3 => Self::Broken,
            3 => Self::Empty,
            4..16 => Self::Large(rng.within(20..400)),
            _ => Self::Ast(rng.within(1..40)),
        }
    }

    /// The bytes, different for each state of the generator.
    pub(crate) fn bytes(self, rng: &mut Rng) -> Vec<u8> {
        match self {
            Self::Empty => Vec::new(),
            Self::Ast(nodes) => ast(rng, nodes),
            Self::Large(kib) => large(rng, kib),
            Self::Broken => {
                let mut bytes = ast(rng, 6);
                bytes.truncate(bytes.len() - 1 - rng.within(0..20) as usize);
                bytes
            }
        }
    }
}

fn ast(rng: &mut Rng, nodes: u64) -> Vec<u8> {
    let (kind, children) = *rng.pick(&CONVENTIONS);
    let mut text = format!("{{\"{kind}\":\"Program\",\"salt\":{},\"{children}\":[", rng.next());
    let mut open = 0;
    for node in 0..nodes {
        if node > 0 && !text.ends_with('[') {
            text.push(',');
        }
        let name = rng.pick(&KINDS).replace('"', "\\\"");
        text.push_str(&format!(
            "{{\"{kind}\":\"{name}\",\"line\":{node},\"value\":[null,true,-1.5e3,\"\\u00e9\"]"
        ));
        if open < 30 && rng.chance(30) {
            text.push_str(&format!(",\"{children}\":["));
            open += 1;
        } else {
            text.push('}');
            while open > 0 && rng.chance(30) {
                text.push_str("]}");
                open -= 1;
            }
        }
    }
    text.push_str(&"]}".repeat(open + 1));
    text.into_bytes()
}

/// The same tree over and over: quickly made, slow to read.
fn large(rng: &mut Rng, kib: u64) -> Vec<u8> {
    let part = ast(rng, 50);
    let mut bytes = b"[".to_vec();
    while bytes.len() < (kib << 10) as usize {
        bytes.extend_from_slice(&part);
        bytes.push(b',');
    }
    bytes.extend_from_slice(&part);
    bytes.push(b']');
    bytes
}
