//! The result as one line of JSON.

use std::cmp::Reverse;

use super::limits::Limits;
use super::summary::{Summary, write_qualified};
use crate::process::ast::detect::evidence::Notes;
use crate::process::ast::dialect::{ALL, LanguageHints};
use crate::process::ast::facts::frame::flag;
use crate::process::ast::facts::{Import, Name, Symbol};
use crate::process::ast::json::swar;

/// The contents of a result.
pub(crate) struct Report<'a> {
    pub(crate) hints: LanguageHints<'a>,
    pub(crate) summary: &'a Summary,
    /// Index of the dialect in `ALL`.
    pub(crate) dialect: usize,
    pub(crate) confidence: f64,
    pub(crate) depth: usize,
    pub(crate) limits: &'a Limits,
}

impl Report<'_> {
    /// Appends the result to `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let Some(dialect) = ALL.get(self.dialect) else { return };
        out.extend_from_slice(b"{\"dialect\":");
        string(dialect.name.as_bytes(), out);
        out.extend_from_slice(b",\"confidence\":");
        hundredths((self.confidence * 100.0).round() as u64, out);
        out.extend_from_slice(b",\"language\":");
        string((dialect.language)(&self.hints).as_bytes(), out);
        member(b",\"values\":", self.hints.evidence.values, out);
        member(b",\"depth\":", self.depth as u64, out);
        self.nodes(out);
        if self.hints.store.lines > 0 {
            member(b",\"lines\":", self.hints.store.lines.into(), out);
        }
        self.symbols(out);
        self.imports(out);
        self.calls(out);
        out.extend_from_slice(b",\"totals\":{\"symbols\":");
        number(self.summary.symbols.len() as u64, out);
        member(b",\"imports\":", self.summary.imports.len() as u64, out);
        member(b",\"calls\":", self.summary.calls_total, out);
        out.push(b'}');
        notes(&self.hints.evidence.notes, out);
        out.push(b'}');
    }

    /// Appends the number of nodes, the field that holds their kinds, and the kinds.
    fn nodes(&self, out: &mut Vec<u8>) {
        let tags = ALL.get(self.dialect).map_or(&[][..], |dialect| dialect.tags);
        let evidence = self.hints.evidence;
        let field = evidence.kind_field().filter(|_| tags.is_empty());
        let tagged: u64 = tags.iter().map(|&(tag, _)| self.tagged(tag)).sum();
        let nodes = field.map_or(tagged, |(_, tally)| tally.total());
        member(b",\"nodes\":", nodes, out);
        out.extend_from_slice(b",\"kind_field\":");
        match field {
            Some((name, _)) => string(name.as_bytes(), out),
            None => out.extend_from_slice(b"null"),
        }
        let mut kinds: Vec<(Reverse<u64>, u64, &[u8])> = Vec::with_capacity(64);
        let counted = field.into_iter().flat_map(|(_, tally)| tally.kinds());
        kinds.extend(counted.map(|kind| (Reverse(kind.count), head(kind.name), kind.name)));
        for &(tag, name) in tags {
            let count = self.tagged(tag);
            if count > 0 {
                kinds.push((Reverse(count), head(name.as_bytes()), name.as_bytes()));
            }
        }
        kinds.sort_unstable();
        kinds.truncate(self.limits.kinds);
        out.extend_from_slice(b",\"kinds\":{");
        for (at, &(Reverse(count), _, kind)) in kinds.iter().enumerate() {
            comma(at, out);
            string(kind, out);
            out.push(b':');
            number(count, out);
        }
        out.push(b'}');
        let omitted = nodes - kinds.iter().map(|(count, ..)| count.0).sum::<u64>();
        if omitted > 0 {
            member(b",\"kinds_omitted\":", omitted, out);
        }
    }

    /// Returns how many nodes have a tag.
    fn tagged(&self, tag: u8) -> u64 {
        self.hints.store.tags.get(usize::from(tag)).copied().unwrap_or(0)
    }

    fn symbols(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"symbols\":[");
        for (at, &place) in self.summary.symbols.iter().take(self.limits.symbols).enumerate() {
            comma(at, out);
            if let Some(symbol) = self.hints.store.symbols.get(place as usize) {
                self.symbol(place, symbol, out);
            }
        }
        out.push(b']');
    }

    fn symbol(&self, place: u32, symbol: &Symbol, out: &mut Vec<u8>) {
        let LanguageHints { doc, store, .. } = self.hints;
        out.extend_from_slice(b"{\"kind\":");
        string(symbol.kind.name().as_bytes(), out);
        text_member(b",\"name\":", store.text(doc, symbol.name), out);
        if symbol.outer == 0 && symbol.qualified.is_none() {
            text_member(b",\"qualified_name\":", store.text(doc, symbol.name), out);
        } else {
            out.extend_from_slice(b",\"qualified_name\":\"");
            let start = out.len();
            write_qualified(doc, store, place, out);
            if !out.get(start..).is_some_and(swar::is_plain) {
                let qualified = out.split_off(start);
                escaped(&qualified, out);
            }
            out.push(b'"');
        }
        if symbol.line > 0 {
            member(b",\"line\":", symbol.line.into(), out);
        }
        if symbol.end_line > 0 {
            member(b",\"end_line\":", symbol.end_line.into(), out);
        }
        if let Some(visibility) = symbol.visibility.name() {
            text_member(b",\"visibility\":", visibility.as_bytes(), out);
        }
        if symbol.flags & flag::ASYNC != 0 {
            out.extend_from_slice(b",\"async\":true");
        }
        if symbol.flags & flag::STATIC != 0 {
            out.extend_from_slice(b",\"static\":true");
        }
        if symbol.kind.is_callable() && symbol.complexity > 0 {
            member(b",\"complexity\":", symbol.complexity.into(), out);
        }
        out.push(b'}');
    }

    fn imports(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"imports\":[");
        for (at, &place) in self.summary.imports.iter().take(self.limits.imports).enumerate() {
            comma(at, out);
            if let Some(import) = self.hints.store.imports.get(place as usize) {
                self.import(import, out);
            }
        }
        out.push(b']');
    }

    fn import(&self, import: &Import, out: &mut Vec<u8>) {
        let LanguageHints { doc, store, .. } = self.hints;
        out.extend_from_slice(b"{\"module\":");
        string(store.text(doc, import.module), out);
        out.extend_from_slice(b",\"names\":[");
        let names = store.imported.get(import.names.0 as usize..import.names.1 as usize).unwrap_or_default();
        for (at, &Name { name, alias, .. }) in names.iter().take(self.limits.imports).enumerate() {
            comma(at, out);
            out.extend_from_slice(b"{\"name\":");
            string(store.text(doc, name), out);
            if alias.is_some() {
                text_member(b",\"alias\":", store.text(doc, alias), out);
            }
            out.push(b'}');
        }
        out.push(b']');
        if import.alias.is_some() {
            text_member(b",\"alias\":", store.text(doc, import.alias), out);
        }
        if import.line > 0 {
            member(b",\"line\":", import.line.into(), out);
        }
        out.push(b'}');
    }

    fn calls(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"calls\":[");
        for (at, call) in self.summary.calls.iter().take(self.limits.calls).enumerate() {
            comma(at, out);
            let caller = self.summary.caller(call);
            out.push(b'{');
            if !caller.is_empty() {
                out.extend_from_slice(b"\"caller\":");
                string(caller, out);
                out.push(b',');
            }
            out.extend_from_slice(b"\"callee\":");
            string(self.hints.store.callees.get(call.callee as usize), out);
            member(b",\"count\":", call.count, out);
            out.push(b'}');
        }
        out.push(b']');
    }
}

/// Appends `notes`, if there is something to note.
fn notes(notes: &Notes, out: &mut Vec<u8>) {
    if *notes == Notes::default() {
        return;
    }
    out.extend_from_slice(b",\"notes\":{");
    let start = out.len();
    if notes.bom {
        out.extend_from_slice(b",\"bom\":true");
    }
    let counts = [
        (&b",\"duplicate_keys\":"[..], notes.duplicate_keys),
        (b",\"non_finite_numbers\":", notes.non_finite_numbers),
        (b",\"numbers_beyond_f64\":", notes.numbers_beyond_f64),
        (b",\"lone_surrogates\":", notes.lone_surrogates),
    ];
    counts.iter().filter(|(_, count)| *count > 0).for_each(|(key, count)| member(key, *count, out));
    if let Some(top_level) = notes.top_level {
        text_member(b",\"top_level\":", top_level.as_bytes(), out);
    }
    if notes.unknown_grammar {
        text_member(b",\"grammar\":", b"unknown", out);
    }
    // The first one needs no comma.
    out.remove(start);
    out.push(b'}');
}

fn comma(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}

/// Appends a key, with a comma before it and its colon, and a number.
#[inline(always)]
fn member(key: &[u8], value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    number(value, out);
}

#[inline(always)]
fn text_member(key: &[u8], text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    string(text, out);
}

/// Appends hundredths as a number from 0 to 1.
fn hundredths(value: u64, out: &mut Vec<u8>) {
    match value {
        100.. => out.push(b'1'),
        0 => out.push(b'0'),
        _ => {
            out.extend_from_slice(b"0.");
            if value < 10 {
                out.push(b'0');
            }
            number(if value.is_multiple_of(10) { value / 10 } else { value }, out);
        }
    }
}

/// Returns the first eight bytes, padded with zeros, as a number that sorts as they do.
fn head(text: &[u8]) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(head)
}

/// Appends a number in decimal digits.
fn number(mut value: u64, out: &mut Vec<u8>) {
    if value < 10 {
        return out.push(b'0' + value as u8);
    }
    let mut digits = [b'0'; 20];
    let mut from = 20;
    while value > 0 {
        from -= 1;
        digits[from] += (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

/// Appends a string in quotes, with the escapes that it needs. Nearly none needs any.
#[inline]
fn string(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    if swar::is_plain(text) {
        out.extend_from_slice(text);
    } else {
        escaped(text, out);
    }
    out.push(b'"');
}

#[cold]
fn escaped(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => {
                let hex = |digit: u8| b"0123456789abcdef".get(usize::from(digit)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
            }
            _ => out.push(byte),
        }
    }
}
