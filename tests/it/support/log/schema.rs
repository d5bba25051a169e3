//! The published form of a record, `data/record.schema.json`, and a check against it.
//!
//! Of JSON Schema 2020-12 it knows what that file uses, and refuses a schema with anything else.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that only tell people something.
const TOLD: [&str; 4] = ["$schema", "$id", "title", "description"];

pub(crate) struct Schema {
    whole: Value,
    patterns: BTreeMap<String, Regex>,
}

/// The schema of a record.
pub(crate) fn schema() -> &'static Schema {
    static RECORD: LazyLock<Schema> = LazyLock::new(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/record.schema.json");
        Schema::new(&std::fs::read_to_string(path).unwrap())
    });
    &RECORD
}

/// Holds a line of the record log against the schema.
#[track_caller]
pub(crate) fn assert_record(line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let record = serde_json::from_slice(line).unwrap_or_else(|error| panic!("{error}: {text}"));
    schema().check(&record).unwrap_or_else(|error| panic!("against the schema, {error}: {text}"));
}

impl Schema {
    fn new(text: &str) -> Self {
        Self { whole: serde_json::from_str(text).unwrap(), patterns: BTreeMap::new() }.with_patterns()
    }

    /// The number at the end of its `$id`.
    pub(crate) fn version(&self) -> &str {
        self.whole["$id"].as_str().unwrap().rsplit(':').next().unwrap()
    }

    /// What is wrong with a record, and where.
    pub(crate) fn check(&self, record: &Value) -> Result<(), String> {
        self.fits(&self.whole, record)
    }

    /// Looks at each part of the schema once: nothing unknown may stand in it.
    fn with_patterns(mut self) -> Self {
        let mut parts = vec![self.whole.clone()];
        while let Some(part) = parts.pop() {
            let Some(keywords) = part.as_object() else {
                assert!(part.is_boolean(), "no schema: {part}");
                continue;
            };
            for (keyword, value) in keywords {
                match keyword.as_str() {
                    "properties" | "$defs" => parts.extend(value.as_object().unwrap().values().cloned()),
                    "allOf" => parts.extend(value.as_array().unwrap().iter().cloned()),
                    "items" | "additionalProperties" | "if" | "then" | "else" => parts.push(value.clone()),
                    "pattern" => {
                        let pattern = value.as_str().unwrap();
                        self.patterns.insert(pattern.to_owned(), Regex::new(pattern).unwrap());
                    }
                    "$ref" => assert!(self.named(value).is_some(), "nothing is called {value}"),
                    "type" | "enum" | "const" | "required" | "dependentRequired" | "minimum" | "maximum"
                    | "minLength" | "minProperties" => {}
                    told => assert!(TOLD.contains(&told), "{told} is not known to the check"),
                }
            }
        }
        self
    }

    fn named(&self, reference: &Value) -> Option<&Value> {
        self.whole.pointer(reference.as_str()?.strip_prefix('#')?)
    }

    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let Some(keywords) = schema.as_object() else {
            return if schema == true { Ok(()) } else { Err(": must not be there".to_owned()) };
        };
        for (keyword, wanted) in keywords {
            let fits = match keyword.as_str() {
                "$ref" => {
                    self.fits(self.named(wanted).unwrap(), value)?;
                    true
                }
                "type" => is_a(wanted.as_str().unwrap(), value),
                "enum" => wanted.as_array().unwrap().iter().any(|one| same(one, value)),
                "const" => same(wanted, value),
                "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
                "maximum" => value.as_f64().is_none_or(|number| number <= wanted.as_f64().unwrap()),
                "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= size(wanted)),
                "minProperties" => value.as_object().is_none_or(|object| object.len() as u64 >= size(wanted)),
                "pattern" => {
                    let pattern = &self.patterns[wanted.as_str().unwrap()];
                    value.as_str().is_none_or(|text| pattern.is_match(text))
                }
                "required" => value.as_object().is_none_or(|object| has_all(object, wanted)),
                "dependentRequired" => value.as_object().is_none_or(|object| {
                    let rules = wanted.as_object().unwrap();
                    rules.iter().all(|(name, needed)| !object.contains_key(name) || has_all(object, needed))
                }),
                _ => true,
            };
            if !fits {
                let text: String = value.to_string().chars().take(200).collect();
                return Err(format!(": {text} is not as {keyword} {wanted} has it"));
            }
        }
        self.parts_fit(keywords, value)
    }

    /// Members, items, and what depends on something else.
    fn parts_fit(&self, keywords: &Map<String, Value>, value: &Value) -> Result<(), String> {
        if let (Some(items), Some(all)) = (keywords.get("items"), value.as_array()) {
            for (at, one) in all.iter().enumerate() {
                self.fits(items, one).map_err(|error| format!("/{at}{error}"))?;
            }
        }
        let properties = keywords.get("properties").and_then(Value::as_object);
        for (name, member) in value.as_object().into_iter().flatten() {
            let known = properties.and_then(|known| known.get(name));
            if let Some(schema) = known.or_else(|| keywords.get("additionalProperties")) {
                self.fits(schema, member).map_err(|error| format!("/{name}{error}"))?;
            }
        }
        for schema in keywords.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.fits(schema, value)?;
        }
        if let Some(condition) = keywords.get("if") {
            let branch = if self.fits(condition, value).is_ok() { "then" } else { "else" };
            keywords.get(branch).map_or(Ok(()), |schema| self.fits(schema, value))?;
        }
        Ok(())
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("type {other} is not known to the check"),
    }
}

/// Whether two values are the same to JSON Schema, for which 0 and 0.0 are.
fn same(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().is_some_and(|number| b.as_f64() == Some(number))
}

fn size(wanted: &Value) -> u64 {
    wanted.as_u64().unwrap()
}

fn has_all(object: &Map<String, Value>, names: &Value) -> bool {
    names.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
}
