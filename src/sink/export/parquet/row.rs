//! A record's members, in the order of the schema.

use std::borrow::Cow;

use base64::Engine as _;

use super::columns::{Cell, Cursor, Group};
use crate::model::{
    AstCall, AstImport, AstImportedName, AstNotes, AstResult, AstSymbol, RecordHead, RecordStatus, Timestamp,
};

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
    to.optional_list(ast.map(|ast| ast.kinds.as_slice()));
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

impl Group for (Cow<'_, str>, u32) {
    const WIDTH: usize = 2;

    fn put(&self, to: &mut Cursor<'_>) {
        to.required(&*self.0);
        to.required(self.1);
    }
}

impl Group for AstSymbol<'_> {
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

impl Group for AstImport<'_> {
    const WIDTH: usize = AstImportedName::WIDTH + 3;

    fn put(&self, to: &mut Cursor<'_>) {
        to.required(&*self.module);
        to.list(&self.names);
        to.optional(self.alias.as_deref());
        to.optional(self.line);
    }
}

impl Group for AstImportedName<'_> {
    const WIDTH: usize = 2;

    fn put(&self, to: &mut Cursor<'_>) {
        to.required(&*self.name);
        to.optional(self.alias.as_deref());
    }
}

impl Group for AstCall<'_> {
    const WIDTH: usize = 3;

    fn put(&self, to: &mut Cursor<'_>) {
        to.optional(self.caller.as_deref());
        to.required(&*self.callee);
        to.required(self.count);
    }
}

impl Group for AstNotes<'_> {
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
