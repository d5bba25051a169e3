//! The grammar of single tokens: strings, numbers, literals, white space.

use super::fault::{SyntaxFault, What};
use super::swar;
use super::visit::{Form, Text};

/// Returns the byte at `pos`, 0 after the end. No token begins with a NUL, so both end in the same fault.
#[inline(always)]
pub(crate) fn at(doc: &[u8], pos: usize) -> u8 {
    doc.get(pos).copied().unwrap_or(0)
}

/// Returns the position of the next byte that is not white space.
#[inline(always)]
pub(crate) fn skip_space(doc: &[u8], pos: usize) -> usize {
    let byte = at(doc, pos);
    if byte > b' ' {
        return pos;
    }
    if byte == b' ' && at(doc, pos + 1) > b' ' {
        return pos + 1;
    }
    skip_run(doc, pos)
}

/// Skips line breaks, then the indentation, which is a run of one byte.
#[inline(always)]
fn skip_run(doc: &[u8], mut pos: usize) -> usize {
    loop {
        match at(doc, pos) {
            b'\n' | b'\r' => pos += 1,
            byte @ (b' ' | b'\t') => pos = swar::run_stop(doc, byte, pos + 1),
            _ => return pos,
        }
    }
}

/// Reads a string whose opening quote is just before `start`; returns it and the position after its closing quote.
#[inline(always)]
pub(crate) fn string(doc: &[u8], start: usize) -> Result<(Text<'_>, usize), SyntaxFault> {
    let end = swar::string_stop(doc, start);
    let escaped = at(doc, end) != b'"';
    let (end, unicode) = if escaped { escaped_string(doc, end)? } else { (end, false) };
    let raw = doc.get(start..end).unwrap_or_default();
    Ok((Text { raw, escaped, unicode, at: start }, end + 1))
}

/// Returns the closing quote of a string whose first backslash or fault is at `pos`, and whether there is a `\u`.
#[inline(never)]
fn escaped_string(doc: &[u8], mut pos: usize) -> Result<(usize, bool), SyntaxFault> {
    let mut unicode = false;
    loop {
        match at(doc, pos) {
            b'"' => return Ok((pos, unicode)),
            b'\\' => {
                unicode |= at(doc, pos + 1) == b'u';
                pos = escape(doc, pos + 1)?;
            }
            _ => return Err(SyntaxFault::new(What::Control, pos)),
        }
        pos = swar::string_stop(doc, pos);
    }
}

/// Returns the position after an escape whose backslash is just before `pos`.
#[inline(always)]
fn escape(doc: &[u8], pos: usize) -> Result<usize, SyntaxFault> {
    match at(doc, pos) {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(pos + 1),
        b'u' => match (pos + 1..pos + 5).find(|&digit| !at(doc, digit).is_ascii_hexdigit()) {
            Some(bad) => Err(SyntaxFault::new(What::UnicodeEscape, bad)),
            None => Ok(pos + 5),
        },
        _ => Err(SyntaxFault::new(What::Escape, pos)),
    }
}

/// Returns the position after the number that begins at `start` with a digit or a minus sign, and its form.
#[inline(always)]
pub(crate) fn number(doc: &[u8], start: usize) -> Result<(usize, Form), SyntaxFault> {
    let first = if at(doc, start) == b'-' { start + 1 } else { start };
    let end = swar::digits_stop(doc, first);
    if at(doc, first) == b'0' && end > first + 1 {
        return Err(SyntaxFault::new(What::LeadingZero, first));
    }
    if end == first {
        let end = not_finite(doc, first).map_err(|_| SyntaxFault::new(What::IntegerDigit, first));
        return Ok((end?, Form::Other));
    }
    if matches!(at(doc, end), b'.' | b'e' | b'E') {
        return fraction(doc, end);
    }
    Ok((end, if first == start { Form::Digits } else { Form::Decimal }))
}

/// Returns the position after a `NaN` or `Infinity` that begins at `start`: not JSON, but what Python and others
/// write for such numbers by default. `-NaN` is never written.
#[cold]
pub(crate) fn not_finite(doc: &[u8], start: usize) -> Result<usize, SyntaxFault> {
    let rest = doc.get(start..).unwrap_or_default();
    let negative = start > 0 && at(doc, start - 1) == b'-';
    if rest.starts_with(b"Infinity") {
        Ok(start + 8)
    } else if rest.starts_with(b"NaN") && !negative {
        Ok(start + 3)
    } else {
        Err(SyntaxFault::new(What::Value, start))
    }
}

/// Reads fraction and exponent of a number whose integer part ends at `pos`.
#[inline(never)]
fn fraction(doc: &[u8], mut pos: usize) -> Result<(usize, Form), SyntaxFault> {
    if at(doc, pos) == b'.' {
        pos = some_digits(doc, pos + 1, What::FractionDigit)?;
    }
    if matches!(at(doc, pos), b'e' | b'E') {
        let sign = usize::from(matches!(at(doc, pos + 1), b'+' | b'-'));
        pos = some_digits(doc, pos + 1 + sign, What::ExponentDigit)?;
        return Ok((pos, Form::Other));
    }
    Ok((pos, Form::Decimal))
}

fn some_digits(doc: &[u8], start: usize, missing: What) -> Result<usize, SyntaxFault> {
    let end = swar::digits_stop(doc, start);
    if end == start { Err(SyntaxFault::new(missing, start)) } else { Ok(end) }
}

/// Returns the position after a literal that begins at `start` with `t`, `f` or `n`.
#[inline(always)]
pub(crate) fn literal(doc: &[u8], start: usize) -> Result<usize, SyntaxFault> {
    let rest = doc.get(start..).unwrap_or_default();
    if rest.starts_with(b"null") || rest.starts_with(b"true") {
        Ok(start + 4)
    } else if rest.starts_with(b"false") {
        Ok(start + 5)
    } else {
        Err(bad_literal(rest, start))
    }
}

#[cold]
fn bad_literal(rest: &[u8], start: usize) -> SyntaxFault {
    let words: [&[u8]; 3] = [b"null", b"true", b"false"];
    let same = |word: &&[u8]| word.iter().zip(rest).take_while(|(a, b)| a == b).count();
    SyntaxFault::new(What::Literal, start + words.iter().map(same).max().unwrap_or(0))
}
