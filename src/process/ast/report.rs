//! The result as one line of JSON.

use std::cmp::Reverse;

use super::count::{Counts, KIND_FIELDS};

/// Kinds that a record names.
const KINDS_MAX: usize = 1_000;

/// Appends a document's result to `out`.
pub(super) fn write(counts: &Counts, depth: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"dialect":"generic","language":"unknown","values":"#);
    number(counts.values, out);
    out.extend_from_slice(br#","depth":"#);
    number(depth as u64, out);
    out.extend_from_slice(br#","nodes":"#);
    let field = counts.kind_field().and_then(|at| Some((KIND_FIELDS.get(at)?, counts.tallies.get(at)?)));
    let Some((name, tally)) = field else {
        out.extend_from_slice(br#"0,"kind_field":null,"kinds":{}}"#);
        return;
    };
    number(tally.total(), out);
    out.extend_from_slice(br#","kind_field":"#);
    string(name.as_bytes(), out);
    out.extend_from_slice(br#","kinds":{"#);
    let mut kinds: Vec<_> = tally.names().map(|(kind, count)| (Reverse(count), head(kind), kind)).collect();
    kinds.sort_unstable();
    kinds.truncate(KINDS_MAX);
    for (at, &(Reverse(count), _, kind)) in kinds.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        string(kind, out);
        out.push(b':');
        number(count, out);
    }
    out.push(b'}');
    let omitted = tally.total() - kinds.iter().map(|(count, ..)| count.0).sum::<u64>();
    if omitted > 0 {
        out.extend_from_slice(br#","kinds_omitted":"#);
        number(omitted, out);
    }
    out.push(b'}');
}

/// The first eight bytes, filled up with zeros, as a number that sorts as they do.
fn head(text: &[u8]) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(head)
}

/// Appends a number in decimal digits.
fn number(mut value: u64, out: &mut Vec<u8>) {
    let start = out.len();
    loop {
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// Appends a string in quotes, with the escapes that it needs.
fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let plain = |byte: u8| (byte >= 0x20) & (byte != b'"') & (byte != b'\\');
    if text.iter().all(|&byte| plain(byte)) {
        out.extend_from_slice(text);
        out.push(b'"');
        return;
    }
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
    out.push(b'"');
}
