//! The building blocks of a dialect's samples, from which further documents are grown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::doc::Doc;

/// Fields that may hold a node's kind.
pub(crate) const KIND_FIELDS: [&str; 7] =
    ["_type", "ast_type", "node_type", "nodeType", "_kind", "type", "kind"];

/// Scalars that are kept of one key.
const SCALARS_MAX: usize = 64;

/// The objects of some samples, each without its contents.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// All shapes of objects.
    pub(crate) shapes: Vec<Shape>,
    /// Those under a key, in an array or not, by their numbers. The document's own is under "".
    pub(crate) under: BTreeMap<String, Vec<usize>>,
    /// Strings, numbers and literals under a key, in an array or not.
    pub(crate) scalars: BTreeMap<String, Vec<Doc>>,
    /// The smallest sample.
    pub(crate) smallest: Vec<u8>,
}

/// An object's keys, and what is under each.
pub(crate) type Shape = Vec<(String, Slot)>;

/// The contents of a key.
#[derive(Debug, Clone)]
pub(crate) enum Slot {
    Scalar(Doc),
    Object,
    Array,
}

impl Samples {
    /// Reads a folder and those below; the samples of one folder are written in one style.
    pub(crate) fn read(folder: &Path) -> Vec<Self> {
        let mut styles = Vec::new();
        let mut style = Self::default();
        let mut seen = BTreeSet::new();
        let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                styles.extend(Self::read(&path));
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            style.take("", &serde_json::from_slice(&bytes).unwrap(), &mut seen);
            if style.smallest.is_empty() || bytes.len() < style.smallest.len() {
                style.smallest = bytes;
            }
        }
        styles.extend((!style.shapes.is_empty()).then_some(style));
        styles
    }

    fn take(&mut self, key: &str, value: &Value, seen: &mut BTreeSet<String>) {
        match value {
            Value::Array(elements) => elements.iter().for_each(|element| self.take(key, element, seen)),
            Value::Object(members) => {
                let shape: Shape =
                    members.iter().map(|(key, value)| (key.clone(), Slot::of(value))).collect();
                // Objects of one kind with the same keys are one shape, whatever their contents.
                let name = |(key, slot): &(String, Slot)| match slot {
                    Slot::Scalar(Doc::Text(kind)) if KIND_FIELDS.contains(&&key[..]) => {
                        format!("{key}={kind}")
                    }
                    _ => key.clone(),
                };
                let names: Vec<_> = shape.iter().map(name).collect();
                if seen.insert(format!("{key}>{}", names.join(" "))) {
                    self.under.entry(key.to_owned()).or_default().push(self.shapes.len());
                    self.shapes.push(shape);
                }
                members.iter().for_each(|(key, value)| self.take(key, value, seen));
            }
            scalar => {
                let known = self.scalars.entry(key.to_owned()).or_default();
                if known.len() < SCALARS_MAX && seen.insert(format!("{key}:{scalar}")) {
                    known.push(Doc::from(scalar));
                }
            }
        }
    }
}

impl Slot {
    fn of(value: &Value) -> Self {
        match value {
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
            scalar => Self::Scalar(Doc::from(scalar)),
        }
    }
}
