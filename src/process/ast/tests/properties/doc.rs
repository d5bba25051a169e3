//! A document as a tree that can be written in many ways.

use serde_json::Value;

/// A JSON value whose members keep their order and may repeat their keys.
#[derive(Debug, Clone)]
pub(crate) enum Doc {
    /// A token as written: a number, a literal, or a string with its own escapes.
    Token(String),
    /// A string, without its escapes.
    Text(String),
    Array(Vec<Doc>),
    Object(Vec<(String, Doc)>),
}

/// What a reader counts in a document.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) values: u64,
    pub(crate) depth: u64,
    /// Keys that an object repeats.
    pub(crate) repeated: u64,
}

impl From<&Value> for Doc {
    fn from(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(elements) => Self::Array(elements.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect())
            }
            other => Self::Token(other.to_string()),
        }
    }
}

impl Doc {
    pub(crate) fn null() -> Self {
        Self::Token("null".to_owned())
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.count(0, &mut counts);
        counts
    }

    fn count(&self, around: u64, counts: &mut Counts) {
        counts.values += 1;
        match self {
            Self::Token(_) | Self::Text(_) => {}
            Self::Array(elements) => {
                counts.depth = counts.depth.max(around + 1);
                elements.iter().for_each(|element| element.count(around + 1, counts));
            }
            Self::Object(members) => {
                counts.depth = counts.depth.max(around + 1);
                let mut keys: Vec<_> = members.iter().map(|(key, _)| key).collect();
                keys.sort_unstable();
                keys.dedup();
                counts.repeated += (members.len() - keys.len()) as u64;
                members.iter().for_each(|(_, value)| value.count(around + 1, counts));
            }
        }
    }

    /// Returns how many objects hold a string under a key.
    pub(crate) fn nodes(&self, field: &str) -> u64 {
        let is_text = |doc: &Self| match doc {
            Self::Text(_) => true,
            Self::Token(token) => token.starts_with('"'),
            _ => false,
        };
        match self {
            Self::Array(elements) => elements.iter().map(|element| element.nodes(field)).sum(),
            Self::Object(members) => {
                let own = members.iter().any(|(key, value)| key == field && is_text(value));
                u64::from(own) + members.iter().map(|(_, value)| value.nodes(field)).sum::<u64>()
            }
            _ => 0,
        }
    }

    /// Returns the shortest text.
    pub(crate) fn plain(&self) -> String {
        let mut printer = Printer { seed: None, order: Order::Kept, out: String::new() };
        printer.value(self);
        printer.out
    }

    /// Returns another text: white space, escapes and the order of keys vary with a seed.
    pub(crate) fn varied(&self, seed: u64, order: Order) -> String {
        let mut printer = Printer { seed: Some(seed), order, out: String::new() };
        printer.value(self);
        printer.out
    }
}

/// What another text of a document does to the order of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Kept,
    AllMove,
}

struct Printer {
    /// None for the shortest text.
    seed: Option<u64>,
    order: Order,
    out: String,
}

impl Printer {
    fn draw(&mut self, below: usize) -> usize {
        let Some(seed) = &mut self.seed else { return 0 };
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as usize % below
    }

    fn space(&mut self) {
        let spaces = ["", "", " ", "\n        ", "\r\n\t\t\t", "                                     "];
        let drawn = self.draw(spaces.len());
        self.out.push_str(spaces[drawn]);
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            if c < ' ' || c == '"' || c == '\\' || self.draw(6) == 1 {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| self.out += &format!("\\u{unit:04x}"));
            } else {
                self.out.push(c);
            }
        }
        self.out.push('"');
    }

    fn value(&mut self, doc: &Doc) {
        self.space();
        match doc {
            Doc::Token(token) => self.out += token,
            Doc::Text(text) => self.text(text),
            Doc::Array(elements) => {
                self.out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    self.out.push_str(if at > 0 { "," } else { "" });
                    self.value(element);
                }
                self.space();
                self.out.push(']');
            }
            Doc::Object(members) => self.object(members),
        }
        self.space();
    }

    fn object(&mut self, members: &[(String, Doc)]) {
        self.out.push('{');
        for (at, (key, value)) in self.ordered(members).into_iter().enumerate() {
            self.out.push_str(if at > 0 { "," } else { "" });
            self.space();
            self.text(key);
            self.space();
            self.out.push(':');
            self.value(value);
        }
        self.space();
        self.out.push('}');
    }

    fn ordered<'a>(&mut self, members: &'a [(String, Doc)]) -> Vec<&'a (String, Doc)> {
        let mut ordered: Vec<_> = members.iter().collect();
        if self.order == Order::Kept {
            return ordered;
        }
        for at in (1..ordered.len()).rev() {
            let other = self.draw(at + 1);
            ordered.swap(at, other);
        }
        ordered
    }
}
