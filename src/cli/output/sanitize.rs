//! Display of the place of an error in a text.

use std::fmt::Write as _;
use std::io;

use super::terminal::{Lines, push_plain};

/// How much is shown before and after the place, in bytes.
const BEFORE: usize = 50;
const AFTER: usize = 25;

/// Prints the text around a place, with a mark below it. Line and column are as in a failure: from 1, the column in
/// bytes.
pub(crate) fn show_place(content: &[u8], line: u64, column: u64, out: &mut Lines<'_>) -> io::Result<()> {
    let Some((before, after)) = around(content, line, column) else { return Ok(()) };
    let before = readable(before);
    let after = readable(after);
    writeln!(out, "    {before}{after}")?;
    writeln!(out, "    {}^", " ".repeat(before.chars().count()))
}

/// Returns the line's text before and after the place, cut between characters.
fn around(content: &[u8], line: u64, column: u64) -> Option<(&[u8], &[u8])> {
    let start = match usize::try_from(line).ok()?.checked_sub(2) {
        None => 0,
        Some(nth) => content.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(nth)?.0 + 1,
    };
    let place = start.checked_add(usize::try_from(column).ok()?.checked_sub(1)?)?;
    let before = content.get(start..place)?;
    let after = content.get(place..)?;
    let after = after.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let cut = before.len().saturating_sub(BEFORE);
    let from = (cut..before.len()).find(|&at| !is_continuation(before, at)).unwrap_or(cut);
    let until = (0..=after.len().min(AFTER)).rev().find(|&at| !is_continuation(after, at)).unwrap_or(0);
    Some((before.get(from..)?, after.get(..until)?))
}

fn is_continuation(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80)
}

/// Converts bytes to text: invalid UTF-8 becomes `\xff`.
fn readable(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push_plain(c, &mut shown));
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content: &[u8], line: u64, column: u64) -> String {
        let mut out = Vec::new();
        show_place(content, line, column, &mut Lines::new(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_mark_stands_below_the_place() {
        assert_eq!(shown(b"[1,]", 1, 4), "    [1,]\n       ^\n");
        assert_eq!(shown(b"[\n1,\n\t\xff]\n", 3, 2), "    \\t\\xff]\n      ^\n");
        assert_eq!(shown(b"[", 1, 2), "    [\n     ^\n");
        assert_eq!(shown(b"", 1, 1), "    \n    ^\n");
        assert_eq!(shown(b"{}\n", 2, 1), "    \n    ^\n");
        assert_eq!(shown(b"{}", 9, 9), "");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let line = "é".repeat(1000);
        for column in 900..910 {
            let text = shown(line.as_bytes(), 1, column * 2 + 1);
            assert_eq!(text, format!("    {}\n    {}^\n", "é".repeat(37), " ".repeat(25)));
        }
    }
}
