//! A record's members, in the order of the schema.

use std::borrow::Cow;

use base64::Engine as _;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::columns::{Cell, Cursor, Group};
use crate::model::{RecordHead, RecordStatus, Timestamp};

/// Prefix of the AST processor's identity; its version follows.
const AST: &str = "ast/";

/// Writes a record's row.
pub(super) fn put(record: &RecordHead<'_>, to: &mut Cursor<'_>) {
    let bytes = record.path_bytes.as_deref().and_then(decoded);
    to.required(&*record.root);
    to.required(&*record.path);
    to.optional(bytes.as_deref().map(Cell::Bytes));
    to.required(match record.status {
        RecordStatus::Ok => "ok",
        RecordStatus::Failed => "failed",
        RecordStatus::Removed => "removed",
    });
    to.optional(record.size.map(whole));
    to.optional(record.mtime.and_then(Timestamp::known).map(|time| time.0.div_euclid(1_000)));
    to.optional(record.digest.as_deref());
    to.optional(record.processor.as_deref());
    to.optional(record.processor.as_ref().map(|_| i32::from(record.attempts)));
    to.required(whole(record.committed_tick));
    let error = record.error.as_ref();
    to.optional(error.map(|error| error.class.as_str()));
    to.optional(error.map(|error| error.message.as_str()));
    to.optional(error.and_then(|error| error.line).map(whole));
    to.optional(error.and_then(|error| error.column).map(whole));
    let is_ast = record.processor.as_deref().is_some_and(|name| name.starts_with(AST));
    let text = record.result.map(serde_json::value::RawValue::get);
    // A result of an unknown shape is no failure: it is written as it is.
    let ast = text.filter(|_| is_ast).and_then(|text| serde_json::from_str::<AstResult<'_>>(text).ok());
    put_ast(ast.as_ref(), to);
    to.optional(text.filter(|_| ast.is_none()));
}

/// Returns the number, or the nearest one that the column can hold.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn decoded(encoded: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(encoded).ok()
}

fn put_ast(ast: Option<&AstResult<'_>>, to: &mut Cursor<'_>) {
    to.optional(ast.map(|ast| &*ast.dialect));
    to.optional(ast.and_then(|ast| ast.confidence));
    to.optional(ast.map(|ast| &*ast.language));
    to.optional(ast.map(|ast| ast.values));
    to.optional(ast.map(|ast| ast.depth));
    to.optional(ast.map(|ast| ast.nodes));
    to.optional(ast.and_then(|ast| ast.kind_field.as_deref()));
    to.optional(ast.and_then(|ast| ast.lines));
    to.optional_list(ast.map(|ast| ast.kinds.0.as_slice()));
    to.optional(ast.map(|ast| ast.kinds_omitted));
    to.optional_list(ast.and_then(|ast| ast.symbols.as_deref()));
    to.optional_list(ast.and_then(|ast| ast.imports.as_deref()));
    to.optional_list(ast.and_then(|ast| ast.calls.as_deref()));
    let totals = ast.and_then(|ast| ast.totals.as_ref());
    to.optional(totals.map(|totals| totals.symbols));
    to.optional(totals.map(|totals| totals.imports));
    to.optional(totals.map(|totals| totals.calls));
    to.group(ast.and_then(|ast| ast.notes.as_ref()));
}

/// The AST processor's result. Other members are left out.
#[derive(Debug, Deserialize)]
struct AstResult<'a> {
    #[serde(borrow)]
    dialect: Cow<'a, str>,
    confidence: Option<f64>,
    #[serde(borrow)]
    language: Cow<'a, str>,
    values: i64,
    depth: i64,
    nodes: i64,
    #[serde(borrow, default)]
    kind_field: Option<Text<'a>>,
    lines: Option<i64>,
    #[serde(borrow)]
    kinds: Kinds<'a>,
    #[serde(default)]
    kinds_omitted: i64,
    #[serde(borrow, default)]
    symbols: Option<Vec<Symbol<'a>>>,
    #[serde(borrow, default)]
    imports: Option<Vec<Import<'a>>>,
    #[serde(borrow, default)]
    calls: Option<Vec<Call<'a>>>,
    totals: Option<Totals>,
    #[serde(borrow, default)]
    notes: Option<Notes<'a>>,
}

/// A text that is borrowed if it has no escapes, also inside an `Option`.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Deserialize)]
struct Totals {
    symbols: i64,
    imports: i64,
    calls: i64,
}

/// Kinds in the order of the record.
#[derive(Debug)]
struct Kinds<'a>(Vec<(Text<'a>, i64)>);

impl<'de: 'a, 'a> Deserialize<'de> for Kinds<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Kinds<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of kinds and counts")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut kinds = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    kinds.push(entry);
                }
                Ok(Kinds(kinds))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl Group for (Text<'_>, i64) {
    const WIDTH: usize = 2;

    fn put(&self, to: &mut Cursor<'_>) {
        to.required(&*self.0);
        to.required(self.1);
    }
}

#[derive(Debug, Deserialize)]
struct Symbol<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    qualified_name: Cow<'a, str>,
    line: Option<i64>,
    end_line: Option<i64>,
    #[serde(borrow, default)]
    visibility: Option<Text<'a>>,
    #[serde(default, rename = "async")]
    is_async: bool,
    #[serde(default, rename = "static")]
    is_static: bool,
    complexity: Option<i64>,
}

impl Group for Symbol<'_> {
    const WIDTH: usize = 9;

    fn put(&self, to: &mut Cursor<'_>) {
        to.required(&*self.kind);
        to.required(&*self.name);
        to.required(&*self.qualified_name);
        to.optional(self.line);
        to.optional(self.end_line);
        to.optional(self.visibility.as_deref());
        to.required(self.is_async);
        to.required(self.is_static);
        to.optional(self.complexity);
    }
}

#[derive(Debug, Deserialize)]
struct Import<'a> {
    #[serde(borrow)]
    module: Cow<'a, str>,
    #[serde(borrow, default)]
    names: Vec<ImportedName<'a>>,
    #[serde(borrow, default)]
    alias: Option<Text<'a>>,
    line: Option<i64>,
}

impl Group for Import<'_> {
    const WIDTH: usize = ImportedName::WIDTH + 3;

    fn put(&self, to: &mut Cursor<'_>) {
        to.required(&*self.module);
        to.list(&self.names);
        to.optional(self.alias.as_deref());
        to.optional(self.line);
    }
}

#[derive(Debug, Deserialize)]
struct ImportedName<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    alias: Option<Text<'a>>,
}

impl Group for ImportedName<'_> {
    const WIDTH: usize = 2;

    fn put(&self, to: &mut Cursor<'_>) {
        to.required(&*self.name);
        to.optional(self.alias.as_deref());
    }
}

#[derive(Debug, Deserialize)]
struct Call<'a> {
    #[serde(borrow, default)]
    caller: Option<Text<'a>>,
    #[serde(borrow)]
    callee: Cow<'a, str>,
    count: i64,
}

impl Group for Call<'_> {
    const WIDTH: usize = 3;

    fn put(&self, to: &mut Cursor<'_>) {
        to.optional(self.caller.as_deref());
        to.required(&*self.callee);
        to.required(self.count);
    }
}

#[derive(Debug, Deserialize)]
struct Notes<'a> {
    pub(crate) bom: Option<bool>,
    pub(crate) duplicate_keys: Option<i64>,
    pub(crate) non_finite_numbers: Option<i64>,
    pub(crate) numbers_beyond_f64: Option<i64>,
    pub(crate) lone_surrogates: Option<i64>,
    #[serde(borrow, default)]
    pub(crate) top_level: Option<Text<'a>>,
    #[serde(borrow, default)]
    grammar: Option<Text<'a>>,
}

impl Group for Notes<'_> {
    const WIDTH: usize = 7;

    fn put(&self, to: &mut Cursor<'_>) {
        to.optional(self.bom);
        to.optional(self.duplicate_keys);
        to.optional(self.non_finite_numbers);
        to.optional(self.numbers_beyond_f64);
        to.optional(self.lone_surrogates);
        to.optional(self.top_level.as_deref());
        to.optional(self.grammar.as_deref());
    }
}
